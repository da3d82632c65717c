"""The split of a prepared store: what its studies share, what was declared, and where they were before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xray.data.assembly import Assembly
from xray.data.assignments import Assigned
from xray.data.declared_splits import declared_by_study, read_declared_splits
from xray.data.groups import SplitFilm, SplitStudy
from xray.data.leakage import LeakageReport
from xray.data.perceptual import Pixels
from xray.data.pseudonym import SITE_KEY_VARIABLE, Pseudonyms
from xray.data.records import SPLITS_FILE, AssignedStudy, SplitsRecord, StoredStudy
from xray.data.sources.study_files import Refusal, StudyFiles
from xray.data.split import split_studies
from xray.data.split_settings import SplitSettings
from xray.errors import DataError
from xray.records import read_record, write_record
from xray.types import Split

_RESTORE = (
    "It says in which split each study is; without it patients would move between the splits. "
    "Restore the file, or delete it to split the data anew."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStore:
    """The studies that have a split, why others have none, and what crosses all the same."""

    studies: tuple[StoredStudy, ...]
    refusals: tuple[Refusal, ...]
    leakage: LeakageReport


def split_store(
    assembly: Assembly,
    *,
    settings: SplitSettings,
    pixels: Callable[[str], Pixels],
    splits: Path | None,
    earlier: Sequence[Assigned],
) -> SplitStore:
    """Put each study into a split; see `xray.data.split` for what is guaranteed.

    The file `splits` decides, else what the data set itself declares, else `settings` and where the studies were
    before. `pixels` gives the rendered film of a `pixels_sha256`. Raises DataError as `split_studies` does.
    """
    declared = _declared(assembly, splits=splits)
    split = split_studies(
        [_split_study(study, assembly=assembly) for study in assembly.studies],
        settings=settings,
        pixels=pixels,
        declared=declared,
        earlier=earlier if declared is None else (),
    )
    return SplitStore(
        studies=tuple(
            study.model_copy(update={"split": split.split_of[study.study_uid]})
            for study in assembly.studies
            if study.study_uid not in split.refused
        ),
        refusals=tuple(
            Refusal(
                where=assembly.origin[uid].study_uid,
                code=rejected.code,
                why=rejected.why,
                row=assembly.origin[uid].row,
            )
            for uid, rejected in split.refused.items()
        ),
        leakage=split.leakage,
    )


def as_split_study(study: StoredStudy, *, others: Sequence[str] = ()) -> SplitStudy:
    """Return what a split needs to know of a study; `others` are further keys of its patient."""
    return SplitStudy(
        study=study.study_uid,
        patients=(study.patient_key, *others),
        text=study.text,
        films=tuple(
            SplitFilm(pixels_sha256=image.facts.pixels_sha256, perceptual_hash=image.facts.perceptual_hash)
            for image in study.images
        ),
    )


def read_earlier(out: Path, *, settings: SplitSettings, names: Pseudonyms) -> tuple[Assigned, ...]:
    """Return where the studies of the store `out` are, if it was split by the same settings, else nothing.

    The record outlives a preparation that is killed, so that nobody moves. Raises DataError if it is damaged, or
    if the pseudonyms are of another key than those of `names`: the same patients would count as new ones.
    """
    path = out / SPLITS_FILE
    if not path.exists():
        return ()
    record = read_record(path, SplitsRecord, remedy=_RESTORE)
    if record.site_key not in (None, names.fingerprint):
        raise DataError(
            f"{out} was prepared under another key: every patient would get a second name and may change its split. "
            f"Set {SITE_KEY_VARIABLE} to the key of then, or remove the folder, or give the store another one."
        )
    if (record.val, record.test, record.seed) != (settings.val, settings.test, settings.seed):
        return ()
    return tuple(
        Assigned(study=entry.study_uid, patient=entry.patient_key, split=entry.split) for entry in record.studies
    )


def write_splits(out: Path, studies: Sequence[StoredStudy], *, settings: SplitSettings, names: Pseudonyms) -> None:
    """Record where the studies are, for the next preparation of this store."""
    entries = tuple(
        AssignedStudy(study_uid=study.study_uid, patient_key=study.patient_key, split=study.split) for study in studies
    )
    record = SplitsRecord(
        val=settings.val, test=settings.test, seed=settings.seed, site_key=names.fingerprint, studies=entries
    )
    write_record(out / SPLITS_FILE, record)


def _split_study(study: StoredStudy, *, assembly: Assembly) -> SplitStudy:
    files = assembly.origin[study.study_uid]
    known = {assembly.names.patient(name) for name in (files.patient_id, files.film_patient_id) if name is not None}
    return as_split_study(study, others=sorted(known - {study.patient_key}))


def _declared(assembly: Assembly, *, splits: Path | None) -> Mapping[str, Split] | None:
    """Return the declared split of each study by pseudonym; None where nothing is declared."""
    origin = {study.study_uid: assembly.origin[study.study_uid] for study in assembly.studies}
    if splits is not None:
        names = {files.study_uid: _image_names(files) for files in origin.values()}
        by_id = declared_by_study(read_declared_splits(splits), images_of=names)
        return {uid: by_id[files.study_uid] for uid, files in origin.items() if files.study_uid in by_id}
    stated = {uid: files.declared_split for uid, files in origin.items() if files.declared_split is not None}
    return stated or None


def _image_names(files: StudyFiles) -> list[str]:
    """Return the names by which a table may call the films of a study: with and without ending."""
    return list(dict.fromkeys(name for film in files.films for name in (film.stem, film.name)))
