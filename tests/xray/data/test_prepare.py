"""Preparing a store: complete, resumable, without the hospital's ids."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from xray.data import known_files, rendering
from xray.data.engines import convert_studies
from xray.data.notices import tell_store
from xray.data.prepare import prepare, scratch_folder
from xray.data.pseudonym import SITE_KEY_VARIABLE, Pseudonyms
from xray.data.sources import Refusal, SourceData, read_table
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.data.stored_films import read_film
from xray.data.workspace import Workspace
from xray.dicom.render import RenderSettings
from xray.errors import DataError

SMALL = RenderSettings(size=48)
NORMAL = "双肺野清晰，心影不大。"
LETTERS = "abcdefghijkl"


@pytest.fixture
def source(films, tmp_path: Path) -> SourceData:
    """Twelve studies of six patients, the first with two films."""
    for number, letter in enumerate(LETTERS):
        films.dicom(f"{letter}.dcm", study=f"1.2.{number}.77", texture=number, patient=f"HOSP-{number // 2}")
    films.dicom("a2.dcm", study="1.2.0.77", texture=100, patient="HOSP-0", view="LL")
    return table_of(films.root, tmp_path)


def table_of(films: Path, folder: Path) -> SourceData:
    rows = [f"1.2.{number}.77,{NORMAL}第{number}例。" for number in range(len(LETTERS))]
    table = folder / "reports.csv"
    table.write_text("\n".join(["study_uid,report", *rows]) + "\n", encoding="utf-8")
    return read_table(films, table)


def prepared(source: SourceData, out: Path, **changes: object) -> Store:
    wanted = {"settings": SMALL, "split": SplitSettings(val=0.2, test=0.2), "workers": 1} | changes
    return prepare(source, out, **wanted)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data_of(store: Path) -> dict[str, bytes]:
    """Everything but the list of this machine's files, which depends on when they were written."""
    return {name: content for name, content in contents(store).items() if name != "known_files.jsonl"}


def test_a_store_is_read_back_as_it_was_prepared(source: SourceData, tmp_path: Path):
    store = prepared(source, tmp_path / "store")
    again = Store.open(tmp_path / "store", settings=SMALL)
    assert (again.info, again.studies) == (store.info, store.studies)
    assert (store.info.studies, store.info.films) == (12, 13)
    assert store.info.leakage.pop("held_out") == sum(store.info.splits[split].studies for split in ("val", "test"))
    assert set(store.info.leakage.values()) == {0}
    (two,) = [study for study in store.studies if len(study.images) == 2]
    assert [image.view for image in two.images] == ["frontal", "lateral"]


def test_the_result_does_not_depend_on_the_number_of_processes(source: SourceData, tmp_path: Path):
    prepared(source, tmp_path / "one")
    prepared(source, tmp_path / "two", workers=2)
    assert data_of(tmp_path / "one") == data_of(tmp_path / "two")


