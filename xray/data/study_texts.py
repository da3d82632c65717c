"""A study's words as they may be kept and learned: without what names a person, in terms that radiologists use."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from xray.data.records import StoredTurn, TextChange
from xray.data.sources.study_files import StudyFiles
from xray.errors import Rejected
from xray.text.identifiers import Cleaned, remove_identifiers
from xray.text.terminology import repair
from xray.types import Report, Turn

_SHORTEST_TELLING_ID = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTexts:
    """What is kept of a study's report and conversations, and each change that was made."""

    report: Report | None
    conversations: tuple[tuple[StoredTurn, ...], ...]
    changes: tuple[TextChange, ...]


def clean_texts(files: StudyFiles, *, study_uid: str, repair_terms: bool) -> StudyTexts:
    """Take identifiers out of all texts of a study and, if asked for, repair the terms of machine translation.

    `study_uid` is the pseudonym that the changes are recorded under. See `without_people` for what goes.

    Raises Rejected: `id_in_report` where an id of the study is left in spite of that, `empty_report` where nothing is.
    """
    cleaner = _Cleaner(files=files, study_uid=study_uid, repair_terms=repair_terms)
    report = None if files.report is None else clean_report(files.report, clean=cleaner)
    conversations = tuple(
        tuple(_clean_turn(turn, cleaner=cleaner, part=f"conversation {number}") for turn in turns)
        for number, turns in enumerate(files.conversations, start=1)
    )
    return StudyTexts(report=report, conversations=conversations, changes=tuple(cleaner.changes))


def clean_report(report: Report, *, clean: Callable[[str, str], str]) -> Report:
    """Return the report after `clean`, which is given each text and the name of its part.

    Raises Rejected: `empty_report` where nothing is left, and whatever `clean` raises.
    """

    def optional(text: str | None, *, part: str) -> str | None:
        return None if text is None else clean(text, part)

    cleaned = replace(
        report,
        findings=clean(report.findings, "findings"),
        impression=optional(report.impression, part="impression"),
        indication=optional(report.indication, part="indication"),
        comparison=optional(report.comparison, part="comparison"),
    )
    if not cleaned.text.strip():
        raise Rejected("empty_report", "the report holds nothing but what names people")
    return cleaned


def without_people(text: str, *, files: StudyFiles) -> Cleaned:
    """Take identifiers out of one text of a study. Dates become offsets to the day of the study.

    Raises Rejected: `id_in_report` where an id of the study is left in spite of that.
    """
    ids = _telling_ids(files)
    cleaned = remove_identifiers(text, known=(*ids, *files.people), study_day=files.study_day)
    if any(identifier in cleaned.text for identifier in ids):
        raise Rejected("id_in_report", "the report's text holds the id of its patient or study; take it out")
    return cleaned


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cleaner:
    files: StudyFiles
    study_uid: str
    repair_terms: bool
    changes: list[TextChange] = field(default_factory=list)

    def __call__(self, text: str, part: str) -> str:
        cleaned = without_people(text, files=self.files)
        for kind in cleaned.removed:
            self._note(part, kind="identifier", found=kind)
        if not self.repair_terms:
            return cleaned.text
        repaired = repair(cleaned.text)
        for change in repaired.changes:
            self._note(part, kind="repair", found=change.found, written=change.written, start=change.start)
        return repaired.text

    def _note(self, part: str, *, kind: str, found: str, written: str | None = None, start: int | None = None) -> None:
        content = {"kind": kind, "found": found, "written": written, "start": start}
        self.changes.append(TextChange.model_validate({"study_uid": self.study_uid, "part": part, **content}))


def _clean_turn(turn: Turn, *, cleaner: _Cleaner, part: str) -> StoredTurn:
    return StoredTurn(role=turn.role, text=cleaner(turn.text, part))


def _telling_ids(files: StudyFiles) -> Collection[str]:
    """Return the ids that are long enough to be no ordinary word or number of a report."""
    ids = {files.study_uid, files.patient_id, files.film_patient_id}
    return [identifier for identifier in ids if identifier is not None and len(identifier) >= _SHORTEST_TELLING_ID]
