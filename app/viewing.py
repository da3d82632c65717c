"""The films of a case on a page: one call, the same on every page.

What goes to the browser are addresses that say nothing of where the films come from, views, and the words of the
viewer: a reader of a blinded study could read it.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app import access, components, session
from app.films import FilmPlace, film_address
from app.run import ReviewCase, Run
from app.words.viewer import VIEWER_WORDS, ViewerWords


def show_films(run: Run, case: ReviewCase, *, key: str, upcoming: ReviewCase | None = None) -> None:
    """Draw the viewer with the case's films, and the first film of the patient's last earlier study of the run.

    `key` names the component on the page; a viewer that keeps its key keeps the reader's settings from case to case.
    The browser fetches the previews of `upcoming`, a case of the same run, ahead.
    """
    words = session.in_language(VIEWER_WORDS)
    films = [_film(run, case, index=index, words=words) for index in range(len(case.case.images))]
    prior = run.prior_of(case)
    if prior is not None and prior.case.images:
        films.append(_film(run, prior, index=0, words=words, later=case))
    ahead = range(len(upcoming.case.images)) if upcoming else ()
    components.viewer(
        data={
            "films": films,
            "ahead": [_film(run, upcoming, index=index, words=words) for index in ahead if upcoming],
            "words": _plain(words),
        },
        key=key,
        on_renew_change=_renew,
    )


def _film(
    run: Run, case: ReviewCase, *, index: int, words: ViewerWords, later: ReviewCase | None = None
) -> dict[str, Any]:
    originals = session.lightbox().originals
    sha256 = run.film_sha256(case.id, index)
    place = FilmPlace(run_id=run.id, case_id=case.id, index=index)
    is_found = originals is not None and sha256 is not None and originals.find(sha256) is not None
    return {
        "address": film_address(place, person=access.current().name),
        "label": _label(case, index=index, words=words, later=later),
        "sources": ["original", "model"] if is_found else ["model"],
        "searching": originals is not None and sha256 is not None and not is_found and originals.is_searching,
        "prior": later is not None,
    }


def _label(case: ReviewCase, *, index: int, words: ViewerWords, later: ReviewCase | None) -> str:
    names = session.words().views
    view = case.case.views[index] if index < len(case.case.views) else "unknown"
    label = names.get(view, view)
    if later is None or later.case.day is None or case.case.day is None:
        return label
    return words.prior_label.format(days=later.case.day - case.case.day, view=label)


def _plain(words: ViewerWords) -> dict[str, Any]:
    found = {field.name: getattr(words, field.name) for field in fields(words)}
    return {name: dict(text) if isinstance(text, Mapping) else text for name, text in found.items()}


def _renew() -> None:
    """Answer the browser's call for addresses that have not expired: drawing the page makes them."""
