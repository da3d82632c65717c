"""阅片评审: the films of one study, both reports with their findings marked, and the reader's verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import access, components, navigation, session
from app.faults import shown
from app.films import film_url
from app.markup import banner_html, draft_text, legend_html, metrics_html, report_head_html, report_html, turns_html
from app.run import ReviewCase, Run
from app.saving import Answer, receive
from app.selection import Entry, neighbour, next_unreviewed
from app.store import reviews
from app.store.reviews import Revision
from app.words import Words
from xray.metrics.marks import Segment

EDITOR_KEY = "editor"
ANSWERS_KEY = "answers"
# A page with a timer asks a restarted server for a full run. Without it the drafts would go to a fragment that the new
# server does not know, and nothing typed would be saved until the reader left the case.
REFRESH_SECONDS = 600


def show() -> None:
    """Draw the page of the case in ?run=ID&case=ID."""
    with shown():
        words, run = session.words(), session.current_run()
        st.html(banner_html(words))
        case_id = st.query_params.get("case", "")
        case = run.case(case_id)
        if case is None:
            st.info(words.unknown_case.format(case_id=case_id[:80]) if case_id else words.choose_case)
            if st.button(words.back, type="primary"):
                navigation.open_worklist()
            return
        entries = navigation.entries(run)
        entry = next(entry for entry in entries if entry.case.id == case.id)
        _steps(case, run=run, entries=entries, listed=navigation.listed(run), words=words)
        _case(run, entry, words=words)


def _steps(case: ReviewCase, *, run: Run, entries: Sequence[Entry], listed: Sequence[Entry], words: Words) -> None:
    ids = [entry.case.id for entry in listed]
    place = f"{ids.index(case.id) + 1} / {len(ids)}" if case.id in ids else f"– / {len(ids)}"
    back, title, previous, following, upcoming = st.columns([1.2, 5, 1.2, 1.2, 1.6], vertical_alignment="center")
    if back.button(words.back, shortcut="L", icon=":material/list:", width="stretch"):
        navigation.open_worklist()
    badges = [("plain", f"{words.run} {run.id}"), ("plain", place)]
    title.html(report_head_html(f"{words.case} {case.id}", badges=badges))
    targets = (
        (previous, words.previous, "Left", neighbour(listed, of=case.id, step=-1)),
        (following, words.following, "Right", neighbour(listed, of=case.id, step=1)),
        (upcoming, words.next_unreviewed, "N", next_unreviewed(listed, after=case.id)),
    )
    for column, label, shortcut, target in targets:
        if column.button(label, shortcut=shortcut, disabled=target is None, width="stretch") and target:
            navigation.open_case(target)


def _case(run: Run, entry: Entry, *, words: Words) -> None:
    films, texts = st.columns([5, 6] if len(entry.case.case.images) < 2 else [1, 1], gap="medium")
    with films:
        _films(run, entry.case, words=words)
    with texts:
        if turns := turns_html(entry.case.case.turns, words=words):
            st.html(turns)
        _reports(run, entry, words=words)
        st.html(legend_html(words) + metrics_html(entry.case.scores, words=words))
        if entry.is_outdated:
            st.warning(words.outdated)
        st.fragment(_editor, run_every=REFRESH_SECONDS)(run, entry.case)
        st.html(f'<div class="keys">{words.keys}</div>')


def _films(run: Run, case: ReviewCase, *, words: Words) -> None:
    films = [
        {"url": film_url(run.id, case_id=case.id, index=index), "label": words.views.get(view, view)}
        for index, view in enumerate(case.case.views[: len(case.case.images)])
    ]
    texts = {
        name: getattr(words, name) for name in ("film_help", "display_note", "invert", "reset", "no_film", "alone")
    }
    components.viewer(data={"films": films, "words": texts}, key="viewer")


def _reports(run: Run, entry: Entry, *, words: Words) -> None:
    marks = session.marked(run, entry.case)
    left, right = st.columns(2, gap="medium")
    with left:
        badges = [("ai", words.generated_badge), *([("warn", words.cut_off)] if entry.case.cut_off else [])]
        st.html(report_head_html(words.generated_report, badges=badges))
        text = draft_text(entry.case.generated, words=words)
        segments = marks.generated if text == entry.case.generated else (Segment(text=text),)
        st.html(report_html(segments, words=words))
    with right:
        translated = entry.case.case.origin == "machine_translation"
        badge = words.machine_translated if translated else words.reference_note
        st.html(report_head_html(words.reference_report, badges=[("plain", badge)]))
        st.html(report_html(marks.reference, words=words))


def _editor(run: Run, case: ReviewCase) -> None:
    """Mount the editor, alone in a fragment: a save reruns nothing else, and the films stay untouched."""
    with shown():
        words = session.words()
        history = reviews.history(session.database(), run.id, case.id, reviewer=access.current().name)
        result = components.editor(
            data=_editor_data(run, case, latest=history[-1] if history else None, words=words),
            key=EDITOR_KEY,
            default={"outbox": None},
            on_outbox_change=_receive,
        )
        # After a restart of the server the browser sends its drafts again, but no callback is registered for them yet.
        if _take(result.outbox):
            st.rerun()
        if history:
            with st.expander(f"{words.history} ({len(history)})"):
                st.dataframe([_history_row(revision, words=words) for revision in reversed(history)], hide_index=True)


def _receive() -> None:
    with shown():
        _take(st.session_state[EDITOR_KEY].get("outbox"))


def _take(outbox: object) -> bool:
    """Store what the browser sent; True when there is something new to tell it."""
    answers = receive(outbox, find_run=session.find_run, database=session.database(), reviewer=access.current().name)
    if not answers or answers == st.session_state.get(ANSWERS_KEY):
        return False
    st.session_state[ANSWERS_KEY] = answers
    return True


def _editor_data(run: Run, case: ReviewCase, *, latest: Revision | None, words: Words) -> dict[str, Any]:
    answers: tuple[Answer, ...] = st.session_state.get(ANSWERS_KEY, ())
    return {
        "run": run.id,
        "runs": list(session.runs()),
        "case": case.id,
        "generated": case.generated or "",
        "generated_sha256": case.generated_sha256,
        "review": _review_json(latest),
        "acks": [_answer_json(answer) for answer in answers if not answer.refused],
        "refusals": [_answer_json(answer) for answer in answers if answer.refused],
        "words": _editor_words(words),
    }


def _review_json(revision: Revision | None) -> dict[str, Any]:
    if revision is None:
        return {"revision": 0, "verdict": None, "comment": "", "corrected": "", "generated_sha256": ""}
    return {
        "revision": revision.revision,
        "verdict": revision.document.verdict,
        "comment": revision.document.comment,
        "corrected": revision.document.corrected,
        "generated_sha256": revision.document.generated_sha256,
    }


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "run": answer.run_id,
        "case": answer.case_id,
        "client": answer.client,
        "sequence": answer.sequence,
        "revision": answer.revision,
        "review": _review_json(answer.latest),
    }


def _editor_words(words: Words) -> Mapping[str, Any]:
    names = (
        "html_language verdict comment comment_hint corrected corrected_hint start_from_draft saved saving offline "
        "nothing_yet conflict keep_mine take_theirs edited_badge"
    )
    return {name: getattr(words, name) for name in names.split()} | {"verdicts": dict(words.verdicts)}


def _history_row(revision: Revision, *, words: Words) -> dict[str, str]:
    return {
        "#": str(revision.revision),
        "UTC": revision.saved_at.replace("T", " ")[:19],
        words.verdict: words.verdicts.get(revision.document.verdict or "", "–"),
        words.comment: revision.document.comment,
        words.corrected: revision.document.corrected,
    }
