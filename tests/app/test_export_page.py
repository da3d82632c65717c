"""The export page and `python -m app export`: what is told before, what is written, who may take it away."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow.parquet as pq
import pytest
from fhir.resources.R4B.bundle import Bundle
from pydicom import dcmread
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from app import access, session
from app.__main__ import main
from app.downloads import GRID_SECONDS, export_route, export_url
from app.export.archive import earlier_exports, find_export, new_folder
from app.export.folder import ExportManifest
from app.servers import Servers
from app.store import audit, people
from app.store.people import Person
from tests.app.export.pdf_text import pages_of
from tests.app.export.project import Project, arm, project_at
from tests.app.page import assert_no_error, go_to
from tests.app.screen import set_case, write_dicom
from tests.xray.data.dicomweb_peer import Peer, serving
from xray.errors import ConfigError
from xray.records import read_record

STUDY = {"StudyInstanceUID": "1.2.840.7", "SeriesInstanceUID": "1.2.840.7.1"}
CORRECTED = "右侧胸腔少量积液，心影不大。"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A run with a signed correction, an accepted report, an outdated review and a draft; a study with a sentinel."""
    with project_at(tmp_path / "project") as opened:
        opened.review(1, verdict="edit", corrected=CORRECTED, comment="左右相反")
        opened.review(0)
        opened.review(2, generated_sha256="0" * 64)
        opened.review(3, submit=False)
        opened.study({"t1": ("li", 4, (arm("植入错误。", purpose="sentinel"),))})
        opened.review(4, reader="li", task="t1", generated_sha256="")
        yield opened


@pytest.fixture
def open_export(open_page: Callable[..., AppTest], project: Project) -> Callable[[], AppTest]:
    def start() -> AppTest:
        return go_to(open_page(project.folder), "export")

    return start


def choose(page: AppTest, kind: str, **more: object) -> AppTest:
    page.selectbox(key="export_kind").set_value(kind)
    for key, value in more.items():
        getattr(page, value[0])(key=f"export_{key}").set_value(value[1])
    return page.run()


def press(page: AppTest, name: str) -> AppTest:
    return page.button(key=f"export_{name}").click().run()


def told(page: AppTest) -> list[str]:
    return [metric.value for metric in page.metric]


def exports(project: Project) -> list[ExportManifest]:
    return [one.manifest for one in earlier_exports(project.folder) if one.manifest]


def test_what_stays_out_is_told_before_anything_is_written(open_export, project: Project):
    page = press(choose(open_export(), "csv"), "check")
    assert_no_error(page)
    assert told(page) == ["3", "2", "1"]
    reasons = next(frame.value for frame in page.dataframe if "条数" in frame.value.columns)
    assert reasons.to_dict("records") == [{"原因": "评审的是较早的一版生成报告", "条数": 1}]
    assert exports(project) == []
    press(page, "write")
    assert page.warning[0].value == "请先填写导出原因。"
    assert exports(project) == []


def test_an_export_is_written_with_its_reason_and_listed_with_who_made_it(open_export, project: Project):
    page = press(choose(open_export(), "csv", reason=("text_input", "统计分析")), "check")
    page = press(page, "write")
    assert_no_error(page)
    (manifest,) = exports(project)
    assert (manifest.made_by, manifest.reason, manifest.num_written) == ("local", "统计分析", 2)
    assert manifest.num_excluded_by_reason == {"outdated": 1}
    assert "已写出 2 条评审" in page.success[0].value
    (listed,) = [frame.value for frame in page.dataframe if "导出者" in frame.value.columns]
    assert listed.iloc[0]["导出原因"] == "统计分析"
    assert audit.newest(project.database, count=1)[0].action == "export"


def test_a_changed_choice_has_to_be_checked_again(open_export, project: Project):
    page = press(choose(open_export(), "csv", reason=("text_input", "试")), "check")
    choose(page, "jsonl")
    assert "请重新检查" in page.info[0].value
    assert [button.label for button in page.button if button.key == "export_write"] == []


def test_training_pairs_of_scored_patients_are_refused_loudly(open_export, project: Project):
    page = press(choose(open_export(), "pairs", reason=("text_input", "训练")), "check")
    assert "不参与评测的患者" in page.error[0].value
    assert told(page)[1] == "0"
    reasons = next(frame.value for frame in page.dataframe if "条数" in frame.value.columns)
    assert reasons.to_dict("records")[0] == {"原因": "患者参与模型评测，不得用于训练", "条数": 2}
    assert exports(project) == []
    page = press(choose(page, "pairs", retired=("multiselect", ["one"])), "check")
    assert_no_error(page)
    assert told(page)[1] == "2"


