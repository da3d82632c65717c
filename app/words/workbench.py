"""The texts of the report workbench."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchWords:
    """One language's texts. Mappings go from stored words to labels; `{...}` is filled in by the page."""

    html_language: str
    generated_badge: str
    generated_among_badge: str
    edited_badge: str
    no_report: str
    empty_report: str
    reference_report: str
    no_reference: str
    alone: Mapping[str, str]
    shared: str
    alike: str
    kinds: Mapping[str, str]
    aspects: Mapping[str, str]
    values: Mapping[str, str]
    rib: str
    unsaid: str
    contrast: str
    evidence: str
    decisions: Mapping[str, str]
    omission_decisions: Mapping[str, str]
    accept_rest: str
    rewrite_hint: str
    category: str
    categories: Mapping[str, str]
    significance: Mapping[str, str]
    my_kind: str
    pick: str
    sentence: str
    reference_sentence: str
    counts: str
    counts_hint: str
    rest_zero: str
    yes_no: Mapping[str, str]
    optional: str
    answer_first: str
    preference: str
    neither: str
    preference_reason: str
    verdict: str
    verdicts: Mapping[str, str]
    corrected: str
    corrected_hint: str
    from_sentences: str
    by_hand: str
    assemble_again: str
    start_from_draft: str
    comment: str
    comment_hint: str
    states: Mapping[str, str]
    saved: str
    saving: str
    offline: str
    nothing_yet: str
    submit: str
    submitting: str
    amend: str
    amend_reason: str
    amend_reason_hint: str
    lacking: str
    lacks: Mapping[str, str]
    complete: str
    outdated: str
    void: str
    read_only: str
    conflict: str
    keep_mine: str
    take_theirs: str
    undo: str
    redo: str
    help: str
    close: str
    keys: tuple[tuple[str, str], ...]
    history: str
    history_columns: tuple[str, ...]
    statuses: Mapping[str, str]


_CATEGORIES_ZH = {
    "false": "误报所见",
    "omission": "遗漏所见",
    "location": "位置或侧别错误",
    "severity": "程度错误",
    "added_comparison": "多出与旧片的比较",
    "omitted_comparison": "缺少与旧片的比较",
}
_CATEGORIES_EN = {
    "false": "false finding",
    "omission": "omitted finding",
    "location": "wrong place or side",
    "severity": "wrong severity",
    "added_comparison": "comparison not in the reference",
    "omitted_comparison": "omitted comparison",
}

