"""The prepared store: every study of a data set, read back without decoding DICOM."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from xray.data.records import (
    FILMS_FOLDER,
    QUARANTINE_FILE,
    REMEDY,
    SCHEMA_VERSION,
    STORE_FILE,
    STUDIES_FILE,
    Quarantined,
    StoredImage,
    StoredStudy,
    StoreInfo,
)
from xray.data.shards import SUFFIX, read_keys
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError, DataError
from xray.lock import being_read
from xray.records import read_lines, read_record
from xray.types import Example, StoredFilm, Turn, View

DEFAULT_QUESTION = "请根据这份胸部X光检查影像书写诊断报告。"
_ALL_VIEWS: tuple[View, ...] = ("frontal", "lateral", "unknown")


@dataclass(frozen=True, kw_only=True)  # no slots: the places of the films are looked up once
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
        _check_whole(path, info)
        studies = read_lines(path / STUDIES_FILE, StoredStudy, remedy=REMEDY)
        if len(studies) != info.studies:
            raise DataError(f"{path} holds {len(studies)} of its {info.studies} studies. Prepare it again.")
        return cls(path=path, info=info, studies=tuple(studies))

    @property
    def fingerprint(self) -> str:
        """Identity of the data: films as rendered, target texts and split."""
        return self.info.fingerprint

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read the films meanwhile: a preparation of the same store that ends before this deletes none of them.

        Raises DataError if an earlier one did.
        """
        with being_read(self.path):
            _check_whole(self.path, self.info)
            yield

    def count_old_files(self) -> int:
        """Count the files of films that are the store's no more, and are kept because somebody read them."""
        ours = {shard.path for shard in self.info.shards}
        found = (f"{FILMS_FOLDER}/{path.name}" for path in (self.path / FILMS_FOLDER).glob(f"*{SUFFIX}"))
        return sum(name not in ours for name in found)

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

        A study with a report gives one example, asked for with `question`. A conversation gives one example for each
        answer, after the turns before it; `system` stands before those that have no system turn of their own. A study
        without a film of `views` gives no example (`count_without` tells how many); raises DataError if that leaves
        none, and ConfigError for fewer than one image. Films whose view nobody stated are `unknown`.
        """
        if max_images < 1:
            raise ConfigError(f"max_images is {max_images}, but an example has at least one film.")
        start = (Turn(role="system", text=system),) if system else ()
        asked = (*start, Turn(role="user", text=question))
        examples: list[Example] = []
        for study in self.studies:
            films = [image for image in study.images if image.view in views][:max_images]
            for number, (turns, answer) in enumerate(_answers(study, asked=asked, start=start) if films else ()):
                examples.append(self._example(study, films=films, turns=turns, answer=answer, number=number))
        if not examples:
            raise DataError(
                f"None of the {len(self.studies)} studies in {self.path} has a film of the views {', '.join(views)}. "
                "Films without a stated view are `unknown`."
            )
        return examples

    @cached_property
    def _places(self) -> Mapping[str, StoredFilm]:
        """Where each film lies, by its key."""
        shards = [self.path / shard.path for shard in self.info.shards]
        return {
            key: StoredFilm(shard=shard, row=row, key=key)
            for shard in shards
            for row, key in enumerate(read_keys(shard))
        }

    def _example(
        self, study: StoredStudy, *, films: list[StoredImage], turns: tuple[Turn, ...], answer: str, number: int
    ) -> Example:
        return Example(
            example_id=f"{study.example_id}-{number}" if number else study.example_id,
            study_uid=study.study_uid,
            patient_key=study.patient_key,
            images=tuple(replace(self._places[image.key], sha256=image.facts.sha256) for image in films),
            views=tuple(image.view for image in films),
            messages=turns,
            target=answer,
            language=study.language,
            origin=study.origin,
            split=study.split,
            day=study.day,
        )


def _answers(
    study: StoredStudy, *, asked: tuple[Turn, ...], start: tuple[Turn, ...]
) -> Iterator[tuple[tuple[Turn, ...], str]]:
    """Yield each text that a model is to write about a study, with the turns before it: the report comes first."""
    if study.report.text:
        yield asked, study.report.text
    for conversation in study.conversations:
        turns = tuple(turn.turn for turn in conversation)
        before = () if turns[0].role == "system" else start
        for index, turn in enumerate(turns):
            if turn.role == "assistant":
                yield (*before, *turns[:index]), turn.text


def _check_whole(path: Path, info: StoreInfo) -> None:
    missing = [shard.path for shard in info.shards if not _is_whole(path / shard.path, size=shard.bytes)]
    if missing:
        raise DataError(f"{path} lacks {len(missing)} of its {len(info.shards)} files of films. Prepare it again.")


def _is_whole(path: Path, *, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
