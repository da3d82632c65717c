"""OpenI: XML reports, captions and films that name each other."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray.data.openi_files import write_archive, write_captions, write_folder, xml_report
from xray.data.declared_splits import declared_by_study
from xray.data.sources import SourceData, join_openi, read_openi
from xray.data.sources.openi_xml import parse_openi_xml
from xray.errors import ConfigError, DataError, Rejected

FILMS = ("CXR7_IM-0001-1001", "CXR7_IM-0001-2001")
SEVEN = xml_report(
    7, FILMS, findings="The lungs are clear.", impression="Normal chest.", indication="Cough.", comparison="None."
)
EIGHT = xml_report(8, ("CXR8_IM-0002-1001",), impression="No acute disease.")


def codes(source: SourceData) -> list[tuple[str, str, str]]:
    return sorted((refusal.kind, refusal.code, refusal.where) for refusal in source.refusals)


@pytest.fixture
def xmls(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "xml", {"7.xml": SEVEN, "8.xml": EIGHT})


def test_image_k_is_the_kth_film_that_the_xml_names(xmls: Path, tmp_path: Path):
    captions = {"7_1": "双肺清晰。", "7_2": "双肺清晰。", "8_1": "未见异常。"}
    join = join_openi(xmls, write_captions(tmp_path / "zh.json", captions))
    images = {image.image_id: (image.film, image.caption) for study in join.studies for image in study.images}
    assert images == {
        "7_1": (FILMS[0], "双肺清晰。"),
        "7_2": (FILMS[1], "双肺清晰。"),
        "8_1": ("CXR8_IM-0002-1001", "未见异常。"),
    }
    assert (join.unresolved, join.refusals) == ((), ())
    assert join.studies[0].report.indication == "Cough."


def test_a_split_of_studies_does_not_leak_and_one_of_images_is_refused(xmls: Path, tmp_path: Path):
    captions = write_captions(tmp_path / "zh.json", {"7_1": "双肺清晰。", "7_2": "双肺清晰。", "8_1": "未见异常。"})
    images_of = {
        study.study: [image.image_id for image in study.images] for study in join_openi(xmls, captions).studies
    }
    by_image = {"7_1": "train", "7_2": "test", "8_1": "test"}
    with pytest.raises(DataError, match="parts the images of 1 of 2 studies"):
        declared_by_study(by_image, images_of=images_of)
    assert declared_by_study(by_image | {"7_2": "train"}, images_of=images_of) == {"7": "train", "8": "test"}


def test_captions_without_xml_are_unresolved_and_named(xmls: Path, tmp_path: Path):
    captions = write_captions(tmp_path / "zh.json", {"7_1": "双肺清晰。", "7_3": "多。", "9_1": "无。"})
    join = join_openi(xmls, captions)
    assert join.unresolved == ("7_3", "9_1")
    assert [(refusal.code, refusal.row) for refusal in join.refusals if refusal.kind == "unpaired"] == [
        ("no_report", "zh.json, annotation 2"),
        ("no_report", "zh.json, annotation 3"),
    ]


def test_an_archive_is_joined_like_a_folder(xmls: Path, tmp_path: Path):
    archive = write_archive(tmp_path / "reports.tgz", {"7.xml": SEVEN, "8.xml": EIGHT})
    assert [study.images for study in join_openi(archive).studies] == [
        study.images for study in join_openi(xmls).studies
    ]


def test_of_two_translations_that_of_the_lowest_image_is_kept_whatever_the_order(xmls: Path, tmp_path: Path):
    captions = [("7_1", "译文甲。"), ("7_2", "译文乙。"), ("8_1", "译文丙。")]
    for seed in range(4):
        random.Random(seed).shuffle(captions)
        join = join_openi(xmls, write_captions(tmp_path / "zh.json", dict(captions)))
        assert [study.caption.text for study in join.studies if study.caption] == ["译文甲。", "译文丙。"]
        assert [refusal.code for refusal in join.refusals] == ["several_reports"]


@pytest.mark.parametrize("spelling", ["{}.png", "deep/{}.png", "{}.dcm.png"])
def test_films_are_found_under_the_names_of_every_release(films, xmls: Path, spelling: str):
    for number, film in enumerate(FILMS):
        films.png(spelling.format(film.removeprefix("CXR") if "dcm" in spelling else film), texture=number)
    source = read_openi(films.root, xmls)
    (study,) = source.studies
    assert (study.study_uid, len(study.films)) == ("7", 2)
    assert (study.report.findings, study.report.impression) == ("The lungs are clear.", "Normal chest.")
    assert (study.report.language, study.report.origin) == ("en", "radiologist")
    assert codes(source) == [("unpaired", "no_film", "8_1")]


def test_dicom_films_give_patient_and_view(films, xmls: Path):
    films.dicom("7_IM-0001-1001.dcm", study="1.2.7", texture=1, patient="7", view="LL")
    films.dicom("7_IM-0001-2001.dcm", study="1.2.7", texture=2, patient="7", view="PA")
    (study,) = read_openi(films.root, xmls).studies
    assert study.views == ("frontal", "lateral")
    assert [film.stem for film in study.films] == ["7_IM-0001-2001", "7_IM-0001-1001"]
    assert study.patient_id == "7"


def test_captions_are_the_reports_where_they_are_given(films, xmls: Path, tmp_path: Path):
    films.png(f"{FILMS[0]}.png", texture=1)
    films.png("CXR8_IM-0002-1001.png", texture=2)
    source = read_openi(films.root, xmls, captions=write_captions(tmp_path / "zh.json", {"7_1": "双肺清晰。"}))
    (study,) = source.studies
    assert (study.report.text, study.report.language, study.report.origin) == (
        "双肺清晰。",
        "zh",
        "machine_translation",
    )
    assert study.row == "zh.json, annotation 1"
    assert ("unpaired", "no_report", "CXR8_IM-0002-1001.png") in codes(source)


def test_an_index_gives_the_views_of_films_that_cannot_say_them(films, xmls: Path, tmp_path: Path):
    for number, film in enumerate(FILMS):
        films.png(f"{film}.png", texture=number)
    index = tmp_path / "projections.csv"
    index.write_text(
        "uid,filename,projection\n7,7_IM-0001-1001.dcm.png,Lateral\n7,7_IM-0001-2001.dcm.png,Frontal\n", "utf-8"
    )
    (study,) = read_openi(films.root, xmls, index=index).studies
    assert (study.views, study.films[0].stem) == (("frontal", "lateral"), FILMS[1])


def test_a_refused_film_of_a_report_is_counted_as_lost(films, xmls: Path):
    (films.root / f"{FILMS[0]}.png").write_bytes(b"not a film")
    films.png(f"{FILMS[1]}.png", texture=1)
    source = read_openi(films.root, xmls)
    assert [refusal.where for refusal in source.lost_films] == [f"{FILMS[0]}.png"]
    assert ("refused", "film_refused", "7_1") in codes(source)
    assert len(source.studies[0].films) == 1


def test_a_report_without_findings_and_impression_leaves_its_film_without_report(films, tmp_path: Path):
    xmls = write_folder(tmp_path / "xml", {"7.xml": xml_report(7, FILMS[:1], indication="Cough.")})
    films.png(f"{FILMS[0]}.png", texture=1)
    source = read_openi(films.root, xmls)
    assert source.studies == ()
    assert codes(source) == [("unpaired", "no_report", f"{FILMS[0]}.png")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "broken_xml"),
        (SEVEN[:200], "broken_xml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "broken_xml"),
        (b"<other/>", "not_openi"),
        (EIGHT, "not_openi"),
    ],
)
def test_a_file_that_is_no_report_is_refused_and_the_others_are_read(tmp_path: Path, content: bytes, code: str):
    join = join_openi(write_archive(tmp_path / "r.tgz", {"7.xml": content, "8.xml": EIGHT}))
    assert [study.study for study in join.studies] == ["8"]
    assert [(refusal.code, refusal.row) for refusal in join.refusals] == [(code, "r.tgz, file 1")]


def test_two_files_of_one_name_are_noticed(tmp_path: Path):
    write_folder(tmp_path / "xml/a", {"8.xml": EIGHT})
    write_folder(tmp_path / "xml/b", {"8.xml": EIGHT})
    assert [refusal.code for refusal in join_openi(tmp_path / "xml").refusals] == ["duplicate_study"]


def test_a_missing_cut_or_foreign_archive_is_one_clear_error(tmp_path: Path):
    whole = write_archive(tmp_path / "r.tgz", {"7.xml": SEVEN * 50, "8.xml": EIGHT})
    whole.write_bytes(whole.read_bytes()[:150])
    for path, words in ((whole, "no complete tar"), (tmp_path / "none.tgz", "does not exist"), (tmp_path, "no XML")):
        with pytest.raises(DataError, match=words):
            join_openi(path)


def test_another_language_than_that_of_the_texts_is_refused(films, xmls: Path):
    with pytest.raises(ConfigError, match="English"):
        read_openi(films.root, xmls, language="zh")


@given(
    data=st.binary(max_size=300)
    | st.sampled_from([SEVEN, EIGHT]).flatmap(lambda xml: st.integers(0, len(xml)).map(lambda cut: xml[:cut]))
)
def test_any_bytes_are_a_report_or_refused_by_code(data: bytes):
    with suppress(Rejected):
        assert parse_openi_xml(data, study="7", row="x").study == "7"
