"""Plots as SVG texts, drawn here so that nothing is loaded from elsewhere and each can be kept as a file.

Shapes and words carry the meaning, colour only repeats it; marks and texts have a contrast of 4.5:1 and more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from app.figures.table import Interval

WIDTH = 860
_INK, _MUTED, _LINE, _MARK, _OTHER = "#1c2530", "#56616e", "#cfd6de", "#1d4f91", "#6b7683"
_FONT = "font-family=\"system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif\""
_LABEL_WIDTH, _VALUE_WIDTH, _ROW = 250, 180, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of an interval plot. `is_marked` is the one that the plot is about."""

    label: str
    value: Interval
    is_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of a bar plot: `count` is its height, `label` stands below it."""

    label: str
    count: int


def interval_plot(
    rows: Sequence[Row], *, title: str, undefined: str, low: float = 0.0, high: float = 1.0, zero: float | None = None
) -> str:
    """Draw values (a diamond where marked, else a dot) with their intervals, one below the other, from low to high.

    zero: where a dashed line stands, such as the difference of nothing. Values outside of the axis end at its border.
    """
    left, right = _LABEL_WIDTH, WIDTH - _VALUE_WIDTH
    top, bottom = 44, 44 + _ROW * len(rows)

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return left + share * (right - left)

    parts = [_text(8, 22, title, size=15, bold=True)]
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(_line(place(value), top - 6, place(value), bottom, colour=_LINE))
        parts.append(_text(place(value), bottom + 18, f"{value:.2f}", anchor="middle", colour=_MUTED, size=12))
    if zero is not None:
        parts.append(_line(place(zero), top - 6, place(zero), bottom, colour=_INK, dash="5 4"))
    for number, row in enumerate(rows):
        y = top + _ROW * number + _ROW / 2 - 4
        parts.append(_text(left - 12, y + 4, row.label, anchor="end", bold=row.is_marked))
        parts.append(_text(right + 12, y + 4, row.value.text(undefined=undefined), size=12, colour=_MUTED))
        if row.value.value is not None:
            parts += _mark(row, y=y, x=place(row.value.value), ends=_ends(row.value, place))
    return _svg(parts, height=bottom + 30, title=title)


def bar_plot(bars: Sequence[Bar], *, title: str, axis: str) -> str:
    """Draw counts as bars with their numbers on top; `axis` names what the labels below are."""
    left, right, top, bottom = 20, WIDTH - 20, 50, 230
    most = max((bar.count for bar in bars), default=0) or 1
    step = (right - left) / max(1, len(bars))
    every = -(-len(bars) // 12)  # so many labels fit beside each other
    parts = [_text(8, 22, title, size=15, bold=True), _line(left, bottom, right, bottom, colour=_INK)]
    for number, bar in enumerate(bars):
        height = (bottom - top) * bar.count / most
        x, width = left + step * number, max(1.0, min(step - 4, 60))
        middle = x + step / 2
        parts.append(
            f'<rect x="{middle - width / 2:.1f}" y="{bottom - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{_MARK}"/>'
        )
        if bar.count and step > 16:
            parts.append(_text(middle, bottom - height - 5, str(bar.count), anchor="middle", size=12))
        if number % every == 0:
            parts.append(_text(middle, bottom + 17, bar.label, anchor="middle", size=11, colour=_MUTED))
    parts.append(_text((left + right) / 2, bottom + 38, axis, anchor="middle", size=12, colour=_MUTED))
    return _svg(parts, height=bottom + 50, title=title)


def _ends(value: Interval, place: Callable[[float], float]) -> tuple[float, float] | None:
    return (place(value.low), place(value.high)) if value.low is not None and value.high is not None else None


def _mark(row: Row, *, y: float, x: float, ends: tuple[float, float] | None) -> list[str]:
    colour = _MARK if row.is_marked else _OTHER
    parts = []
    if ends:
        parts.append(_line(ends[0], y, ends[1], y, colour=colour, width=2))
        parts += [_line(end, y - 5, end, y + 5, colour=colour, width=2) for end in ends]
    if row.is_marked:
        corners = f"{x:.1f},{y - 7:.1f} {x + 7:.1f},{y:.1f} {x:.1f},{y + 7:.1f} {x - 7:.1f},{y:.1f}"
        return [*parts, f'<polygon points="{corners}" fill="{colour}"/>']
    return [*parts, f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>']


def _svg(parts: Sequence[str], *, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" {_FONT}><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _text(
    x: float, y: float, text: str, *, size: int = 13, anchor: str = "start", colour: str = _INK, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>'
        f"{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, *, colour: str, width: float = 1, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashes}/>'
    )
