"""Pairing films with captions in the XrayGLM format."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.sources import SourceData, read_xrayglm
from xray.errors import DataError


def write_annotations(folder: Path, **captions: str) -> Path:
    path = folder / "captions.json"
    entries = [{"image_id": image_id.lstrip("n"), "caption": caption} for image_id, caption in captions.items()]
    path.write_text(json.dumps({"annotations": entries}, ensure_ascii=False), encoding="utf-8")
    return path


def test_films_called_by_image_id_become_studies_with_their_films_in_order(films, tmp_path: Path):
    for name in ("12_2.png", "12_1.png", "7_1.png"):
        films.png(name, texture=len(name) + int(name[-5]))
    source = read_xrayglm(
        write_annotations(tmp_path, n12_1="心影增大。", n12_2="心影增大。", n7_1="未见异常。"), films.root
    )
    assert {study.study_uid: [film.name for film in study.films] for study in source.studies} == {
        "12": ["12_1.png", "12_2.png"],
        "7": ["7_1.png"],
    }
    assert source.refusals == ()
    assert source.name == "xrayglm"
    assert source.studies[0].report.origin == "machine_translation"


def test_an_index_gives_other_file_names_their_image_id_and_puts_the_frontal_first(films, tmp_path: Path):
    films.png("x.png", texture=1)
    films.png("y.png", texture=2)
    index = tmp_path / "images.csv"
    index.write_text("file,openi_id,projection\nx.png,5_1,Lateral\ny.png,5_2,Frontal\n", encoding="utf-8")
    (study,) = read_xrayglm(write_annotations(tmp_path, n5_1="心影增大。"), films.root, index=index).studies
    assert [film.name for film in study.films] == ["y.png", "x.png"]
    assert study.views == ("frontal", "lateral")


def test_the_caption_of_the_first_image_id_is_kept_and_another_one_noted(films, tmp_path: Path):
    films.png("3_1.png", texture=1)
    films.png("3_2.png", texture=2)
    source = read_xrayglm(write_annotations(tmp_path, n3_2="译文乙。", n3_1="译文甲。"), films.root)
    assert source.studies[0].report.text == "译文甲。"
    assert source.counts("note") == {"several_reports": 1}


def test_captions_without_film_and_films_without_caption_are_listed_by_id(films, tmp_path: Path):
    films.png("1_1.png", texture=1)
    films.png("2_1.png", texture=2)
    source = read_xrayglm(write_annotations(tmp_path, n1_1="未见异常。", n9_1="未见异常。"), films.root)
    assert [study.study_uid for study in source.studies] == ["1"]
    assert sorted((refusal.code, refusal.where) for refusal in source.refusals) == [
        ("no_film", "9_1"),
        ("no_report", "2_1.png"),
    ]
    assert source.counts("refused") == {}


def test_a_repeated_image_id_is_noted_and_the_first_kept(films, tmp_path: Path):
    films.png("1_1.png", texture=1)
    entries = [{"image_id": "1_1", "caption": "译文甲。"}, {"image_id": "1_1", "caption": "译文乙。"}]
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"annotations": entries}), encoding="utf-8")
    source = read_xrayglm(path, films.root)
    assert source.studies[0].report.text == "译文甲。"
    assert [refusal.row for refusal in source.refusals] == ["captions.json, annotation 2"]


@given(
    entries=st.lists(
        st.fixed_dictionaries({"image_id": st.text(max_size=5), "caption": st.text(max_size=9)}), max_size=4
    )
)
def test_any_ids_and_captions_are_paired_or_listed(tmp_path_factory, entries: list[dict[str, str]]):
    folder = tmp_path_factory.mktemp("captions")
    (folder / "films").mkdir()
    path = folder / "captions.json"
    path.write_text(json.dumps({"annotations": entries}), encoding="utf-8")
    source = read_xrayglm(path, folder / "films")
    assert source.studies == ()
    assert len(source.refusals) == len(entries)


def test_an_empty_caption_is_refused_by_its_place_in_the_file(films, tmp_path: Path):
    films.png("1_1.png", texture=1)
    source = read_xrayglm(write_annotations(tmp_path, n1_1=" "), films.root)
    (refusal,) = source.refusals
    assert (refusal.code, refusal.row) == ("empty_report", "captions.json, annotation 1")


@pytest.mark.parametrize("content", ["[]", '{"annotations": [{"image_id": "1_1"}]}', "{", '{"images": []}'])
def test_a_file_in_another_format_is_refused_with_the_format_that_is_expected(films, tmp_path: Path, content: str):
    path = tmp_path / "captions.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="image_id"):
        read_xrayglm(path, films.root)


def test_an_index_without_its_columns_says_which_it_needs(films, tmp_path: Path):
    index = tmp_path / "images.csv"
    index.write_text("name,id\nx.png,5_1\n", encoding="utf-8")
    with pytest.raises(DataError, match="`file` and `image_id`"):
        read_xrayglm(write_annotations(tmp_path, n5_1="心影增大。"), films.root, index=index)


def write_index(folder: Path, *rows: str) -> Path:
    path = folder / "images.csv"
    path.write_text("\n".join(["file,image_id", *rows]) + "\n", encoding="utf-8")
    return path


def listed(source: SourceData) -> list[tuple[str, str]]:
    return sorted((refusal.code, refusal.row or refusal.where) for refusal in source.refusals)


def test_a_caption_whose_film_was_refused_by_its_header_says_so_and_the_film_counts_as_lost(films, tmp_path: Path):
    films.png("1_1.png", texture=1)
    films.dicom("2_1.dcm", study="1.2", texture=2, PatientOrientation=["R", "F"])
    (films.root / "3_1.dcm.gz").write_bytes(b"packed")
    source = read_xrayglm(write_annotations(tmp_path, n1_1="甲。", n2_1="乙。", n3_1="丙。"), films.root)
    assert [study.study_uid for study in source.studies] == ["1"]
    assert [(film.where, film.code) for film in source.lost_films] == [
        ("2_1.dcm", "turned_film"),
        ("3_1.dcm.gz", "packed_file"),
    ]
    assert source.counts("refused") == {"film_refused": 2, "packed_file": 1, "turned_film": 1}


def test_a_study_whose_films_carry_several_patient_ids_is_refused_by_its_place(films, tmp_path: Path):
    films.dicom("1_1.dcm", study="1.2", texture=1, patient="P-1")
    films.dicom("1_2.dcm", study="1.3", texture=2, patient="P-2")
    source = read_xrayglm(write_annotations(tmp_path, n1_1="甲。", n1_2="甲。"), films.root)
    assert source.studies == ()
    assert listed(source) == [("several_patients", "captions.json, annotation 1")]


def test_an_image_id_with_films_in_two_folders_is_used_for_neither(films, tmp_path: Path):
    films.png("P1/1_1.png", texture=1)
    films.png("P2/1_1.png", texture=2)
    source = read_xrayglm(write_annotations(tmp_path, n1_1="甲。"), films.root)
    assert source.studies == ()
    assert listed(source) == [
        ("ambiguous_film", "P1/1_1.png"),
        ("ambiguous_film", "P2/1_1.png"),
        ("ambiguous_film", "captions.json, annotation 1"),
    ]


def test_an_index_may_name_films_by_their_path(films, tmp_path: Path):
    films.png("P1/x.png", texture=1)
    films.png("P2/x.png", texture=2)
    index = write_index(tmp_path, "P1/x.png,5_1", "P2\\x.png,6_1")
    source = read_xrayglm(write_annotations(tmp_path, n5_1="甲。", n6_1="乙。"), films.root, index=index)
    assert [(study.study_uid, study.films[0].parent.name) for study in source.studies] == [("5", "P1"), ("6", "P2")]
    assert source.refusals == ()


def test_rows_of_an_index_that_are_incomplete_repeated_or_contradictory_are_listed(films, tmp_path: Path):
    for number, name in enumerate(["x.png", "y.png"]):
        films.png(name, texture=number)
    index = write_index(tmp_path, "x.png,5_1", "x.png,5_1", "y.png", "y.png,", "y.png,6_1", "y.png,7_1")
    captions = write_annotations(tmp_path, n5_1="甲。", n6_1="乙。", n7_1="丙。")
    source = read_xrayglm(captions, films.root, index=index)
    assert [study.study_uid for study in source.studies] == ["5"]
    assert listed(source) == [
        ("ambiguous_film", "captions.json, annotation 2"),
        ("ambiguous_film", "captions.json, annotation 3"),
        ("ambiguous_film", "y.png"),
        ("duplicate_row", "images.csv, line 3"),
        ("no_image_id", "images.csv, line 5"),
        ("wrong_field_count", "images.csv, line 4"),
    ]


def test_a_caption_that_says_nothing_gives_way_to_one_that_does(films, tmp_path: Path):
    films.png("3_1.png", texture=1)
    films.png("3_2.png", texture=2)
    films.png("4_1.png", texture=3)
    path = tmp_path / "captions.json"
    captions = [("3_1", None), ("3_2", "右侧胸腔积液。"), ("4_1", "nan")]
    entries = [{"image_id": image_id, "caption": caption} for image_id, caption in captions]
    path.write_text(json.dumps({"annotations": entries}), encoding="utf-8")
    source = read_xrayglm(path, films.root)
    assert [study.report.text for study in source.studies] == ["右侧胸腔积液。"]
    assert [refusal.code for refusal in source.refusals] == ["several_reports", "empty_report"]
