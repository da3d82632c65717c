"""What is said of each metric is true of its values."""

import re

import pytest

from xray.metrics import score
from xray.metrics.label_sums import ALL_METRICS
from xray.metrics.meanings import MEANINGS

REPORTS = {
    "a": "右侧胸腔少量积液，较前增多。未见气胸。",
    "b": "心影增大。",
    "c": "左侧气胸。右肺结节约8mm。",
    "d": "双肺清晰，未见实变。肺水肿。",
}
WORSE = {
    "a": "左侧胸腔大量积液。",
    "b": "右侧气胸，较前好转。",
    "c": "左侧气胸。右肺结节约25mm。",
    "d": "左侧肋骨骨折。",
}


def test_each_metric_is_explained_in_both_languages_on_one_line():
    assert set(MEANINGS) == set(ALL_METRICS)
    for meaning in MEANINGS.values():
        assert re.search("[\u4e00-\u9fff]", meaning.zh)
        assert not re.search("[\u4e00-\u9fff]", meaning.en)
        assert "\n" not in meaning.zh + meaning.en
    assert len({meaning.zh for meaning in MEANINGS.values()}) == len({one.en for one in MEANINGS.values()}) == 36


@pytest.mark.parametrize("name", MEANINGS)
def test_the_better_direction_and_the_range_are_those_of_the_values(name: str):
    meaning = MEANINGS[name]
    good, bad = (score(texts, REPORTS, resamples=0).metrics[name].value for texts in (REPORTS, WORSE))
    assert (good > bad) == meaning.higher
    for value in (good, bad):
        assert meaning.low <= value <= (meaning.high or value)
    best = meaning.high if meaning.higher else meaning.low
    assert good == pytest.approx(best) or name == "cider_char"
