"""Splits of a prepared store: declared ones, earlier ones, and films that cannot be two patients'."""

from pathlib import Path

import pytest

from xray.data.prepare import prepare
from xray.data.sources import read_table
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.dicom.render import RenderSettings
from xray.errors import DataError

SPLIT = SplitSettings(val=0.2, test=0.2)


def reports_of(folder: Path, *rows: str) -> Path:
    table = folder / "reports.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


def prepared(films, tmp_path: Path, table: Path, **options: object) -> Store:
    options = {"settings": RenderSettings(size=48), "split": SPLIT, "workers": 1} | options
    return prepare(read_table(films.root, table), tmp_path / "store", **options)


def text_of(number: int) -> str:
    return f"第{number}例，右肺见大小约{number}mm结节。"


@pytest.fixture
def table(films, tmp_path: Path) -> Path:
    """Ten studies of ten patients."""
    for number in range(10):
        films.dicom(f"f{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"HOSP-{number}")
    return reports_of(tmp_path, "study_uid,report", *(f"1.2.{number},{text_of(number)}" for number in range(10)))


def splits_of(store: Store) -> dict[str, str]:
    return {study.study_uid: study.split for study in store.studies}


def test_a_declared_split_is_kept(films, tmp_path: Path, table: Path):
    wanted = {number: ("test", "val", *["train"] * 8)[number] for number in range(10)}
    splits = tmp_path / "splits.csv"
    splits.write_text("id,split\n" + "".join(f"1.2.{number},{split}\n" for number, split in wanted.items()))
    store = prepared(films, tmp_path, table, splits=splits)
    assert {study.findings: study.split for study in store.studies} == {
        text_of(number): split for number, split in wanted.items()
    }


def test_a_column_of_the_table_declares_the_split_too(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    table = reports_of(tmp_path, "film,report,split", "a,右肺结节。,训练", "b,左肺结节。,测试")
    store = prepared(films, tmp_path, table)
    assert {study.findings: study.split for study in store.studies} == {"右肺结节。": "train", "左肺结节。": "test"}


def test_a_declared_split_of_single_images_is_refused_with_the_numbers(films, tmp_path: Path):
    rows = ["study_uid,report"]
    for number in range(4):
        for view in ("PA", "LL"):
            texture = 2 * number + (view == "LL")
            films.dicom(f"{number}_{view}.dcm", study=f"1.2.{number}", texture=texture, patient=f"H{number}", view=view)
        rows.append(f"1.2.{number},{text_of(number)}")
    splits = tmp_path / "splits.csv"
    lines = [f"{number}_PA,train\n{number}_LL,test\n" for number in range(4)]
    splits.write_text("id,split\n" + "".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match="parts the images of 4 of 4 studies"):
        prepared(films, tmp_path, reports_of(tmp_path, *rows), splits=splits)


def test_new_studies_move_nobody(films, tmp_path: Path, table: Path):
    before = splits_of(prepared(films, tmp_path, table))
    rows = table.read_text(encoding="utf-8").splitlines()
    for number in range(10, 30):
        films.dicom(f"f{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"HOSP-{number}")
        rows.append(f"1.2.{number},{text_of(number)}")
    after = splits_of(prepared(films, tmp_path, reports_of(tmp_path, *rows)))
    assert len(after) == 30
    assert before.items() <= after.items()


@pytest.mark.parametrize("cut", [0, 100])
def test_a_damaged_record_of_earlier_splits_is_refused_before_anybody_moves(
    films, tmp_path: Path, table: Path, cut: int
):
    before = splits_of(prepared(films, tmp_path, table))
    record = tmp_path / "store/splits.json"
    whole = record.read_bytes()
    record.write_bytes(whole[:cut])
    with pytest.raises(DataError, match=r"splits\.json.*patients would move.*Restore the file, or delete it"):
        prepared(films, tmp_path, table)
    assert record.read_bytes() == whole[:cut]
    record.write_bytes(whole)
    assert splits_of(prepared(films, tmp_path, table)) == before
    record.unlink()
    assert splits_of(prepared(films, tmp_path, table)).keys() == before.keys()


def test_earlier_splits_of_other_settings_bind_nobody(films, tmp_path: Path, table: Path):
    prepared(films, tmp_path, table)
    other = prepared(films, tmp_path, table, split=SplitSettings(val=0.2, test=0.2, seed=5))
    prepared(films, tmp_path / "fresh", table, split=SplitSettings(val=0.2, test=0.2, seed=5))
    assert splits_of(other) == splits_of(Store.open(tmp_path / "fresh/store"))


def test_one_image_under_the_ids_of_two_patients_is_used_for_neither(films, tmp_path: Path, table: Path):
    rows = table.read_text(encoding="utf-8").splitlines()
    films.dicom("twin.dcm", study="1.2.77", texture=3, patient="HOSP-77", SOPInstanceUID="1.2.77.1")
    store = prepared(films, tmp_path, reports_of(tmp_path, *rows, f"1.2.77,{text_of(77)}"), max_refused_fraction=0.5)
    assert store.info.left_out["refused"] == {"image_of_two_patients": 2, "no_film_left": 2}
    assert {text_of(3), text_of(77)}.isdisjoint({study.findings for study in store.studies})


def test_patients_who_share_a_telling_report_are_on_one_side(films, tmp_path: Path):
    told = "右肺上叶尖段见一枚大小约12mm的分叶状结节，边缘毛糙，邻近胸膜牵拉，右侧肋膈角变钝。"
    told += "左肺门影增浓，主动脉结钙化，心影稍增大。"
    rows = ["study_uid,report"]
    for number in range(12):
        films.dicom(f"f{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"HOSP-{number}")
        rows.append(f"1.2.{number},{told if number < 2 else text_of(number)}")
    for seed in range(6):
        split = SplitSettings(val=0.3, test=0.3, seed=seed)
        store = prepared(films, tmp_path, reports_of(tmp_path, *rows), split=split)
        assert len({study.split for study in store.studies if study.findings == told}) == 1
