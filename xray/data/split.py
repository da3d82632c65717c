"""Train, validation and test by patient, so that nothing that belongs together is on two sides.

An image-level split of paired-view data puts the same report on both sides and measures memory, not reading.

What is guaranteed of `split_studies`:

- Studies that share a patient, a film, nearly a film, or a telling report are in one split (`xray.data.groups` says
  what counts), through any number of others in between.
- The result depends on the set of studies, not on their order.
- A study whose patient is tied to nobody goes where a hash of the seed and the patient's key says. A tied group goes
  where the smallest patient key of the group says. So adding data moves nobody, except where a new study ties patients
  to each other, a text becomes a template as more patients share it, or the set was so small that a split was empty.
- With the earlier assignment given, adding data moves nobody at all: every patient and study of it stays. Newcomers
  follow the group they join; one that is tied to two splits is left out as `joins_splits`.
- The shares are met on average, not exactly, since splits are drawn for groups and not for studies.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xray.data import leakage as leaks
from xray.data.assignments import Assigned, SplitSettings, assign
from xray.data.groups import SplitStudy, find_links
from xray.data.perceptual import Pixels
from xray.errors import DataError, Rejected
from xray.types import Split

__all__ = ["SplitResult", "SplitSettings", "check_splits", "split_studies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitResult:
    """The split of each study that has one, why each other has none, and what crosses all the same (templates)."""

    split_of: Mapping[str, Split]
    refused: Mapping[str, Rejected]
    leakage: leaks.LeakageReport


def split_studies(
    studies: Sequence[SplitStudy],
    *,
    settings: SplitSettings,
    pixels: Callable[[str], Pixels] | None = None,
    declared: Mapping[str, Split] | None = None,
    earlier: Iterable[Assigned] = (),
) -> SplitResult:
    """Assign each study to a split: see the module. `studies` have unique names.

    `pixels` gives the rendered film of a `pixels_sha256`, to find films that are nearly the same (None: they are not
    looked for). `declared` names a split for each study; `earlier` are the studies of the store prepared before.

    Raises DataError if a declared split is missing or parts a patient or a film, if the earlier splits do, or if there
    are fewer unrelated groups than splits.
    """
    links = find_links(studies, pixels=pixels)
    if declared is not None:
        if left_out := sum(study.study not in declared for study in studies):
            raise DataError(
                f"{left_out} of {len(studies)} studies have no declared split. Declare one for each, or for none."
            )
        split_of: Mapping[str, Split] = {study.study: declared[study.study] for study in studies}
        torn: frozenset[str] = frozenset()
    else:
        assignment = assign(studies, links=links, settings=settings, earlier=earlier)
        split_of, torn = assignment.split_of, assignment.joins_splits
    report = leaks.leakage(studies, splits=[split_of.get(study.study) for study in studies], links=links)
    leaks.refuse_leaks(report)
    return SplitResult(split_of=split_of, refused={study: _joins_splits() for study in sorted(torn)}, leakage=report)


def check_splits(
    studies: Sequence[SplitStudy], *, splits: Sequence[Split], pixels: Callable[[str], Pixels] | None = None
) -> leaks.LeakageReport:
    """Return what stands in several splits. Raises DataError if a patient, a study or a film does: before training."""
    report = leaks.leakage(studies, splits=splits, links=find_links(studies, pixels=pixels))
    leaks.refuse_leaks(report)
    return report


def _joins_splits() -> Rejected:
    return Rejected(
        "joins_splits",
        "the study shares a patient, a film or a report with studies in different splits, which may not change; "
        "prepare the data without the earlier splits to use it",
    )


# --- the old interface, to be deleted with the last call of it ---


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitMember:
    """What the leakage report needs to know of one study."""

    study: str
    patient: str
    split: Split
    text: str
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldLeakageReport:
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


def leakage(members: Iterable[SplitMember]) -> OldLeakageReport:
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
    return OldLeakageReport(**counts)


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
