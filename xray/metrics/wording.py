"""How scores are written, on a terminal and on a page: numbers, intervals, probabilities and warnings."""

from collections.abc import Iterable

from xray.metrics.statistics import Estimate

NO_VALUE = "–"


def number_text(value: float | None) -> str:
    """Write a score with three decimals, and a dash where there is none."""
    return NO_VALUE if value is None else f"{value:.3f}"


def interval_text(low: float | None, high: float | None) -> str:
    """Write an interval as [low, high]; nothing where there is none."""
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def value_text(value: float | None, *, low: float | None, high: float | None) -> str:
    """Write a score with its interval, as far as there are any."""
    return f"{number_text(value)} {interval_text(low, high)}".rstrip()


def estimate_text(estimate: Estimate | None) -> str:
    """Write an estimate with its interval; a dash for None."""
    return NO_VALUE if estimate is None else value_text(estimate.value, low=estimate.low, high=estimate.high)


def share_text(value: float | None) -> str:
    """Write a share in percent."""
    return NO_VALUE if value is None else f"{value:.0%}"


def probability_text(value: float | None) -> str:
    """Write a p value with two digits that count."""
    return NO_VALUE if value is None else f"{value:.2g}"


def joined_warnings(warnings: Iterable[str]) -> list[str]:
    """Make one line of all warnings "what: of whom" that warn of the same."""
    by_text: dict[str, list[str]] = {}
    for warning in warnings:
        text, _, of = warning.rpartition(": ")
        by_text.setdefault(text, []).append(of)
    return [f"{text}: {', '.join(of_all)}" for text, of_all in by_text.items()]
