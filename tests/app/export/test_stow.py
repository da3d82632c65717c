"""Structured reports to a PACS: Debian's Orthanc, and a server that misbehaves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.export import write
from app.export.stow import send_reports
from tests.app.export.reviews import CONTEXT, signed
from tests.xray.data import orthanc
from tests.xray.data.dicomweb_peer import Peer, serving
from xray.data.sources.dicomweb_server import Server, ServerLimits
from xray.errors import DataError

QUICK = ServerLimits(silence_seconds=0.5, answer_seconds=5, tries=2, pause_seconds=0.01)


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[orthanc.Orthanc]:
    if not orthanc.is_installed():
        pytest.skip("Debian's orthanc and orthanc-dicomweb are missing")
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


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Peer(studies={})) as peer:
        yield peer


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.dcm"
    path.write_bytes(b"the bytes of a report")
    return path


def test_one_part_of_the_request_is_the_file_as_it_lies_there(peer: Peer, report: Path) -> None:
    assert send_reports(Server(url=peer.url), [report]) == []
    ((path, headers),) = peer.requests
    boundary = headers["content-type"].rpartition("boundary=")[2]
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n"
    assert path == "/dicom-web/studies"
    assert peer.sent == [head.encode() + report.read_bytes() + f"\r\n--{boundary}--\r\n".encode()]


@pytest.mark.parametrize("status", [400, 409])
def test_a_refusal_by_status_leaves_the_report_over(peer: Peer, report: Path, status: int) -> None:
    peer.status = status
    assert send_reports(Server(url=peer.url, limits=QUICK), [report]) == [report]


@pytest.mark.parametrize(
    "words",
    ["{}", '{"00081198": {"vr": "SQ", "Value": [{}]}, "00081199": {"vr": "SQ", "Value": [{}]}}'],
    ids=["nothing stored", "a failure"],
)
def test_a_report_counts_as_kept_only_where_the_answer_says_so(peer: Peer, report: Path, words: str) -> None:
    peer.words = words.encode()
    assert send_reports(Server(url=peer.url), [report]) == [report]


@pytest.mark.parametrize("words", ["<html>welcome</html>", "[]", "", '{"00081199": 7}', "\udc80"])
def test_an_answer_that_is_no_dicom_json_stops_the_sending(peer: Peer, report: Path, words: str) -> None:
    peer.words = words.encode(errors="surrogateescape")
    with pytest.raises(DataError, match="no DICOM JSON"):
        send_reports(Server(url=peer.url), [report])


def test_a_server_that_is_busy_is_asked_again(peer: Peer, report: Path) -> None:
    peer.status, peer.status_times = 503, 1
    assert send_reports(Server(url=peer.url, limits=QUICK), [report]) == []
    assert len(peer.requests) == 2


def test_a_redirect_is_not_followed(peer: Peer, report: Path) -> None:
    peer.status = 307
    with pytest.raises(DataError, match="redirects"):
        send_reports(Server(url=peer.url), [report])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.dcm"):
        send_reports(Server(url="http://127.0.0.1:9"), [tmp_path / "none.dcm"])
