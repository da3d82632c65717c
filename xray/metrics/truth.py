"""A table of labels as the truth: what a film shows, instead of what its report says.

One row per report: an id and up to fourteen columns with the names of CheXpert's classes. 1 present, 0 absent, -1
uncertain, empty not stated: the coding of the CheXpert table (Irvin et al. 2019). `xray phantom` writes one of its
drawn films (labels14.csv); the labels of another data set are mapped to these columns by whoever knows what they mean.
"""

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xray.data.sources.rows import decode_text
from xray.errors import DataError
from xray.text.labels import CLASSES

Labels = Mapping[str, int | None]
ID_COLUMNS = ("id", "study_uid")
PATIENT_COLUMN = "patient_key"
_VALUES: dict[str, int | None] = {"": None, "1": 1, "1.0": 1, "0": 0, "0.0": 0, "-1": -1, "-1.0": -1}
_NEAR = 0.6
_NAMED = 5
_NO_FINDING = "No Finding"
_BESIDE_NO_FINDING = {_NO_FINDING, "Support Devices"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthTable:
    """labels: id -> class -> 1, 0, -1 or None. patients: id -> patient key, None where the table has no such column."""

    labels: dict[str, dict[str, int | None]]
    patients: dict[str, str] | None


def read_truth(path: Path) -> TruthTable:
    """Read a table of labels: a CSV file (UTF-8, UTF-16 or GB18030) with `id` (or `study_uid`) and classes.

    A column `patient_key` names the patients, if known. A class without a column is not known to the table. Raises
    DataError: no such file, an unknown column (with the nearest class), no id or class column, a value that is none, an
    id twice, or no rows.
    """
    header, lines = _read(path)
    key = _check_columns(header, path=path)
    labels: dict[str, dict[str, int | None]] = {}
    patients: dict[str, str] = {}
    for number, cells in lines:
        if len(cells) != len(header):
            raise DataError(f"{path}, line {number}: {len(cells)} cells under {len(header)} columns")
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        name = row[key]
        if not name or name in labels:
            raise DataError(f"{path}, line {number}: " + (f"id {name} stands twice" if name else "no id"))
        labels[name] = {c: _value(row[c], column=c, where=f"{path}, line {number}") for c in CLASSES if c in row}
        patients[name] = row.get(PATIENT_COLUMN) or ""
    if not labels:
        raise DataError(f"{path} has no rows under its header")
    return TruthTable(labels=labels, patients=patients if all(patients.values()) else None)


def judged_classes(truth: Mapping[str, Labels]) -> tuple[str, ...]:
    """Return the classes that a truth knows: those stated of one report at least. Raises DataError as `check_truth`."""
    check_truth(truth)
    return tuple(name for name in CLASSES if any(row.get(name) is not None for row in truth.values()))


def check_truth(truth: Mapping[str, Labels]) -> None:
    """Raise DataError, with the report, for a class or a value that does not exist, or No Finding beside a finding.

    A support device is none (CheXpert: No Finding excludes the twelve others).
    """
    for key, row in truth.items():
        for name, value in row.items():
            if name not in CLASSES:
                raise DataError(f"truth of {key}: {unknown_class(name)}")
            if value not in {1, 0, -1, None}:
                raise DataError(f"truth of {key}: {value!r} is no value of {name}. Use 1, 0, -1 or None.")
    if torn := {key: found for key, row in truth.items() if (found := _beside_no_finding(row))}:
        shown = ", ".join(f"{key} ({found})" for key, found in list(torn.items())[:_NAMED])
        raise DataError(
            f"The truth has No Finding = 1 beside a finding = 1, {len(torn)} times, as of: {shown}. Correct it."
        )


def _beside_no_finding(row: Labels) -> str | None:
    """Return a finding that a row states together with No Finding, or None."""
    if row.get(_NO_FINDING) != 1:
        return None
    return next((name for name in CLASSES if name not in _BESIDE_NO_FINDING and row.get(name) == 1), None)


def unknown_class(name: str) -> str:
    """Say that a class does not exist, and which one comes nearest; all of them where none does."""
    spelled = {known.casefold(): known for known in CLASSES}
    near = difflib.get_close_matches(name.strip().casefold().replace("_", " "), spelled, n=1, cutoff=_NEAR)
    hint = f"Did you mean {spelled[near[0]]!r}?" if near else f"The classes are: {', '.join(CLASSES)}."
    return f"no class is called {name!r}. {hint}"


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text, _ = decode_text(path.read_bytes(), where=str(path))
        reader = csv.reader(io.StringIO(text, newline=""))
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Check its rights.") from None
    except csv.Error as error:
        raise DataError(f"{path} is no CSV table ({error}). Export it again.") from None
    if not rows:
        raise DataError(f"{path} is empty. It needs a header: id and the classes.")
    return [cell.strip() for cell in rows[0][1]], rows[1:]


def _check_columns(header: Sequence[str], *, path: Path) -> str:
    """Return the column of the ids."""
    keys = [name for name in header if name in ID_COLUMNS]
    if len(keys) != 1:
        raise DataError(f"{path} needs one column {' or '.join(ID_COLUMNS)}; it has {len(keys)}")
    for name in header:
        if name not in (*CLASSES, *ID_COLUMNS, PATIENT_COLUMN):
            raise DataError(f"{path}: {unknown_class(name)} Remove or rename the column.")
    if len(set(header)) < len(header) or not set(header) & set(CLASSES):
        raise DataError(
            f"{path} needs at least one class, and each column once. The classes are: {', '.join(CLASSES)}."
        )
    return keys[0]


def _value(cell: str, *, column: str, where: str) -> int | None:
    if cell not in _VALUES:
        raise DataError(f"{where}: {cell!r} is no value of {column}. Use 1, 0, -1 or nothing.")
    return _VALUES[cell]
