"""A table as the dashboards show it and hand it out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from app.spreadsheet import safe_cell

Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its 95 % interval, each None where it cannot be computed; `reason` then says why, in words."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def text(self, *, undefined: str) -> str:
        """Write `0.812 [0.790, 0.834]`; where there is no value, `undefined` and the reason."""
        if self.value is None:
            return f"{undefined}：{self.reason}" if self.reason else undefined
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under column names; every row has a cell for each column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> bytes:
        """Return UTF-8 with a byte order mark and CRLF lines, as Excel opens Chinese text; no cell starts a formula."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows([safe_cell(cell) for cell in row] for row in self.rows)
        return stream.getvalue().encode("utf-8-sig")

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def interval_columns(name: str) -> tuple[str, str, str]:
    """Return the names of the three columns of a value with its interval."""
    return (name, f"{name} 2.5%", f"{name} 97.5%")


def spread(values: Sequence[Interval]) -> tuple[Cell, ...]:
    """Return the numbers of several intervals as cells: value, low, high of each."""
    return tuple(cell for found in values for cell in (found.value, found.low, found.high))
