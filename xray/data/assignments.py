"""Which split each study goes to: as declared, as it was before, or else by a hash of its patient's key."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xray.data.groups import DisjointSets, Links, SplitStudy
from xray.data.split_settings import SplitSettings
from xray.errors import DataError
from xray.types import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A study of an earlier preparation, and the split it was in."""

    study: str
    patient: str
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The split of every study that has one, and the studies that would tie two splits to each other."""

    split_of: Mapping[str, Split]
    joins_splits: frozenset[str]


def assign(
    studies: Sequence[SplitStudy], *, links: Links, settings: SplitSettings, earlier: Iterable[Assigned] = ()
) -> Assignment:
    """Give each study a split; what `links.ties` ties together stays together. See `xray.data.split` for what holds.

    Raises DataError if there are too few unrelated groups to give each split that is asked for one.
    """
    before = list(earlier)
    demands = _demands(studies, links=links, earlier=before)
    fixed = {entry.study: entry.split for entry in before if entry.study in demands}
    torn = {study for study, splits in demands.items() if len(splits) > 1 and study not in fixed}
    groups = _groups(studies, links=links, without=torn | fixed.keys())
    free: list[list[str]] = []
    split_of = dict(fixed)
    for members in groups.values():
        wanted = set().union(*(demands[study] for study in members))
        if len(wanted) > 1:
            torn.update(members)
        elif wanted:
            split_of.update(dict.fromkeys(members, wanted.pop()))
        else:
            free.append(members)
    patient_of = {study.study: study.patients[0] for study in studies}
    taken = Counter(dict.fromkeys(split_of.values(), 1))
    for members, split in _free_groups(free, patient_of=patient_of, settings=settings, taken=taken):
        split_of.update(dict.fromkeys(members, split))
    return Assignment(split_of=split_of, joins_splits=frozenset(torn))


def _demands(studies: Sequence[SplitStudy], *, links: Links, earlier: Sequence[Assigned]) -> dict[str, set[Split]]:
    """Return the splits that each study's patient, and the studies it is tied to, are in already."""
    split_of_study = {entry.study: entry.split for entry in earlier}
    splits_of_patient: dict[str, set[Split]] = defaultdict(set)
    for entry in earlier:
        splits_of_patient[entry.patient].add(entry.split)
    demands: dict[str, set[Split]] = {study.study: set() for study in studies}
    for study in studies:
        for patient in study.patients:
            demands[study.study] |= splits_of_patient.get(patient, set())
    for cluster in links.ties:
        names = [studies[member].study for member in cluster.members]
        splits = {split_of_study[name] for name in names if name in split_of_study}
        for name in names:
            demands[name] |= splits
    return demands


def _groups(studies: Sequence[SplitStudy], *, links: Links, without: set[str]) -> dict[str, list[str]]:
    """Return the tied sets of the other studies, each sorted, by their smallest member."""
    sets = DisjointSets()
    for cluster in links.ties:
        names = {studies[member].study for member in cluster.members} - without
        if len(names) > 1:
            sets.join(names)
    groups: dict[str, list[str]] = defaultdict(list)
    for study in sorted({study.study for study in studies} - without):
        groups[sets.root(study)].append(study)
    return groups


def _free_groups(
    groups: Sequence[list[str]], *, patient_of: Mapping[str, str], settings: SplitSettings, taken: Counter[Split]
) -> list[tuple[list[str], Split]]:
    """Assign the groups that nothing decides by the hash of their smallest patient key.

    A split that is asked for and would be empty takes the nearest group of the split that can spare one best.
    """
    members_of = {min(patient_of[study] for study in members): members for members in groups}
    position = {key: _position(key, seed=settings.seed) for key in members_of}
    split_of = {key: settings.by_position(position[key]) for key in members_of}
    for empty in settings.asked():
        sizes = Counter(split_of.values())
        if sizes[empty] + taken[empty]:
            continue
        donors = [split for split in sizes if sizes[split] + taken[split] > 1]
        if not donors:
            raise DataError(
                f"{len(members_of)} unrelated patients cannot be split into {', '.join(settings.asked())}. "
                "Add studies of other patients."
            )
        donor = max(donors, key=lambda split: (sizes[split], split))
        candidates = (key for key in sorted(split_of) if split_of[key] == donor)
        split_of[min(candidates, key=lambda key: settings.distance(position[key], split=empty))] = empty
    return [(members_of[key], split) for key, split in split_of.items()]


def _position(key: str, *, seed: int) -> float:
    """Map a patient to a stable number in [0, 1): the first 53 bits of a hash."""
    digest = hashlib.sha256(f"split\0{seed}\0{key}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
