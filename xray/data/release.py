"""A folder of films and their reports, as they may leave the hospital: the same files without the patients.

<out>/<patient>/<study>/<instance UID>.dcm     one new DICOM file for each film; names are pseudonyms
<out>/reports.csv                              study_uid, patient_id and the cleaned text, if there were reports
<out>/release.json                             which key the pseudonyms are of, without the key

Patient and study folders carry the pseudonyms that a prepared store gives the same patients and studies.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from xray.data.chest_gate import check_chest_film
from xray.data.film_header import FilmHeader, read_header
from xray.data.film_pool import map_guarded
from xray.data.pseudonym import SITE_KEY_VARIABLE, Pseudonyms
from xray.data.sources.study_files import Refusal
from xray.dicom import tags
from xray.dicom.deidentify import IMPLEMENTATION_VERSION, NewIdentity, deidentify
from xray.dicom.read import read_dataset
from xray.errors import ConfigError, DataError, Rejected
from xray.lock import LOCK_FILE, locked
from xray.records import Record, read_record, write_atomically, write_record

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Progress = Callable[[int, int], None]
RELEASE_FILE = "release.json"
_OURS = re.compile(r"release\.json|reports\.csv|\.lock|[0-9a-f]{16}|.*\.part")
_NEW_FOLDER = "Give the release a new folder."
_META_BYTES = 1024  # the file meta information comes first


class ReleaseRecord(Record):
    """`release.json`: the fingerprint of the key under which patients and studies were named."""

    schema_version: Literal[1] = 1
    site_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a release came to. `kept` films were there already, complete; `refusals` are films that were left out."""

    written: int
    kept: int
    refusals: tuple[Refusal, ...]


