"""How the reports of cases compare, kept on disk, because to find out takes some milliseconds a case.

A line holds the hash of the two reports and the findings with their kinds; no text of a report. The file is named by
the hash of all code and words that decide, so an upgrade of the program or of its lexicon begins another one.
"""

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from app.run import ReviewCase
from xray import metrics, text
from xray.errors import DataError
from xray.metrics.marks import Kind
from xray.records import Record, read_appended
from xray.text.lexicon import Profile

Findings = tuple[tuple[Kind, str], ...]
_DECIDING = {".py", ".yaml", ".json"}
_REMEDY = "Delete it: it is made again."
_log = logging.getLogger("app")


class _Line(Record):
    pair: str
    findings: Findings


def pair_of(case: ReviewCase, *, profile: Profile) -> str:
    """Return the name of a case's two reports: a hash of both and of the lexicon's profile."""
    return hashlib.sha256("\0".join((profile, case.generated or "", case.case.text)).encode()).hexdigest()


@cache
def signature() -> str:
    """Return a hash of everything that decides how two reports compare."""
    digest = hashlib.sha256()
    for package in (text, metrics):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            if path.suffix in _DECIDING:
                digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class MarkFile:
    """The file in `folder` for the present program; empty, with a line in the log, where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{signature()[:16]}.jsonl"

    def read(self) -> dict[str, Findings]:
        """Return all that is known, by the names of `pair_of`."""
        try:
            return {line.pair: line.findings for line in read_appended(self._path, _Line, remedy=_REMEDY)}
        except DataError as error:
            _log.warning("comparisons are made again: %s", error)
            with suppress(OSError):
                self._path.unlink()
            return {}

    def add(self, found: Mapping[str, Findings]) -> None:
        """Append to the file, and delete those of other versions of the program."""
        lines = "".join(
            _Line(pair=pair, findings=findings).model_dump_json() + "\n" for pair, findings in found.items()
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for other in set(self._path.parent.glob("*.jsonl")) - {self._path}:
                other.unlink()
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(lines)
        except OSError as error:
            _log.warning(
                "%s cannot be written (%s): reports are compared again after a start", self._path, error.strerror
            )
