"""Train, validation and test by patient, so that no patient is on two sides.

An image-level split of paired-view data puts the same report on both sides and measures memory, not reading.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from xray.errors import ConfigError, DataError
from xray.types import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """Shares of the patients, in [0, 1). The rest is for training. `seed` chooses another assignment."""

    val: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ConfigError for shares that leave nothing to train on."""
        for name, share in (("val", self.val), ("test", self.test)):
            if not (math.isfinite(share) and 0 <= share < 1):
                raise ConfigError(f"split.{name} is {share}, but a share is at least 0 and below 1.")
        if self.val + self.test >= 1:
            raise ConfigError(f"split.val + split.test is {self.val + self.test:g}: nothing is left to train on.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitMember:
    """What the leakage report needs to know of one study."""

    study: str
    patient: str
    split: Split
    text: str
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageReport:
    """How many patients, studies, reports and films stand in more than one split.

    The first three of a split by patient are 0. Identical reports of different patients are legitimate (a template for
    normal films) and are counted for the reader of a score, not removed. Films are compared by their rendered pixels.
    """

    patients: int
    studies: int
    images: int
    reports: int


def split_patients(
    patient_of: Mapping[str, str],
    *,
    settings: SplitSettings,
    linked: Iterable[Collection[str]] = (),
) -> dict[str, Split]:
    """Assign each study (key of `patient_of`) to a split; studies of one patient stay together.

    `linked` names studies that belong together for another reason, such as identical films; such links join patients.
    A patient's split follows from a hash of the seed and the patient's key alone: it depends neither on the order nor
    on the other patients, so it stays when the data set grows. The shares are therefore met on average, not exactly.
    One exception serves small sets: a split that is asked for and would be empty takes the patient nearest to it.
    Raises DataError if there are fewer unrelated patients than splits.
    """
    groups = _groups(patient_of, linked=linked)
    shares: dict[Split, float] = {"test": settings.test, "val": settings.val}
    asked: list[Split] = ["train", *(split for split, share in shares.items() if share > 0)]
    if len(groups) < len(asked):
        raise DataError(
            f"{len(groups)} unrelated patients cannot be split into {', '.join(asked)}. Add studies of other patients."
        )
    position = {key: _position(key, seed=settings.seed) for key in groups}
    split_of = {key: _by_position(position[key], settings=settings) for key in groups}
    _fill_empty(split_of, asked=asked, position=position, settings=settings)
    return {study: split_of[key] for key, studies in groups.items() for study in studies}


def leakage(members: Iterable[SplitMember]) -> LeakageReport:
    """Count what stands in more than one split."""
    seen: dict[str, dict[Hashable, set[Split]]] = {
        kind: defaultdict(set) for kind in ("patients", "studies", "images", "reports")
    }
    for member in members:
        seen["patients"][member.patient].add(member.split)
        seen["studies"][member.study].add(member.split)
        seen["reports"][member.text].add(member.split)
        for image in member.images:
            seen["images"][image].add(member.split)
    counts = {kind: sum(len(splits) > 1 for splits in by_key.values()) for kind, by_key in seen.items()}
    return LeakageReport(**counts)


def _groups(patient_of: Mapping[str, str], *, linked: Iterable[Collection[str]]) -> dict[str, list[str]]:
    """Studies by the smallest patient key of each connected component (union-find over the patients)."""
    parent = {patient: patient for patient in patient_of.values()}

    def root(patient: str) -> str:
        while parent[patient] != patient:
            parent[patient] = parent[parent[patient]]
            patient = parent[patient]
        return patient

    for studies in linked:
        roots = sorted({root(patient_of[study]) for study in studies})
        for other in roots[1:]:
            parent[other] = roots[0]
    groups: dict[str, list[str]] = defaultdict(list)
    for study, patient in patient_of.items():
        groups[root(patient)].append(study)
    return dict(groups)


def _position(key: str, *, seed: int) -> float:
    """Map a patient to a stable number in [0, 1): the first 53 bits of a hash."""
    digest = hashlib.sha256(f"split\0{seed}\0{key}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def _by_position(position: float, *, settings: SplitSettings) -> Split:
    if position < settings.test:
        return "test"
    return "val" if position < settings.test + settings.val else "train"


def _fill_empty(
    split_of: dict[str, Split], *, asked: list[Split], position: Mapping[str, float], settings: SplitSettings
) -> None:
    """Give each empty split the nearest patient of the split that can spare one best."""
    borders: dict[Split, tuple[float, float]] = {
        "test": (0.0, settings.test),
        "val": (settings.test, settings.test + settings.val),
        "train": (settings.test + settings.val, 1.0),
    }
    for split in asked:
        sizes = Counter(split_of.values())
        if sizes[split]:
            continue
        low, high = borders[split]
        donor = max(sizes, key=lambda name: (sizes[name], name))
        candidates = (key for key in sorted(split_of) if split_of[key] == donor)
        nearest = min(candidates, key=lambda key: max(low - position[key], position[key] - high))
        split_of[nearest] = split
