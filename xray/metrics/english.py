"""Scores for English reports that need a model: RadEval's, where it is installed and the weights lie on this disk.

CheXbert, RadGraph, RaTEScore, GREEN and BERTScore read English. To Chinese texts they give numbers that mean nothing (a
report scores 0 against itself), so Chinese is refused. Nothing is downloaded: a metric whose weights are missing is an
error that names it. RadEval (MIT) needs an environment with torch: pip install RadEval.
"""

import contextlib
import importlib
import importlib.metadata
import io
import os
from collections.abc import Iterator, Mapping
from typing import Any

from xray.errors import ConfigError, DataError
from xray.han import HAN
from xray.metrics.other_tools import OtherScores, scored_ids
from xray.metrics.statistics import Estimate

PREFIX = "radeval:"
"""A name such as `radeval:f1chexbert` asks for a metric of RadEval."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def score_english(name: str, predictions: Mapping[str, str], references: Mapping[str, str]) -> OtherScores:
    """Score English reports by the RadEval metric `name`, such as `radeval:f1chexbert`; values have no interval.

    Raises DataError for Chinese reports and missing predictions, ConfigError where RadEval is not installed, does not
    know the metric, or finds no weights on this disk, and for metrics that ask a server.
    """
    ids = scored_ids(predictions, references)
    theirs, ours = [references[key] for key in ids], [predictions[key] for key in ids]
    if chinese := sum(HAN.search(text) is not None for text in (*theirs, *ours)):
        raise DataError(f"{name} reads English only, and {chinese} of {2 * len(ids)} texts are Chinese. Leave it out.")
    values = _measured(name.removeprefix(PREFIX), references=theirs, predictions=ours)
    return OtherScores(
        metrics={
            f"radeval_{key}": Estimate(value=float(value), low=None, high=None, n=len(ids))
            for key, value in values.items()
            if isinstance(value, int | float)
        },
        signature=f"radeval:{importlib.metadata.version('RadEval')}|metric:{name.removeprefix(PREFIX)}|lang:en",
    )


def _measured(metric: str, *, references: list[str], predictions: list[str]) -> dict[str, Any]:
    with _offline(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            radeval = importlib.import_module("radeval")
            registry = importlib.import_module("radeval.metrics._registry")
        except ImportError:
            raise ConfigError(
                "RadEval is not installed here. Install it beside this kit: pip install RadEval."
            ) from None
        if metric not in registry.METRIC_REGISTRY:
            known = ", ".join(sorted(registry.METRIC_REGISTRY))
            raise ConfigError(f"RadEval has no metric {metric!r}. It has: {known}.")
        try:
            if getattr(registry.get_metric_class(metric), "is_api_based", False):
                raise ConfigError(f"RadEval's {metric} sends the reports to a server, which this kit does not.")
            found: dict[str, Any] = radeval.RadEval(metrics=[metric], show_progress=False)(
                refs=references, hyps=predictions
            )
        except ConfigError:
            raise
        except Exception as error:  # a dozen libraries, each with errors of its own for weights that are not there
            raise ConfigError(
                f"RadEval's {metric} could not be computed offline ({type(error).__name__}): its weights must lie on "
                "this disk. Load them once where there is a network, and set HF_HOME to them."
            ) from None
    return found


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Keep libraries from asking a hub; RadEval's import asks for NLTK's data, too."""
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(_OFFLINE)
    try:
        with contextlib.suppress(ImportError):
            importlib.import_module("nltk").download = lambda *_, **__: False  # type: ignore[attr-defined]
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
