"""What a data set says about its studies, before any pixel is decoded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from xray.types import Origin, Report, Split, Turn, View

Kind = Literal["refused", "unpaired", "note"]
READING_ORDER: dict[View, int] = {"frontal": 0, "lateral": 1, "unknown": 2}
_Value = TypeVar("_Value")


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
    """One study: its film files, the view of each, and its report.

    Films are put frontal first, then lateral; those of one view stay in the order they were given in.
    `study_uid`, `patient_id` and `film_patient_id` (what the films' headers say) are the data set's own ids and never
    leave memory, nor does `study_day` (the date of the study as a proleptic ordinal, `date.toordinal`). `row` is the
    place of the report. `declared_split` is what the data set itself says. `conversations` are question-answer turns,
    each conversation ending with the assistant; a study needs a report or a conversation. `people` are the names that
    the films' headers hold, to be taken out of the texts.
    """

    study_uid: str = field(repr=False)
    films: tuple[Path, ...] = field(repr=False)
    views: tuple[View, ...]
    report: Report | None = field(repr=False)
    patient_id: str | None = field(default=None, repr=False)
    film_patient_id: str | None = field(default=None, repr=False)
    age_years: float | None = None
    sex: str | None = None
    row: str | None = None
    study_day: int | None = field(default=None, repr=False)
    declared_split: Split | None = None
    conversations: tuple[tuple[Turn, ...], ...] = field(default=(), repr=False)
    people: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Put the films into reading order; a view without film or a film without view is a defect."""
        if len(self.views) != len(self.films):
            raise ValueError(f"{len(self.films)} films but {len(self.views)} views")
        ordered = sorted(zip(self.films, self.views, strict=True), key=lambda film: READING_ORDER[film[1]])
        object.__setattr__(self, "films", tuple(path for path, _ in ordered))
        object.__setattr__(self, "views", tuple(view for _, view in ordered))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceData:
    """A whole data set: the studies that have films and a report, and everything that was left out.

    `root` is the films folder that `Refusal.where` is relative to. `lost_films` are those of `refusals` that are films
    which a report names, refused by their header alone, so that no study holds them. `language` and `origin` are of
    conversations, which have no report to say so. `unpacked` are films of archives and what they are called there.
    """

    name: str
    root: Path = field(repr=False)
    studies: tuple[StudyFiles, ...]
    refusals: tuple[Refusal, ...]
    lost_films: tuple[Refusal, ...] = ()
    language: str = "zh"
    origin: Origin = "radiologist"
    unpacked: Mapping[Path, str] = field(default_factory=dict, repr=False)

    def place(self, film: Path) -> str:
        """Return a film's path below the films folder, with forward slashes; in an archive, below the archive's."""
        inside = self.unpacked.get(film)
        if inside is not None:
            return inside
        return film.relative_to(self.root).as_posix() if film.is_relative_to(self.root) else film.name

    def counts(self, kind: Kind) -> dict[str, int]:
        """Count the refusals of one kind by code, sorted by code."""
        return dict(sorted(Counter(refusal.code for refusal in self.refusals if refusal.kind == kind).items()))


def first_stated(values: Iterable[_Value | None]) -> _Value | None:
    """Return the first of several films' or rows' words on one thing, or None if none has one."""
    return next((value for value in values if value is not None), None)
