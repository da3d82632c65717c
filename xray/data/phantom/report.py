"""A small grammar that says in Chinese exactly what was drawn, and denies only what was not."""

from collections.abc import Sequence

import numpy as np

from xray.data.phantom.base_wording import BASE_WORDING
from xray.data.phantom.demo_wording import DEMO_WORDING
from xray.data.phantom.study import DrawnFinding, PhantomStudy, Style
from xray.data.phantom.wording import DEVICE_CONCEPTS, Wording

WORDINGS = {Style.DEMO: DEMO_WORDING, Style.BASE: BASE_WORDING}
_SIDE = {"left": "左", "right": "右", "bilateral": "双", None: ""}
_ZONE = {"upper": "上", "middle": "中", "lower": "下", None: ""}
_AMOUNT = {"mild": "少量", "moderate": "中等量", "severe": "大量", None: ""}
_DEGREE = {"mild": "轻度", "moderate": "中度", "severe": "明显", None: ""}
_COLLAPSED_PERCENT = {"mild": 30, "severe": 70}


def write_report(study: PhantomStudy, *, style: Style) -> str:
    """Return the report of a study in one hospital's wording; the same study gives the same text.

    Every drawn finding is stated once (in `DEMO` again in the impression). Nothing that was drawn is denied.
    """
    rng = np.random.default_rng([study.seed, 4])
    wording = WORDINGS[style]
    body = _pick(wording.opening, rng=rng) + "。".join(_sentences(study, wording=wording, rng=rng)) + "。"
    if not wording.impression_opening:
        return body
    return f"{body}\n{wording.impression_opening}{_impression(study, wording=wording, rng=rng)}。"


def _sentences(study: PhantomStudy, *, wording: Wording, rng: np.random.Generator) -> list[str]:
    """Give each finding a sentence of its own; normal statements that follow each other share one."""
    shown = {finding.concept for finding in study.findings}
    sentences: list[str] = []
    normals: list[str] = []
    for name in _order(wording, rng=rng):
        finding = study.get(name)
        if finding is not None:
            sentences += _joined(normals)
            normals = []
            sentences.append(_fill(_pick(wording.present[name], rng=rng), finding))
        elif name in wording.normal:
            normal = wording.normal[name]
            if rng.random() < normal.share and shown.isdisjoint(normal.unless):
                normals.append(_pick(normal.variants, rng=rng))
    return sentences + _joined(normals)


def _joined(clauses: Sequence[str]) -> list[str]:
    return ["，".join(clauses)] if clauses else []


def _order(wording: Wording, *, rng: np.random.Generator) -> list[str]:
    """Devices come first or last, as the reader happens to notice them."""
    devices = [concept for concept in wording.present if concept in DEVICE_CONCEPTS]
    return [*devices, *wording.order] if rng.random() < 0.5 else [*wording.order, *devices]


def _impression(study: PhantomStudy, *, wording: Wording, rng: np.random.Generator) -> str:
    if not study.findings:
        return _pick(wording.impression_normal, rng=rng)
    ranks = [name for name in wording.order if name in wording.impression]
    ranks += [name for name in wording.impression if name not in ranks]
    found = sorted(study.findings, key=lambda finding: ranks.index(finding.concept))
    return "；".join(_fill(wording.impression[finding.concept], finding) for finding in found)


def _fill(template: str, finding: DrawnFinding) -> str:
    size_mm = finding.size_mm or 0
    return template.format(
        side=_SIDE[finding.laterality],
        zone=_ZONE[finding.zone],
        amount=_AMOUNT[finding.severity],
        degree=_DEGREE[finding.severity],
        mm=size_mm,
        cm=f"{size_mm / 10:.1f}",
        rib=finding.rib,
        percent=_COLLAPSED_PERCENT.get(finding.severity or "mild"),
    )


def _pick(variants: Sequence[str], *, rng: np.random.Generator) -> str:
    return variants[int(rng.integers(len(variants)))]
