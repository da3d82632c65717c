"""The prepared store: every study of a data set, read back without decoding DICOM."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.records import (
    QUARANTINE_FILE,
    REMEDY,
    SCHEMA_VERSION,
    STORE_FILE,
    STUDIES_FILE,
    Quarantined,
    StoredStudy,
    StoreInfo,
)
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError, DataError
from xray.records import read_lines, read_record
from xray.types import Example, Turn, View

DEFAULT_QUESTION = "请根据这份胸部X光检查影像书写诊断报告。"
_ALL_VIEWS: tuple[View, ...] = ("frontal", "lateral", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A complete store. `studies` are sorted by their id, whatever order the films were found in."""

    path: Path
    info: StoreInfo
    studies: tuple[StoredStudy, ...] = field(repr=False)

    @classmethod
    def open(cls, path: Path, *, settings: RenderSettings | None = None) -> "Store":
        """Open a prepared store; with `settings`, only one that was rendered with exactly these.

        Raises DataError if the store is incomplete, of another version, or rendered otherwise.
        """
        if not (path / STORE_FILE).is_file():
            raise DataError(f"{path} is no complete store. Run `xray prepare` to make or finish it.")
        info = read_record(path / STORE_FILE, StoreInfo, remedy=REMEDY)
        if info.schema_version != SCHEMA_VERSION:
            raise DataError(f"{path} has store version {info.schema_version}, not {SCHEMA_VERSION}. Prepare it again.")
        if settings is not None and settings.digest() != info.render_digest:
            raise DataError(
                f"{path} was rendered with other settings (size {info.render_size}, square {info.render_square}). "
                "Prepare it again with the settings you ask for, or ask for those of the store."
            )
        studies = read_lines(path / STUDIES_FILE, StoredStudy, remedy=REMEDY)
        if len(studies) != info.studies:
            raise DataError(f"{path} holds {len(studies)} of its {info.studies} studies. Prepare it again.")
        return cls(path=path, info=info, studies=tuple(studies))

    @property
    def fingerprint(self) -> str:
        """Identity of the data: films as rendered, target texts and split."""
        return self.info.fingerprint

    def quarantine(self) -> list[Quarantined]:
        """Everything that was left out or noted, in the order it was found."""
        return read_lines(self.path / QUARANTINE_FILE, Quarantined, remedy=REMEDY)

    def count_without(self, views: Collection[View]) -> int:
        """Count the studies that have no film of `views`, so that `examples` leaves them out."""
        return sum(not any(image.view in views for image in study.images) for study in self.studies)

    def examples(
        self,
        *,
        question: str = DEFAULT_QUESTION,
        system: str | None = None,
        max_images: int = 2,
        views: Collection[View] = _ALL_VIEWS,
    ) -> list[Example]:
        """Return the studies as a model sees them: at most `max_images` films of `views`, frontal first.

        A study without a film of `views` gives no example (`count_without` tells how many); raises DataError if that
        leaves none, and ConfigError for fewer than one image. Films whose view nobody stated are `unknown`.
        """
        if max_images < 1:
            raise ConfigError(f"max_images is {max_images}, but an example has at least one film.")
        turns = (*((Turn(role="system", text=system),) if system else ()), Turn(role="user", text=question))
        made = (self._example(study, turns=turns, max_images=max_images, views=views) for study in self.studies)
        examples = [example for example in made if example is not None]
        if not examples:
            raise DataError(
                f"None of the {len(self.studies)} studies in {self.path} has a film of the views {', '.join(views)}. "
                "Films without a stated view are `unknown`."
            )
        return examples

    def _example(
        self, study: StoredStudy, *, turns: tuple[Turn, ...], max_images: int, views: Collection[View]
    ) -> Example | None:
        images = [image for image in study.images if image.view in views][:max_images]
        if not images:
            return None
        return Example(
            example_id=study.example_id,
            study_uid=study.study_uid,
            patient_key=study.patient_key,
            images=tuple(self.path / image.path for image in images),
            views=tuple(image.view for image in images),
            messages=turns,
            target=study.report.text,
            language=study.language,
            origin=study.origin,
            split=study.split,
        )
