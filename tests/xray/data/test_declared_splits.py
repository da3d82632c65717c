"""Splits that a data set declares itself: read, taken over, or refused with what they part."""

from pathlib import Path

import pytest

from xray.data.declared_splits import declared_by_study, read_declared_splits
from xray.errors import DataError
from xray.types import Split


def table(folder: Path, text: str) -> Path:
    path = folder / "splits.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_ids_and_splits_is_read(tmp_path: Path) -> None:
    path = table(tmp_path, "id,split\ns1,train\ns2,validate\n s3 ,test\ns1,train\n")
    assert read_declared_splits(path) == {"s1": "train", "s2": "val", "s3": "test"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study,split\nSECRET,train\n", "no column id"),
        ("id,fold\nSECRET,1\n", "no column split"),
        ("id,split\nSECRET,fold3\n", r"splits\.csv, line 2: .*not one of train, val and test"),
        ("id,split\nSECRET,\n", "line 2: the id or the split is empty"),
        ("id,split\n,train\n", "line 2: the id or the split is empty"),
        ("id,split\nSECRET,train\nSECRET,test\n", "line 3: this id stands in another split before"),
        ("id,split\nSECRET,train\n'SECRET,test\n", "line 3: this id stands in another split before"),
        ("id,split\nSECRET\n", "line 2: the row has not the fields of the header"),
        ("id,split\n1.2E+10,test\n", "line 2: an id was rounded"),
    ],
)
def test_a_table_that_says_too_little_or_two_things_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_declared_splits(table(tmp_path, text))
    assert "SECRET" not in str(caught.value)


def test_a_line_of_json_without_a_split_is_refused_and_ids_are_read_as_those_of_reports(tmp_path: Path) -> None:
    path = tmp_path / "splits.jsonl"
    path.write_text('{"id": 7.0, "split": "train"}\n{"id": "s2"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"splits\.jsonl, line 2: the id or the split is empty"):
        read_declared_splits(path)
    assert read_declared_splits(table(tmp_path, 'id,split\n="007",train\n8.0,test\n')) == {"007": "train", "8": "test"}


IMAGES = {"s1": ["s1_1", "s1_2"], "s2": ["s2_1"], "s3": ["s3_1", "s3_2"]}


def test_studies_may_be_declared_by_their_own_id_or_by_that_of_each_image() -> None:
    by_study: dict[str, Split] = {"s1": "train", "s2": "val", "s3": "test"}
    by_image = {image: by_study[study] for study, images in IMAGES.items() for image in images}
    assert declared_by_study(by_study, images_of=IMAGES) == by_study
    assert declared_by_study(by_image, images_of=IMAGES) == by_study


def test_a_split_of_images_is_refused_with_what_it_parts() -> None:
    declared: dict[str, Split] = {"s1_1": "train", "s1_2": "test", "s2_1": "train", "s3_1": "test", "s3_2": "test"}
    with pytest.raises(DataError, match=r"1 of 3 studies; 1 of 3 images .*leave the declaration out"):
        declared_by_study(declared, images_of=IMAGES)


def test_a_study_without_a_declared_split_is_refused() -> None:
    with pytest.raises(DataError, match="2 of 3 studies have no declared split"):
        declared_by_study({"s1": "train"}, images_of=IMAGES)
