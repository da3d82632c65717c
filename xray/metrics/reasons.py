"""Each error of a generated report in one Chinese sentence, with the words it is about."""

from collections.abc import Iterator
from dataclasses import dataclass

from xray.metrics.compare import Comparison, Match
from xray.metrics.differences import Difference, ErrorKind
from xray.metrics.stated import Stated
from xray.text.lexicon import concept
from xray.types import Change, Laterality, Severity

_SIDES: dict[Laterality | None, str] = {"left": "左侧", "right": "右侧", "bilateral": "双侧", None: ""}
_DEGREES: dict[Severity | None, str] = {"mild": "轻度", "moderate": "中度", "severe": "重度", None: ""}
_COURSES: dict[Change | None, str] = {
    "new": "新发",
    "worse": "进展",
    "better": "好转",
    "stable": "无变化",
    "resolved": "已吸收",
    "old": "陈旧",
    None: "未比较",
}
_POSITIONS = {False: "在位或未述", True: "异位"}
_ZONES = {"upper": "上野", "middle": "中野", "lower": "下野", "hilar": "肺门区", "apical": "肺尖", "basal": "肺底"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One error. The spans are [start, end) in the candidate and in the reference; empty where there are no words."""

    error: ErrorKind
    text: str
    candidate_spans: tuple[tuple[int, int], ...] = ()
    reference_spans: tuple[tuple[int, int], ...] = ()


def reasons(comparison: Comparison) -> tuple[Reason, ...]:
    """Say each error of a comparison, in the order of `ERROR_KINDS` within findings: as many as `errors` counts."""
    return (
        *(_false(one, denied=one in comparison.contradicted) for one in comparison.false),
        *(_omitted(one, denied=one in comparison.contradicted) for one in comparison.omitted),
        *(reason for match in comparison.matches for reason in _different(match)),
        *(_general(error) for error in comparison.general),
    )


def named(one: Stated) -> str:
    """Name a finding with its side, zones and degree: 右侧下野轻度肺不张."""
    known = concept(one.concept)
    name = known.zh if known else one.concept
    if known and known.directed:
        return f"{name}{_side(one)}"
    return f"{_side(one)}{_zones(one)}{_DEGREES[one.severity]}{name}"


def _side(one: Stated) -> str:
    """Name the side: 左侧, 双侧（右侧为著）, or of a shift 向左侧."""
    known = concept(one.concept)
    if known and known.directed:
        return f"向{_SIDES[one.laterality]}" if one.laterality else ""
    more = f"（{_SIDES[one.dominant]}为著）" if one.dominant else ""
    return f"{_SIDES[one.laterality]}{more}"


def _zones(one: Stated) -> str:
    """Name the lung fields, or the ribs of a fracture: 上野、中野, 第3、4肋."""
    ribs = [zone.removeprefix("rib") for zone in one.zones if zone.startswith("rib")]
    return f"第{'、'.join(ribs)}肋" if ribs else "、".join(_ZONES.get(zone, zone) for zone in one.zones)


def _false(one: Stated, *, denied: bool) -> Reason:
    why = "参考报告明确否认" if denied else "参考报告未提及"
    return Reason(error="false", text=f"误报：{named(one)}（{why}）", candidate_spans=_spans(one))


def _omitted(one: Stated, *, denied: bool) -> Reason:
    why = "生成报告明确否认" if denied else "生成报告未提及"
    return Reason(error="omission", text=f"遗漏：{named(one)}（{why}）", reference_spans=_spans(one))


def _different(match: Match) -> Iterator[Reason]:
    for difference in match.differences:
        if difference.error is not None:
            yield Reason(
                error=difference.error,
                text=_said(difference, match.candidate, match.reference),
                candidate_spans=_spans(match.candidate),
                reference_spans=_spans(match.reference),
            )


def _said(difference: Difference, ours: Stated, theirs: Stated) -> str:
    known = concept(theirs.concept)
    name = known.zh if known else theirs.concept
    if difference.aspect == "side":
        return f"侧别错误：{name}，生成为{_side(ours)}，参考为{_side(theirs)}"
    if difference.aspect == "zone":
        return f"位置错误：{name}，生成为{_zones(ours)}，参考为{_zones(theirs)}"
    if difference.aspect == "position":
        return f"位置错误：{name}，生成为{_POSITIONS[ours.misplaced]}，参考为{_POSITIONS[theirs.misplaced]}"
    if difference.aspect == "degree":
        return f"程度错误：{name}，生成为{_DEGREES[ours.severity]}，参考为{_DEGREES[theirs.severity]}"
    if difference.aspect == "size":
        return f"大小错误：{name}，生成为{ours.size_mm:g} mm，参考为{theirs.size_mm:g} mm"
    if {ours.change, theirs.change} == {"new", "old"}:
        return f"新旧错误：{name}，生成为{_COURSES[ours.change]}，参考为{_COURSES[theirs.change]}"
    kind = "多出比较" if difference.error == "added_comparison" else "比较错误或缺失"
    return f"{kind}：{name}，生成为{_COURSES[ours.change]}，参考为{_COURSES[theirs.change]}"


def _general(error: ErrorKind) -> Reason:
    text = "多出比较：参考报告未与旧片比较" if error == "added_comparison" else "缺少比较：参考报告与旧片作了比较"
    return Reason(error=error, text=text)


def _spans(one: Stated) -> tuple[tuple[int, int], ...]:
    return tuple(finding.span for finding in one.mentions)
