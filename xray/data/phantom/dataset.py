"""A folder of phantom studies as a hospital would export them: DICOM films, reports, and the truth.

films/2021/0301/<study hash>/<n>.dcm   no patient's number or name in a path
reports.csv       study_uid, patient_id, report, age, sex
labels.csv        one row for each drawn finding: study_uid, concept, laterality, zone, severity, size_mm, rib
labels14.csv      one row for each study: study_uid and the 14 CheXpert classes, 0 or 1
README.txt        what this is
complete.json     written last: seed, style, counts and a digest of the films and tables
"""

import csv
import hashlib
import io
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2

from xray.data.phantom.dicom import make_dataset, patient_id, sample_variant, study_uid
from xray.data.phantom.film import draw
from xray.data.phantom.report import write_report
from xray.data.phantom.study import PhantomStudy, Style, labels, sample_studies
from xray.errors import DataError
from xray.guard import interrupts_held
from xray.text.labels import CLASSES
from xray.types import View

PHANTOM_VERSION = 1
"""Raised whenever the same seed gives other files."""

COMPLETE = "complete.json"
_TABLES = ("reports.csv", "labels.csv", "labels14.csv", "README.txt")
_README = """Procedural chest films with Chinese reports. No patient is behind them: anatomy, findings, names and dates
are drawn from a random seed. films/ holds DICOM (CR and DX), reports.csv the reports, labels.csv the findings that were
drawn and labels14.csv the same as the 14 CheXpert classes. For tests and demonstrations only; of no clinical use.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Film:
    """One file that was written: its path below the data set and the SHA-256 of its bytes."""

    path: str
    sha256: str


def write_dataset(
    out: Path,
    *,
    studies: int,
    seed: int,
    style: Style = Style.DEMO,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `studies` studies below `out`; the bytes depend on `studies`, `seed` and `style` only.

    Returns at once when `out` already holds this data set in full; a half-written one, or one of an earlier version, is
    replaced. `workers` are processes (None: one for each core), `progress` is called with the number of studies done.
    Raises DataError when `out` holds another data set or other things, so that nothing of the user's is deleted.
    """
    if is_complete(out, studies=studies, seed=seed, style=style):
        return
    _check_replaceable(out, wanted=_identity(studies=studies, seed=seed, style=style))
    _clear(out)
    invented = sample_studies(studies, seed=seed, style=style)
    films: list[_Film] = []
    for done, written in enumerate(_write_films(out, studies=invented, style=style, workers=workers), start=1):
        films += written
        if progress is not None:
            progress(done)
    _write_tables(out, studies=invented, style=style)
    _write_complete(out, films=films, identity=_identity(studies=studies, seed=seed, style=style))


def is_complete(out: Path, *, studies: int, seed: int, style: Style) -> bool:
    """Tell whether `out` holds the whole data set of these arguments, by its `complete.json` and its file list."""
    complete, wanted = _read_complete(out), _identity(studies=studies, seed=seed, style=style)
    if any(complete.get(key) != value for key, value in wanted.items()):
        return False
    num_films = sum(1 for _ in (out / "films").rglob("*.dcm"))
    return bool(num_films == complete.get("num_films")) and all((out / name).exists() for name in _TABLES)


def _identity(*, studies: int, seed: int, style: Style) -> dict[str, object]:
    return {"phantom_version": PHANTOM_VERSION, "style": str(style), "seed": seed, "num_studies": studies}


