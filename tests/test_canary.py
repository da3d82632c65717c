"""Identifiers planted in films and reports of a hospital appear in nothing that the kit writes or shows.

Twenty-four of them, Chinese and Latin, in the places where hospitals have them; every file of the store, of a release,
of a run folder and of the review page is searched, in every encoding in which a leak could hide.
"""

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner, Result

from app import main, session
from app.settings import Settings
from finetune.cases import write_cases
from finetune.manifest import Case, Prediction, read_records
from finetune.report_page import write_report_page
from tests.app.conftest import manifest, scores
from xray import cli
from xray.commands.deidentify import deidentify
from xray.data.pseudonym import SITE_KEY_VARIABLE
from xray.data.store import DEFAULT_QUESTION, Store
from xray.records import write_lines, write_record

CANARIES = {
    "patient name": "司徒慕青",
    "Latin name": "SITUMUQINGXU",
    "other name": "宇文若兰",
    "name in StudyDescription": "皇甫小虎",
    "name in ProtocolName": "诸葛亦鸣",
    "name in ImageComments": "端木蓉蓉",
    "name in PatientComments": "慕容雪村",
    "name in PerformedProcedureStepDescription": "尉迟晓峰",
    "requesting physician": "令狐望舒",
    "operator": "上官云珠",
    "identity card": "110101195003077758",
    "phone": "13812345678",
    "address": "花园里胡同77号",
    "institution": "明镜湖人民医院",
    "station": "DRROOM-XJ9",
    "device serial number": "SN778812QZ",
    "accession number": "ACC20230077X",
    "private block": "PRIVCANARYBLOCK",
    "overlay": "OVERLAYCANARYBITS",
    "overlay comment": "叠加注释端州",
    "file name": "夏侯子衿",
    "signature of the report": "公孙若水",
    "phone in the report": "13987654321",
    "hospital number": "ZY0098765",
    "birth date": "19500307",
    "birth date in the report": "1950-03-07",
}
FINDINGS = (
    "双肺野清晰，心影不大，双侧肋膈角锐利。",
    "右侧胸腔少量积液，右侧肋膈角变钝。",
    "左肺下野见斑片状密度增高影，考虑肺炎。",
    "心影明显增大，双肺淤血改变。",
    "右侧气胸，右肺压缩约30%。",
    "左侧第6肋骨骨折，断端错位。",
)


