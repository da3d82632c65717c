"""The Chinese labels beside human annotation: what radiology indexers wrote about the same reports.

    python -m bench.labels_against_gold FOLDER [--errors CLASS] [--part a|b]

FOLDER holds `join.jsonl` (rows with `image_id` "<report>_<k>" and the translated report `zh`), `gold.csv` (report_id,
indexed, 14 classes), `gold_consensus.csv` (13 classes; an empty cell has no consensus) and `gold_attrs.csv` (report_id,
mesh_heading, chexpert_classes, laterality L, R or B), as `data_cards/openi.yaml` describes them. A class that is on
neither side is left out of the macro mean. Uncertain counts as positive, and in a second table for MeSH as negative:
its indexers skip much of what a report only suspects. `--errors` prints the reports of one class that differ, to find
rules that are wrong in general: the rules are not to be fitted to single reports. `--part` keeps the reports of one
half (by a hash of their id): errors are read in part a, part b tells whether the rules hold elsewhere.

A side is compared where a heading of MeSH has one and the report states a finding of the same kind (`KINDS`: an
airspace disease may be called opacity or consolidation) that does not lie in another zone. Where there is one heading
for the left and one for the right, a finding on both sides answers both; a finding on one side answers that one, and
the other heading (whose finding the translation left out) is counted as "of another heading".
"""

import argparse
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from xray.text.labels import CLASSES, LabelledText, concept_class, label
from xray.types import Finding

SIDES = {"L": "left", "R": "right", "B": "bilateral"}
ZONES = {
    "upper": {"upper", "apical"},
    "mid": {"middle"},
    "lower": {"lower", "basal"},
    "retrocardiac": {"lower", "basal"},
    "hilar": {"hilar"},
}
AIRSPACE = frozenset({"opacity", "consolidation", "pneumonia"})
SCAR, LINE = frozenset({"opacity", "pleural_thickening"}), frozenset({"central_line", "drain", "gastric_tube"})
KINDS = {
    **dict.fromkeys(("opacity", "density", "airspace disease", "infiltrate", "consolidation", "pneumonia"), AIRSPACE),
    **dict.fromkeys(("cicatrix", "pulmonary fibrosis"), SCAR),
    **dict.fromkeys(("catheters, indwelling", "tube, inserted"), LINE),
    **dict.fromkeys(("surgical instruments", "sutures", "stents"), frozenset({"other_device"})),
    **dict.fromkeys(("implanted medical device", "medical device"), LINE | {"pacemaker", "other_device"}),
}
"""What a heading of MeSH may be called in a report; for other headings, any concept of their classes."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", choices=CLASSES)
    parser.add_argument("--part", choices=("a", "b"))
    options = parser.parse_args()
    texts = _texts(options.folder / "join.jsonl", part=options.part)
    ours = {name: label(text, profile="mt") for name, text in texts.items()}
    mesh = {row["report_id"]: row for row in _rows(options.folder / "gold.csv") if row["indexed"] == "1"}
    agreed = {row["report_id"]: row for row in _rows(options.folder / "gold_consensus.csv")}
    _table("MeSH (indexed reports)", ours, mesh, classes=CLASSES)
    _table("MeSH, uncertain as negative", ours, mesh, classes=CLASSES, positive=(1,))
    _table("consensus cells", ours, agreed, classes=CLASSES[1:])
    _sides(ours, _rows(options.folder / "gold_attrs.csv"))
    if options.errors:
        _errors(ours, agreed if options.errors != "No Finding" else mesh, texts=texts, name=options.errors)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _texts(path: Path, *, part: str | None) -> dict[str, str]:
    """Return the first translation of each report of a part: its images repeat it."""
    texts: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts.setdefault(row["image_id"].split("_")[0], row["zh"])
    return {name: text for name, text in texts.items() if part in (None, _part(name))}


def _part(report: str) -> str:
    return "ab"[hashlib.sha256(report.encode()).digest()[0] % 2]


def _table(
    title: str,
    ours: Mapping[str, LabelledText],
    gold: Mapping[str, Mapping[str, str]],
    *,
    classes: Sequence[str],
    positive: tuple[int, ...] = (1, -1),
) -> None:
    reports = [name for name in ours if name in gold]
    cells: dict[str, Counter[str]] = {name: Counter() for name in classes}
    for report in reports:
        for name in classes:
            if gold[report][name] != "":
                truth, found = float(gold[report][name]) != 0, ours[report].labels[name] in positive
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
    """Compare the side of each heading with those of the findings it may stand for."""
    sided = [row for row in attributes if row["laterality"] in SIDES and row["report_id"] in ours]
    counts: Counter[str] = Counter()
    for row in sided:
        findings = [finding for finding in ours[row["report_id"]].findings if _may_mean(finding, row)]
        if findings:
            others = [other for other in sided if other["report_id"] == row["report_id"] and other is not row]
            counts[_side(findings, SIDES[row["laterality"]], others=others)] += 1
    total = sum(counts.values())
    print(f"\nside of {total} findings: " + ", ".join(f"{word} {n} ({n / total:.1%})" for word, n in counts.items()))


def _may_mean(finding: Finding, row: Mapping[str, str]) -> bool:
    if finding.assertion == "absent":
        return False
    kinds = KINDS.get(row["mesh_heading"])
    if (
        finding.concept not in kinds
        if kinds
        else concept_class(finding.concept) not in row["chexpert_classes"].split("|")
    ):
        return False
    places = set().union(*(ZONES.get(zone, set()) for zone in row["zone"].split("|")))
    return not places or not finding.zones or not places.isdisjoint(finding.zones)


def _side(findings: Sequence[Finding], side: str, *, others: Sequence[Mapping[str, str]]) -> str:
    stated = {finding.laterality for finding in findings if finding.laterality is not None}
    claimed = {SIDES[row["laterality"]] for row in others if any(_may_mean(finding, row) for finding in findings)}
    if side in stated or (side == "bilateral" and stated >= {"left", "right"}):
        return "right"
    if "bilateral" in stated and {side, *claimed} >= {"left", "right"}:
        return "right"
    if not stated:
        return "not stated"
    if "bilateral" in (side, *stated):
        return "one or both"
    return "of another heading" if stated <= claimed else "wrong"


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
