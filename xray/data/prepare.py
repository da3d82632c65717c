"""From a data set to a prepared store: render, refuse, name by pseudonyms, split by patient, write."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from xray import __version__
from xray.data.assembly import Assembly, Outcome, RenderedFilm, assemble
from xray.data.convert import CONVERT_VERSION
from xray.data.fingerprint import FingerprintLine, fingerprint
from xray.data.identity import FilmIdentity, identity_clashes
from xray.data.known_files import KnownFiles
from xray.data.perceptual import Pixels
from xray.data.pseudonym import Pseudonyms
from xray.data.records import (
    CHANGES_FILE,
    FILMS_FOLDER,
    KNOWN_FILES_FILE,
    PARTS_FOLDER,
    QUARANTINE_FILE,
    REFUSED_FILE,
    SPLITS_FILE,
    STORE_FILE,
    STUDIES_FILE,
    SplitCount,
    StoredStudy,
    StoreInfo,
    Terms,
)
from xray.data.rendering import Progress, Rendering
from xray.data.sources.study_files import Kind, Refusal, SourceData
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.data.store_split import SplitStore, read_earlier, split_store, write_splits
from xray.data.stored_films import decode_png
from xray.data.workspace import Workspace
from xray.dicom.render import RenderSettings
from xray.errors import DataError, Rejected, XrayError
from xray.lock import LOCK_FILE, READERS_FILE, locked
from xray.records import write_lines, write_record
from xray.types import Engine, Split

_KINDS: tuple[Kind, ...] = ("refused", "unpaired", "note")
_SCRATCH = "unpacked-"
_OURS = {STORE_FILE, STUDIES_FILE, QUARANTINE_FILE, CHANGES_FILE, SPLITS_FILE, REFUSED_FILE}
_OURS |= {KNOWN_FILES_FILE, FILMS_FOLDER, PARTS_FOLDER, LOCK_FILE, READERS_FILE}


def prepare(
    source: SourceData,
    out: Path,
    *,
    settings: RenderSettings,
    split: SplitSettings,
    splits: Path | None = None,
    repair_terms: bool = False,
    engine: Engine = Engine.local,
    workers: int | None = None,
    progress: Progress | None = None,
    max_refused_fraction: float = 0.2,
    on_refusals: Callable[[Sequence[Refusal]], None] | None = None,
) -> Store:
    """Render the films of `source` into the store `out`, and return the store.

    A film that is there already, rendered with the same settings, is not decoded again, nor read again where its file
    has not changed since (`xray.data.known_files`); so a killed preparation goes on where it stopped, and ends with the
    same bytes, whatever the engine and the number of processes. No id, path or date of the source is written: see
    `xray.data.pseudonym` and `xray.data.study_texts`. `on_refusals` gets everything that was left out with its real
    place, for the user's eyes, also if the preparation then fails: see `xray.data.notices`. `splits` is a table that
    declares the split of each study (`xray.data.declared_splits`).

    Raises DataError if `out` is not a store or lies among the films, if more than `max_refused_fraction` of the films
    that have a report are refused, if no study is left, if there are too few patients to split, if a declared split
    parts what belongs together, or if the record of earlier splits is damaged; XrayError if `out` is in use.
    """
    _check_place(out, films=source.root)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        names = Pseudonyms.of_site()
        earlier = read_earlier(out, settings=split, names=names)
        rendering = _rendering(source, out, settings=settings, names=names)
        rendering.run(engine=engine, workers=workers, progress=progress)
        outcomes = _without_clashes(source, rendering.outcomes)
        assembly = assemble(source, outcomes=outcomes, names=names, repair_terms=repair_terms)
        try:
            _check_enough(assembly, source=source, outcomes=outcomes, max_refused_fraction=max_refused_fraction)
            pixels = _pixels_of(rendering.space, assembly)
            parts = split_store(assembly, settings=split, pixels=pixels, splits=splits, earlier=earlier)
            assembly = replace(assembly, refusals=(*assembly.refusals, *parts.refusals))
        finally:
            if on_refusals is not None:
                on_refusals(assembly.refusals)
        write_splits(out, parts.studies, settings=split, names=names)
        terms: Terms = "repaired" if repair_terms else "kept"
        info = _info(source, assembly=assembly, parts=parts, settings=settings, split=split, terms=terms)
        _write(out, rendering=rendering, info=info, studies=parts.studies, assembly=assembly)
    return Store.open(out)


@contextmanager
def scratch_folder(out: Path, *, films: Path) -> Iterator[Path]:
    """Give a place inside the store `out` for what is unpacked from `films`; it is gone at the end.

    What a killed command left there is removed, and nothing of a command that is still at work. Raises DataError as
    `prepare` does where `out` is no place for a store.
    """
    _check_place(out, films=films)
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_SCRATCH}*"):
        with suppress(XrayError), locked(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=out))
    try:
        with locked(folder):
            yield folder / "films"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rendering(source: SourceData, out: Path, *, settings: RenderSettings, names: Pseudonyms) -> Rendering:
    files = KnownFiles.open(out, names=names)
    return Rendering(source=source, space=Workspace.open(out), files=files, settings=settings)


def _check_place(out: Path, *, films: Path) -> None:
    if out.resolve().is_relative_to(films.resolve()):
        raise DataError(f"{out} lies inside the films folder {films}. Give the store a place of its own.")
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file. Give the store a folder of its own.")
    if films.resolve().is_relative_to(out.resolve()):
        raise DataError(f"{out} holds the films {films}. Give the store a place of its own.")
    strangers = [path for path in out.glob("*") if not _is_ours(path.name)]
    if strangers:
        raise DataError(f"{out} holds other files ({len(strangers)}). Give the store an empty or new folder.")


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(_SCRATCH) or name.endswith(".part")


def _check_enough(
    assembly: Assembly, *, source: SourceData, outcomes: Mapping[Path, Outcome], max_refused_fraction: float
) -> None:
    codes = [outcome.code for outcome in outcomes.values() if isinstance(outcome, Rejected)]
    codes += [refusal.code for refusal in source.lost_films]
    refused, films = len(codes), len(outcomes) + len(source.lost_films)
    if refused > max_refused_fraction * films:
        raise DataError(
            f"{refused} of {films} films that have a report were refused "
            f"({', '.join(sorted(set(codes)))}), more than the share "
            f"of {max_refused_fraction:g} that is allowed. Check the films, or raise max_refused_fraction."
        )
    if not assembly.studies:
        reasons = ", ".join(sorted({refusal.code for refusal in assembly.refusals})) or "nothing was found"
        raise DataError(f"No study has both a film and a report ({reasons}). Check the films folder and the ids.")


def _without_clashes(source: SourceData, outcomes: Mapping[Path, Outcome]) -> Mapping[Path, Outcome]:
    """Refuse an image that is there under the ids of two patients: nobody knows whose it is."""
    patient_of = {film: study.patient_id or study.film_patient_id for study in source.studies for film in study.films}
    clashes = identity_clashes(
        FilmIdentity(path=film, patient_id=patient_of[film], pixels_sha256=outcome.facts.pixels_sha256)
        for film, outcome in outcomes.items()
        if isinstance(outcome, RenderedFilm)
    )
    return {**outcomes, **{clash.path: Rejected(clash.code, clash.why) for clash in clashes}}


def _pixels_of(space: Workspace, assembly: Assembly) -> Callable[[str], Pixels]:
    keys = {image.facts.pixels_sha256: image.key for study in assembly.studies for image in study.images}

    def pixels(pixels_sha256: str) -> Pixels:
        found = decode_png(space.image(keys[pixels_sha256]))
        if found is None:
            raise DataError("A rendered film is damaged. Delete the store and prepare the data again.")
        return found

    return pixels


def _info(
    source: SourceData,
    *,
    assembly: Assembly,
    parts: SplitStore,
    settings: RenderSettings,
    split: SplitSettings,
    terms: Terms,
) -> StoreInfo:
    studies = parts.studies
    counted = replace(source, refusals=assembly.refusals)
    return StoreInfo(
        source=source.name,
        site_key="own" if assembly.names.is_secret else "default",
        render_digest=settings.digest(),
        render_size=settings.size,
        render_square=settings.square,
        render_profile=settings.profile,
        render_deep=settings.deep,
        code_version=f"{__version__}/{CONVERT_VERSION}",
        terms=terms,
        split_val=split.val,
        split_test=split.test,
        split_seed=split.seed,
        studies=len(studies),
        films=sum(len(study.images) for study in studies),
        splits=_split_counts(studies),
        left_out={kind: counted.counts(kind) for kind in _KINDS},
        leakage=parts.leakage.counts(),
        text_changes=dict(sorted(Counter(change.kind for change in assembly.changes).items())),
        shards=(),
        fingerprint=fingerprint(_fingerprint_line(study) for study in studies),
    )


def _split_counts(studies: Sequence[StoredStudy]) -> dict[Split, SplitCount]:
    patients: dict[Split, list[str]] = {"train": [], "val": [], "test": []}
    for study in studies:
        patients[study.split].append(study.patient_key)
    return {name: SplitCount(studies=len(keys), patients=len(set(keys))) for name, keys in patients.items()}


def _fingerprint_line(study: StoredStudy) -> FingerprintLine:
    return FingerprintLine(
        example_id=study.example_id,
        images=tuple(image.facts.pixels_sha256 for image in study.images),
        target=study.text,
        split=study.split,
    )


def _write(
    out: Path,
    *,
    rendering: Rendering,
    info: StoreInfo,
    studies: Sequence[StoredStudy],
    assembly: Assembly,
) -> None:
    """`store.json` goes first and comes last, so that a kill leaves a store that is known to be incomplete."""
    keys = dict.fromkeys(image.key for study in studies for image in study.images)
    shards = rendering.space.pack(list(keys))
    (out / STORE_FILE).unlink(missing_ok=True)
    write_lines(out / STUDIES_FILE, studies)
    write_lines(out / QUARANTINE_FILE, assembly.quarantined())
    write_lines(out / CHANGES_FILE, assembly.changes)
    rendering.space.clear(keep={shard.path for shard in shards}, refused=rendering.refused)
    for leftover in out.glob("*.part"):
        leftover.unlink()
    write_record(out / STORE_FILE, info.model_copy(update={"shards": shards}))
    rendering.files.clear()