def _read_complete(out: Path) -> dict[str, object]:
    try:
        complete = json.loads((out / COMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return complete if isinstance(complete, dict) else {}


def _check_replaceable(out: Path, *, wanted: dict[str, object]) -> None:
    """Refuse to put one data set in the place of another, whole one, or of anything else."""
    there = _read_complete(out)
    if there and any(there.get(key) != wanted[key] for key in wanted if key != "phantom_version"):
        raise DataError(
            f"{out} holds another drawn data set (complete.json). Choose an empty folder, or remove it first."
        )
    strangers = [path for path in (out / "films").rglob("*") if path.is_file() and path.suffix != ".dcm"]
    if strangers:
        raise DataError(f"{out / 'films'} holds other files ({len(strangers)}). Choose an empty folder.")


def _clear(out: Path) -> None:
    """Remove what an earlier call left, the mark of completeness first; refuse to touch anything else."""
    known = {"films", COMPLETE, *_TABLES, *(f"{name}.part" for name in (COMPLETE, *_TABLES))}
    strangers = sorted(path.name for path in out.iterdir() if path.name not in known) if out.exists() else []
    if strangers:
        raise DataError(
            f"{out} holds other files ({strangers[0]} ...). Choose an empty folder for the phantom data set."
        )
    for name in known - {"films"}:
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / "films", ignore_errors=True)
    (out / "films").mkdir(parents=True)


def _write_films(
    out: Path, *, studies: Sequence[PhantomStudy], style: Style, workers: int | None
) -> Iterator[list[_Film]]:
    """Yield the films of each study in order, whichever process drew them."""
    task = partial(_write_study, out=out, style=style)
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from map(task, studies)
        return
    context = multiprocessing.get_context("spawn")  # a forked child hangs when OpenCV's threads already run
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        with interrupts_held():
            drawn = pool.map(task, studies, chunksize=4)
        try:
            yield from drawn
        finally:
            pool.shutdown(cancel_futures=True)


def _write_study(study: PhantomStudy, *, out: Path, style: Style) -> list[_Film]:
    views: tuple[View, ...] = ("frontal", "lateral") if study.has_lateral else ("frontal",)
    films: list[_Film] = []
    for number, view in enumerate(views, start=1):
        variant = sample_variant(study, view=view)
        dataset = make_dataset(study, film=draw(study, view=view, style=style), view=view, variant=variant)
        folder = hashlib.sha256(dataset.StudyInstanceUID.encode()).hexdigest()[:12]
        path = Path("films", dataset.StudyDate[:4], dataset.StudyDate[4:], folder, f"{number:04d}.dcm")
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(buffer.getvalue())
        films.append(_Film(path=path.as_posix(), sha256=hashlib.sha256(buffer.getvalue()).hexdigest()))
    return films


def _write_tables(out: Path, *, studies: Sequence[PhantomStudy], style: Style) -> None:
    reports = [
        [study_uid(study), patient_id(study), write_report(study, style=style), study.age_years, study.sex]
        for study in studies
    ]
    _write_csv(out / "reports.csv", header=["study_uid", "patient_id", "report", "age", "sex"], rows=reports)
    columns = ["concept", "laterality", "zone", "severity", "size_mm", "rib"]
    findings = [
        [study_uid(study), *(asdict(finding)[column] for column in columns)]
        for study in studies
        for finding in study.findings
    ]
    _write_csv(out / "labels.csv", header=["study_uid", *columns], rows=findings)
    classes = [[study_uid(study), *labels(study).values()] for study in studies]
    _write_csv(out / "labels14.csv", header=["study_uid", *CLASSES], rows=classes)
    _write_durably(out / "README.txt", _README)


def _write_csv(path: Path, *, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    _write_durably(path, text.getvalue())


def _write_complete(out: Path, *, films: Sequence[_Film], identity: dict[str, object]) -> None:
    digest = hashlib.sha256()
    for film in sorted(films, key=lambda film: film.path):
        digest.update(f"{film.path}\t{film.sha256}\n".encode())
    for name in _TABLES:
        digest.update(f"{name}\t{hashlib.sha256((out / name).read_bytes()).hexdigest()}\n".encode())
    complete = identity | {"num_films": len(films), "sha256": digest.hexdigest()}
    _write_durably(out / COMPLETE, json.dumps(complete, indent=2) + "\n")


def _write_durably(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
