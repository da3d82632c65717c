"""From a data set to a prepared store: render, refuse, name by pseudonyms, split by patient, write."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xray.data.film_cache import cache_path
from xray.data.film_pool import Outcome, Progress, render_films
from xray.data.fingerprint import FingerprintLine, fingerprint
from xray.data.pseudonym import Pseudonyms, example_id
from xray.data.records import (
    IMAGES_FOLDER,
    QUARANTINE_FILE,
    STORE_FILE,
    STUDIES_FILE,
    Quarantined,
    SplitCount,
    StoredImage,
    StoredStudy,
    StoreInfo,
)
from xray.data.sources.study_files import Kind, Refusal, SourceData, StudyFiles
from xray.data.split import SplitMember, SplitSettings, leakage, split_patients
from xray.data.store import Store
from xray.dicom.render import RenderSettings
from xray.errors import DataError, Rejected
from xray.records import write_lines, write_record
from xray.types import Split

_SHORTEST_TELLING_ID = 5
_OLDEST_YEARS = 90.0  # beyond this an age can name a person (HIPAA Safe Harbor, 45 CFR 164.514(b)(2))
_KINDS: tuple[Kind, ...] = ("refused", "unpaired", "note")


def prepare(
    source: SourceData,
    out: Path,
    *,
    settings: RenderSettings,
    split: SplitSettings,
    workers: int | None = None,
    progress: Progress | None = None,
    max_refused_fraction: float = 0.2,
    on_refusals: Callable[[Sequence[Refusal]], None] | None = None,
) -> Store:
    """Render the films of `source` into the store `out`, and return the store.

    A film that is there already, rendered with the same settings, is not decoded again, so a killed preparation goes
    on where it stopped and ends with the same fingerprint. No id, path or date of the source is written: see
    `xray.data.pseudonym`. `on_refusals` gets everything that was left out with its real place, for the user's eyes,
    also if the preparation then fails: see `xray.data.notices`.

    Raises DataError if `out` is not a store or lies among the films, if more than `max_refused_fraction` of the films
    that have a report are refused, if no study is left, or if there are too few patients to split.
    """
    _check_place(out, films=source.root)
    films = [film for study in source.studies for film in study.films]
    outcomes = render_films(
        list(dict.fromkeys(films)), store=out, settings=settings, workers=workers, progress=progress
    )
    assembly = _assemble(source, outcomes=outcomes, names=Pseudonyms.of_site())
    if on_refusals is not None:
        on_refusals(assembly.refusals)
    _check_enough(assembly, source=source, outcomes=outcomes, max_refused_fraction=max_refused_fraction)
    studies = _with_split(assembly, settings=split)
    info = _info(source, assembly=assembly, studies=studies, settings=settings, split=split)
    _write(out, info=info, studies=studies, quarantined=assembly.quarantined())
    return Store(path=out, info=info, studies=tuple(studies))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assembly:
    """Studies with their rendered films, before the split; `origin` is the source's study of each."""

    names: Pseudonyms
    studies: tuple[StoredStudy, ...]
    origin: Mapping[str, StudyFiles]
    refusals: tuple[Refusal, ...]

    def quarantined(self) -> list[Quarantined]:
        return [
            Quarantined(
                where=refusal.row or self.names.place(refusal.where),
                code=refusal.code,
                why=refusal.why,
                kind=refusal.kind,
            )
            for refusal in self.refusals
        ]


def _check_place(out: Path, *, films: Path) -> None:
    if out.resolve().is_relative_to(films.resolve()):
        raise DataError(f"{out} lies inside the films folder {films}. Give the store a place of its own.")
    ours = {IMAGES_FOLDER, STORE_FILE, STUDIES_FILE, QUARANTINE_FILE}
    strangers = [path.name for path in out.glob("*") if path.name not in ours and path.suffix != ".part"]
    if strangers:
        raise DataError(f"{out} holds other files ({len(strangers)}). Give the store an empty or new folder.")


def _assemble(source: SourceData, *, outcomes: Mapping[Path, Outcome], names: Pseudonyms) -> _Assembly:
    refusals = list(source.refusals)
    refusals += [
        Refusal(where=_relative(film, source.root), code=outcome.code, why=outcome.why)
        for film, outcome in outcomes.items()
        if isinstance(outcome, Rejected)
    ]
    studies: dict[str, StoredStudy] = {}
    origin: dict[str, StudyFiles] = {}
    for files in source.studies:
        try:
            study = _stored(files, source=source, outcomes=outcomes, names=names)
        except Rejected as rejected:
            refusals.append(Refusal(where=files.study_uid, code=rejected.code, why=rejected.why, row=files.row))
            continue
        studies[study.study_uid] = study
        origin[study.study_uid] = files
        if files.patient_id is None:
            why = "no patient is known; the study stands for its patient"
            refusals.append(Refusal(where=files.study_uid, code="no_patient_id", why=why, kind="note", row=files.row))
    ordered = tuple(studies[uid] for uid in sorted(studies))
    return _Assembly(names=names, studies=ordered, origin=origin, refusals=tuple(refusals))