def test_a_study_is_named_before_its_blinding_is_looked_behind(open_export, project: Project):
    page = choose(open_export(), "pdf", studies=("multiselect", ["s1"]))
    assert any("揭示每份文本的来源" in caption.value for caption in page.caption)
    assert audit.newest(project.database, count=1)[0].action != "unblind"
    page = press(page, "check")
    assert audit.newest(project.database, count=1)[0].action == "unblind"
    reasons = next(frame.value for frame in page.dataframe if "条数" in frame.value.columns)
    assert set(reasons["原因"]) == {"评审的是较早的一版生成报告", "质控病例（植入错误）"}


@pytest.fixture
def client(project: Project, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("XRAY_REVIEW_PROJECT", str(project.folder))
    return TestClient(Starlette(routes=[export_route(session.take_export, may_take=access.may_export)]))


def made_by_command(project: Project, folder: Path, kind: str, *more: str) -> Path:
    words = [
        "export",
        "--project",
        str(project.folder),
        "--kind",
        kind,
        "--out",
        str(folder),
        "--reason",
        "归档",
        *more,
    ]
    assert main(words) == 0
    return folder


def test_the_zip_comes_whole_to_whom_it_was_signed_for_and_the_audit_knows(client: TestClient, project: Project):
    folder = made_by_command(project, new_folder(project.folder, kind="jsonl"), "jsonl")
    answer = client.get(export_url(folder.name, person="local"))
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == [f"{folder.name}/manifest.json", f"{folder.name}/reviews.jsonl"]
        assert packed.read(f"{folder.name}/reviews.jsonl") == (folder / "reviews.jsonl").read_bytes()
    entry = audit.newest(project.database, count=1)[0]
    assert (entry.action, entry.actor, entry.subject) == ("download export", "local", folder.name)


def test_a_zip_is_given_out_only_as_long_as_its_person_may_export(client: TestClient, project: Project):
    folder = made_by_command(project, new_folder(project.folder, kind="jsonl"), "jsonl")
    chen = Person(name="chen", display_name="陈医师", roles=frozenset({"lead"}))
    people.put(project.database, chen, actor="local")
    url = export_url(folder.name, person="chen")
    assert client.get(url).status_code == 200
    people.put(project.database, replace(chen, roles=frozenset({"reader", "admin"})), actor="local")
    assert client.get(url).status_code == 404


def test_a_structured_report_is_of_the_patient_of_its_original_film(
    open_export, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    films = tmp_path / "films"
    sha256 = write_dicom(films / "病房" / "1.dcm", np.zeros((8, 8), dtype=np.uint16), PatientID="HIS-0007", **STUDY)
    drawing = Path(project.run().film(project.case(0), 0) or "")
    (films / "2.png").write_bytes(drawing.read_bytes())
    set_case(project.folder / "one", 1, film_sha256=(sha256, "0" * 64))
    set_case(project.folder / "one", 0, film_sha256=(hashlib.sha256(drawing.read_bytes()).hexdigest(),))
    folder = made_by_command(project, tmp_path / "out", "dicom_sr", "--films", str(films), "--institution", "某某医院")
    (report,) = folder.glob("*.dcm")
    assert dcmread(report).PatientID == "HIS-0007"
    assert dcmread(report).StudyInstanceUID == STUDY["StudyInstanceUID"]
    page = open_export()
    monkeypatch.setenv("XRAY_REVIEW_FILMS", str(films))
    originals = session.lightbox().originals
    assert originals is not None
    originals.wait()
    page = press(choose(page, "dicom_sr", institution=("text_input", "某某医院")), "check")
    assert_no_error(page)
    assert told(page)[1] == "1"


@pytest.mark.parametrize(
    "change",
    [
        lambda url: urlsplit(url).path,
        lambda url: url.replace("by=local", "by=li"),
        lambda url: url.replace("jsonl.zip", "jsonl-2.zip"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("exp=", "exp=9"),
        lambda url: url.replace("sig=", "sig=é"),
    ],
    ids=["bare", "other person", "other export", "other signature", "longer life", "no hexadecimal"],
)
def test_any_change_of_the_address_gives_nothing(client: TestClient, project: Project, change: Callable[[str], str]):
    folder = made_by_command(project, new_folder(project.folder, kind="jsonl"), "jsonl")
    assert client.get(change(export_url(folder.name, person="local"))).status_code == 404
    late = export_url(folder.name, person="local", now=1_000_000_000 - 3 * GRID_SECONDS)
    assert client.get(late).status_code == 404


def test_no_folder_but_an_export_is_given_out(client: TestClient, project: Project):
    for name in ("..", "one", ".", "20260101T000000Z-jsonl"):
        assert client.get(export_url(name, person="local")).status_code == 404
        assert find_export(project.folder, name) is None


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "pairs", "dicom_sr", "fhir", "pdf"])
def test_every_kind_is_made_of_saved_reviews_by_the_command(
    project: Project, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
):
    options = {"pairs": ["--retired-run", "one"], "dicom_sr": ["--pseudonymous", "--institution", "某某医院"]}
    folder = made_by_command(project, tmp_path / "out", kind, "--study", "s1", "--run", "one", *options.get(kind, []))
    manifest = read_record(folder / "manifest.json", ExportManifest, remedy="")
    assert manifest.num_written == (3 if kind in ("jsonl", "csv", "parquet") else 2)
    assert "1 left out: outdated" in capsys.readouterr().out
    for file in manifest.files:
        check(folder / file.name, kind=kind)


def check(path: Path, *, kind: str) -> None:
    """Read a file back as its users would."""
    if kind == "dicom_sr":
        report = dcmread(path)
        assert (report.VerificationFlag, report.PatientID[0]) == ("VERIFIED", "p")
        if shutil.which("dciodvfy"):
            done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, timeout=60, check=False)
            assert "Error" not in done.stdout + done.stderr
    elif kind == "fhir":
        bundle = Bundle.model_validate_json(path.read_bytes())
        assert bundle.entry[0].resource.status == "final"
        assert "人工智能生成初稿，经local于" in bundle.entry[0].resource.conclusion
    elif kind == "pdf":
        assert all("人工智能生成初稿" in page for page in pages_of(path.read_bytes()))
    elif kind == "parquet":
        assert "修改审核" in pq.read_table(path).column("ai_label").to_pylist()[0]
    elif kind == "csv":
        assert CORRECTED in path.read_text(encoding="utf-8-sig")
    elif path.suffix == ".jsonl" and path.stat().st_size:
        assert all(json.loads(line)["ai_label"] for line in path.read_text(encoding="utf-8").split("\n")[:-1])


