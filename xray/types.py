"""The values that travel between modules: frozen, keyword-only, and free of behaviour.

Everything written to disk has a pydantic schema next to the code that writes it; these are the in-memory types.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

View = Literal["frontal", "lateral", "unknown"]
Split = Literal["train", "val", "test"]
Origin = Literal["radiologist", "machine_translation", "model", "reviewed", "synthetic"]
Assertion = Literal["present", "absent", "uncertain"]
Laterality = Literal["left", "right", "bilateral"]
Severity = Literal["mild", "moderate", "severe"]
Change = Literal["new", "worse", "better", "stable", "resolved", "old"]


class SourceKind(StrEnum):
    """Kinds of data sets."""

    table = "table"
    """Films and a table of reports: `.csv`, `.xlsx` or `.jsonl`."""
    xrayglm = "xrayglm"
    """`{"annotations": [{"image_id", "caption"}]}`."""
    openi = "openi"
    """OpenI's XML reports, in a folder or `.tgz`, with or without translated captions."""
    mimic = "mimic"
    """The tree of MIMIC-CXR or MIMIC-CXR-JPG."""
    conversations = "conversations"
    """Questions and answers in the styles of LLaVA and ShareGPT, `.json` or `.jsonl`."""


class Engine(StrEnum):
    """`local`: processes of this machine. `ray`: Ray Data, whose workers must see the films under the same paths."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """One film on disk, described by its header (DICOM keywords in snake_case).

    `pixel_spacing_mm` is (row, column). For PNG and JPEG the DICOM fields are None and `bits_stored` is 8, or 16
    for a 16-bit PNG.
    """

    path: Path
    sha256: str
    rows: int
    columns: int
    bits_stored: int
    view: View
    sop_instance_uid: str | None = None
    view_position: str | None = None
    photometric_interpretation: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One examination: its films, in reading order (frontal first), of one patient.

    `patient_key` is a pseudonym, never a hospital number; it is the study's own key where no patient is known.
    """

    study_uid: str
    patient_key: str
    images: tuple[ImageRef, ...]
    source: str
    age_years: float | None = None
    sex: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The text that belongs to one study. `findings` holds the whole text where no sections are marked."""

    study_uid: str
    language: str
    findings: str
    impression: str | None = None
    indication: str | None = None
    comparison: str | None = None
    origin: Origin = "radiologist"

    @property
    def text(self) -> str:
        """Findings and impression as one text, the target of training and the reference of scoring."""
        return f"{self.findings}\n{self.impression}" if self.impression else self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One statement of a report about one concept.

    `concept` is a key of the lexicon (for example `pleural_effusion`), `laterality` of a shift is where to, `zones`
    name lung fields (`upper`, `middle`, `lower`, `hilar`, `apical`, `basal`) or the ribs of a fracture (`rib5`),
    `span` is [start, end) in the text it was read from, `change` is `old` where a report says so without a comparison,
    `misplaced` is a device that the report calls out of place, `dominant` the side with more of what is on both.
    """

    concept: str
    assertion: Assertion
    span: tuple[int, int]
    laterality: Laterality | None = None
    zones: tuple[str, ...] = ()
    severity: Severity | None = None
    size_mm: float | None = None
    change: Change | None = None
    misplaced: bool = False
    dominant: Laterality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation. A user's turn may be preceded by the study's images."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFilm:
    """Where a rendered film lies in a prepared store: the `row` of the Arrow file `shard`; `key` names its content.

    `sha256` (hex) is that of the file it was rendered from, empty where that is not known.
    """

    shard: Path
    row: int
    key: str
    sha256: str = ""


FilmPlace = Path | StoredFilm
"""A rendered film: an 8-bit grey PNG file (0 = black), or a row of a prepared store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One question about a study as the model sees it: films, the turns before the answer, and the answer to write.

    `images` are frontal first, `views` their views in the same order. The last of `messages` is the user's question;
    `target` is its answer, most often the report. `origin` tells who wrote it. `day` counts from the patient's first
    study, None where the order of the patient's studies is not known.
    """

    example_id: str
    study_uid: str
    patient_key: str
    images: tuple[FilmPlace, ...]
    views: tuple[View, ...]
    messages: tuple[Turn, ...]
    target: str
    language: str
    origin: Origin
    split: Split
    day: int | None = None
