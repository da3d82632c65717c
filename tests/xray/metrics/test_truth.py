"""A table of labels in the place of the reference reports' labels."""

from pathlib import Path

import pytest

from xray.data.phantom import Style, write_dataset
from xray.errors import DataError
from xray.metrics import read_truth, score
from xray.text.labels import CLASSES


def _table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_truth_replaces_the_labels_of_the_references_and_leaves_the_texts():
    references = {"a": "双肺清晰。", "b": "双肺清晰。"}
    predictions = {"a": "左侧气胸。", "b": "双肺清晰。"}
    truth = {"a": {"Pneumothorax": 1, "Edema": 0}, "b": {"Pneumothorax": 0, "Edema": None}}
    written, shown = score(predictions, references), score(predictions, references, truth=truth)
    assert (written.metrics["finding_f1"].value, shown.metrics["finding_f1"].value) == (0.0, 1.0)
    for name in ("bleu4_char", "rouge_l_char", "chrf", "exact_match"):
        assert shown.metrics[name] == written.metrics[name]
    assert (written.truth, shown.truth) == ("report", "table")
    assert written.signature != shown.signature
    assert "truth:table" in shown.signatures["finding_f1"]


def test_without_references_only_the_metrics_of_labels_are_left():
    report = score({"a": "左侧气胸。"}, None, truth={"a": {"Pneumothorax": 1}})
    assert report.metrics["finding_f1"].value == 1.0
    assert not {"bleu4_char", "rouge_l_char", "side_accuracy", "chrf"} & set(report.metrics)
    assert report.per_report == {"a": {"finding_f1": 1.0}}


def test_uncertain_in_the_truth_is_positive_or_negative_as_in_a_report():
    report = score({"a": "左侧气胸。"}, None, truth={"a": {"Pneumothorax": -1}})
    assert report.metrics["finding_f1"].value == 1.0
    assert report.metrics["finding_f1_uncertain_negative"].value == 0.0


def test_a_class_that_the_truth_never_states_is_not_held_against_a_report():
    report = score({"a": "左侧气胸。心影增大。"}, None, truth={"a": {"Pneumothorax": 1, "Cardiomegaly": None}})
    assert report.metrics["finding_precision"].value == 1.0
    assert report.per_class["Cardiomegaly"]["predicted"] == 0
    assert "the truth never states this class, it is not judged: Cardiomegaly" in report.warnings


def test_a_class_that_the_truth_leaves_open_for_one_film_is_no_positive_there():
    truth = {"a": {"Pneumothorax": None}, "b": {"Pneumothorax": 1}}
    report = score(dict.fromkeys(truth, "左侧气胸。"), None, truth=truth)
    assert report.per_class["Pneumothorax"]["fp"] == 1


def test_a_side_is_still_that_of_the_reference():
    truth = {"a": {"Pneumothorax": 1}}
    report = score({"a": "右侧气胸。"}, {"a": "左侧气胸。"}, truth=truth)
    assert report.metrics["finding_f1"].value == 1.0
    assert report.metrics["side_accuracy"].value == 0.0


def test_a_truth_may_know_more_reports_but_not_fewer():
    truth = {name: {"Pneumothorax": 1} for name in "abc"}
    assert score({"a": "左侧气胸。"}, None, truth=truth).n == 1
    with pytest.raises(DataError, match="no truth for 1 id: x"):
        score({"x": "左侧气胸。"}, None, truth=truth)
    with pytest.raises(DataError, match="nothing to score against"):
        score({"x": "左侧气胸。"}, None)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"Effusion": 1}, "no class is called 'Effusion'. Did you mean 'Pleural Effusion'"),
        ({"Pneumothorax": 2}, "2 is no value of Pneumothorax"),
    ],
)
def test_a_class_or_a_value_that_does_not_exist_is_refused(labels: dict[str, int], said: str):
    with pytest.raises(DataError, match=said):
        score({"a": "左侧气胸。"}, None, truth={"a": labels})


def test_no_finding_beside_a_finding_is_refused_by_name_and_beside_a_device_is_not():
    texts = dict.fromkeys("ab", "左侧气胸。")
    with pytest.raises(DataError, match=r"1 times, as of: b \(Edema\)"):
        score(texts, None, truth={"a": {"No Finding": 1, "Edema": 0}, "b": {"No Finding": 1, "Edema": 1}})
    device = {"No Finding": 1, "Support Devices": 1}
    assert score(texts, None, truth=dict.fromkeys("ab", device), resamples=0).n == 2


def test_a_class_that_is_not_judged_is_warned_of_once():
    warnings = score({"a": "左侧气胸。"}, None, truth={"a": {"Pneumothorax": 1}}, resamples=0).warnings
    assert sum("Edema" in warning for warning in warnings) == 1


def test_a_table_is_read_with_every_way_of_writing_a_value(tmp_path: Path):
    text = "\ufeffid,patient_key,Edema,Pneumothorax\na,p,1.0,-1\nb,q, 0 ,\n\n"
    table = read_truth(_table(tmp_path / "t.csv", text))
    assert table.labels == {"a": {"Edema": 1, "Pneumothorax": -1}, "b": {"Edema": 0, "Pneumothorax": None}}
    assert table.patients == {"a": "p", "b": "q"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("id,Edema\n", "no rows"),
        ("Edema\n1\n", "one column id or study_uid; it has 0"),
        ("id,study_uid,Edema\na,b,1\n", "it has 2"),
        ("id,pleural_effusion\na,1\n", "'pleural_effusion'. Did you mean 'Pleural Effusion'"),
        ("id,Cardiomegally\na,1\n", "Did you mean 'Cardiomegaly'"),
        ("id,Edema,Nodule\na,1,1\n", "no class is called 'Nodule'. The classes are: No Finding, "),
        ("id\na\n", "at least one class"),
        ("id,Edema,Edema\na,1,1\n", "each column once"),
        ("id,Edema\na,yes\n", "line 2: 'yes' is no value of Edema"),
        ("id,Edema\na,1\na,0\n", "line 3: id a stands twice"),
        ("id,Edema\n,1\n", "line 2: no id"),
        ("id,Edema\na,1,0\n", "line 2: 3 cells under 2 columns"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(DataError, match=said):
        read_truth(_table(tmp_path / "t.csv", text))


def test_a_table_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes(b"id,Edema\n\xff\xff\xff,1\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_truth(tmp_path / "t.csv")
    (tmp_path / "gb.csv").write_bytes("id,Edema\n胸,1\n".encode("gb18030"))
    assert read_truth(tmp_path / "gb.csv").labels["胸"]["Edema"] == 1
    with pytest.raises(DataError, match="does not exist"):
        read_truth(tmp_path / "none.csv")


def test_the_table_of_the_drawn_films_is_a_truth_that_their_own_reports_agree_with(tmp_path: Path):
    import csv

    write_dataset(tmp_path / "drawn", studies=12, seed=3, style=Style.DEMO, workers=1)
    with (tmp_path / "drawn" / "reports.csv").open(encoding="utf-8", newline="") as stream:
        reports = {row["study_uid"]: row["report"] for row in csv.DictReader(stream)}
    table = read_truth(tmp_path / "drawn" / "labels14.csv")
    assert set(table.labels) == set(reports)
    assert all(set(row) == set(CLASSES) for row in table.labels.values())
    found = score(reports, None, truth=table.labels, resamples=0)
    assert found.metrics["finding_f1"].value > 0.95
    turned = dict(zip(reports, reversed(reports.values()), strict=True))
    assert score(turned, None, truth=table.labels, resamples=0).metrics["finding_f1"].value < 0.7