def plant(number: int, *, burned_in: bool = False) -> Dataset:
    """Build a film whose header, overlays and unused bits hold every canary."""
    film = Dataset()
    film.SpecificCharacterSet = "GB18030"
    film.SOPClassUID = ComputedRadiographyImageStorage
    film.SOPInstanceUID = generate_uid(entropy_srcs=["canary", str(number)])
    film.StudyInstanceUID = study_of(number)
    film.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number)])
    film.PatientName = f"{CANARIES['Latin name']}^X={CANARIES['patient name']}"
    film.OtherPatientNames = CANARIES["other name"]
    film.PatientID, film.PatientBirthDate, film.PatientSex = hospital_number(number), CANARIES["birth date"], "F"
    film.OtherPatientIDs, film.PatientTelephoneNumbers = CANARIES["identity card"], CANARIES["phone"]
    film.PatientAddress, film.InstitutionName = CANARIES["address"], CANARIES["institution"]
    film.InstitutionAddress, film.StationName = CANARIES["address"], CANARIES["station"]
    film.DeviceSerialNumber, film.AccessionNumber = CANARIES["device serial number"], CANARIES["accession number"]
    film.StudyDescription = f"胸部正位 {CANARIES['name in StudyDescription']}"
    film.ProtocolName = f"胸片 {CANARIES['name in ProtocolName']}"
    film.ImageComments, film.PatientComments = CANARIES["name in ImageComments"], CANARIES["name in PatientComments"]
    film.PerformedProcedureStepDescription = CANARIES["name in PerformedProcedureStepDescription"]
    film.RequestingPhysician, film.OperatorsName = CANARIES["requesting physician"], CANARIES["operator"]
    request = Dataset()
    request.RequestedProcedureDescription = CANARIES["name in StudyDescription"]
    film.RequestAttributesSequence = Sequence([request])
    film.StudyDate, film.StudyTime, film.Modality = "20240229", "101112", "CR"
    film.BodyPartExamined, film.ViewPosition = "CHEST", "PA"
    if burned_in:
        film.BurnedInAnnotation = "YES"
    film.add_new((0x0011, 0x0010), "LO", CANARIES["private block"])
    film.add_new((0x0011, 0x1001), "LO", CANARIES["private block"])
    film.add_new((0x6000, 0x3000), "OW", CANARIES["overlay"].encode().ljust(72 * 72 // 8, b"\0"))
    film.add_new((0x6000, 0x4000), "LT", CANARIES["overlay comment"])
    film.add_new((0x6000, 0x1500), "LO", CANARIES["overlay comment"])
    _add_pixels(film, number)
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.file_meta.SourceApplicationEntityTitle = CANARIES["station"]
    film.preamble = CANARIES["patient name"].encode("gb18030").ljust(128, b"\0")
    return film


def _add_pixels(film: Dataset, number: int) -> None:
    """Noise in 12 bits, and in the 4 unused ones the patient's name, half a byte in each."""
    film.Rows = film.Columns = 72
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    cells = np.random.default_rng(number).integers(0, 4096, 72 * 72).astype("<u2")
    hidden = CANARIES["patient name"].encode("gb18030")
    halves = np.array([half for byte in hidden for half in (byte >> 4, byte & 15)], dtype="<u2")
    cells[: len(halves)] |= halves << 12
    film.PixelData = cells.tobytes()


def study_of(number: int) -> str:
    return str(generate_uid(entropy_srcs=["study", str(number)]))


def hospital_number(number: int) -> str:
    return f"{CANARIES['hospital number']}{number}"


def report_of(number: int) -> str:
    return (
        f"{CANARIES['institution']}影像诊断报告单\n患者{CANARIES['patient name']}，女，74岁，"
        f"出生日期：{CANARIES['birth date in the report']}，住院号：{hospital_number(number)}，"
        f"身份证号：{CANARIES['identity card']}\n检查所见：{FINDINGS[number]}"
        f"{CANARIES['patient name']}已离院。"
        f"已电话通知{CANARIES['operator']}医生（{CANARIES['phone in the report']}）。\n"
        f"印象：{FINDINGS[number]}住址：{CANARIES['address']}。\n"
        f"报告医生：{CANARIES['signature of the report']}  审核医师：{CANARIES['requesting physician']}"
    )


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films in folders that carry names, one of them to be refused, and a table of reports."""
    root = tmp_path_factory.mktemp("hospital")
    folder = root / "films" / CANARIES["file name"]
    folder.mkdir(parents=True)
    for number in range(len(FINDINGS)):
        plant(number).save_as(folder / f"{CANARIES['file name']}_{number}.dcm", enforce_file_format=True)
    plant(90, burned_in=True).save_as(root / "films" / "refused.dcm", enforce_file_format=True)
    rows = [{"study_uid": study_of(n), "patient_id": hospital_number(n), "report": report_of(n)} for n in range(6)]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (root / "reports.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def prepared(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The store, and what the command said."""
    out = tmp_path_factory.mktemp("prepared") / "store"
    arguments = ["prepare", str(hospital / "films"), str(hospital / "reports.jsonl"), str(out)]
    shares = ["--val", "0.3", "--test", "0.3", "--size", "64", "--max-refused-fraction", "0.5"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SITE_KEY_VARIABLE, "a key of the test")
        done = CliRunner().invoke(cli.app, [*arguments, *shares])
    assert done.exit_code == 0, done.output
    return out, done


@pytest.fixture(scope="module")
def run(prepared: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with the test studies of the store, their reports as predictions, and its page."""
    store, _ = prepared
    folder = tmp_path_factory.mktemp("runs") / "canary-0123abcd-1"
    folder.mkdir()
    examples = Store.open(store).examples()
    write_cases(folder, examples, question=DEFAULT_QUESTION)
    cases = read_records(folder / "references.jsonl", Case)
    write_lines(
        folder / "predictions.jsonl",
        [Prediction(id=case.id, text=case.text, system="adapter", finish_reason="eos") for case in cases],
    )
    made = manifest(folder.name, num_cases=len(cases))
    write_record(folder / "scores.json", scores(cases))
    for name in ("curves.png", "systems.png"):
        Image.new("L", (8, 8)).save(folder / name)
    write_report_page(folder, manifest=made, scores=scores(cases))
    write_record(folder / "manifest.json", made)
    return folder


@pytest.fixture(autouse=True)
def _fresh_session() -> Iterator[None]:
    yield
    session.close()


def spellings(canary: str) -> Iterator[bytes]:
    """Every form in which a canary may stand in a file."""
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-32-le", "big5"):
        yield canary.encode(encoding, errors="ignore") or b"\0never"
    yield json.dumps(canary)[1:-1].encode()
    yield urllib.parse.quote(canary).encode()
    yield "".join(f"&#{ord(character)};" for character in canary).encode()
    yield canary.encode("unicode_escape")


def leaks(data: bytes) -> list[str]:
    """The places whose canary stands in the data, upper or lower case."""
    data = data.lower()
    return [place for place, canary in CANARIES.items() if any(form.lower() in data for form in spellings(canary))]


def leaks_below(folder: Path) -> dict[str, list[str]]:
    """The leaks of every file below a folder, in its content and its name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = leaks(name.encode() + (path.read_bytes() if path.is_file() else b""))
    assert found
    return {name: places for name, places in found.items() if places}


def test_there_are_canaries_of_all_kinds_and_they_would_be_found(hospital: Path):
    assert len(CANARIES) >= 22
    found = leaks_below(hospital)
    assert {place for places in found.values() for place in places} == set(CANARIES)


def test_no_canary_is_in_a_release(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SITE_KEY_VARIABLE, "a key of the test")
    app = typer.Typer()
    app.command()(deidentify)
    reports = ["--reports", str(hospital / "reports.jsonl")]
    done = CliRunner().invoke(app, [str(hospital / "films"), str(tmp_path / "out"), *reports])
    assert done.exit_code == 0, done.output
    assert leaks(done.output.encode()) == []
    films = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(films) == len(FINDINGS)
    assert leaks_below(tmp_path / "out") == {}
    for path in films:
        assert int(np.frombuffer(dcmread(path).PixelData, dtype="<u2").max()) < 4096
    table = (tmp_path / "out" / "reports.csv").read_text(encoding="utf-8")
    assert all(text.rstrip("。") in table for text in FINDINGS)


def test_no_canary_is_in_a_prepared_store_or_in_what_the_command_says(prepared: tuple[Path, Result]):
    store, done = prepared
    assert leaks_below(store) == {}
    assert leaks(done.output.encode()) == []
    texts = [study.report.text for study in Store.open(store).studies if study.report]
    assert len(texts) == len(FINDINGS)
    assert all(any(finding.rstrip("。") in text for text in texts) for finding in FINDINGS)


def test_no_canary_is_in_a_run_folder_or_its_page(run: Path):
    assert (run / "report.html").stat().st_size > 1000
    assert leaks_below(run) == {}


def test_no_canary_is_on_the_review_page(run: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in Settings.of(run).environment().items():
        monkeypatch.setenv(name, value)
    cases = read_records(run / "references.jsonl", Case)
    for case in (None, *(case.id for case in cases)):
        page = AppTest.from_file(str(Path(main.__file__)), default_timeout=30)
        if case is not None:
            page.query_params["case"] = case
        page.run()
        assert not page.exception
        shown = b"\n".join(
            element.proto.SerializeToString()
            for block in (page.main, page.sidebar)
            for element in block
            if hasattr(element, "proto") and element.proto is not None
        )
        assert case is None or case.encode() in shown
        assert leaks(shown) == []
    assert leaks_below(run) == {}
