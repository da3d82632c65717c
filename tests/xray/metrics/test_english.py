"""Models that read English are asked only where they can answer."""

import importlib.util
import os

import pytest

from xray.errors import ConfigError, DataError
from xray.metrics.english import score_english

TEXTS = {"a": "No acute disease.", "b": "Small right pleural effusion."}
installed = pytest.mark.skipif(importlib.util.find_spec("radeval") is None, reason="RadEval is not installed")
missing = pytest.mark.skipif(importlib.util.find_spec("radeval") is not None, reason="RadEval is installed")


def test_chinese_reports_are_refused_because_the_number_would_mean_nothing():
    with pytest.raises(DataError, match="reads English only, and 2 of 4 texts are Chinese"):
        score_english("radeval:f1chexbert", TEXTS, {"a": "双肺清晰。", "b": "心影不大。"})


def test_a_missing_prediction_is_named():
    with pytest.raises(DataError, match="missing for 1 reports, the first: b"):
        score_english("radeval:rouge", {"a": "No."}, TEXTS)


@missing
def test_without_radeval_the_way_to_it_is_told_and_the_environment_is_as_before():
    before = dict(os.environ)
    with pytest.raises(ConfigError, match="pip install RadEval"):
        score_english("radeval:rouge", TEXTS, TEXTS)
    assert dict(os.environ) == before


@installed
def test_a_metric_without_weights_is_computed_and_one_without_them_on_the_disk_is_named():
    assert score_english("radeval:rouge", TEXTS, TEXTS).metrics["radeval_rougeL"].value == 1.0
    with pytest.raises(ConfigError, match="f1chexbert could not be computed offline"):
        score_english("radeval:f1chexbert", TEXTS, TEXTS)
    with pytest.raises(ConfigError, match="has no metric"):
        score_english("radeval:meteor", TEXTS, TEXTS)
