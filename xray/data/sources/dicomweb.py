"""Studies from a DICOMweb server (PS3.18: QIDO-RS and WADO-RS) as a folder of films, ready for `read_table`.

A server may leave instances out of an answer and say nothing (Orthanc does, where it cannot transcode one). So films
are asked for as they are stored, what came is compared with what the search listed, each instance that is missing is
asked for by itself, and a study that stays incomplete is refused by name.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from xray.data.sources.dicomweb_server import Server
from xray.data.sources.study_files import Refusal
from xray.dicom import tags
from xray.dicom.read import read_tags
from xray.errors import DataError, Rejected

SCHEME = "dicomweb+"
FILMS_FOLDER, INCOMPLETE_FOLDER = "films", "incomplete"

_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_MODALITY = "00080060"
_PAGE = 200
_MOST_FAILURES = 5  # studies in a row that the server fails at, before it is given up
_UID = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)*")  # PS3.5 9.1, as far as it keeps an address an address
_DAYS = re.compile(r"\d{8}(-\d{8})?|\d{8}-|-\d{8}")  # PS3.4 C.2.2.2.5.1


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyQuery:
    """Which studies to fetch: those of `studies` (StudyInstanceUIDs), or, if None, those that a search finds.

    `days` is a date or a range of dates, `20240101-20240331`; `body_part` is BodyPartExamined. Of each study, the
    series of these `modalities` are fetched.
    """

    studies: tuple[str, ...] | None = field(default=None, repr=False)
    modalities: tuple[str, ...] = ("CR", "DX", "RG")
    days: str | None = None
    body_part: str | None = None

    def __post_init__(self) -> None:
        """Raise DataError for a range of dates, a modality or a StudyInstanceUID that is none."""
        if self.days is not None and not _DAYS.fullmatch(self.days):
            raise DataError("StudyDate is not YYYYMMDD or YYYYMMDD-YYYYMMDD. Correct the range of dates.")
        if not self.modalities or not all(re.fullmatch(r"[A-Z]{2,16}", modality) for modality in self.modalities):
            raise DataError("ModalitiesInStudy is not a list of modalities such as CR,DX. Correct it.")
        if self.studies is not None and (bad := sum(not _UID.fullmatch(study) for study in self.studies)):
            raise DataError(
                f"{bad} of the studies to fetch are named by no StudyInstanceUID. A server knows no other id."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What was fetched: `films` is the folder of the complete studies, `refusals` are the others, by their UIDs.

    `studies` and `instances` count the complete ones, `new_instances` those of them that had not been there before.
    """

    films: Path
    studies: int
    instances: int
    new_instances: int
    refusals: tuple[Refusal, ...]


def parse_server(films: str) -> tuple[Server, StudyQuery]:
    """Read `dicomweb+https://host/root?StudyDate=20240101-20240331&ModalitiesInStudy=CR,DX&BodyPartExamined=CHEST`.

    Only the dates must be stated. Raises DataError if they are missing, since without them the whole archive of a
    hospital would be fetched, for another parameter, and what `Server.of_environment` raises.
    """
    url, _, query = films.removeprefix(SCHEME).partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    known = {"StudyDate", "ModalitiesInStudy", "BodyPartExamined"}
    if unknown := len(given.keys() - known):
        raise DataError(f"{unknown} parameters of the DICOMweb address are not one of {', '.join(sorted(known))}.")
    if not given.get("StudyDate"):
        raise DataError("The DICOMweb address names no dates. Add them, as in ?StudyDate=20240101-20240331.")
    usual = StudyQuery()
    modalities = given.get("ModalitiesInStudy")
    return Server.of_environment(url), StudyQuery(
        modalities=tuple(modalities.split(",")) if modalities else usual.modalities,
        days=given.get("StudyDate"),
        body_part=given.get("BodyPartExamined"),
    )


