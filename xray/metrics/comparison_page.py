"""Two systems as one page: what differs, by how much and by chance or not, and the reports where it shows most."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xray.metrics.corpus import Corpus
from xray.metrics.frames import weight_at_stake
from xray.metrics.marks import MarkedReports, Segment, mark_reference, mark_reports
from xray.metrics.meanings import MEANINGS
from xray.metrics.page import MetricRow, coverage_rows, render
from xray.metrics.sums import part
from xray.metrics.systems import Difference, SystemComparison
from xray.metrics.wording import joined_warnings, number_text, probability_text, value_text

SHOWN = 10
"""How many reports the page shows of each system where it is the better one."""
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One of two systems: its name, its reports by id, and what `build_corpus` made of them."""

    name: str
    texts: Mapping[str, str]
    corpus: Corpus


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDifference:
    """One study: the reference, and of each system its name, its frame F1 and its marked report."""

    id: str
    reference: tuple[Segment, ...]
    systems: tuple[tuple[str, str, MarkedReports], ...]


def comparison_page(comparison: SystemComparison, *, a: System, b: System, references: Mapping[str, str]) -> str:
    """Return the page as HTML. The corpora must hold reference reports."""
    gains = frame_gains(a.corpus, b.corpus)
    sides = [("B", [name for name in gains if gains[name] > 0]), ("A", [name for name in gains if gains[name] < 0])]
    shown = [
        (system, len(names), [_shown(name, a=a, b=b, reference=references[name]) for name in names[:SHOWN]])
        for system, names in sides
    ]
    return render(
        "comparison.html.j2",
        title=f"{b.name} vs. {a.name}",
        a=a.name,
        b=b.name,
        comparison=comparison,
        rows=[_row(name, one) for name, one in comparison.metrics.items()],
        tested=sum(one.p is not None for one in comparison.metrics.values()),
        coverage=coverage_rows(comparison.coverage),
        sides=shown,
        warnings=joined_warnings(comparison.warnings),
        signatures=list(dict.fromkeys(one.signature for one in comparison.metrics.values())),
    )


def frame_gains(first: Corpus, second: Corpus) -> dict[str, float]:
    """Return id -> frame F1 of the second minus that of the first, without the reports where it is equal.

    Sorted by the difference times the weight of the findings at stake: a missed pneumothorax before a worn vertebra.
    """
    ours, theirs = (corpus.metrics["frame_f1"](corpus.rows) for corpus in (second, first))
    stakes = [weight_at_stake(part(corpus.rows, "frames")) for corpus in (first, second)]
    gains = ours - theirs
    order = np.argsort(-np.abs(gains) * np.maximum(*stakes), kind="stable")
    return {first.ids[place]: float(gains[place]) for place in order if abs(gains[place]) > _EQUAL}


def _shown(name: str, *, a: System, b: System, reference: str) -> ShownDifference:
    profile = a.corpus.profile
    systems = []
    for label, system in (("A", a), ("B", b)):
        row = system.corpus.rows[system.corpus.ids.index(name)]
        score = number_text(float(system.corpus.metrics["frame_f1"](row)))
        marked = mark_reports(system.texts[name], reference=reference, profile=profile)
        systems.append((f"{label} {system.name}", score, marked))
    generated = [system.texts[name] for system in (a, b)]
    return ShownDifference(
        id=name,
        reference=mark_reference(reference, generated=generated, profile=profile),
        systems=tuple(systems),
    )


def _row(name: str, one: Difference) -> MetricRow:
    meaning = MEANINGS[name]
    difference = value_text(one.difference, low=one.low, high=one.high)
    better = ""
    if one.significant and one.difference is not None:
        better = "B" if (one.difference > 0) == meaning.higher else "A"
    return MetricRow(
        name=name,
        meaning=meaning,
        cells=(
            number_text(one.a),
            number_text(one.b),
            difference if one.difference is None or one.difference < 0 else f"+{difference}",
            probability_text(one.p),
            probability_text(one.p_holm),
        ),
        better=better,
    )
