"""How often side, degree and size are told, which the other scores hardly notice."""

from xray.metrics import compare_systems, score
from xray.metrics.coverage import Coverage

REFERENCES = {"a": "右侧胸腔少量积液。左肺结节约8mm。", "b": "心影增大。考虑左侧肺炎。未见右侧气胸。"}
SILENT = {"a": "胸腔积液。肺结节。", "b": "心影增大。考虑肺炎。"}


def test_a_system_that_leaves_sides_degrees_and_sizes_out_is_told_by_its_coverage():
    report = score(SILENT, REFERENCES, resamples=0)
    assert report.metrics["finding_f1"].value == 1.0
    assert 0.8 < report.metrics["frame_f1"].value < 0.95
    assert report.coverage["candidate"] == Coverage(findings=3, side=0.0, degree=0.0, size=0.0)
    assert report.coverage["reference"] == Coverage(findings=3, side=2 / 3, degree=1 / 3, size=1 / 3)


def test_a_finding_that_is_said_twice_is_one_and_none_gives_no_share():
    report = score({"a": "右侧胸腔积液。右侧胸腔积液。"}, {"a": "双肺清晰。"}, resamples=0)
    assert report.coverage["candidate"] == Coverage(findings=1, side=1.0, degree=0.0, size=0.0)
    assert report.coverage["reference"] == Coverage(findings=0, side=None, degree=None, size=None)


def test_without_references_only_the_candidate_is_covered():
    assert set(score({"a": "左侧气胸。"}, None, truth={"a": {"Pneumothorax": 1}}).coverage) == {"candidate"}


def test_two_systems_stand_beside_their_references():
    found = compare_systems(SILENT, REFERENCES, REFERENCES, resamples=100).coverage
    assert list(found) == ["a", "b", "reference"]
    assert found["a"].side == 0.0
    assert found["b"] == found["reference"]