def _stored(
    files: StudyFiles, *, source: SourceData, outcomes: Mapping[Path, Outcome], names: Pseudonyms
) -> StoredStudy:
    """One study as it will be written, for now in `train`. Raises Rejected."""
    report = files.report
    _check_no_id_in_report(files)
    images = _images(files, outcomes=outcomes)
    if not images:
        raise Rejected("no_film_left", "each film of the study was refused")
    uid = names.study(files.study_uid)
    return StoredStudy(
        example_id=example_id(uid),
        study_uid=uid,
        patient_key=names.patient(files.patient_id) if files.patient_id else uid,
        source=source.name,
        split="train",
        images=images,
        language=report.language,
        findings=report.findings,
        impression=report.impression,
        indication=report.indication,
        comparison=report.comparison,
        origin=report.origin,
        age_years=None if files.age_years is None else min(files.age_years, _OLDEST_YEARS),
        sex=files.sex,
    )


def _check_no_id_in_report(files: StudyFiles) -> None:
    report = files.report
    texts = (report.findings, report.impression, report.indication, report.comparison)
    ids = {files.study_uid, files.patient_id, files.film_patient_id}
    telling = [text for text in ids if text is not None and len(text) >= _SHORTEST_TELLING_ID]
    if any(text in part for text in telling for part in texts if part is not None):
        raise Rejected("id_in_report", "the report's text holds the id of its patient or study; take it out")


def _images(files: StudyFiles, *, outcomes: Mapping[Path, Outcome]) -> tuple[StoredImage, ...]:
    """Return the films that could be rendered, each picture once."""
    images: dict[str, StoredImage] = {}
    for film, view in zip(files.films, files.views, strict=True):
        facts = outcomes[film]
        if not isinstance(facts, Rejected):
            path = cache_path(facts.sha256, render_digest=facts.render_digest)
            images.setdefault(facts.pixels_sha256, StoredImage(path=path, view=view, facts=facts))
    return tuple(images.values())


def _check_enough(
    assembly: _Assembly, *, source: SourceData, outcomes: Mapping[Path, Outcome], max_refused_fraction: float
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


def _with_split(assembly: _Assembly, *, settings: SplitSettings) -> list[StoredStudy]:
    patient_of = {study.study_uid: study.patient_key for study in assembly.studies}
    split_of = split_patients(patient_of, settings=settings, linked=_links(assembly))
    return [study.model_copy(update={"split": split_of[study.study_uid]}) for study in assembly.studies]


def _links(assembly: _Assembly) -> Iterable[Sequence[str]]:
    """Studies that share a patient under another id, or a film: they must not be parted."""
    sharing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for study in assembly.studies:
        files = assembly.origin[study.study_uid]
        for patient_id in {files.patient_id, files.film_patient_id} - {None}:
            sharing["patient", str(patient_id)].append(study.study_uid)
        for image in study.images:
            sharing["film", image.facts.pixels_sha256].append(study.study_uid)
    return [studies for studies in sharing.values() if len(studies) > 1]


def _info(
    source: SourceData,
    *,
    assembly: _Assembly,
    studies: Sequence[StoredStudy],
    settings: RenderSettings,
    split: SplitSettings,
) -> StoreInfo:
    counted = replace(source, refusals=assembly.refusals)
    return StoreInfo(
        source=source.name,
        site_key="own" if assembly.names.is_secret else "default",
        render_digest=settings.digest(),
        render_size=settings.size,
        render_square=settings.square,
        split_val=split.val,
        split_test=split.test,
        split_seed=split.seed,
        studies=len(studies),
        films=sum(len(study.images) for study in studies),
        splits=_split_counts(studies),
        left_out={kind: counted.counts(kind) for kind in _KINDS},
        leakage=asdict(leakage(_member(study) for study in studies)),
        fingerprint=fingerprint(_fingerprint_line(study) for study in studies),
    )


def _split_counts(studies: Sequence[StoredStudy]) -> dict[Split, SplitCount]:
    patients: dict[Split, list[str]] = {"train": [], "val": [], "test": []}
    for study in studies:
        patients[study.split].append(study.patient_key)
    return {name: SplitCount(studies=len(keys), patients=len(set(keys))) for name, keys in patients.items()}


def _member(study: StoredStudy) -> SplitMember:
    return SplitMember(
        study=study.study_uid,
        patient=study.patient_key,
        split=study.split,
        text=unicodedata.normalize("NFC", study.report.text),
        images=tuple(image.facts.pixels_sha256 for image in study.images),
    )


def _fingerprint_line(study: StoredStudy) -> FingerprintLine:
    return FingerprintLine(
        example_id=study.example_id,
        images=tuple(image.facts.pixels_sha256 for image in study.images),
        target=study.report.text,
        split=study.split,
    )


def _write(out: Path, *, info: StoreInfo, studies: Sequence[StoredStudy], quarantined: Sequence[Quarantined]) -> None:
    """`store.json` goes first and comes last, so that a kill leaves a store that is known to be incomplete."""
    (out / STORE_FILE).unlink(missing_ok=True)
    write_lines(out / STUDIES_FILE, studies)
    write_lines(out / QUARANTINE_FILE, quarantined)
    _remove_leftovers(out, used={image.path for study in studies for image in study.images})
    write_record(out / STORE_FILE, info)


def _remove_leftovers(out: Path, *, used: set[str]) -> None:
    """Delete films of an earlier preparation: who is taken out of the source is taken out of the store."""
    for path in out.glob("*.part"):
        path.unlink()
    for path in (out / IMAGES_FOLDER).glob("??/*"):
        if path.relative_to(out).as_posix() not in used and path.suffix in {".png", ".part"}:
            path.unlink()


def _relative(film: Path, root: Path) -> str:
    return film.relative_to(root).as_posix() if film.is_relative_to(root) else film.name
