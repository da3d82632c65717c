"""The files of a prepared store: names and schemas.

<store>/
    store.json              written last: its existence means the store is complete
    studies.jsonl           one `StoredStudy` a line
    quarantine.jsonl        one `Quarantined` a line: what was left out, and why
    text_changes.jsonl      one `TextChange` a line: terms that were repaired, identifiers that were taken out
    films/<hash>.arrow      rendered films, see `xray.data.shards`
    splits.json             where each study is, so that a later preparation moves nobody
    refused.jsonl           one `RefusedFilm` a line: what need not be decoded again
    known_files.jsonl       one `KnownFile` a line: which files of this machine need not be hashed again
    parts/                  films of a preparation that has not ended yet
    .lock, .readers         empty, see `xray.lock`
"""

from typing import Literal

from xray.records import Record
from xray.types import Origin, Report, Split, Turn, View

SCHEMA_VERSION = 2
REMEDY = "Prepare the data again."
STORE_FILE, STUDIES_FILE, QUARANTINE_FILE = "store.json", "studies.jsonl", "quarantine.jsonl"
CHANGES_FILE, SPLITS_FILE, REFUSED_FILE = "text_changes.jsonl", "splits.json", "refused.jsonl"
KNOWN_FILES_FILE = "known_files.jsonl"
FILMS_FOLDER, PARTS_FOLDER = "films", "parts"

Terms = Literal["kept", "repaired"]
"""Whether the terms of machine-translated reports were repaired."""


class FilmFacts(Record):
    """What is known of one rendered film. `rows` and `columns` are the source's, before resizing, in pixels.

    `sha256` is of the source file, `pixels_sha256` of the rendered pixels, `perceptual_hash` of what they show (see
    `xray.data.perceptual`), `render_digest` of the settings.
    """

    sha256: str
    pixels_sha256: str
    perceptual_hash: str
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
    """One film of a study: `key` of its row in the shards, `view` as the data set or else the film says."""

    key: str
    view: View
    facts: FilmFacts


class StoredTurn(Record):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str

    @property
    def turn(self) -> Turn:
        """The message as it travels between modules."""
        return Turn(role=self.role, text=self.text)


class StoredStudy(Record):
    """One study of the store. `study_uid` and `patient_key` are pseudonyms; there is no date and no name.

    `day` counts from the patient's first study in the data set. A study has a report, or conversations and no
    findings; each conversation ends with the assistant.
    """

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
    day: int | None = None
    conversations: tuple[tuple[StoredTurn, ...], ...] = ()

    @property
    def text(self) -> str:
        """What the study's films are described with: its report, or else every answer of its conversations."""
        answers = (turn.text for turns in self.conversations for turn in turns if turn.role == "assistant")
        return self.report.text or "\n".join(answers)

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


class TextChange(Record):
    """One change of a text. `part` names the section; `start` counts characters of the text before the change.

    `repair` is a term of machine translation, with the words `found` and `written`; `identifier` is something that can
    name a person, of which only its kind is kept, in `found`.
    """

    study_uid: str
    part: str
    kind: Literal["repair", "identifier"]
    found: str
    written: str | None = None
    start: int | None = None


class RefusedFilm(Record):
    """One film that was refused, by the key it would have had."""

    key: str
    code: str
    why: str


class KnownFile(Record):
    """One file of the source as it was when it was hashed: `file` is a pseudonym of its path, inode, size and times."""

    file: str
    sha256: str


class AssignedStudy(Record):
    """The split of one study, by pseudonyms."""

    study_uid: str
    patient_key: str
    split: Split


class SplitsRecord(Record):
    """`splits.json`: the shares and the seed that were asked for, and the split of every study.

    `site_key` is the fingerprint of the key of the pseudonyms, None in stores of before it was kept.
    """

    site_key: str | None = None
    val: float
    test: float
    seed: int
    studies: tuple[AssignedStudy, ...]


class ShardInfo(Record):
    """One shard: `path` relative to the store, how many films, its size in bytes. Its name is a hash of its bytes."""

    path: str
    films: int
    bytes: int


class SplitCount(Record):
    """Size of one split."""

    studies: int
    patients: int


class StoreInfo(Record):
    """`store.json`: what was prepared, how, and what was left out.

    `left_out` counts by kind (`refused`, `unpaired`, `note`) and code. `leakage` counts what stands in several splits:
    see `xray.data.leakage.LeakageReport`.
    `site_key` tells whether the pseudonyms were made with the site's own secret or the public default key.
    """

    schema_version: int = SCHEMA_VERSION
    source: str
    site_key: str
    render_digest: str
    render_size: int | None
    render_square: bool
    render_profile: str
    render_deep: bool
    code_version: str
    terms: Terms
    split_val: float
    split_test: float
    split_seed: int
    studies: int
    films: int
    splits: dict[Split, SplitCount]
    left_out: dict[str, dict[str, int]]
    leakage: dict[str, int]
    text_changes: dict[str, int]
    shards: tuple[ShardInfo, ...]
    fingerprint: str