def test_a_film_that_was_rendered_is_not_decoded_again(
    source: SourceData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = prepared(source, tmp_path / "store")
    monkeypatch.setattr(Workspace, "add", lambda *_: pytest.fail("a film was decoded again"))
    assert prepared(source, tmp_path / "store").fingerprint == first.fingerprint


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the films that are given to the converter, the only one to read their bytes."""
    monkeypatch.setattr(known_files, "_SETTLED_NS", -(10**18))  # the films were written just now
    names: list[str] = []

    def convert(tasks, **options):
        names.extend(sorted(film.name for task in tasks for film in task.films))
        convert_studies(tasks, **options)

    monkeypatch.setattr(rendering, "convert_studies", convert)
    return names


def test_the_bytes_of_films_that_have_not_changed_are_not_read_again(
    source: SourceData, tmp_path: Path, given: list[str]
):
    Image.new("L", (80, 80), 9).save(source.root / "blank.png")
    (study, *others) = source.studies
    blank = replace(study, films=(*study.films, source.root / "blank.png"), views=(*study.views, "unknown"))
    source = replace(source, studies=(blank, *others))
    prepared(source, tmp_path / "store")
    assert len(given) == 14
    before = contents(tmp_path / "store")
    given.clear()
    prepared(source, tmp_path / "store")
    assert given == []
    assert contents(tmp_path / "store") == before
    (tmp_path / "store/known_files.jsonl").write_bytes(b"nonsense\n\xff")
    prepared(source, tmp_path / "store")
    assert len(given) == 14
    assert contents(tmp_path / "store") == before


def test_a_film_that_changed_is_read_and_rendered_again(films, source: SourceData, tmp_path: Path, given: list[str]):
    prepared(source, tmp_path / "store")
    given.clear()
    old = (films.root / "c.dcm").stat()
    films.dicom("c.dcm", study="1.2.2.77", texture=77, patient="HOSP-1", SOPInstanceUID="1.2.2.77.2")
    os.utime(films.root / "c.dcm", ns=(old.st_atime_ns, old.st_mtime_ns))
    os.utime(films.root / "d.dcm")
    prepared(source, tmp_path / "store")
    assert given == ["c.dcm", "d.dcm"]
    prepared(source, tmp_path / "fresh")
    assert contents(tmp_path / "store") == contents(tmp_path / "fresh")


def test_other_render_settings_make_other_films_and_the_old_ones_go(source: SourceData, tmp_path: Path):
    first = prepared(source, tmp_path / "store")
    second = prepared(source, tmp_path / "store", settings=RenderSettings(size=40))
    assert second.fingerprint != first.fingerprint
    assert sum(shard.films for shard in second.info.shards) == 13
    assert {shard.path for shard in first.info.shards}.isdisjoint(contents(tmp_path / "store"))
    with pytest.raises(DataError, match="other settings"):
        Store.open(tmp_path / "store", settings=SMALL)


READING = """
import sys, time
from pathlib import Path
from xray.data.store import Store
with Store.open(Path(sys.argv[1])).reading():
    print("reading", flush=True)
    time.sleep(600)
"""


def test_films_that_another_process_reads_stay_until_it_has_ended_however_it_ends(source: SourceData, tmp_path: Path):
    first = prepared(source, tmp_path / "store")
    with subprocess.Popen([sys.executable, "-c", READING, first.path], stdout=subprocess.PIPE) as reader:
        try:
            assert reader.stdout.readline() == b"reading\n"
            second = prepared(source, tmp_path / "store", settings=RenderSettings(size=40))
            assert second.count_old_files() == 1
            assert read_film(first.examples()[0].images[0]).shape == (48, 48)
        finally:
            reader.kill()
    said: list[str] = []
    tell_store(second, say=said.append)
    assert said[-1].startswith("not deleted yet: 1 older files")
    assert prepared(source, tmp_path / "store", settings=RenderSettings(size=40)).count_old_files() == 0
    with pytest.raises(DataError, match="lacks 1 of its 1"), first.reading():
        pass


def test_damaged_files_of_films_are_noticed_and_rendered_again(source: SourceData, tmp_path: Path):
    first = prepared(source, tmp_path / "store")
    (victim,) = (tmp_path / "store/films").iterdir()
    victim.write_bytes(victim.read_bytes()[:2000])
    with pytest.raises(DataError, match="lacks 1 of its 1 files"):
        Store.open(tmp_path / "store")
    again = prepared(source, tmp_path / "store")
    assert again.info == first.info
    assert read_film(again.examples()[0].images[0]).shape == (48, 48)


SLOW_PREPARATION = """
import sys, time
from pathlib import Path
from test_prepare import table_of, prepared
from xray.data import workspace
films, out = Path(sys.argv[1]), Path(sys.argv[2])
if __name__ == "__main__":
    workspace._FLUSH_SECONDS = 0.5
    prepared(table_of(films, out.parent), out, progress=lambda done, total: time.sleep(0.2))
"""


def test_a_preparation_killed_in_the_middle_is_incomplete_and_ends_the_same_when_run_again(
    source: SourceData, tmp_path: Path
):
    whole = prepared(source, tmp_path / "whole")
    out = tmp_path / "killed"
    process = started(SLOW_PREPARATION, source.root, out, folder=tmp_path)
    try:
        wait_until(lambda: len(list(out.rglob("*.arrow"))) >= 2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 2 <= len(Workspace.open(out).known()) < 13
    with pytest.raises(DataError, match="no complete store"):
        Store.open(out)
    assert prepared(source, out).fingerprint == whole.fingerprint
    assert data_of(out) == data_of(tmp_path / "whole")


KILLED_PREPARATION = """
import os, signal, sys
from pathlib import Path
from test_prepare import table_of, prepared
films, out, last = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
replace = Path.replace
def replace_or_die(path, target):
    if target.match(last):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(path, target)
if __name__ == "__main__":
    Path.replace = replace_or_die
    prepared(table_of(films, out.parent), out)
"""


@pytest.mark.parametrize(
    "last", ["films/*.arrow", "studies.jsonl", "text_changes.jsonl", "refused.jsonl", "store.json", "known_files.jsonl"]
)
def test_a_preparation_killed_while_it_writes_the_store_ends_the_same_when_run_again(
    source: SourceData, tmp_path: Path, last: str
):
    prepared(source, tmp_path / "whole")
    out = tmp_path / "killed"
    assert started(KILLED_PREPARATION, source.root, out, last, folder=tmp_path).wait() == -signal.SIGKILL
    assert any("part" in name for name in contents(out))
    if last != "known_files.jsonl":
        with pytest.raises(DataError, match="no complete store"):
            Store.open(out)
    prepared(source, out)
    assert data_of(out) == data_of(tmp_path / "whole")


def started(script: str, *arguments: Path | str, folder: Path) -> subprocess.Popen:
    """A script that may use what is in this file, in a process of its own."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.Popen([sys.executable, path, *arguments], env=environment)


def wait_until(ready, seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def test_no_name_id_date_or_path_of_the_hospital_is_in_any_file_of_the_store(films, tmp_path: Path):
    films.dicom("王小明_HOSP777/a.dcm", study="1.2.840.5551", texture=1, patient="HOSP777", person="王^小明")
    films.dicom("李大力/b.dcm", study="1.2.840.5552", texture=2, patient="HOSP778", person="李^大力")
    films.dicom("赵某某_unpaired/c.dcm", study="1.2.840.5553", texture=3, patient="HOSP779", person="赵^某某")
    (films.root / "李大力/broken.dcm").write_bytes(b"not a film")
    table = tmp_path / "reports.csv"
    signed = f"检查所见：{NORMAL} 报告医生：孙某某 住院号：HOSP777 检查日期：2024-02-29"
    table.write_text(
        f"study_uid,report,patient_id\n1.2.840.5551,{signed},HOSP777\n1.2.840.5552,{NORMAL},HOSP778\n"
        f"1.2.840.9999,{NORMAL},HOSP780\n",
        encoding="utf-8",
    )
    told: list[Refusal] = []
    prepared(
        read_table(films.root, table), tmp_path / "store", split=SplitSettings(val=0, test=0), on_refusals=told.extend
    )
    assert len(told) == 3
    planted = ["王", "小明", "李", "大力", "赵", "孙某某", "HOSP77", "HOSP78", "1.2.840", "2024", "a.dcm", "broken"]
    stored = contents(tmp_path / "store")
    assert any("studies.jsonl" in name for name in stored)
    for name, content in stored.items():
        for word in planted:
            assert word.encode() not in content + name.encode(), (name, word)


def test_the_id_of_its_patient_is_taken_out_of_a_report_and_the_change_is_recorded(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2", texture=1, patient="HOSP777")
    films.dicom("b.dcm", study="1.3", texture=2, patient="HOSP778")
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,report\n1.2,{NORMAL}HOSP777\n1.3,{NORMAL}\n", encoding="utf-8")
    store = prepared(read_table(films.root, table), tmp_path / "store", split=SplitSettings(val=0, test=0))
    assert [study.findings.strip() for study in store.studies] == [NORMAL, NORMAL]
    assert store.info.text_changes == {"identifier": 1}
    assert "HOSP777" not in (store.path / "text_changes.jsonl").read_text(encoding="utf-8")


def test_terms_of_machine_translation_are_repaired_where_that_is_asked_for(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2", texture=1, patient="HOSP777")
    table = tmp_path / "reports.csv"
    table.write_text("study_uid,report\n1.2,右下肺巩固。\n", encoding="utf-8")
    none = SplitSettings(val=0, test=0)
    kept, repaired = (
        prepared(read_table(films.root, table), tmp_path / name, split=none, repair_terms=name == "repaired")
        for name in ("kept", "repaired")
    )
    assert [store.studies[0].findings for store in (kept, repaired)] == ["右下肺巩固。", "右下肺实变。"]
    assert [(store.info.terms, store.info.text_changes) for store in (kept, repaired)] == [
        ("kept", {}),
        ("repaired", {"repair": 1}),
    ]


def test_pseudonyms_depend_on_the_sites_key_and_repeat_under_one_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(SITE_KEY_VARIABLE, raising=False)
    public = Pseudonyms.of_site()
    monkeypatch.setenv(SITE_KEY_VARIABLE, "a secret of the site")
    own = Pseudonyms.of_site()
    assert own.patient("1") == Pseudonyms.of_site().patient(" 1 ")
    assert len({own.patient("1"), own.study("1"), own.patient("2"), public.patient("1")}) == 4
    assert (public.is_secret, own.is_secret) == (False, True)
    assert "a secret of the site" not in repr(own)


def test_studies_of_one_patient_and_studies_with_one_film_stay_in_one_split(films, tmp_path: Path):
    for number in range(16):
        films.png(f"s{number}.png", texture=number % 4)
    table = tmp_path / "reports.csv"
    table.write_text("\n".join(["film,report", *(f"s{n},{NORMAL}第{n}例" for n in range(16))]) + "\n", encoding="utf-8")
    store = prepared(read_table(films.root, table), tmp_path / "store")
    sides: dict[str, set[str]] = {}
    for study in store.studies:
        sides.setdefault(study.images[0].facts.pixels_sha256, set()).add(study.split)
    assert [len(splits) for splits in sides.values()] == [1, 1, 1, 1]
    assert store.info.left_out["note"] == {"no_patient_id": 16}


def test_refused_films_are_quarantined_with_a_code_and_their_study_goes_if_none_is_left(films, tmp_path: Path):
    for number in range(4):
        films.png(f"s{number}.png", texture=number)
    Image.new("L", (80, 80), 9).save(films.root / "z.png")
    table = tmp_path / "reports.csv"
    rows = ["s0,{}", "s1,{}", "s2,{}", "s3,{}", "z,{}"]
    table.write_text("\n".join(["film,report", *(row.format(NORMAL) for row in rows)]) + "\n", encoding="utf-8")
    source = read_table(films.root, table)
    store = prepared(source, tmp_path / "store", max_refused_fraction=0.5)
    assert store.info.studies == 4
    entries = [(entry.code, bool(entry.why)) for entry in store.quarantine() if entry.kind == "refused"]
    assert entries == [("blank_after_voi", True), ("no_film_left", True)]
    with pytest.raises(DataError, match="1 of 5 films"):
        prepared(source, tmp_path / "strict", max_refused_fraction=0.1)


def test_progress_counts_every_film_once(source: SourceData, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    prepared(source, tmp_path / "store", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 13) for number in range(1, 14)]


def test_a_folder_with_other_files_or_among_the_films_is_no_place_for_a_store(source: SourceData, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.docx").write_text("keep me")
    with pytest.raises(DataError, match="holds other files"):
        prepared(source, tmp_path / "mine")
    with pytest.raises(DataError, match="inside the films folder"):
        prepared(source, source.root / "store")
    with pytest.raises(DataError, match="holds the films"):
        prepared(source, source.root.parent)
    assert len(list(source.root.glob("*.dcm"))) == 13


def test_what_is_unpacked_lies_in_the_store_and_goes_also_after_a_kill(tmp_path: Path):
    out, films = tmp_path / "store", tmp_path / "films"
    killed = out / "unpacked-of-a-killed-command"
    killed.mkdir(parents=True)
    with scratch_folder(out, films=films) as first, scratch_folder(out, films=films) as second:
        assert not killed.exists()
        assert first.parent.exists()
        assert second.parent.exists()
    assert list(out.glob("unpacked-*")) == []
    with pytest.raises(DataError, match="holds the films"), scratch_folder(tmp_path, films=films):
        pass


def test_no_study_with_film_and_report_is_one_clear_error(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = tmp_path / "reports.csv"
    table.write_text(f"film,report\nb,{NORMAL}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"No study.*no_film"):
        prepared(read_table(films.root, table), tmp_path / "store")


def test_ages_that_could_name_a_person_are_capped(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = tmp_path / "reports.csv"
    table.write_text(f"film,report,age\na,{NORMAL},103\n", encoding="utf-8")
    (study,) = prepared(read_table(films.root, table), tmp_path / "store", split=SplitSettings(val=0, test=0)).studies
    assert study.age_years == 90