_ZH = WorkbenchWords(
    html_language="zh-CN",
    generated_badge="人工智能生成",
    generated_among_badge="含人工智能生成内容",
    edited_badge="人工智能生成初稿，经人工修改",
    no_report="本次运行没有为该检查生成报告",
    empty_report="（生成的报告为空白）",
    reference_report="参考报告",
    no_reference="参考报告中没有对应的句子",
    alone=MappingProxyType({"generated": "仅生成报告", "reference": "仅参考报告"}),
    shared="参考见其他行：",
    alike="文字相同或相近，两句均无可比对的所见",
    kinds=MappingProxyType(
        {
            "agree": "一致",
            "false": "误报",
            "omitted": "遗漏",
            "side": "侧别错误",
            "place": "位置错误",
            "degree": "程度错误",
            "polarity": "有无相反",
        }
    ),
    aspects=MappingProxyType(
        {
            "side": "侧别",
            "zone": "部位",
            "position": "位置",
            "degree": "程度",
            "size": "大小",
            "course": "变化",
            "certainty": "肯定程度",
            "concept": "所见",
        }
    ),
    values=MappingProxyType(
        {
            "left": "左侧",
            "right": "右侧",
            "bilateral": "双侧",
            "mild": "轻度",
            "moderate": "中度",
            "severe": "重度",
            "upper": "上野",
            "middle": "中野",
            "lower": "下野",
            "hilar": "肺门区",
            "apical": "肺尖",
            "basal": "肺底",
            "new": "新发",
            "worse": "进展",
            "better": "好转",
            "stable": "无变化",
            "resolved": "已吸收",
            "old": "陈旧",
            "misplaced": "异位",
        }
    ),
    rib="第{number}肋",
    unsaid="未述",
    contrast="{aspect}：生成报告{generated}，参考报告{reference}",
    evidence="依据",
    decisions=MappingProxyType({"accept": "接受", "edit": "改写", "reject": "拒绝"}),
    omission_decisions=MappingProxyType({"accept": "可略", "edit": "补写", "reject": "遗漏"}),
    accept_rest="其余接受",
    rewrite_hint="写下正确的句子，Enter 完成",
    category="错误类型",
    categories=MappingProxyType(_CATEGORIES_ZH),
    significance=MappingProxyType({"true": "有临床意义", "false": "无临床意义", "": "临床意义？"}),
    my_kind="我的分类",
    pick="改类",
    sentence="第 {number} 句",
    reference_sentence="参考第 {number} 句",
    counts="错误计数",
    counts_hint="每类错误分别填写有、无临床意义的个数；直接按数字键填写并进入下一格",
    rest_zero="其余填 0",
    yes_no=MappingProxyType({"true": "是", "false": "否"}),
    optional="选填",
    answer_first="请先回答上面的问题，报告随后显示",
    preference="哪一份报告更好？",
    neither="不分优劣",
    preference_reason="理由（选填）",
    verdict="整份报告的结论",
    verdicts=MappingProxyType({"accept": "接受", "edit": "需修改", "reject": "拒绝"}),
    corrected="修改后的报告",
    corrected_hint="由逐句意见自动汇成；也可直接在此修改",
    from_sentences="由逐句意见汇成",
    by_hand="已手工修改，不再随逐句意见变化",
    assemble_again="重新由逐句意见汇成",
    start_from_draft="以初稿为底稿",
    comment="评审意见",
    comment_hint="选填：位置、临床意义、影像质量……输入即自动保存",
    states=MappingProxyType(
        {"none": "未评审", "draft": "草稿", "submitted": "已提交", "amending": "修改中", "void": "已作废"}
    ),
    saved="已保存",
    saving="保存中…",
    offline="连接中断，内容已存于本机浏览器，恢复后自动保存",
    nothing_yet="尚未评审",
    submit="提交",
    submitting="提交中…",
    amend="修改",
    amend_reason="修改理由",
    amend_reason_hint="已提交的评审要修改，请写明理由",
    lacking="还缺 {count} 项：",
    lacks=MappingProxyType(
        {
            "question": "未回答：{text}",
            "count": "错误计数未填：{text}",
            "sentence": "第 {number} 句未判断",
            "category": "{text}缺少错误类型",
            "significance": "{text}缺少临床意义",
            "preference": "未选择更好的报告",
            "correction": "未写修改后的报告",
            "verdict": "未给出整份报告的结论",
            "reason": "未写修改理由",
            "text": "生成报告已更换，请按现有文本重新评审",
        }
    ),
    complete="内容已齐，可以提交",
    outdated="上次评审针对的是较早的一版生成报告，请重新评审；新的判断会取代旧的判断",
    void="这份评审已作废，可以重新评审",
    read_only="本研究已结束，只能查看",
    conflict="另一页面已保存该病例的新版本，两份内容都在，请选择：",
    keep_mine="保留我的",
    take_theirs="采用对方的",
    undo="撤销",
    redo="重做",
    help="快捷键",
    close="关闭",
    keys=(
        ("J / K 或 ↓ / ↑", "下一项 / 上一项"),
        ("A", "接受"),
        ("E", "改写（Enter 完成，Esc 离开）"),
        ("X", "拒绝"),
        ("Shift+A", "其余句子全部接受"),
        ("1–6", "错误类型；在题目上为选项，在计数格中为个数"),
        ("S", "有 / 无临床意义"),
        ("R", "另选我的分类，再按 1–7"),
        ("D", "显示或隐藏依据"),
        ("V", "到整份报告的结论"),
        ("C", "写意见"),
        ("U / Shift+U", "撤销 / 重做（文字框外也可 Ctrl+Z）"),
        ("Ctrl+Enter", "提交"),
        ("N", "下一未评审病例"),
        ("← / →", "上一例 / 下一例"),
    ),
    history="保存记录",
    history_columns=("#", "UTC", "状态", "结论", "评审意见", "修改后的报告", "修改理由"),
    statuses=MappingProxyType({"draft": "草稿", "submitted": "已提交", "amended": "修改后提交", "void": "已作废"}),
)

