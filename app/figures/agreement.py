"""How far readers agree with each other, with themselves, and scores with them; the raw share is always beside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from app.figures.ratings import Item, Ratings, Reading, Scale, ratings
from app.run import ADAPTER_SYSTEM, Run
from xray.metrics.agreement import (
    Agreement,
    Level,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    icc,
    kendall_tau,
    krippendorff_alpha,
    ratings_table,
)

COEFFICIENTS = ("cohen", "fleiss", "alpha", "ac1", "icc")
MOST_PAIRS = 45
"""Pairs of ten readers: more fill no table that anyone reads."""
_LEVELS: Mapping[Scale, Level] = {"nominal": "nominal", "ordinal": "ordinal", "count": "interval"}
_Report = tuple[str, str, str]
"""Run, system and case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAgreement:
    """One item between all its readers. A coefficient that does not fit the item's scale or readers is None.

    raw: share of agreeing pairs of ratings, None without pairs; units: those rated twice or more; readers: all who
    rated one.
    """

    item: Item
    units: int
    readers: int
    raw: float | None
    coefficients: Mapping[str, Agreement | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Cohen's kappa of two readers, or of a reader's first and second look (then both names are the same)."""

    item: Item
    first: str
    second: str
    kappa: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanScore:
    """How a metric goes with what readers said, over the units that have both: Kendall's tau-b.

    A verdict counts 0 for accept, 1 for edit and 2 for reject. Several readers of a unit are averaged.
    """

    metric: str
    item: Item
    tau: Agreement


def between_readers(items: Iterable[Item], readings: Sequence[Reading]) -> tuple[ItemAgreement, ...]:
    """Return the agreement of the readers on each item. Repeats and sentinels take no part."""
    first_looks = [one for one in readings if one.task is None or one.task.purpose == "study"]
    return tuple(_item_agreement(ratings(item, first_looks)) for item in items)


def pairs_of_readers(item: Item, readings: Sequence[Reading]) -> tuple[PairAgreement, ...]:
    """Return Cohen's kappa of every two readers on an item, up to `MOST_PAIRS`."""
    rows = ratings(item, [one for one in readings if one.task is None or one.task.purpose == "study"]).rows
    readers = sorted({reader for _, reader, _ in rows})
    pairs = list(combinations(readers, 2))[:MOST_PAIRS]
    return tuple(
        PairAgreement(
            item=item,
            first=first,
            second=second,
            kappa=_cohen(item, [row for row in rows if row[1] in (first, second)]),
        )
        for first, second in pairs
    )


def within_readers(items: Iterable[Item], readings: Sequence[Reading]) -> tuple[PairAgreement, ...]:
    """Return how each reader agrees with themselves on the cases that they were shown again."""
    again = {(one.reader, one.unit) for one in readings if one.task is not None and one.task.purpose == "repeat"}
    looks = [one for one in readings if one.task is not None and (one.reader, one.unit) in again]
    readers = sorted({reader for reader, _ in again})
    return tuple(
        PairAgreement(
            item=item, first=reader, second=reader, kappa=_cohen(item, ratings(item, _looks(looks, reader)).rows)
        )
        for item in items
        for reader in readers
    )


def scores_and_readers(
    items: Iterable[Item], readings: Sequence[Reading], *, runs: Mapping[str, Run], metrics: Sequence[str]
) -> tuple[HumanScore, ...]:
    """Correlate the metrics of single reports with the items that have an order: verdict, errors, scales and counts.

    Only reviews of one report count, of a run in `runs`. Outside of studies the judged text has to be the present one.
    """
    judged = [(one, report) for one in readings if (report := _judged_report(one, runs=runs)) is not None]
    counted, reports = [one for one, _ in judged], {one.unit: report for one, report in judged}
    found = []
    for item in items:
        if item.scale == "nominal" and item.topic != "verdict":
            continue
        said: dict[str, list[float]] = {}
        for unit, _, value in ratings(item, counted).rows:
            said.setdefault(unit, []).append(value)
        if not said:
            continue
        human = np.array([sum(values) / len(values) for values in said.values()])
        for metric in metrics:
            automatic = np.array([_score(reports[unit], metric, runs=runs) for unit in said], dtype=np.float64)
            found.append(HumanScore(metric=metric, item=item, tau=kendall_tau(automatic, human)))
    return tuple(found)


def _item_agreement(found: Ratings) -> ItemAgreement:
    item = found.item
    if not found.rows:
        return ItemAgreement(item=item, units=0, readers=0, raw=None, coefficients=dict.fromkeys(COEFFICIENTS))
    table = ratings_table(found.rows)
    alpha = krippendorff_alpha(table, level=_LEVELS[item.scale])
    is_nominal = item.scale == "nominal"
    return ItemAgreement(
        item=item,
        units=alpha.units,
        readers=table.shape[1],
        raw=alpha.raw,
        coefficients={
            "cohen": _cohen(item, found.rows) if table.shape[1] == 2 else None,
            "fleiss": fleiss_kappa(table) if is_nominal else None,
            "alpha": alpha,
            "ac1": gwet_ac1(table) if is_nominal else None,
            "icc": None if is_nominal else icc(table),
        },
    )


def _cohen(item: Item, rows: Sequence[tuple[str, str, float]]) -> Agreement:
    table = ratings_table(rows) if rows else np.full((0, 2), np.nan)
    if table.shape[1] < 2:
        table = np.column_stack([table, np.full(len(table), np.nan)])
    return cohen_kappa(table, weights="none" if item.scale == "nominal" else "quadratic")


def _looks(readings: Iterable[Reading], reader: str) -> list[Reading]:
    """Return a reader's readings as if the second look were of another person."""
    own = (one for one in readings if one.reader == reader)
    return [replace(one, reader="2" if one.task is not None and one.task.purpose == "repeat" else "1") for one in own]


def _judged_report(reading: Reading, *, runs: Mapping[str, Run]) -> _Report | None:
    """Return (run, system, case) of the one report that was judged, None where it has no scores of its own."""
    task = reading.task
    if task is not None:
        origins = list(task.origins.values())
        if task.purpose != "study" or len(origins) != 1 or origins[0].run_id not in runs:
            return None
        return origins[0].run_id, origins[0].system, task.case_id
    run_id, case_id, text_sha256 = reading.unit.split("\0")
    case = runs[run_id].case(case_id) if run_id in runs else None
    is_present = case is not None and case.generated_sha256 == text_sha256
    return (run_id, ADAPTER_SYSTEM, case_id) if is_present else None


def _score(report: _Report, metric: str, *, runs: Mapping[str, Run]) -> float:
    run_id, system, case_id = report
    value = runs[run_id].scores.per_report.get(system, {}).get(case_id, {}).get(metric)
    return float("nan") if value is None else value
