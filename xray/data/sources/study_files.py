"""What a data set says about its studies, before any pixel is decoded."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xray.types import Report, View

Kind = Literal["refused", "unpaired", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One film, row or study that is not used as it stands, and why.

    `where` is a path relative to the films folder, a study id, or a row. It may hold a hospital's own words, so it
    stays in memory; files keep `row` ("reports.csv, line 12") or else a pseudonym of `where`.
    `kind`: `refused` is bad input, `unpaired` is a film without report or a report without film, `note` is a choice
    that was made although the study is used.
    """

    where: str = field(repr=False)
    code: str
    why: str
    kind: Kind = "refused"
    row: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFiles:
    """One study: its film files in reading order and its report.

    `study_uid`, `patient_id` and `other_patient_ids` are the data set's own ids and never leave memory.
    `views` belongs to `films`, position by position; None means that the film itself has to tell.
    """

    study_uid: str = field(repr=False)
    films: tuple[Path, ...] = field(repr=False)
    views: tuple[View | None, ...]
    report: Report = field(repr=False)
    patient_id: str | None = field(default=None, repr=False)
    other_patient_ids: tuple[str, ...] = field(default=(), repr=False)
    age_years: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        """Refuse a view without film or a film without view."""
        if len(self.views) != len(self.films):
            raise ValueError(f"{len(self.films)} films but {len(self.views)} views")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceData:
    """A whole data set: the studies that have films and a report, and everything that was left out.

    `root` is the films folder that `Refusal.where` is relative to.
    """

    name: str
    root: Path = field(repr=False)
    studies: tuple[StudyFiles, ...]
    refusals: tuple[Refusal, ...]

    def counts(self, kind: Kind) -> dict[str, int]:
        """Count the refusals of one kind by code, sorted by code."""
        return dict(sorted(Counter(refusal.code for refusal in self.refusals if refusal.kind == kind).items()))