def release_films(
    source: Path,
    out: Path,
    *,
    names: Pseudonyms,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Released:
    """Write every chest film of `source` (a file, an archive or a folder of any depth) into `out`, de-identified.

    A film that is there already is not made again, so a killed release goes on where it stopped; each file appears
    under its name only when it is complete. Pictures that are no DICOM are refused (`not_dicom`).

    Raises ConfigError without a site key of one's own: under the public key anybody could try patient numbers against
    the pseudonyms. Raises DataError if `out` lies inside `source` or the reverse, holds other files or a release under
    another key, or if there is nothing at `source`, and XrayError if another command is at work in `out`.
    """
    if not names.is_secret:
        raise ConfigError(
            f"Pseudonyms under the public key can be undone by trying patient numbers. Set {SITE_KEY_VARIABLE} to a "
            "secret of your site, and keep it: the same key gives the same pseudonyms again."
        )
    _check_place(source, out)
    _check_release(out, names=names)
    out.mkdir(parents=True, exist_ok=True)
    write_record(out / RELEASE_FILE, ReleaseRecord(site_key=names.fingerprint))
    with locked(out), TemporaryDirectory(prefix="xray-release-") as scratch:
        for leftover in out.rglob("*.dcm.*.part"):
            leftover.unlink()
        headers, refusals = _found(source, scratch=Path(scratch))
        return _released(headers, refusals, root=source, job=_Job(out=out, names=names), workers=workers, say=progress)


def released_path(header: FilmHeader, *, out: Path, names: Pseudonyms) -> Path | None:
    """Return where a film lies in a release; None where its header lacks a UID."""
    if header.study_uid is None or header.sop_instance_uid is None:
        return None
    return (
        out
        / _patient(header, names=names)
        / names.study(header.study_uid)
        / f"{names.uid(header.sop_instance_uid)}.dcm"
    )


def _patient(header: FilmHeader, *, names: Pseudonyms) -> str:
    """Return the pseudonym of a film's patient, or of its study where no patient is known, as a prepared store does."""
    return names.patient(header.patient_id) if header.patient_id else names.study(header.study_uid or "")


def _check_place(source: Path, out: Path) -> None:
    if not source.exists():
        raise DataError(f"{source} does not exist. Give a DICOM file or the folder that holds the films.")
    inner, outer = out.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise DataError("Films and release lie inside each other. Give the release a folder of its own.")


def _check_release(out: Path, *, names: Pseudonyms) -> None:
    """Refuse a folder in which a patient would have two names, or what is not ours would leave the hospital as well."""
    there = [path for path in out.iterdir() if path.name != LOCK_FILE] if out.is_dir() else []
    if not there:
        return
    if not (out / RELEASE_FILE).is_file():
        raise DataError(f"{out} holds other files ({len(there)}), and a release may be passed on. {_NEW_FOLDER}")
    if read_record(out / RELEASE_FILE, ReleaseRecord, remedy=_NEW_FOLDER).site_key != names.fingerprint:
        raise DataError(
            f"{out} holds a release under another key: its patients would get second names. Set {SITE_KEY_VARIABLE} to "
            "the key of that release, or give this one a new folder."
        )
    if strangers := [path for path in there if not _OURS.fullmatch(path.name)]:
        raise DataError(f"{out} holds other files ({len(strangers)}), and a release may be passed on. Take them out.")


def _found(source: Path, *, scratch: Path) -> tuple[Sequence[FilmHeader], list[Refusal]]:
    from xray.data.archives import is_archive
    from xray.data.sources.film_scan import scan_films

    if source.is_dir() or is_archive(source.name):
        folder = scan_films(source, scratch=scratch)
        return folder.headers, [refusal for refusal in folder.refusals if refusal.kind != "note"]
    try:
        header = read_header(source)
        check_chest_film(header)
    except Rejected as rejected:
        return (), [Refusal(where=source.name, code=rejected.code, why=rejected.why)]
    return (header,), []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is the same for all films of a release."""

    out: Path
    names: Pseudonyms

    def __call__(self, header: FilmHeader) -> None:
        """Read, de-identify and write one film. Raises Rejected."""
        target = released_path(header, out=self.out, names=self.names)
        if not header.is_dicom:
            raise Rejected("not_dicom", "Only DICOM files are written; a picture has no header to keep.")
        if target is None:
            raise Rejected("missing_tag", "StudyInstanceUID or SOPInstanceUID is missing. Export the film again.")
        dataset = read_dataset(header.path)
        film = deidentify(dataset, identity=_identity(dataset, header=header, names=self.names))
        stream = io.BytesIO()
        film.save_as(stream, enforce_file_format=True)
        write_atomically(target, stream.getvalue())


def _released(
    headers: Sequence[FilmHeader],
    refusals: list[Refusal],
    *,
    root: Path,
    job: _Job,
    workers: int | None,
    say: Progress | None,
) -> Released:
    waiting = [header for header in headers if not is_complete(released_path(header, out=job.out, names=job.names))]
    kept = len(headers) - len(waiting)
    done = written = 0

    def note(index: int, outcome: Rejected | None) -> None:
        nonlocal done, written
        done += 1
        if isinstance(outcome, Rejected):
            where = _place(waiting[index], root=root)
            refusals.append(Refusal(where=where, code=outcome.code, why=outcome.why))
        else:
            written += 1
        if say is not None:
            say(kept + done, len(headers))

    if say is not None:
        say(kept, len(headers))
    map_guarded(job, waiting, workers=workers, on_result=note)
    return Released(written=written, kept=kept, refusals=tuple(sorted(refusals, key=lambda one: one.where)))


def _place(header: FilmHeader, *, root: Path) -> str:
    if header.place is not None:
        return header.place.as_posix()
    return header.path.relative_to(root).as_posix() if header.path != root else root.name


def is_complete(target: Path | None) -> bool:
    """Tell whether a film was released before, by this version of the rules."""
    if target is None or not target.is_file():
        return False
    try:
        with target.open("rb") as stream:
            return IMPLEMENTATION_VERSION.encode() in stream.read(_META_BYTES)
    except OSError:  # gone meanwhile, or not readable
        return False


def _identity(dataset: "Dataset", *, header: FilmHeader, names: Pseudonyms) -> NewIdentity:
    assert header.study_uid is not None
    assert header.sop_instance_uid is not None
    series_uid = tags.text(dataset, "SeriesInstanceUID")
    if series_uid in (None, header.study_uid):  # a series needs a UID, and one of its own
        series_uid = f"series of {header.study_uid}"
    return NewIdentity(
        patient=_patient(header, names=names),
        study=names.study(header.study_uid),
        study_uid=names.uid(header.study_uid),
        series_uid=names.uid(str(series_uid)),
        instance_uid=names.uid(header.sop_instance_uid),
        days_back=names.days_back(header.patient_id or header.study_uid),
    )
