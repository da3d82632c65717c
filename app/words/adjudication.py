"""Texts of the page on which readers' differences are decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjudicationWords:
    """One language's texts; `items` by the kind of difference, `decisions` by what is done with a sentence."""

    title: str
    study: str
    no_study: str
    nothing: str
    waiting: str
    list_hint: str
    case: str
    readers: str
    differs: str
    status: str
    open: str
    decided: str
    back: str
    following: str
    unknown_case: str
    reader: str
    report: str
    reference: str
    items: Mapping[str, str]
    categories: Mapping[str, str]
    decisions: Mapping[str, str]
    significant: str
    insignificant: str
    counted: str
    yes: str
    no: str
    neither: str
    no_answer: str
    comment: str
    corrected: str
    saved_at: str
    decide: str
    base: str
    base_hint: str
    as_in_base: str
    why: str
    reason: str
    reason_hint: str
    confirm: str
    needs_reason: str
    stored: str
    history: str
    decider: str
    own_case: str


ADJUDICATION_WORDS: Mapping[str, AdjudicationWords] = MappingProxyType(
    {
        "zh": AdjudicationWords(
            title="分歧仲裁",
            study="研究",
            no_study="还没有需要仲裁的研究。",
            nothing="本研究目前没有需要仲裁的病例。",
            waiting="待仲裁 {open} 例，已仲裁 {decided} 例",
            list_hint="点击一行打开病例",
            case="病例",
            readers="读者数",
            differs="分歧所在",
            status="状态",
            open="待仲裁",
            decided="已仲裁",
            back="返回列表",
            following="下一待仲裁",
            unknown_case="没有这样一例需要仲裁的病例，请从列表中选择。",
            reader="读者 {number}",
            report="报告 {number}",
            reference="参考报告",
            items=MappingProxyType(
                {"verdict": "结论", "preference": "偏好", "errors": "错误计数", "sentence": "第 {number} 句"}
            ),
            categories=MappingProxyType(
                {
                    "false": "误报所见",
                    "omission": "遗漏所见",
                    "location": "位置错误",
                    "severity": "程度错误",
                    "added_comparison": "参考报告中没有的对比",
                    "omitted_comparison": "遗漏对比",
                }
            ),
            decisions=MappingProxyType({"accept": "接受", "edit": "改写", "reject": "拒绝"}),
            significant="有临床意义",
            insignificant="无临床意义",
            counted="有临床意义 {significant}，无 {insignificant}",
            yes="是",
            no="否",
            neither="均不更好",
            no_answer="未答",
            comment="评审意见",
            corrected="修改后的报告",
            saved_at="提交于 {moment}（UTC）",
            decide="仲裁决定",
            base="以哪位读者的评阅为准",
            base_hint="未列出的内容一律沿用该读者的评阅",
            as_in_base="沿用所选读者",
            why="偏好的理由",
            reason="理由（必填）",
            reason_hint="例如：侧位片支持读者 2 的判断",
            confirm="提交仲裁",
            needs_reason="请写明理由。",
            stored="仲裁决定已保存。",
            history="本例以往的仲裁",
            decider="仲裁人",
            own_case="您本人参与阅读的病例不在此列，须由他人仲裁。",
        ),
        "en": AdjudicationWords(
            title="Adjudication",
            study="Study",
            no_study="There is no study with anything to decide yet.",
            nothing="No case of this study is waiting for a decision.",
            waiting="{open} to decide, {decided} decided",
            list_hint="Click a row to open the case",
            case="Case",
            readers="Readers",
            differs="They differ in",
            status="Status",
            open="to decide",
            decided="decided",
            back="Back to the list",
            following="Next to decide",
            unknown_case="There is no such case to decide. Choose one from the list.",
            reader="Reader {number}",
            report="Report {number}",
            reference="Reference report",
            items=MappingProxyType(
                {
                    "verdict": "verdict",
                    "preference": "preference",
                    "errors": "count of errors",
                    "sentence": "sentence {number}",
                }
            ),
            categories=MappingProxyType(
                {
                    "false": "false finding",
                    "omission": "omitted finding",
                    "location": "wrong location",
                    "severity": "wrong severity",
                    "added_comparison": "comparison not in the reference",
                    "omitted_comparison": "omitted comparison",
                }
            ),
            decisions=MappingProxyType({"accept": "accept", "edit": "edit", "reject": "reject"}),
            significant="significant",
            insignificant="insignificant",
            counted="{significant} significant, {insignificant} insignificant",
            yes="yes",
            no="no",
            neither="neither is better",
            no_answer="not answered",
            comment="Comment",
            corrected="Corrected report",
            saved_at="Submitted {moment} (UTC)",
            decide="Decision",
            base="Whose review stands",
            base_hint="Everything that is not listed here is taken from that reader's review",
            as_in_base="As in that reader's review",
            why="Reason for the preference",
            reason="Reason (required)",
            reason_hint="For example: the lateral view supports reader 2",
            confirm="Submit the decision",
            needs_reason="Give a reason.",
            stored="The decision is saved.",
            history="Earlier decisions on this case",
            decider="Adjudicator",
            own_case="Cases that you read yourself are not listed: someone else decides them.",
        ),
    }
)
