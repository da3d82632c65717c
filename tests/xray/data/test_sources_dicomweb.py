"""Servers that leave films out, break off, fall silent or answer nonsense, and what becomes of it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray.data.conftest import FilmWriter
from tests.xray.data.dicomweb_peer import Peer, serving
from xray.data.sources.dicomweb import StudyQuery, fetch_studies, parse_server
from xray.data.sources.dicomweb_server import Server, ServerLimits
from xray.data.sources.multipart import save_parts
from xray.data.sources.table import read_table
from xray.errors import DataError, Rejected

STUDY, OTHER = "1.2.826.0.1.71", "1.2.826.0.1.72"
QUICK = ServerLimits(silence_seconds=0.5, answer_seconds=5, tries=2, pause_seconds=0.01)


@pytest.fixture
def peer(films: FilmWriter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("XRAY_DICOMWEB_TOKEN", "XRAY_DICOMWEB_USER", "XRAY_DICOMWEB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    held: dict[str, dict[str, bytes]] = {STUDY: {}, OTHER: {}}
    for study, number in [(STUDY, 1), (STUDY, 2), (STUDY, 3), (OTHER, 4)]:
        uid = f"{study}.1.{number}"
        held[study][uid] = films.dicom(f"{number}.dcm", study=study, texture=number, SOPInstanceUID=uid).read_bytes()
    with serving(Peer(studies=held)) as running:
        yield running


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def fetch(peer: Peer, into: Path, *, query: StudyQuery | None = None):
    return fetch_studies(Server.of_environment(peer.url, limits=QUICK), query or StudyQuery(), into=into)


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*.dcm"))


def sent(peer: Peer, *studies: str) -> list[bytes]:
    return sorted(film for study in studies for film in peer.studies[study].values())


def test_films_arrive_byte_by_byte(peer: Peer, into: Path) -> None:
    result = fetch(peer, into)
    assert contents(result.films) == sent(peer, STUDY, OTHER)
    assert (result.studies, result.instances, result.refusals) == (2, 4, ())
    assert list((into / "incomplete").iterdir()) == []


def test_what_an_answer_silently_leaves_out_is_asked_for_again(peer: Peer, into: Path) -> None:
    peer.left_out = {f"{STUDY}.1.2", f"{STUDY}.1.3"}
    result = fetch(peer, into)
    assert contents(result.films) == sent(peer, STUDY, OTHER)
    single = [path.rsplit("/", 1)[1] for path in peer.retrievals() if f"{STUDY}.1/instances" in path]
    assert single == [f"{STUDY}.1.2", f"{STUDY}.1.3"]


def test_a_study_that_stays_incomplete_is_refused_by_name_and_its_films_wait(peer: Peer, into: Path) -> None:
    peer.broken = {f"{STUDY}.1.2"}
    result = fetch(peer, into)
    assert [(refusal.where, refusal.code) for refusal in result.refusals] == [(STUDY, "partial_study")]
    assert "1 of the study's 3 films" in result.refusals[0].why
    assert contents(result.films) == sent(peer, OTHER)
    peer.broken, peer.requests = set(), []
    again = fetch(peer, into)
    assert (again.refusals, again.new_instances) == ((), 1)
    assert contents(again.films) == sent(peer, STUDY, OTHER)
    assert len(peer.retrievals()) == 1  # what had come before was kept


def test_a_study_that_has_become_incomplete_is_taken_out_of_the_films(peer: Peer, into: Path) -> None:
    fetch(peer, into)
    peer.studies[STUDY][f"{STUDY}.1.9"] = b"a film that was added and does not come"
    peer.broken = {f"{STUDY}.1.9"}
    result = fetch(peer, into)
    assert [refusal.code for refusal in result.refusals] == ["partial_study"]
    assert contents(result.films) == sent(peer, OTHER)
    del peer.studies[STUDY][f"{STUDY}.1.9"]
    again = fetch(peer, into)
    assert (again.refusals, again.new_instances) == ((), 0)
    assert contents(again.films) == sent(peer, STUDY, OTHER)


def test_a_film_that_is_cut_off_is_not_kept(peer: Peer, into: Path) -> None:
    peer.cut = 9000
    with pytest.raises(DataError, match="server_error"):
        fetch(peer, into)
    assert list(into.rglob("*.part")) == []
    assert contents(into) == []


def test_a_film_of_another_study_is_not_kept(peer: Peer, into: Path) -> None:
    stranger = next(iter(peer.studies[OTHER].values()))
    peer.studies[STUDY][f"{STUDY}.1.2"] = stranger
    result = fetch(peer, into)
    assert [refusal.code for refusal in result.refusals] == ["partial_study"]
    assert contents(result.films) == [stranger]


def test_what_is_no_dicom_file_is_not_kept(peer: Peer, into: Path) -> None:
    peer.studies[STUDY][f"{STUDY}.1.2"] = b"<html>try again</html>"
    assert [refusal.code for refusal in fetch(peer, into).refusals] == ["partial_study"]


def test_a_server_that_falls_silent_costs_seconds_and_not_the_night(peer: Peer, into: Path) -> None:
    peer.silent = True
    with pytest.raises(DataError, match="server_error"):
        fetch(peer, into)


def test_a_server_that_is_busy_is_asked_again(peer: Peer, into: Path) -> None:
    peer.status, peer.status_times = 503, 1
    assert fetch(peer, into).studies == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "XRAY_DICOMWEB_TOKEN"), (403, "refuses access"), (500, "status 500"), (302, "final address")],
)
def test_an_error_of_the_server_ends_with_what_to_do(peer: Peer, into: Path, status: int, words: str) -> None:
    peer.status = status
    with pytest.raises(DataError, match=words):
        fetch(peer, into)


def test_a_failing_retrieval_is_refused_for_its_study_alone(peer: Peer, into: Path) -> None:
    fetch(peer, into, query=StudyQuery(studies=(OTHER,)))
    peer.status_of_retrieval = 500
    result = fetch(peer, into)
    assert (result.studies, [refusal.code for refusal in result.refusals]) == (1, ["server_error"])


@pytest.mark.parametrize("uid", ["..", "1.2.x", "../../x", "1" * 65, ""])
def test_a_study_that_the_server_names_by_no_uid_does_not_keep_the_others_away(
    peer: Peer, into: Path, uid: str
) -> None:
    peer.studies[uid] = {}
    result = fetch(peer, into)
    assert (result.studies, [refusal.code for refusal in result.refusals]) == (2, ["bad_uid"])
    assert all(f"/studies/{uid}/" not in path for path, _ in peer.requests)


def test_a_server_that_fails_at_every_study_is_given_up(peer: Peer, into: Path) -> None:
    peer.words = b"no json"
    with pytest.raises(DataError, match="5 studies in a row"):
        fetch(peer, into, query=StudyQuery(studies=tuple(f"1.2.{n}" for n in range(20))))


@pytest.mark.parametrize("words", [b"", b"{}", b"[1]", b"[" * 100_000, b'[{"0020000D": {"Value": ["../../x"]}}]'])
def test_an_answer_that_is_no_dicom_json_is_refused(peer: Peer, into: Path, words: bytes) -> None:
    peer.words = words
    with pytest.raises(DataError, match=r"bad_answer|bad_uid"):
        fetch(peer, into)


@pytest.mark.parametrize("ignores_offset", [False, True])
def test_a_search_with_pages_ends(peer: Peer, into: Path, ignores_offset: bool) -> None:
    peer.page, peer.ignores_offset = 1, ignores_offset
    assert fetch(peer, into, query=StudyQuery(studies=(OTHER,))).studies == 1


def test_all_pages_of_a_search_are_read(peer: Peer, into: Path) -> None:
    peer.page = 1
    assert fetch(peer, into).instances == 4


def test_films_are_asked_for_as_they_are_stored(peer: Peer, into: Path) -> None:
    fetch(peer, into)
    accepts = {headers["accept"] for _, headers in peer.requests if "multipart" in headers["accept"]}
    assert accepts == {'multipart/related; type="application/dicom"; transfer-syntax=*'}


def test_a_token_goes_to_the_server_and_nowhere_else(peer: Peer, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_DICOMWEB_TOKEN", "canary-token")
    server = Server.of_environment(peer.url, limits=QUICK)
    fetch_studies(server, StudyQuery(), into=into)
    assert all(headers["authorization"] == "Bearer canary-token" for _, headers in peer.requests)
    assert "canary-token" not in repr(server)
    with pytest.raises(DataError, match="in clear"):
        Server.of_environment("http://pacs.example/dicom-web")
    monkeypatch.setenv("XRAY_DICOMWEB_TOKEN", "canary\r\nX: y")
    with pytest.raises(DataError, match="line break") as caught:
        Server.of_environment(peer.url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "https://", "host/dicom-web", "https://a:b@host/x", "https://host:x/y", "https://ho st/x"]
)
def test_an_address_that_cannot_be_used_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(DataError, match="DICOMweb address") as caught:
        Server.of_environment(url)
    assert "a:b" not in str(caught.value)


def test_a_server_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9 cannot be reached"):
        fetch_studies(Server.of_environment("http://127.0.0.1:9/d", limits=QUICK), StudyQuery(), into=tmp_path)


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl, which makes a certificate, is missing"
)
def test_a_certificate_is_checked_against_the_authorities_of_the_machine(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    command = [*words.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    with serving(Peer(studies=peer.studies), certificate=both) as secure:
        with pytest.raises(DataError, match="SSL_CERT_FILE"):
            fetch(secure, tmp_path / "in")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(secure, tmp_path / "in").studies == 2


def test_what_was_fetched_pairs_with_a_table_of_reports(peer: Peer, into: Path, tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,report\n{STUDY},双肺野清晰，心影不大。\n", encoding="utf-8")
    data = read_table(fetch(peer, into).films, table)
    assert [(study.study_uid, len(study.films)) for study in data.studies] == [(STUDY, 3)]


def test_the_search_stands_in_the_address() -> None:
    address = "dicomweb+https://pacs.example/dicom-web?StudyDate=20240101-20240331&ModalitiesInStudy=DX"
    server, query = parse_server(address)
    assert server.url == "https://pacs.example/dicom-web"
    assert query == StudyQuery(days="20240101-20240331", modalities=("DX",))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "StudyDate=",
        "PatientName=x&StudyDate=2024",
        "StudyDate=yesterday",
        "StudyDate=20240101-&ModalitiesInStudy=cr",
    ],
)
def test_a_search_that_cannot_be_asked_is_refused(query: str) -> None:
    with pytest.raises(DataError):
        parse_server(f"dicomweb+https://pacs.example/dicom-web?{query}")


def test_a_study_that_is_named_by_something_else_than_a_uid_is_refused() -> None:
    with pytest.raises(DataError, match="1 of the studies"):
        StudyQuery(studies=("1.2.3", "../../etc"))


BODIES = st.lists(st.binary(max_size=60).filter(lambda body: b"\r\n--b" not in body), max_size=4)


@given(bodies=BODIES, sizes=st.lists(st.integers(1, 7), min_size=1, max_size=5), cut=st.integers(0, 400))
def test_parts_survive_any_chunking_and_a_cut_never_yields_half_a_part(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], sizes: list[int], cut: int
) -> None:
    message = b"".join(b"--b\r\nContent-Type: x\r\n\r\n" + body + b"\r\n" for body in bodies) + b"--b--"
    folder = tmp_path_factory.mktemp("parts")
    data, number = memoryview(message[: cut or len(message)]), 0

    def read(_: int) -> bytes:
        nonlocal data, number
        size = sizes[number % len(sizes)]
        number += 1
        chunk, data = bytes(data[:size]), data[size:]
        return chunk

    parts = save_parts(read, boundary="b", into=folder, most_bytes=100)
    if 0 < cut < len(message):
        with pytest.raises(Rejected, match="truncated_answer"):
            list(parts)
    else:
        list(parts)
        assert len(list(folder.iterdir())) == len(bodies)
    kept = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert kept == bodies[: len(kept)]


def test_a_part_above_the_limit_is_refused_and_removed(tmp_path: Path) -> None:
    chunks = iter([b"--b\r\n\r\n", *[b"x" * 1000] * 10, b"\r\n--b--"])
    with pytest.raises(Rejected, match="answer_too_large"):
        list(save_parts(lambda _: next(chunks, b""), boundary="b", into=tmp_path, most_bytes=2000))
    assert list(tmp_path.iterdir()) == []
