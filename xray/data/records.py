"""The files of a prepared store: names and schemas.

<store>/
    store.json                     written last: its existence means the store is complete
    studies.jsonl                  one `StoredStudy` a line
    quarantine.jsonl               one `Quarantined` a line: what was left out, and why
    images/<first two>/<key>.png   8-bit grey films, 0 = black; each carries its `FilmFacts`
"""

from xray.records import Record
from xray.types import Origin, Report, Split, View

SCHEMA_VERSION = 1
REMEDY = "Prepare the data again."
STORE_FILE, STUDIES_FILE, QUARANTINE_FILE, IMAGES_FOLDER = "store.json", "studies.jsonl", "quarantine.jsonl", "images"


class FilmFacts(Record):
    """What is known of one rendered film. `rows` and `columns` are the source's, before resizing, in pixels.

    `sha256` is of the source file, `pixels_sha256` of the rendered pixels, `render_digest` of the settings.
    """

    sha256: str
    pixels_sha256: str
    render_digest: str
    view: View
    view_position: str | None
    rows: int
    columns: int
    bits_stored: int
    photometric_interpretation: str | None
    pixel_spacing_mm: tuple[float, float] | None
    flags: tuple[str, ...]


class StoredImage(Record):
    """One film of a study: `path` relative to the store, `view` as the data set or else the film says."""

    path: str
    view: View
    facts: FilmFacts


class StoredStudy(Record):
    """One study of the store. `study_uid` and `patient_key` are pseudonyms; there is no date and no name."""

    example_id: str
    study_uid: str
    patient_key: str
    source: str
    split: Split
    images: tuple[StoredImage, ...]
    language: str
    findings: str
    impression: str | None
    indication: str | None
    comparison: str | None
    origin: Origin
    age_years: float | None
    sex: str | None

    @property
    def report(self) -> Report:
        """The study's report."""
        return Report(
            study_uid=self.study_uid,
            language=self.language,
            findings=self.findings,
            impression=self.impression,
            indication=self.indication,
            comparison=self.comparison,
            origin=self.origin,
        )


class Quarantined(Record):
    """One thing that was not used as it stood. `where` is a row of a table or a pseudonym of a path or id."""

    where: str
    code: str
    why: str
    kind: str


class SplitCount(Record):
    """Size of one split."""

    studies: int
    patients: int


class StoreInfo(Record):
    """`store.json`: what was prepared, how, and what was left out.

    `left_out` counts by kind (`refused`, `unpaired`, `note`) and code. `leakage` counts what stands in several splits.
    `site_key` tells whether the pseudonyms were made with the site's own secret or the public default key.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    site_key: str
    render_digest: str
    render_size: int | None
    render_square: bool
    split_val: float
    split_test: float
    split_seed: int
    studies: int
    films: int
    splits: dict[Split, SplitCount]
    left_out: dict[str, dict[str, int]]
    leakage: dict[str, int]
    fingerprint: str
