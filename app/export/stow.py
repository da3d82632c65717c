"""Structured reports to a PACS over DICOMweb (STOW-RS, PS3.18 10.5)."""

from collections.abc import Sequence
from pathlib import Path

from xray.data.sources.dicomweb_server import Server
from xray.errors import DataError, Rejected


def send_reports(server: Server, reports: Sequence[Path]) -> list[Path]:
    """Store the DICOM files, each in a transaction of its own, and return those that the server does not keep.

    Sending again what the server has changes nothing: a signed revision keeps its UID. Raises DataError if a file
    cannot be read, or if the server cannot be reached, lets nobody in or answers with something else.
    """
    return [report for report in reports if not _is_kept(server, report)]


def _is_kept(server: Server, report: Path) -> bool:
    try:
        server.store(report.read_bytes())
    except Rejected as rejected:
        if rejected.code == "not_stored":
            return False
        raise
    except OSError as error:
        raise DataError(f"{report}: {error.strerror}. Export the reports again.") from None
    return True