def test_a_structured_report_without_its_original_film_is_refused_with_the_way_out(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["export", "--project", str(project.folder), "--kind", "dicom_sr", "--out", str(tmp_path / "out")]
    assert main([*words, "--reason", "归档", "--institution", "某某医院"]) == 3
    told_ = capsys.readouterr().err
    assert "no_original_film" in told_
    assert "1 outdated" in told_
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--run", "none"], "There are: one"),
        (["--study", "none"], "no study none"),
        (["--by", "nobody"], "no active user nobody"),
        (["--reason", " "], "needs a reason"),
    ],
)
def test_the_command_names_what_the_project_does_not_have(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], named: str
):
    words = ["export", "--project", str(project.folder), "--kind", "csv", "--out", str(tmp_path / "out")]
    assert main([*words, "--reason", "归档", *options]) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_reports_go_to_the_pacs_that_was_named_at_the_start_after_a_confirmation(
    open_export, project: Project, monkeypatch: pytest.MonkeyPatch
):
    folder = new_folder(project.folder, kind="dicom_sr")
    made_by_command(project, folder, "dicom_sr", "--pseudonymous", "--institution", "某某医院")
    page = open_export()
    assert any("--pacs URL" in caption.value for caption in page.caption)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Peer(studies={})) as peer:
        monkeypatch.setenv("XRAY_REVIEW_PACS", peer.url)
        page = press(open_export(), "pacs_test")
        assert "有应答" in page.success[0].value
        assert page.button(key="export_pacs_send").disabled
        page.checkbox(key=f"export_pacs_sure_{folder.name}").check().run()
        peer.status, peer.status_times = 409, 1
        page = press(page, "pacs_send")
        assert page.warning[0].value == "已存入 1 / 2"
        page = press(page, "pacs_send")
        assert page.success[0].value == "已存入 2 / 2"
        assert len(peer.sent) == 3
    entry = audit.newest(project.database, count=1)[0]
    assert (entry.action, json.loads(entry.details)["kept"]) == ("send to PACS", 2)
    page = press(page, "pacs_test")
    assert "无法连接" in page.error[0].value


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"pacs": "pacs.example"}, "--pacs"),
        ({"pacs": "https://u:p@pacs.example/dicom-web"}, "password"),
        ({"serve": "http://10.0.0.7:8000/v1"}, "films in clear"),
        ({"serve": "file:///etc/passwd"}, "--serve"),
        ({"serve": "http://u:p@127.0.0.1:8000/v1"}, "password"),
        ({"serve": "http://127.0.0.1:0/v1"}, "--serve"),
    ],
)
def test_an_address_that_would_leak_or_is_none_is_refused_at_the_start(options: dict[str, str], named: str):
    with pytest.raises(ConfigError, match=named):
        Servers.of(**options)


def test_the_pages_read_the_addresses_that_the_starter_has_written():
    servers = Servers.of(pacs="https://pacs.example/dicom-web", serve="https://gpu.example/v1/")
    assert Servers.from_environment(servers.environment()) == servers
    assert Servers.from_environment({}).serve == "http://127.0.0.1:8000/v1"
