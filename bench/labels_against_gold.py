"""The Chinese labels beside human annotation: what radiology indexers wrote about the same reports.

    python -m bench.labels_against_gold FOLDER [--errors CLASS]

FOLDER holds `join.jsonl` (rows with `image_id` "<report>_<k>" and the translated report `zh`), `gold.csv` (report_id,
indexed, 14 classes), `gold_consensus.csv` (13 classes; an empty cell has no consensus) and `gold_attrs.csv` (report_id,
mesh_heading, chexpert_classes, laterality L, R or B), as `data_cards/openi.yaml` describes them. Uncertain counts as
positive; a class that is on neither side is left out of the macro mean. `--errors` prints the reports of one class that
differ, to find rules that are wrong in general: the rules are not to be fitted to single reports.
"""

import argparse
import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from xray.text.labels import CLASSES, LabelledText, concept_class, label

SIDES = {"L": "left", "R": "right", "B": "bilateral"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", choices=CLASSES)
    options = parser.parse_args()
    texts = _texts(options.folder / "join.jsonl")
    ours = {name: label(text, profile="mt") for name, text in texts.items()}
    mesh = {row["report_id"]: row for row in _rows(options.folder / "gold.csv") if row["indexed"] == "1"}
    agreed = {row["report_id"]: row for row in _rows(options.folder / "gold_consensus.csv")}
    _table("MeSH (indexed reports)", ours, mesh, classes=CLASSES)
    _table("consensus cells", ours, agreed, classes=CLASSES[1:])
    _sides(ours, _rows(options.folder / "gold_attrs.csv"))
    if options.errors:
        _errors(ours, agreed if options.errors != "No Finding" else mesh, texts=texts, name=options.errors)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _texts(path: Path) -> dict[str, str]:
    """Return the first translation of each report: its images repeat it."""
    texts: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts.setdefault(row["image_id"].split("_")[0], row["zh"])
    return texts


def _table(
    title: str, ours: Mapping[str, LabelledText], gold: Mapping[str, Mapping[str, str]], *, classes: Sequence[str]
) -> None:
    reports = [name for name in ours if name in gold]
    cells: dict[str, Counter[str]] = {name: Counter() for name in classes}
    for report in reports:
        for name in classes:
            if gold[report][name] != "":
                truth, found = float(gold[report][name]) != 0, ours[report].labels[name] in (1, -1)
                cells[name]["tp" if truth and found else "fn" if truth else "fp" if found else "tn"] += 1
    scores = {name: score for name, cell in cells.items() if (score := _f1(cell)) is not None}
    total = sum(cells.values(), Counter[str]())
    print(f"\n{title}: {len(reports)} reports")
    for name, cell in cells.items():
        shown = "  –  " if name not in scores else f"{scores[name]:.3f}"
        print(f"  {name:28s} F1 {shown}   tp {cell['tp']:4d}  fp {cell['fp']:4d}  fn {cell['fn']:4d}")
    micro = _f1(total) or 0.0
    print(f"  macro-{len(classes)} {sum(scores.values()) / len(scores):.3f}   micro-{len(classes)} {micro:.3f}")


def _f1(cell: Counter[str]) -> float | None:
    found = 2 * cell["tp"] + cell["fp"] + cell["fn"]
    return None if found == 0 else 2 * cell["tp"] / found


def _sides(ours: Mapping[str, LabelledText], attributes: Sequence[Mapping[str, str]]) -> None:
    """Compare the side of the findings of a class with that of the heading, where both the report and MeSH have one."""
    counts: Counter[str] = Counter()
    for row in attributes:
        side = SIDES.get(row["laterality"])
        if side is None or row["report_id"] not in ours:
            continue
        classes = row["chexpert_classes"].split("|")
        found = [
            finding.laterality
            for finding in ours[row["report_id"]].findings
            if finding.assertion != "absent" and concept_class(finding.concept) in classes
        ]
        if found:
            counts[_side(found, side)] += 1
    total = sum(counts.values())
    print(f"\nside of {total} findings: " + ", ".join(f"{word} {n} ({n / total:.1%})" for word, n in counts.items()))


def _side(found: Sequence[str | None], side: str) -> str:
    stated = {one for one in found if one is not None}
    if side in stated or (side == "bilateral" and stated >= {"left", "right"}):
        return "right"
    if not stated:
        return "not stated"
    return "one or both" if "bilateral" in (side, *stated) else "wrong"


def _errors(
    ours: Mapping[str, LabelledText], gold: Mapping[str, Mapping[str, str]], *, texts: Mapping[str, str], name: str
) -> None:
    for report, labelled in ours.items():
        if report not in gold or gold[report][name] == "":
            continue
        truth, found = float(gold[report][name]) != 0, labelled.labels[name] in (1, -1)
        if truth != found:
            spans = [
                texts[report][slice(*finding.span)]
                for finding in labelled.findings
                if concept_class(finding.concept) == name and finding.assertion != "absent"
            ]
            print(f"\n{report} {'missed' if truth else 'false'} {spans}\n  {texts[report]}")


if __name__ == "__main__":
    main()
