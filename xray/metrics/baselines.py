"""The reports that know nothing, or next to nothing, of the film: every score is shown beside theirs.

A system that does not clearly beat a constant normal report, a random training report and the report of the most
similar training film has not learned to read films.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from xray.errors import DataError
from xray.text.labels import label
from xray.text.lexicon import Profile

FloatArray = NDArray[np.float32]

NORMAL_REPORT = "胸廓对称，气管居中。双肺野清晰，未见明显实质性病变。心影大小、形态正常。双侧膈面光滑，肋膈角锐利。"
"""A normal report in our words, used where the training set has none."""
FEATURE_SIDE = 32


def constant_normal(train_reports: Sequence[str], *, profile: Profile = "standard") -> str:
    """Return the most frequent training report without a positive or uncertain finding, else `NORMAL_REPORT`.

    Of equally frequent reports the first in character order is taken, so that the order of training does not matter.
    """
    counts = Counter(report for report in train_reports if report.strip())
    for report, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        labelled = label(report, profile=profile)
        if labelled.labels["No Finding"] == 1 and all(f.assertion == "absent" for f in labelled.findings):
            return report
    return NORMAL_REPORT


def random_reports(train_reports: Sequence[str], ids: Iterable[str], *, seed: int) -> dict[str, str]:
    """Return one training report per id, drawn from (seed, id) alone: neither order nor other ids matter.

    Raises DataError when there is no training report.
    """
    if not train_reports:
        raise DataError("There are no training reports to draw from. The training split must not be empty.")
    return {name: train_reports[_draw(f"{seed}\0{name}", len(train_reports))] for name in ids}


def nearest_neighbour(train_features: FloatArray, train_reports: Sequence[str], test_features: FloatArray) -> list[str]:
    """Return, per test film, the report of the training film with the closest feature (Euclidean distance).

    train_features: float32 [N, D] with N reports; test_features: float32 [M, D]. Returns M reports. Raises DataError
    when there is no training film or their numbers differ.
    """
    if len(train_features) == 0 or len(train_features) != len(train_reports):
        raise DataError(
            f"{len(train_features)} training films for {len(train_reports)} reports. "
            "Give one film per report, and at least one."
        )
    if len(test_features) == 0:
        return []
    from sklearn.neighbors import NearestNeighbors  # seconds to import, and who reads scores needs no baseline made

    search = NearestNeighbors(n_neighbors=1).fit(train_features)
    nearest = search.kneighbors(test_features, return_distance=False)[:, 0]
    return [train_reports[int(index)] for index in nearest]


def film_features(pixels: NDArray[np.uint8]) -> FloatArray:
    """Return a small feature of a film, float32 [1024]: resized to 32 x 32 by area, zero mean, unit deviation.

    pixels: uint8 [H, W], 0 = black. A film without contrast gives zeros.
    """
    small = cv2.resize(pixels, (FEATURE_SIDE, FEATURE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    deviation = float(small.std())
    centred = small - small.mean()
    scaled: FloatArray = (centred / deviation if deviation > 0 else centred * 0).astype(np.float32)
    return scaled


def _draw(key: str, bound: int) -> int:
    digest = hashlib.sha256(key.encode("utf-8")).digest()
    return int(np.random.default_rng(int.from_bytes(digest[:8], "big")).integers(bound))
