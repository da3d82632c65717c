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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xray.data.assignments import Assigned, assign
from xray.data.groups import SplitStudy, find_links
from xray.data.leakage import LeakageReport, refuse_leaks
from xray.data.leakage import leakage as count_leaks
from xray.data.perceptual import Pixels
from xray.data.split_settings import SplitSettings
from xray.errors import DataError, Rejected
from xray.types import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitResult:
    """The split of each study that has one, why each other has none, and what crosses all the same (templates)."""

    split_of: Mapping[str, Split]
    refused: Mapping[str, Rejected]
    leakage: LeakageReport


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
    report = count_leaks(studies, splits=[split_of.get(study.study) for study in studies], links=links)
    refuse_leaks(report)
    return SplitResult(split_of=split_of, refused={study: _joins_splits() for study in sorted(torn)}, leakage=report)


def _joins_splits() -> Rejected:
    return Rejected(
        "joins_splits",
        "the study shares a patient, a film or a report with studies in different splits, which may not change; "
        "prepare the data without the earlier splits to use it",
    )
