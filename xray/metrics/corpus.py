"""The reports to score as rows of numbers: ids checked, texts labelled, a table of labels as truth."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from xray.errors import ConfigError, DataError
from xray.han import HAN
from xray.metrics import lexical
from xray.metrics.cider import ReferenceFrequencies
from xray.metrics.coverage import Coverage, coverage
from xray.metrics.label_sums import ALL_METRICS, LABEL_METRICS, label_row
from xray.metrics.sums import Metric, part, row
from xray.metrics.truth import Labels, judged_classes
from xray.text.labels import CLASSES, LabelledText, label
from xray.text.lexicon import PROFILES, Profile

FloatArray = NDArray[np.float64]

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One system's reports beside their truth, in the order of the sorted ids.

    rows: float64 [N, K] for `label_sums.ALL_METRICS`. keys: N patient keys, the ids where no patients are known.
    judged: the classes that the truth knows. tabled: whether a table of labels is the truth, and not the reference
    reports. referenced: whether there are reference reports. split: `split_hash`. empty, foreign: how many predictions
    have no text, and text without a Chinese character, in which no finding can be read.
    """

    ids: tuple[str, ...]
    rows: FloatArray
    keys: tuple[str, ...]
    grouped: bool
    judged: tuple[str, ...]
    tabled: bool
    referenced: bool
    profile: Profile
    split: str
    empty: int
    foreign: int

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics that can be computed: those of the labels alone where there are no reference reports."""
        return {name: metric for name, metric in ALL_METRICS.items() if self.referenced or name in LABEL_METRICS}

    @property
    def coverage(self) -> dict[str, Coverage]:
        """What is said of the findings in the reports of each author: `candidate`, and `reference` if there is one."""
        sums = self.rows.sum(axis=0)
        authors = ("candidate", "reference") if self.referenced else ("candidate",)
        return {author: coverage(part(sums, f"{author}_told")) for author in authors}

    @property
    def units(self) -> int:
        """Number of patients, of reports where no patients are known."""
        return len(set(self.keys))

    @property
    def unit(self) -> str:
        """What is resampled and exchanged as a whole."""
        return "patients" if self.grouped else "reports"


def build_corpus(
    predictions: Mapping[str, str],
    references: Mapping[str, str] | None,
    *,
    profile: Profile,
    groups: Mapping[str, str] | None,
    truth: Mapping[str, Labels] | None,
) -> Corpus:
    """Check the ids of all mappings and compute the rows.

    Raises DataError, naming ids, when they differ, a text is none, a patient key or a truth is missing, or nothing is
    to score, and ConfigError for an unknown profile. The truth may know more reports than there are.
    """
    if profile not in PROFILES:
        raise ConfigError(f"Unknown profile {profile!r}. Use one of: {', '.join(PROFILES)}.")
    ids = _checked_ids(predictions, references, groups=groups, truth=truth)
    judged = judged_classes({name: truth[name] for name in ids}) if truth is not None else CLASSES
    frequencies = ReferenceFrequencies.of(references[name] for name in ids) if references is not None else None
    rows = [
        _row(
            predictions[name],
            references[name] if references is not None else "",
            profile=profile,
            truth=truth[name] if truth is not None else None,
            judged=judged,
            frequencies=frequencies,
        )
        for name in ids
    ]
    return Corpus(
        ids=tuple(ids),
        rows=np.stack(rows),
        keys=tuple(groups[name] for name in ids) if groups is not None else tuple(ids),
        grouped=groups is not None,
        judged=judged,
        tabled=truth is not None,
        referenced=references is not None,
        profile=profile,
        split=split_hash(ids, groups),
        empty=sum(not predictions[name].strip() for name in ids),
        foreign=sum(bool(predictions[name].strip()) and not HAN.search(predictions[name]) for name in ids),
    )


def split_hash(ids: Iterable[str], groups: Mapping[str, str] | None) -> str:
    """Return the sha256 of the sorted ids with their patient keys (null where unknown), in 64 hex digits.

    Scores compare only where it is the same: it names the reports, not their texts.
    """
    named = [[name, groups[name] if groups is not None else None] for name in sorted(ids)]
    return hashlib.sha256(json.dumps(named, ensure_ascii=False, separators=(",", ":")).encode("utf-8")).hexdigest()


def index_by_id(rows: Iterable[tuple[str, str]], *, source: str) -> dict[str, str]:
    """Collect (id, text) rows of a file. Raises DataError naming the ids that occur twice; `source` names the file."""
    texts: dict[str, str] = {}
    repeated: list[str] = []
    for name, text in rows:
        if name in texts:
            repeated.append(name)
        texts[name] = text
    if repeated:
        raise DataError(f"{source}: {some_ids(repeated)} more than once. Keep one report per id.")
    return texts


def _checked_ids(
    predictions: Mapping[str, str],
    references: Mapping[str, str] | None,
    *,
    groups: Mapping[str, str] | None,
    truth: Mapping[str, Labels] | None,
) -> list[str]:
    if references is None and truth is None:
        raise DataError("There is nothing to score against. Give reference reports, a truth, or both.")
    wanted = predictions if references is None else references
    if not wanted:
        raise DataError("There are no reference reports to score against. Give at least one.")
    for source, texts in (("prediction", predictions), ("reference", references or {})):
        _check_texts(texts, source=source)
    missing = [name for name in wanted if name not in predictions]
    extra = [name for name in predictions if name not in wanted]
    if missing and extra:
        raise DataError(
            f"The ids do not match: no prediction for {some_ids(missing)}; no reference for {some_ids(extra)}. "
            "Spell them alike on both sides."
        )
    if missing:
        raise DataError(f"Predictions are missing for {some_ids(missing)}. Generate them, or leave out the references.")
    if extra:
        raise DataError(f"There is no reference for {some_ids(extra)}. Add them, or leave out the predictions.")
    if groups is not None and (unknown := [name for name in wanted if name not in groups]):
        raise DataError(f"There is no patient key for {some_ids(unknown)}. Give one per report, or none at all.")
    if truth is not None and (unlabelled := [name for name in wanted if name not in truth]):
        raise DataError(
            f"There is no truth for {some_ids(unlabelled)}; it has {some_ids(truth)}. Add labels, or leave out reports."
        )
    if references is not None and not any(lexical.tokens(text) for text in references.values()):
        raise DataError("All reference reports are empty. Is the text column the right one?")
    return sorted(wanted)


def _row(
    candidate: str,
    reference: str,
    *,
    profile: Profile,
    truth: Labels | None,
    judged: tuple[str, ...],
    frequencies: ReferenceFrequencies | None,
) -> FloatArray:
    """Row of one report. A truth replaces the labels of the reference; what it does not know, neither side states."""
    ours, theirs = _labelled(candidate, profile), _labelled(reference, profile)
    if truth is not None:
        known = {name: ours.labels[name] if name in judged else None for name in CLASSES}
        ours = LabelledText(labels=known, findings=ours.findings)
        theirs = LabelledText(labels={name: truth.get(name) for name in CLASSES}, findings=theirs.findings)
    common = row(candidate, reference, ours=ours, theirs=theirs, frequencies=frequencies)
    return np.append(common, label_row(ours, theirs))


@lru_cache(maxsize=20_000)
def _labelled(text: str, profile: Profile) -> LabelledText:
    """Labels of a text; systems of one table share their references, and constant baselines their only report."""
    return label(text, profile=profile)


def some_ids(names: Collection[str]) -> str:
    """Write how many ids there are, and the first of them."""
    shown = ", ".join(sorted(map(_spelled, names))[:_NAMED])
    count = f"{len(names)} id" + ("s" if len(names) > 1 else "")
    return f"{count}: {shown}" + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _spelled(name: object) -> str:
    """Write an id; one that is no string tells what it is, since 1 and "1" are two ids."""
    return name if isinstance(name, str) else f"{name!r} ({type(name).__name__})"


def _check_texts(texts: Mapping[str, str], *, source: str) -> None:
    for name, text in texts.items():
        if not isinstance(text, str):
            raise DataError(
                f"{source} of {_spelled(name)}: {type(text).__name__} is no text. Give a string, '' for none."
            )
