"""How far every review is, kept in memory: what lists and figures need of the revisions, without their documents.

Revisions are only ever appended, and in the order of their numbers (each writer has the end of the chain for itself
until it has committed). So a ledger reads what came since its last look, however many there are, and never the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType

from sqlalchemy import Row, func, or_, select

from app.store.engine import Database
from app.store.reviews import GIVEN
from app.store.schema import RevisionRow

_COLUMNS = (
    RevisionRow.seq,
    RevisionRow.run_id,
    RevisionRow.case_id,
    RevisionRow.reviewer,
    RevisionRow.task,
    RevisionRow.status,
    RevisionRow.saved_at,
    RevisionRow.document,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One review as far as it is. Times are ISO 8601 in UTC.

    `status` is that of the newest revision; `given_at` when it was first submitted, None where it is not submitted (or
    was declared void since). `verdict` and `generated_sha256` are of the newest document, and so are the reader's
    active time in milliseconds and the number of edits.
    """

    run_id: str
    case_id: str
    reviewer: str
    task: str
    status: str
    given_at: str | None
    saved_at: str
    verdict: str | None
    generated_sha256: str
    active_ms: int
    edits: int


_Row = Row[int, str, str, str, str, str, str, str]
_Key = tuple[str, str, str]
_NOTHING: Mapping[str, Progress] = MappingProxyType({})


class Ledger:
    """The progress of all reviews of a database. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._position = 0
        self._reviews: dict[_Key, dict[str, Progress]] = {}

    @property
    def position(self) -> int:
        """Number of the newest revision read: as long as it is the same, nothing was saved."""
        return self._position

    def of(self, run_id: str, *, reviewer: str, task: str = "") -> Mapping[str, Progress]:
        """Return a reader's reviews of a run (in one assignment of a study, or outside of studies) by case id."""
        with self._lock:
            self._catch_up()
            return dict(self._reviews.get((run_id, reviewer, task), _NOTHING))

    def all(self) -> tuple[Progress, ...]:
        """Return every review of the project."""
        with self._lock:
            self._catch_up()
            return tuple(review for reviews in self._reviews.values() for review in reviews.values())

    def _catch_up(self) -> None:
        review = (RevisionRow.run_id, RevisionRow.case_id, RevisionRow.reviewer, RevisionRow.task)
        since = RevisionRow.seq > self._position
        newest = select(func.max(RevisionRow.seq)).where(since).group_by(*review)
        telling = or_(
            RevisionRow.status != "draft", RevisionRow.seq.in_(newest)
        )  # a draft that was drafted over is none
        with self._database.reading() as session:
            for row in session.execute(select(*_COLUMNS).where(since, telling).order_by(RevisionRow.seq)):
                self._note(row)

    def _note(self, row: _Row) -> None:
        reviews = self._reviews.setdefault((row.run_id, row.reviewer, row.task), {})
        known = reviews.get(row.case_id)
        given_at = known.given_at if known else None
        if row.status in GIVEN:
            given_at = given_at or row.saved_at
        elif row.status == "void":
            given_at = None
        reviews[row.case_id] = replace(_progress(row), given_at=given_at)
        self._position = row.seq


def _progress(row: _Row) -> Progress:
    said = json.loads(row.document)
    timings = said.get("timings", {})
    return Progress(
        run_id=row.run_id,
        case_id=row.case_id,
        reviewer=row.reviewer,
        task=row.task,
        status=row.status,
        given_at=None,
        saved_at=row.saved_at,
        verdict=said.get("verdict"),
        generated_sha256=said.get("generated_sha256", ""),
        active_ms=timings.get("active_ms", 0),
        edits=timings.get("edits", 0),
    )
