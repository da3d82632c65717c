"""What crosses splits is counted, shown by examples, and refused where it must be."""

import pytest

from tests.xray.data.test_groups import TELLING, study
from xray.data.groups import SplitStudy, find_links
from xray.data.leakage import MOST_EXAMPLES, LeakageReport, leakage, refuse_leaks
from xray.data.split import split_studies
from xray.data.split_settings import SplitSettings
from xray.errors import DataError
from xray.types import Split


def report(studies: list[SplitStudy], splits: list[Split | None]) -> LeakageReport:
    return leakage(studies, splits=splits, links=find_links(studies))


def declared(studies: list[SplitStudy], splits: list[Split]) -> LeakageReport:
    named = {one.study: split for one, split in zip(studies, splits, strict=True)}
    return split_studies(studies, settings=SplitSettings(), declared=named).leakage


def test_each_kind_is_counted_by_itself() -> None:
    studies = [
        study("a", patient="p", films=("f",)),
        study("b", patient="p", films=("g",)),
        study("c", films=("g",), text=TELLING),
        study("d", text=TELLING),
        study("e", text=TELLING.replace("第五", "第六")),
    ]
    found = report(studies, ["train", "val", "test", "train", "val"])
    assert {kind: number for kind, number in found.counts().items() if number} == {
        "patients": 1,
        "images": 1,
        "reports": 1,
        "near_reports": 1,
        "held_out": 3,
        "exposed": 3,
    }
    assert found.examples["patients"] == (("a", "b"),)
    assert found.examples["images"] == (("b", "c"),)


def test_what_stands_in_one_split_or_is_left_out_is_no_leak() -> None:
    studies = [study("a", patient="p"), study("b", patient="p"), study("c", patient="p")]
    assert report(studies, ["test", "test", None]).counts() == {**LeakageReport().counts(), "held_out": 2}


def test_a_pair_of_val_and_test_leaks_but_is_not_known_from_training() -> None:
    found = report([study("a", patient="p"), study("b", patient="p")], ["val", "test"])
    assert (found.patients, found.held_out, found.exposed) == (1, 2, 0)


def test_templates_are_reported_and_not_refused() -> None:
    studies = [study(f"{n}", text=TELLING) for n in range(5)]
    found = declared(studies, ["train", "train", "val", "test", "test"])
    assert (found.templates, found.reports, found.exposed) == (1, 0, 0)


def test_examples_are_few() -> None:
    studies = [study(f"{n}", patient=f"p{n // 2}") for n in range(40)]
    found = report(studies, ["train", "test"] * 20)
    assert found.patients == 20
    assert len(found.examples["patients"]) == MOST_EXAMPLES


@pytest.mark.parametrize(
    ("kind", "words"),
    [("patients", "2 patients"), ("studies", "2 studies"), ("images", "2 identical"), ("near_images", "2 nearly")],
)
def test_what_must_never_cross_is_refused_with_its_number_and_the_way_out(kind: str, words: str) -> None:
    with pytest.raises(DataError, match=rf"{words}.* 3 of the 9 .*Split by patient"):
        refuse_leaks(LeakageReport(**{kind: 2}, held_out=9, exposed=3))


def test_shared_texts_alone_are_not_refused() -> None:
    refuse_leaks(LeakageReport(reports=5, near_reports=4, templates=3, held_out=9, exposed=9))


def test_a_split_of_images_is_refused() -> None:
    images = [study(f"i{n}", patient=f"p{n // 2}", text=TELLING) for n in range(100)]
    with pytest.raises(DataError, match=r"\d+ patients .*Split by patient"):
        declared(images, ["test" if n % 7 == 0 else "train" for n in range(100)])
