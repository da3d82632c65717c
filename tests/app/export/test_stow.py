"""Structured reports to a PACS: Debian's Orthanc, and a server that misbehaves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.export import write
from app.export.stow import send_reports
from tests.app.export.reviews import CONTEXT, signed
from tests.xray.data import orthanc
from xray.data.sources.dicomweb_server import Server
from xray.errors import DataError

pytestmark = pytest.mark.skipif(not orthanc.is_installed(), reason="Debian's orthanc and orthanc-dicomweb are missing")


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[orthanc.Orthanc]:
    with orthanc.running(tmp_path_factory.mktemp("orthanc") / "server") as running:
        yield running


@pytest.fixture
def server(pacs: orthanc.Orthanc, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("XRAY_DICOMWEB_USER", orthanc.USER)
    monkeypatch.setenv("XRAY_DICOMWEB_PASSWORD", orthanc.PASSWORD)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Server.of_environment(pacs.root)


def reports(folder: Path) -> list[Path]:
    return write([signed("a"), signed("b")], kind="dicom_sr", folder=folder, context=CONTEXT)[:-1]


def test_reports_arrive_whole_and_once_however_often_they_are_sent(
    pacs: orthanc.Orthanc, server: Server, tmp_path: Path
) -> None:
    files = reports(tmp_path / "out")
    assert send_reports(server, files) == []
    assert send_reports(server, files) == []
    kept = json.loads(pacs.request("instances"))
    assert sorted(pacs.request(f"instances/{key}/file") for key in kept) == sorted(p.read_bytes() for p in files)


def test_a_file_that_the_server_does_not_keep_is_named_and_the_others_arrive(server: Server, tmp_path: Path) -> None:
    first, last = reports(tmp_path / "out")
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(b"no DICOM")
    assert send_reports(server, [first, damaged, last]) == [damaged]


def test_a_wrong_password_is_refused_with_the_way_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XRAY_DICOMWEB_PASSWORD", "wrong-secret")
    with pytest.raises(DataError, match="XRAY_DICOMWEB_TOKEN"):
        send_reports(Server.of_environment(server.url), reports(tmp_path / "out"))


def test_a_missing_file_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.dcm"):
        send_reports(server, [tmp_path / "none.dcm"])
