"""Saving and reading reviews. A save is a new revision; nothing that was saved is changed.

A review begins as a draft, is submitted, and may be amended. Drafts on top of a submitted review are an amendment in
the making: what was submitted stands until the next submission. A void review, with the reason, stands for nothing.

Conflicts are found by revision number, never by comparing clocks of two machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.document import ReviewDocument, canonical
from app.store.chain import append_record, now
from app.store.engine import Database
from app.store.people import LOCAL
from app.store.schema import AssignmentRow, PersonRow, RevisionRow, StudyRow
from xray.errors import DataError

Status = Literal["draft", "submitted", "amended", "void"]
_STATUSES: tuple[Status, ...] = ("draft", "submitted", "amended", "void")
GIVEN: tuple[Status, ...] = ("submitted", "amended")
"""What a review is that its reader has handed in."""
_SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a reviewer's browser asks to save.

    `client` names one loaded page and `sequence` counts its saves, so a repeated request is recognised.
    `base_revision` is the revision the text was typed on (0 = none); `ancestors` are the earlier pages whose unsaved
    text this page took over, each with the sequence it took: that page may be open still and have gone on writing.
    `task` is the assignment in a study, "" outside of studies. `reason` is why a submitted review is amended.
    """

    run_id: str
    case_id: str
    client: str
    sequence: int
    base_revision: int
    document: ReviewDocument
    ancestors: tuple[tuple[str, int], ...] = ()
    submit: bool = False
    reviewer: str = LOCAL
    task: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The review of a case as it stood at `saved_at` (ISO 8601, UTC)."""

    run_id: str
    case_id: str
    reviewer: str
    task: str
    revision: int
    status: Status
    document: ReviewDocument
    reason: str
    saved_at: str


Said = TypeVar("Said", RevisionRow, Revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of a save: the case's latest revision, whoever wrote it, and the revision that holds the draft.

    Only `acknowledged` may become the base of what the page sends next: the page has not seen `latest`. It is None
    where the draft was refused.
    """

    latest: Revision
    acknowledged: int | None

    @property
    def conflict(self) -> bool:
        """Whether the draft was refused because another page has saved meanwhile."""
        return self.acknowledged is None


def save(database: Database, draft: Draft) -> Outcome:
    """Append `draft` as a new revision and return after COMMIT; the same draft again changes nothing.

    A draft typed on an older revision than another page has saved meanwhile is refused: `conflict` is True and `latest`
    is what the other page saved. Raises DataError for a reviewer or an assignment that the project does not have,
    and in a study that is closed.
    """
    with database.writing() as session:
        rows = session.scalars(_thread(draft.run_id, draft.case_id, draft.reviewer, draft.task)).all()
        status, reason = _becomes(rows, draft)
        holder = _holder(rows, draft, status=status)
        if holder is not None:
            return Outcome(latest=_revision(rows[-1]), acknowledged=holder.revision)
        if any(_is_unseen(row, draft) for row in rows):
            return Outcome(latest=_revision(rows[-1]), acknowledged=None)
        _check(session, draft, is_first=not rows)
        row = _new_row(replace(draft, reason=reason), status=status, revision=rows[-1].revision + 1 if rows else 1)
        append_record(session, row, actor=draft.reviewer, action=status)
        latest = _revision(row)
    return Outcome(latest=latest, acknowledged=latest.revision)


def void(database: Database, latest: Revision, *, actor: str, reason: str) -> Revision:
    """Declare a review void; what it said stays readable.

    Raises DataError when `latest` is not its newest revision, or no reason is given.
    """
    if not reason.strip():
        raise DataError(f"The review of {latest.case_id} was not declared void: it needs a reason.")
    with database.writing() as session:
        rows = session.scalars(_thread(latest.run_id, latest.case_id, latest.reviewer, latest.task)).all()
        if not rows or rows[-1].revision != latest.revision:
            raise DataError(f"The review of {latest.case_id} was saved again meanwhile. Look at it and decide anew.")
        row = RevisionRow(
            run_id=latest.run_id,
            case_id=latest.case_id,
            reviewer=latest.reviewer,
            task=latest.task,
            revision=latest.revision + 1,
            status="void",
            reason=reason,
            client=_SERVER,
            sequence=latest.revision + 1,
            document=rows[-1].document,
            saved_at=now(),
        )
        append_record(session, row, actor=actor, action="void")
        return _revision(row)


def latest(database: Database, run_id: str, *, reviewer: str = LOCAL, task: str = "") -> dict[str, Revision]:
    """Return the newest revision of every case of a run that the reviewer has touched, by case id."""
    mine = (RevisionRow.run_id == run_id, RevisionRow.reviewer == reviewer, RevisionRow.task == task)
    newest = select(func.max(RevisionRow.seq)).where(*mine).group_by(RevisionRow.case_id)
    with database.reading() as session:
        rows = session.scalars(select(RevisionRow).where(RevisionRow.seq.in_(newest))).all()
        return {row.case_id: _revision(row) for row in rows}


def history(
    database: Database, run_id: str, case_id: str, *, reviewer: str = LOCAL, task: str = ""
) -> tuple[Revision, ...]:
    """All revisions of one case, oldest first."""
    with database.asking() as session:
        return tuple(_revision(row) for row in session.scalars(_thread(run_id, case_id, reviewer, task)))


def is_given(rows: Sequence[Revision]) -> bool:
    """Whether a review, all of its revisions from the oldest, was submitted and stands: later drafts amend it."""
    return (last := last_said(rows)) is not None and last.status in GIVEN


def last_said(rows: Sequence[Said]) -> Said | None:
    """Return the newest of a review's revisions, from the oldest, that is more than a draft: given, or void."""
    return next((row for row in reversed(rows) if row.status != "draft"), None)