_EN = WorkbenchWords(
    html_language="en",
    generated_badge="AI generated",
    generated_among_badge="contains AI generated content",
    edited_badge="AI draft, edited by a person",
    no_report="The run wrote no report for this study",
    empty_report="(the generated report is blank)",
    reference_report="Reference report",
    no_reference="no sentence of the reference answers this one",
    alone=MappingProxyType({"generated": "generated only", "reference": "reference only"}),
    shared="see another row of the reference: ",
    alike="the same or similar words, no finding to compare in either",
    kinds=MappingProxyType(
        {
            "agree": "agrees",
            "false": "false",
            "omitted": "omitted",
            "side": "wrong side",
            "place": "wrong place",
            "degree": "wrong degree",
            "polarity": "present against absent",
        }
    ),
    aspects=MappingProxyType(
        {
            "side": "side",
            "zone": "zone",
            "position": "position",
            "degree": "degree",
            "size": "size",
            "course": "course",
            "certainty": "certainty",
            "concept": "finding",
        }
    ),
    values=MappingProxyType(
        {
            "left": "left",
            "right": "right",
            "bilateral": "both sides",
            "mild": "mild",
            "moderate": "moderate",
            "severe": "severe",
            "upper": "upper zone",
            "middle": "middle zone",
            "lower": "lower zone",
            "hilar": "hilar",
            "apical": "apical",
            "basal": "basal",
            "new": "new",
            "worse": "worse",
            "better": "better",
            "stable": "unchanged",
            "resolved": "resolved",
            "old": "old",
            "misplaced": "misplaced",
        }
    ),
    rib="rib {number}",
    unsaid="not stated",
    contrast="{aspect}: {generated} in the generated report, {reference} in the reference",
    evidence="Evidence",
    decisions=MappingProxyType({"accept": "Accept", "edit": "Edit", "reject": "Reject"}),
    omission_decisions=MappingProxyType({"accept": "Fine", "edit": "Add", "reject": "Omitted"}),
    accept_rest="Accept the rest",
    rewrite_hint="write the right sentence, Enter ends",
    category="Kind of error",
    categories=MappingProxyType(_CATEGORIES_EN),
    significance=MappingProxyType({"true": "significant", "false": "not significant", "": "significant?"}),
    my_kind="My kind",
    pick="other",
    sentence="Sentence {number}",
    reference_sentence="Reference sentence {number}",
    counts="Number of errors",
    counts_hint="how many errors of each kind, clinically significant or not; a digit fills the cell and goes on",
    rest_zero="0 for the rest",
    yes_no=MappingProxyType({"true": "Yes", "false": "No"}),
    optional="optional",
    answer_first="Answer the questions above first; the reports are shown then",
    preference="Which report is better?",
    neither="Neither",
    preference_reason="Reason (optional)",
    verdict="Verdict on the whole report",
    verdicts=MappingProxyType({"accept": "Accept", "edit": "Needs edits", "reject": "Reject"}),
    corrected="Corrected report",
    corrected_hint="put together from your decisions; or edit it here",
    from_sentences="put together from your decisions",
    by_hand="edited by hand, decisions no longer change it",
    assemble_again="Put together again",
    start_from_draft="Start from the draft",
    comment="Comment",
    comment_hint="optional: place, clinical weight, quality of the film ... saved as you type",
    states=MappingProxyType(
        {"none": "not reviewed", "draft": "draft", "submitted": "submitted", "amending": "amending", "void": "void"}
    ),
    saved="Saved",
    saving="Saving ...",
    offline="Connection lost; the text is kept in this browser and will be saved when it is back",
    nothing_yet="Not reviewed yet",
    submit="Submit",
    submitting="Submitting ...",
    amend="Amend",
    amend_reason="Reason of the amendment",
    amend_reason_hint="a submitted review is amended with a reason",
    lacking="{count} missing: ",
    lacks=MappingProxyType(
        {
            "question": "not answered: {text}",
            "count": "errors not counted: {text}",
            "sentence": "sentence {number} not judged",
            "category": "{text}: no kind of error",
            "significance": "{text}: significant or not?",
            "preference": "no report is preferred",
            "correction": "no corrected report",
            "verdict": "no verdict on the whole report",
            "reason": "no reason of the amendment",
            "text": "the generated report is another one now, judge it anew",
        }
    ),
    complete="Complete, ready to submit",
    outdated="The last review judged an earlier generated report; judge this one, new judgements replace the old ones",
    void="This review was declared void; it can be done anew",
    read_only="The study has ended; the review can only be read",
    conflict="Another page has saved a newer version of this case. Both texts exist, choose:",
    keep_mine="Keep mine",
    take_theirs="Take theirs",
    undo="Undo",
    redo="Redo",
    help="Keys",
    close="Close",
    keys=(
        ("J / K or ↓ / ↑", "next / previous"),
        ("A", "accept"),
        ("E", "rewrite (Enter ends, Esc leaves)"),
        ("X", "reject"),
        ("Shift+A", "accept all other sentences"),
        ("1–6", "kind of error; the choice at a question, the number in a count"),
        ("S", "significant or not"),
        ("R", "choose my kind, then 1–7"),
        ("D", "show or hide the evidence"),
        ("V", "to the verdict on the whole report"),
        ("C", "comment"),
        ("U / Shift+U", "undo / redo (Ctrl+Z outside of text, too)"),
        ("Ctrl+Enter", "submit"),
        ("N", "next case not reviewed"),
        ("← / →", "previous / next case"),
    ),
    history="Saved versions",
    history_columns=("#", "UTC", "status", "verdict", "comment", "corrected report", "reason"),
    statuses=MappingProxyType({"draft": "draft", "submitted": "submitted", "amended": "amended", "void": "void"}),
)

WORKBENCH_WORDS: Mapping[str, WorkbenchWords] = MappingProxyType({"zh": _ZH, "en": _EN})
