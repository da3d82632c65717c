"""The round trip through a real DICOMweb server: what was stored is what is fetched."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

from tests.xray.data import orthanc
from xray.data.sources.dicomweb import StudyQuery, fetch_studies
from xray.data.sources.dicomweb_server import Server
from xray.dicom.decode import decode
from xray.dicom.read import read_dataset
from xray.errors import DataError

pytestmark = pytest.mark.skipif(not orthanc.is_installed(), reason="Debian's orthanc and orthanc-dicomweb are missing")

STUDY = "1.2.826.0.1.3680043.8.498.7"
OTHER = "1.2.826.0.1.3680043.8.498.8"
SYNTAXES = [
    uid.ExplicitVRLittleEndian,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
    uid.RLELossless,
    uid.JPEGLosslessSV1,
]


def film(number: int, *, syntax: str, study: str = STUDY, modality: str = "CR", day: str = "20240229") -> Dataset:
    rows, columns = 120, 96
    ramp = np.add.outer(np.arange(rows) * 9, np.arange(columns) * 13)
    pixels = (ramp + np.random.default_rng(number).integers(0, 200, (rows, columns))).astype(np.uint16) % 4096
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = uid.ComputedRadiographyImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
    dataset.SOPInstanceUID = f"{study}.1.{number}"
    dataset.PatientName, dataset.PatientID = "Zhang^San=张^三", f"P-{study[-1]}"
    dataset.StudyDate, dataset.Modality, dataset.BodyPartExamined = day, modality, "CHEST"
    dataset.ViewPosition = "PA"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelData = pixels.tobytes()
    if syntax == uid.JPEGLosslessSV1:
        dataset.PixelData = encapsulate([lossless_jpeg(pixels)])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax != uid.ExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
    return dataset


def lossless_jpeg(pixels: np.ndarray) -> bytes:
    data: bytes = imagecodecs.ljpeg_encode(pixels, bitspersample=12)
    return data


def to_bytes(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[orthanc.Orthanc]:
    with orthanc.running(tmp_path_factory.mktemp("orthanc") / "server") as running:
        for number, syntax in enumerate(SYNTAXES):
            running.store(to_bytes(film(number, syntax=syntax)))
        running.store(to_bytes(film(0, syntax=SYNTAXES[0], study=OTHER, day="20230101")))
        running.store(to_bytes(film(9, syntax=SYNTAXES[0], study=f"{OTHER}.9", modality="CT")))
        yield running


@pytest.fixture
def peer(server: orthanc.Orthanc, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("XRAY_DICOMWEB_USER", orthanc.USER)
    monkeypatch.setenv("XRAY_DICOMWEB_PASSWORD", orthanc.PASSWORD)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Server.of_environment(server.root)


def test_every_encoding_comes_back_with_the_bytes_that_were_stored(peer: Server, tmp_path: Path) -> None:
    result = fetch_studies(peer, StudyQuery(days="20240101-20241231"), into=tmp_path)
    assert (result.studies, result.instances, result.refusals) == (1, 5, ())
    fetched = {dataset.SOPInstanceUID: dataset for dataset in map(dcmread, result.films.rglob("*.dcm"))}
    sent = [film(number, syntax=syntax) for number, syntax in enumerate(SYNTAXES)]
    assert fetched.keys() == {dataset.SOPInstanceUID for dataset in sent}
    for dataset in sent:
        copy = fetched[dataset.SOPInstanceUID]
        assert copy.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
        assert copy.PixelData == dataset.PixelData
        assert copy.PatientName == "Zhang^San=张^三"


def test_a_fetched_film_decodes_to_the_pixels_of_the_film_that_was_drawn(peer: Server, tmp_path: Path) -> None:
    result = fetch_studies(peer, StudyQuery(studies=(STUDY,)), into=tmp_path)
    drawn = {film(n, syntax=SYNTAXES[0]).SOPInstanceUID: film(n, syntax=SYNTAXES[0]).pixel_array for n in range(5)}
    for path in result.films.rglob("*.dcm"):
        dataset = read_dataset(path)
        np.testing.assert_array_equal(np.squeeze(decode(dataset)), drawn[dataset.SOPInstanceUID])


def test_no_uid_or_name_of_a_patient_is_in_a_path(peer: Server, tmp_path: Path) -> None:
    fetch_studies(peer, StudyQuery(), into=tmp_path)
    names = "".join(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert STUDY not in names
    assert "P-7" not in names


def test_a_second_fetch_asks_for_nothing_that_is_there(peer: Server, tmp_path: Path) -> None:
    first = fetch_studies(peer, StudyQuery(), into=tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dcm")}
    again = fetch_studies(peer, StudyQuery(), into=tmp_path)
    assert (first.new_instances, again.new_instances, again.instances) == (6, 0, 6)
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dcm")}


def test_only_the_studies_that_match_are_fetched(peer: Server, tmp_path: Path) -> None:
    by_day = fetch_studies(peer, StudyQuery(days="20230101"), into=tmp_path / "day")
    assert {dcmread(path).StudyInstanceUID for path in by_day.films.rglob("*.dcm")} == {OTHER}
    named = fetch_studies(peer, StudyQuery(studies=(OTHER, f"{OTHER}.9", "1.2.3")), into=tmp_path / "named")
    assert named.studies == 1  # of the others, one is a CT and one is not there
    assert {(refusal.where, refusal.code) for refusal in named.refusals} == {
        (f"{OTHER}.9", "no_such_study"),
        ("1.2.3", "no_such_study"),
    }


def test_a_wrong_password_is_refused_with_the_way_out(
    peer: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XRAY_DICOMWEB_PASSWORD", "wrong-secret")
    with pytest.raises(DataError, match="XRAY_DICOMWEB_TOKEN") as caught:
        fetch_studies(Server.of_environment(peer.url), StudyQuery(), into=tmp_path)
    assert "wrong-secret" not in str(caught.value)


def test_an_address_that_is_no_dicomweb_root_is_refused(peer: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="DICOMweb root"):
        fetch_studies(Server.of_environment(f"{peer.url}-wrong"), StudyQuery(), into=tmp_path)
