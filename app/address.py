"""The list's filters in the address of the page, so that a link or a bookmark opens the same list.

Only names from fixed lists and numbers are in it. The words searched for are not: addresses stay in the histories of
browsers and the logs of proxies, and a search may hold a sentence of a report or a name.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from app.document import VERDICTS
from app.selection import BY_DISAGREEMENTS, BY_TIME, FLAWS, STATUSES, Band, Selection
from xray.metrics.marks import KINDS
from xray.text.lexicon import concept

FINDING, KIND, STATUS, VERDICT, FLAW, SCORE, ORDER, PAGE = (
    *("finding", "kind", "status", "verdict", "report", "score", "order", "page"),
)
NAMES = (FINDING, KIND, STATUS, VERDICT, FLAW, SCORE, ORDER, PAGE)
_WAYS = {"low": False, "high": True}
Name = TypeVar("Name", bound=str)


def query_of(selection: Selection, *, page: int = 1) -> dict[str, str]:
    """Write the filters that are set, and the page of the list (from 1) where it is not the first."""
    band = selection.band
    found = {
        FINDING: _list(selection.concepts),
        KIND: _list(selection.kinds),
        STATUS: _list(selection.statuses),
        VERDICT: _list(selection.verdicts),
        FLAW: _list(selection.flaws),
        SCORE: f"{band.metric}:{band.low:.2f}-{band.high:.2f}" if band else "",
        ORDER: f"{selection.order}:{'high' if selection.descending else 'low'}" if selection.order else "",
        PAGE: str(page) if page > 1 else "",
    }
    return {name: value for name, value in found.items() if value}


def selection_of(query: Mapping[str, str], *, metrics: Collection[str]) -> Selection:
    """Read the filters of an address. What is no filter, or of a score that the run lacks, is left out."""
    order, _, way = query.get(ORDER, "").partition(":")
    is_known = order in {BY_DISAGREEMENTS, BY_TIME, *metrics} and way in _WAYS
    return Selection(
        concepts=frozenset(name for name in query.get(FINDING, "").split(",") if concept(name) is not None),
        kinds=_chosen(query.get(KIND, ""), KINDS[1:]),
        statuses=_chosen(query.get(STATUS, ""), STATUSES),
        verdicts=_chosen(query.get(VERDICT, ""), VERDICTS),
        flaws=_chosen(query.get(FLAW, ""), FLAWS),
        band=_band(query.get(SCORE, ""), metrics=metrics),
        order=order if is_known else "",
        descending=is_known and _WAYS[way],
    )


def page_of(query: Mapping[str, str]) -> int:
    """Read the page of the list, 1 where the address names none."""
    text = query.get(PAGE, "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _band(text: str, *, metrics: Collection[str]) -> Band | None:
    metric, _, ends = text.partition(":")
    low, _, high = ends.partition("-")
    try:
        band = Band(metric=metric, low=float(low), high=float(high))
    except ValueError:
        return None
    return band if metric in metrics and 0 <= band.low <= band.high <= 1 else None


def _chosen(text: str, known: Iterable[Name]) -> frozenset[Name]:
    wanted = set(text.split(","))
    return frozenset(name for name in known if name in wanted)


def _list(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