def fetch_studies(
    server: Server, query: StudyQuery, *, into: Path, progress: Callable[[int, int], None] | None = None
) -> FetchResult:
    """Fetch the films of the studies into `into`, one file for each instance, byte by byte as the server sent them.

    A file is named by a hash of its UID. Instances that are there already are not fetched again, so a killed or failed
    fetch goes on where it stopped. Studies stand in `films` when they are complete, before that in `incomplete`.
    `progress` gets the number of studies done and of all. Refused, by their UIDs: `partial_study` (instances stayed
    missing), `no_such_study` (the server has no film of it), `bad_uid`, `not_found`, `server_error`, `bad_answer`,
    `answer_too_large`.

    Raises DataError if the server cannot be reached or used, fails at five studies in a row, or has none of them.
    """
    studies = list(dict.fromkeys(query.studies)) if query.studies is not None else _search_studies(server, query)
    fetch = _Fetch(server=server, modalities=query.modalities, into=into)
    refusals: list[Refusal] = []
    failures = 0
    for done, study in enumerate(studies, start=1):
        try:
            fetch.study(study)
            failures = 0
        except Rejected as rejected:
            refusals.append(Refusal(where=study, code=rejected.code, why=rejected.why))
            fetch.set_aside(study)
            failures = failures + 1 if rejected.code in ("server_error", "bad_answer") else 0
            if failures == _MOST_FAILURES:
                host = urlsplit(server.url).netloc
                raise DataError(
                    f"{host} failed at {failures} studies in a row, the last time since {rejected.why}. Try again "
                    "later: what was fetched is kept."
                ) from None
        if progress is not None:
            progress(done, len(studies))
    if not fetch.studies:
        codes = ", ".join(sorted({refusal.code for refusal in refusals})) or "none was named"
        raise DataError(
            f"None of {len(studies)} studies could be fetched from {urlsplit(server.url).netloc} ({codes}). Check the "
            "address, the ids and the modalities."
        )
    return FetchResult(
        films=into / FILMS_FOLDER,
        studies=fetch.studies,
        instances=fetch.instances,
        new_instances=fetch.new_instances,
        refusals=tuple(refusals),
    )


@dataclass(slots=True, kw_only=True)
class _Fetch:
    server: Server
    modalities: Collection[str]
    into: Path
    studies: int = 0
    instances: int = 0
    new_instances: int = 0

    def study(self, study: str) -> None:
        """Complete one study. Raises Rejected."""
        if not _UID.fullmatch(study):
            raise Rejected("bad_uid", "the server names the study by something that is no UID")
        complete, incomplete = self._folders(study)
        listed = self._listed(study)
        if not listed:
            raise Rejected("no_such_study", "the server has no film of this study in the modalities that are fetched")
        incomplete.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(incomplete)
        before = sum(_has(instance, complete, incomplete) for instance in listed)
        for series in sorted(set(listed.values())):
            wanted = {uid for uid, owner in listed.items() if owner == series and not _has(uid, complete, incomplete)}
            self._series(study, series, wanted=wanted, into=incomplete)
        missing = sum(not _has(instance, complete, incomplete) for instance in listed)
        if missing == len(listed):
            raise Rejected("server_error", f"the server lists {missing} films of the study and sends none of them")
        if missing:
            raise Rejected("partial_study", f"{missing} of the study's {len(listed)} films could not be retrieved")
        _move_all(incomplete, complete)
        self.studies += 1
        self.instances += len(listed)
        self.new_instances += len(listed) - before

    def set_aside(self, study: str) -> None:
        """Take a study that was complete once, and is refused now, out of the folder of the complete ones."""
        complete, incomplete = self._folders(study)
        if complete.exists():
            _move_all(complete, incomplete)

    def _folders(self, study: str) -> tuple[Path, Path]:
        return self.into / FILMS_FOLDER / _name(study), self.into / INCOMPLETE_FOLDER / _name(study)

    def _listed(self, study: str) -> Mapping[str, str]:
        """Return the study's instances of the wanted modalities, each with its series, by their UIDs."""
        listed: dict[str, str] = {}
        for entry in _search(self.server, f"studies/{study}/series", parameters={}):
            if _word(entry, _MODALITY) in self.modalities:
                series = _uid(entry, _SERIES)
                found = _search(self.server, f"studies/{study}/series/{series}/instances", parameters={})
                listed.update((_uid(instance, _INSTANCE), series) for instance in found)
        return listed

    def _series(self, study: str, series: str, *, wanted: set[str], into: Path) -> None:
        """Retrieve the wanted instances: all in one answer if there are several, then each that did not come."""
        path = f"studies/{study}/series/{series}"
        if len(wanted) > 1:
            self._retrieve(path, study=study, wanted=wanted, into=into)
        for instance in sorted(wanted):
            if not _has(instance, into):
                self._retrieve(f"{path}/instances/{instance}", study=study, wanted={instance}, into=into)

    def _retrieve(self, path: str, *, study: str, wanted: Collection[str], into: Path) -> None:
        """Keep what comes of the wanted instances; what an answer that fails leaves out is seen later."""
        try:
            for part in self.server.retrieve(path, into=into):
                instance = _instance(part, study=study)
                if instance is not None and instance in wanted:
                    part.replace(into / _file_name(instance))
                else:
                    part.unlink()
        except Rejected:
            return


