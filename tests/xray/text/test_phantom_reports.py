"""The labeller reads back from a phantom's report what was drawn: two hands, one truth."""

import pytest

from xray.data.phantom.report import write_report
from xray.data.phantom.study import PhantomStudy, Style, labels, sample_studies
from xray.text.frames import find
from xray.text.labels import CLASSES, label


def _studies(style: Style) -> list[PhantomStudy]:
    return sample_studies(150, seed=11, style=style)


@pytest.mark.parametrize("style", list(Style))
def test_the_labels_of_a_phantom_report_are_what_was_drawn(style: Style):
    for study in _studies(style):
        text = write_report(study, style=style)
        read = label(text).labels
        assert {name: int(read[name] in {1, -1}) for name in CLASSES} == labels(study), text


@pytest.mark.parametrize("style", list(Style))
def test_side_zone_degree_and_size_are_read_back(style: Style):
    for study in _studies(style):
        text = write_report(study, style=style)
        read = [finding for finding in find(text) if finding.assertion == "present"]
        for drawn in study.findings:
            stated = [finding for finding in read if finding.concept == drawn.concept]
            assert {f.laterality for f in stated} <= {drawn.laterality, None}, text
            assert drawn.laterality in {f.laterality for f in stated}, text
            assert drawn.severity is None or drawn.severity in {f.severity for f in stated}, text
            assert drawn.size_mm in {f.size_mm for f in stated}, text
            assert drawn.zone is None or any(drawn.zone in f.zones for f in stated), text