def newest(database: Database, run_id: str) -> tuple[Revision, ...]:
    """Return the newest revision of every review of a run, by whomever and in whatever study, of any status."""
    review = (RevisionRow.case_id, RevisionRow.reviewer, RevisionRow.task)
    last = select(func.max(RevisionRow.seq)).where(RevisionRow.run_id == run_id).group_by(*review)
    with database.reading() as session:
        rows = session.scalars(select(RevisionRow).where(RevisionRow.seq.in_(last)).order_by(RevisionRow.seq))
        return tuple(_revision(row) for row in rows)


def standing(database: Database, run_id: str) -> tuple[Revision, ...]:
    """Return what every reader has given for a run: the newest submission of each review that is not void.

    In the order of submission, reviews of all studies included; `task` tells them apart.
    """
    with database.reading() as session:
        return standing_rows(session, select(RevisionRow).where(RevisionRow.run_id == run_id))


def standing_rows(session: Session, chosen: Select[RevisionRow]) -> tuple[Revision, ...]:
    """Return the newest submission of each review among the chosen rows that is not void."""
    found: dict[tuple[str, str, str, str], RevisionRow] = {}
    for row in session.scalars(chosen.where(RevisionRow.status != "draft").order_by(RevisionRow.seq)):
        key = (row.run_id, row.case_id, row.reviewer, row.task)
        if key in found and _gives_again(row, found[key]):
            continue  # an amendment was given up: what was signed before stands, with its time
        found.pop(key, None)
        if row.status != "void":
            found[key] = row
    return tuple(_revision(row) for row in found.values())


def newest_status(session: Session, tasks: Select[str]) -> dict[str, Status]:
    """Return the status of each task's newest revision, by task; tasks without a revision are not in it."""
    newest = select(func.max(RevisionRow.seq)).where(RevisionRow.task.in_(tasks)).group_by(RevisionRow.task)
    rows = session.scalars(select(RevisionRow).where(RevisionRow.seq.in_(newest)))
    return {row.task: _status(row) for row in rows}


def _thread(run_id: str, case_id: str, reviewer: str, task: str) -> Select[RevisionRow]:
    case = (RevisionRow.run_id == run_id, RevisionRow.case_id == case_id)
    by = (RevisionRow.reviewer == reviewer, RevisionRow.task == task)
    return select(RevisionRow).where(*case, *by).order_by(RevisionRow.revision)


def _gives_again(row: RevisionRow, before: RevisionRow) -> bool:
    is_same = (row.status, row.reason) == (before.status, before.reason)
    return is_same and _document(row).says_the_same_as(_document(before))


def _becomes(rows: Sequence[RevisionRow], draft: Draft) -> tuple[Status, str]:
    """Return the status that a draft is stored with, and the reason.

    One that gives the standing submission once more, for an amendment was given up, takes both from that.
    """
    last = last_said(rows)
    if not draft.submit:
        return "draft", draft.reason
    if last is None or last.status not in GIVEN:
        return "submitted", draft.reason
    if _document(last).says_the_same_as(draft.document):
        return _status(last), last.reason
    return "amended", draft.reason


def _holder(rows: Sequence[RevisionRow], draft: Draft, *, status: Status) -> RevisionRow | None:
    """Return the row that holds the draft's text already: its own, a later one of its page, or a latest one like it."""
    for row in rows:
        if row.client == draft.client and row.sequence >= draft.sequence:
            return row
    if not rows or not _document(rows[-1]).says_the_same_as(draft.document):
        return None
    return rows[-1] if rows[-1].status in (status, *GIVEN) else None


def _is_unseen(row: RevisionRow, draft: Draft) -> bool:
    """Whether the draft was typed without knowing of that row."""
    if row.revision <= draft.base_revision or row.client == draft.client:
        return False
    return all(row.client != client or row.sequence > sequence for client, sequence in draft.ancestors)


def _check(session: Session, draft: Draft, *, is_first: bool) -> None:
    if is_first and session.get(PersonRow, draft.reviewer) is None:
        raise DataError(f"The project has no user {draft.reviewer}. Add them before they review.")
    if not draft.task:
        return
    found = session.get(AssignmentRow, draft.task)
    study = session.get(StudyRow, found.study_id) if found else None
    if study is not None and study.state != "open":
        raise DataError("This study is closed. Nothing is changed in it any more.")
    if found is None or (found.reader, found.run_id, found.case_id) != (draft.reviewer, draft.run_id, draft.case_id):
        raise DataError(f"The case {draft.case_id} is not assigned to {draft.reviewer} as {draft.task}.")


def _new_row(draft: Draft, *, status: Status, revision: int) -> RevisionRow:
    return RevisionRow(
        run_id=draft.run_id,
        case_id=draft.case_id,
        reviewer=draft.reviewer,
        task=draft.task,
        revision=revision,
        status=status,
        reason=draft.reason,
        client=draft.client,
        sequence=draft.sequence,
        document=canonical(draft.document),
        saved_at=now(),
    )


def _document(row: RevisionRow) -> ReviewDocument:
    return _parsed(row.document)


@lru_cache(maxsize=8192)  # each save reads all revisions of its case, twice
def _parsed(text: str) -> ReviewDocument:
    return ReviewDocument.model_validate_json(text)


def _status(row: RevisionRow) -> Status:
    return next(known for known in _STATUSES if known == row.status)


def _revision(row: RevisionRow) -> Revision:
    return Revision(
        run_id=row.run_id,
        case_id=row.case_id,
        reviewer=row.reviewer,
        task=row.task,
        revision=row.revision,
        status=_status(row),
        document=_document(row),
        reason=row.reason,
        saved_at=row.saved_at,
    )
