"""What stands in more than one split, and the refusal to train on it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xray.data.groups import ClusterKind, Links, SplitStudy
from xray.errors import DataError
from xray.types import Split

MOST_EXAMPLES = 5
_NEVER: tuple[ClusterKind, ...] = ("patients", "studies", "images", "near_images")
_WORDS: Mapping[ClusterKind, str] = {
    "patients": "patients",
    "studies": "studies",
    "images": "identical films",
    "near_images": "nearly identical films",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageReport:
    """How many things stand in more than one split; a split by group has 0 of all but templates.

    Patients, studies, `images` (the same rendered pixels), `near_images` (pairs), `reports` (telling texts that few
    patients share), `near_reports` (pairs) and `templates` (texts or pictures that many share, which is legitimate), as
    `xray.data.groups` finds them. `held_out` counts the entries of val and test, `exposed` those of them that are tied
    to an entry of train. `examples` holds up to five pairs of studies, by the ids they were given, for each kind.
    """

    patients: int = 0
    studies: int = 0
    images: int = 0
    near_images: int = 0
    reports: int = 0
    near_reports: int = 0
    templates: int = 0
    held_out: int = 0
    exposed: int = 0
    examples: Mapping[ClusterKind, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return all numbers by name, as a store or a run records them."""
        names = (*_NEVER, "reports", "near_reports", "templates", "held_out", "exposed")
        return {name: getattr(self, name) for name in names}


def leakage(studies: Sequence[SplitStudy], *, splits: Sequence[Split | None], links: Links) -> LeakageReport:
    """Count what crosses. `splits` gives the split of each of `studies`, None for one that is left out.

    `links` are `find_links(studies)`.
    """
    counts: Counter[ClusterKind] = Counter()
    examples: dict[ClusterKind, list[tuple[str, str]]] = defaultdict(list)
    exposed: set[int] = set()
    for cluster in (*links.ties, *links.templates):
        members = [member for member in cluster.members if splits[member] is not None]
        other = next((member for member in members if splits[member] != splits[members[0]]), None)
        if other is None:
            continue
        counts[cluster.kind] += 1
        if len(examples[cluster.kind]) < MOST_EXAMPLES:
            examples[cluster.kind].append((studies[members[0]].study, studies[other].study))
        if cluster.kind != "templates" and any(splits[member] == "train" for member in members):
            exposed.update(member for member in members if splits[member] != "train")
    return LeakageReport(
        **{str(kind): number for kind, number in counts.items()},
        held_out=sum(split in ("val", "test") for split in splits),
        exposed=len(exposed),
        examples={kind: tuple(pairs) for kind, pairs in examples.items()},
    )


def refuse_leaks(report: LeakageReport) -> None:
    """Raise DataError if a patient, a study or a film stands in more than one split; shared texts are only reported."""
    found = [f"{number} {_WORDS[kind]}" for kind in _NEVER if (number := getattr(report, kind))]
    if not found:
        return
    raise DataError(
        f"The splits leak: {', '.join(found)} stand in more than one of them, and {report.exposed} of the "
        f"{report.held_out} entries for validation and test are known from training. Split by patient: leave the "
        "declared splits out, or declare one split for all studies that belong together. Data that were split before "
        "are split afresh in a new store."
    )