def _search_studies(server: Server, query: StudyQuery) -> list[str]:
    """Return what the server calls the matching studies; one search per modality, as few understand lists."""
    filters = {"StudyDate": query.days, "BodyPartExamined": query.body_part}
    stated = {name: word for name, word in filters.items() if word is not None}
    found = (
        _word(entry, _STUDY)  # one that is no UID is refused when its turn comes
        for modality in query.modalities
        for entry in _search(server, "studies", parameters={"ModalitiesInStudy": modality, **stated})
    )
    studies = list(dict.fromkeys(found))
    if not studies:
        raise DataError(f"{urlsplit(server.url).netloc} has no study that matches. Widen the search.")
    return studies


def _search(server: Server, path: str, *, parameters: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
    """Yield all results, page by page, until a page brings nothing new: some servers ignore the offset."""
    seen: set[str] = set()
    while True:
        page = server.search(path, parameters={**parameters, "limit": str(_PAGE), "offset": str(len(seen))})
        fresh = {str(sorted(entry.items(), key=str)): entry for entry in page}
        fresh = {key: entry for key, entry in fresh.items() if key not in seen}
        if not fresh:
            return
        seen.update(fresh)
        yield from fresh.values()


def _word(entry: Mapping[str, object], tag: str) -> str:
    """Return the first value of an element in DICOM JSON, or an empty text."""
    element = entry.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _uid(entry: Mapping[str, object], tag: str) -> str:
    """Return a UID that may become part of an address. Raises Rejected("bad_answer")."""
    uid = _word(entry, tag)
    if not _UID.fullmatch(uid):
        raise Rejected("bad_answer", "the server answered a search with something that is no UID")
    return uid


def _instance(path: Path, *, study: str) -> str | None:
    """Return the SOPInstanceUID of a file that belongs to the study, else None."""
    try:
        header = read_tags(path)
    except Rejected:
        return None
    return tags.text(header, "SOPInstanceUID") if tags.text(header, "StudyInstanceUID") == study else None


def _has(instance: str, *folders: Path) -> bool:
    return any((folder / _file_name(instance)).exists() for folder in folders)


def _name(uid: str) -> str:
    """Name a UID: it is the server's word, so it never becomes a path."""
    return hashlib.sha256(uid.encode()).hexdigest()[:24]


def _file_name(instance: str) -> str:
    return f"{_name(instance)}.dcm"


def _move_all(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.replace(target / path.name)
    folder.rmdir()


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob("*.part"):
        path.unlink()
