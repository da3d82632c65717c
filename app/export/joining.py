"""A review, the case that it is about and the text that it judged, joined into one record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.asked import asked_of
from app.document import ReviewDocument
from app.export.edits import edits_of
from app.export.judged import Judged
from app.export.records import (
    Answer,
    Exclusion,
    Person,
    PromptTurn,
    ProtocolUsed,
    ReviewedFilm,
    ReviewedReport,
    Signature,
    Status,
    review_id,
)
from app.originals import Originals
from app.run import ADAPTER_SYSTEM, TEST_SPLIT, ReviewCase, Run
from app.store.adjudication import Decision
from app.store.reviews import Revision
from app.store.studies import Arm
from xray.data.film_header import is_dicom
from xray.data.known_files import digest_file
from xray.errors import Rejected
from xray.types import Split, View

FindOriginal = Callable[[Run, ReviewCase, int], Path | None]
"""Finds the DICOM file that film number n of a case was rendered from, None where it is not at hand."""


def originals_in(films: Originals | None, *, name_patients: bool) -> FindOriginal:
    """Return what looks for the DICOM file of a film among the hospital's, by the sha256 that the run keeps of it.

    An original that is a PNG or JPEG picture names no patient, and is not returned. Where they `name_patients`, each
    is read whole: a file that has become another since it was found may be another patient's, and is not returned.
    """

    def find(run: Run, case: ReviewCase, index: int) -> Path | None:
        sha256 = run.film_sha256(case.id, index)
        path = films.find(sha256) if films and sha256 else None
        if path is None or not _is_dicom(path):
            return None
        return path if not name_patients or _is_unchanged(path, sha256=sha256) else None

    return find


MEANINGS: Mapping[Status, str] = {"submitted": "审核", "amended": "修订审核", "approved": "仲裁审定"}
"""What a signature of that status stands for (21 CFR 11.50)."""
_VIEWS: Mapping[str, View] = {"frontal": "frontal", "lateral": "lateral"}


def _is_unchanged(path: Path, *, sha256: str | None) -> bool:
    try:
        return digest_file(path).sha256 == sha256
    except Rejected:  # what became of it is told where it is read
        return True


def _is_dicom(path: Path) -> bool:
    try:
        return is_dicom(path)
    except Rejected:  # what became of it since it was found is told where it is read
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Reviews under one protocol: those of a study, whose texts lie in its arms by task, or those outside."""

    protocol: ProtocolUsed
    study_id: str = ""
    arms: Mapping[str, tuple[Arm, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one person said of a case, whether as its reader or as its adjudicator."""

    run_id: str
    case_id: str
    person: str
    task: str
    document: ReviewDocument
    status: Status
    revision: int
    at: str
    reason: str = ""

    @classmethod
    def of_reader(cls, row: Revision) -> "Given":
        """Take what a reader has saved."""
        return cls(
            run_id=row.run_id,
            case_id=row.case_id,
            person=row.reviewer,
            task=row.task,
            document=row.document,
            status=row.status,
            revision=row.revision,
            at=row.saved_at,
            reason=row.reason,
        )

    @classmethod
    def of_adjudicator(cls, decision: Decision) -> "Given":
        """Take what an adjudicator has decided. Its task is no assignment: they may have read the case as well."""
        return cls(
            run_id=decision.run_id,
            case_id=decision.case_id,
            person=decision.adjudicator,
            task=f"adjudication:{decision.study_id}",
            document=decision.document,
            status="approved",
            revision=1,
            at=decision.decided_at,
        )

    @property
    def thread(self) -> tuple[str, str, str, str]:
        """What all revisions of the same review have in common."""
        return (self.run_id, self.case_id, self.person, self.task)

    def excluded(self, source: Source, *, reason: str) -> Exclusion:
        """Return that this review became no record."""
        protocol = source.protocol.sha256
        name = review_id(self.run_id, self.case_id, reader=self.person, protocol_sha256=protocol, task=self.task)
        return Exclusion(review_id=name, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joiner:
    """What joining needs of a project: its runs and people, and which runs are scored on by nobody any more."""

    runs: Mapping[str, Run]
    people: Mapping[str, Person]
    retired: frozenset[str]
    originals: FindOriginal

    def films_of(self, run: Run, case: ReviewCase) -> tuple[ReviewedFilm, ...] | None:
        """Return the films of a case; None where it has none, or one is not in the run's folder."""
        paths = [run.film(case.id, index) for index in range(len(case.case.images))]
        views = (*case.case.views, *("unknown" for _ in paths))
        films = tuple(
            ReviewedFilm(path=path, view=_VIEWS.get(view, "unknown"), dicom=self.originals(run, case, index))
            for index, (path, view) in enumerate(zip(paths, views, strict=False))
            if path is not None
        )
        return films if films and len(films) == len(paths) else None

    def record_of(
        self,
        given: Given,
        source: Source,
        *,
        run: Run,
        case: ReviewCase,
        judged: Judged,
        films: tuple[ReviewedFilm, ...],
    ) -> ReviewedReport:
        """Return the record of a review and a text. Raises DataError where the run does not tell what was asked."""
        document, reader = given.document, self.people[given.person]
        preferred, is_compared = document.preference.choice if document.preference else "", bool(judged.arm)
        return ReviewedReport(
            run_id=judged.run_id,
            case_id=case.id,
            study_uid=case.case.study_uid,
            patient_key=case.case.patient_key,
            split=self._split(run),
            language=case.case.language,
            films=films,
            turns=_turns(run, case),
            generated=judged.text,
            reference=case.case.text or None,
            corrected=document.corrected if not is_compared or judged.arm == preferred else "",  # of the preferred one
            verdict=None if is_compared else document.verdict,
            comment=document.comment,
            edits=() if is_compared else edits_of(document, generated=judged.text),
            answers=tuple(Answer(question=answer.question, value=answer.value) for answer in document.answers),
            reader=reader,
            status=given.status,
            revision=given.revision,
            saved_at=datetime.fromisoformat(given.at),
            amend_reason=given.reason,
            signature=_signature(given, reader),
            sentinel=judged.purpose == "sentinel",
            repeat=judged.purpose == "repeat",
            model_name=self._model(judged, run),
            system=judged.system,
            protocol=source.protocol,
            study=source.study_id,
            task=given.task,
            arm=judged.arm,
            preference=preferred,
            preference_reason=document.preference.reason if document.preference else "",
            asks_for_report=not case.case.turns,
            active_ms=document.timings.active_ms,
        )

    def _split(self, run: Run) -> Split | None:
        return None if run.id in self.retired else TEST_SPLIT

    def _model(self, judged: Judged, run: Run) -> str:
        manifest = self.runs.get(judged.run_id, run).manifest
        base = Path(manifest.base_model.name_or_path).name
        name = f"{manifest.name} ({base})" if base else manifest.name
        return name if judged.system == ADAPTER_SYSTEM else f"{name}: {judged.system}"


def _turns(run: Run, case: ReviewCase) -> tuple[PromptTurn, ...]:
    if case.case.turns:
        return tuple(PromptTurn(role=turn.role, text=turn.text) for turn in case.case.turns)
    asked = asked_of(run.folder)
    system = (PromptTurn(role="system", text=asked.system),) if asked.system else ()
    return (*system, PromptTurn(role="user", text=asked.question))


def _signature(given: Given, reader: Person) -> Signature | None:
    meaning = MEANINGS.get(given.status)
    return Signature(by=reader, at=datetime.fromisoformat(given.at), meaning=meaning) if meaning else None
