"""Every text of the interface, in Chinese and English. A missing one is a type error, not an empty label."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's texts. The mappings go from stored words (verdicts, kinds, systems, metrics, views) to labels."""

    code: str
    html_language: str
    app_title: str
    worklist: str
    review: str
    run: str
    language: str
    banner: str
    generated_badge: str
    edited_badge: str
    display_note: str
    generated_report: str
    reference_report: str
    reference_note: str
    machine_translated: str
    legend: str
    no_report: str
    unexpected_error: str
    progress: str
    continue_review: str
    all_reviewed: str
    scores_title: str
    scores_note: str
    system: str
    search: str
    search_hint: str
    finding: str
    finding_hint: str
    disagreement: str
    disagreement_hint: str
    status: str
    status_hint: str
    unreviewed: str
    order: str
    order_of_run: str
    order_low_first: str
    order_high_first: str
    shown: str
    none_match: str
    open_hint: str
    case: str
    back: str
    previous: str
    following: str
    next_unreviewed: str
    unknown_case: str
    choose_case: str
    keys: str
    outdated: str
    history: str
    no_film: str
    verdict: str
    comment: str
    comment_hint: str
    corrected: str
    corrected_hint: str
    start_from_draft: str
    saved: str
    saving: str
    offline: str
    nothing_yet: str
    conflict: str
    keep_mine: str
    take_theirs: str
    invert: str
    reset: str
    film_help: str
    alone: str
    verdicts: Mapping[str, str]
    kinds: Mapping[str, str]
    systems: Mapping[str, str]
    metrics: Mapping[str, str]
    views: Mapping[str, str]
    sides: Mapping[str, str]
    no_side: str
    colon: str
    comma: str
    semicolon: str


ZH = Words(
    code="zh",
    html_language="zh-CN",
    app_title="胸片报告评审",
    worklist="工作列表",
    review="阅片评审",
    run="运行",
    language="语言",
    banner="本页报告初稿由人工智能生成，仅供科研评审，未经执业医师审核签署不得用于临床",
    generated_badge="人工智能生成",
    edited_badge="人工智能生成初稿，经人工修改",
    display_note="非诊断级显示",
    generated_report="生成报告",
    reference_report="参考报告",
    reference_note="参考报告同样可能有误",
    machine_translated="机器翻译",
    legend="标记",
    no_report="本次运行没有为该检查生成报告",
    unexpected_error="页面这一部分出错了，已保存的评审不受影响。错误编号 {error_id}",
    progress="已评审 {done} / {total}",
    continue_review="继续评审",
    all_reviewed="全部检查均已评审",
    scores_title="本次运行的得分",
    scores_note="括号内为 95% 置信区间，n 为可计分的报告数；基线用于说明得分的意义",
    system="系统",
    search="搜索报告文字",
    search_hint="输入词语，如 胸腔积液",
    finding="所见",
    finding_hint="任一报告中出现",
    disagreement="分歧",
    disagreement_hint="全部",
    status="我的结论",
    status_hint="全部",
    unreviewed="未评审",
    order="排序",
    order_of_run="检查顺序",
    order_low_first="{metric}：低分在前",
    order_high_first="{metric}：高分在前",
    shown="{shown} / {total} 例",
    none_match="没有符合条件的检查，请放宽筛选条件",
    open_hint="点击任意一行打开病例",
    case="病例",
    back="返回列表",
    previous="上一例",
    following="下一例",
    next_unreviewed="下一未评审",
    unknown_case="本次运行中没有病例 {case_id}，请从工作列表选择。",
    choose_case="请先在工作列表中选择病例。",
    keys="快捷键：←/→ 上一例/下一例，N 下一未评审，L 列表；A 接受，E 需修改，X 拒绝，D 写意见",
    outdated="上次结论针对的是该检查较早的一版生成报告，请重新评审",
    history="保存记录",
    no_film="未找到影像文件",
    verdict="结论",
    comment="评审意见",
    comment_hint="可选：错误类型、位置、临床意义……输入即自动保存",
    corrected="修改后的报告（可选）",
    corrected_hint="写下正确的报告，或先以初稿为底稿再修改",
    start_from_draft="以初稿为底稿",
    saved="已保存",
    saving="保存中…",
    offline="连接中断，内容已存于本机浏览器，恢复后自动保存",
    nothing_yet="尚未评审",
    conflict="另一页面已保存该病例的新版本，两份内容都在，请选择：",
    keep_mine="保留我的",
    take_theirs="采用对方的",
    invert="反色",
    reset="复位",
    film_help="滚轮缩放 · 拖动调亮度/对比度 · Shift+拖动平移 · 双击复位",
    alone="单独显示 / 并排显示",
    verdicts=MappingProxyType({"accept": "接受", "edit": "需修改", "reject": "拒绝"}),
    kinds=MappingProxyType({"agree": "一致", "false": "误报", "omitted": "遗漏", "side": "侧别错误"}),
    systems=MappingProxyType(
        {
            "adapter": "微调模型",
            "base": "基础模型（未微调）",
            "constant_normal": "基线：固定正常报告",
            "random_report": "基线：随机训练报告",
            "nearest_neighbour": "基线：最近邻报告",
            "shuffled_images": "对照：打乱影像",
        }
    ),
    metrics=MappingProxyType(
        {
            "finding_f1": "所见 F1",
            "finding_precision": "所见精确率",
            "finding_recall": "所见召回率",
            "side_accuracy": "侧别正确率",
            "exact_match": "完全一致",
            "bleu4_char": "BLEU-4（字）",
            "rouge_l_char": "ROUGE-L（字）",
        }
    ),
    views=MappingProxyType({"frontal": "正位", "lateral": "侧位", "unknown": "体位不明"}),
    sides=MappingProxyType({"left": "左", "right": "右", "bilateral": "双侧"}),
    no_side="未写侧别",
    colon="：",
    comma="、",
    semicolon="；",
)

EN = Words(
    code="en",
    html_language="en",
    app_title="Chest film report review",
    worklist="Worklist",
    review="Review",
    run="Run",
    language="Language",
    banner="The drafts on this page were generated by AI, for research review only; not for clinical use unless signed "
    "by a licensed physician",
    generated_badge="AI generated",
    edited_badge="AI draft, edited by a person",
    display_note="Not a diagnostic display",
    generated_report="Generated report",
    reference_report="Reference report",
    reference_note="The reference may be wrong, too",
    machine_translated="machine translated",
    legend="Marks",
    no_report="The run wrote no report for this study",
    unexpected_error="This part of the page failed; saved reviews are safe. Error id {error_id}",
    progress="{done} of {total} reviewed",
    continue_review="Continue",
    all_reviewed="All studies are reviewed",
    scores_title="Scores of this run",
    scores_note="95 % interval in brackets, n = reports that could be scored; the baselines give scores their meaning",
    system="System",
    search="Search the reports",
    search_hint="words, e.g. 胸腔积液",
    finding="Finding",
    finding_hint="in either report",
    disagreement="Disagreement",
    disagreement_hint="all",
    status="My verdict",
    status_hint="all",
    unreviewed="not reviewed",
    order="Order",
    order_of_run="order of the run",
    order_low_first="{metric}: lowest first",
    order_high_first="{metric}: highest first",
    shown="{shown} of {total} studies",
    none_match="No study matches; widen the filters",
    open_hint="Click a row to open the case",
    case="Case",
    back="Back to list",
    previous="Previous",
    following="Next",
    next_unreviewed="Next unreviewed",
    unknown_case="This run has no case {case_id}; choose one from the worklist.",
    choose_case="Choose a case in the worklist first.",
    keys="Keys: ←/→ previous/next, N next unreviewed, L list; A accept, E needs edits, X reject, D comment",
    outdated="The last verdict judged an earlier generated report of this study; please review again",
    history="Saved versions",
    no_film="Film not found",
    verdict="Verdict",
    comment="Comment",
    comment_hint="optional: kind of error, place, clinical weight ... saved as you type",
    corrected="Corrected report (optional)",
    corrected_hint="write the right report, or start from the draft and edit it",
    start_from_draft="Start from the draft",
    saved="Saved",
    saving="Saving ...",
    offline="Connection lost; the text is kept in this browser and will be saved when it is back",
    nothing_yet="Not reviewed yet",
    conflict="Another page has saved a newer version of this case. Both texts exist, choose:",
    keep_mine="Keep mine",
    take_theirs="Take theirs",
    invert="Invert",
    reset="Reset",
    film_help="wheel: zoom · drag: brightness/contrast · Shift+drag: pan · double click: reset",
    alone="show alone / side by side",
    verdicts=MappingProxyType({"accept": "Accept", "edit": "Needs edits", "reject": "Reject"}),
    kinds=MappingProxyType({"agree": "agrees", "false": "false", "omitted": "omitted", "side": "wrong side"}),
    systems=MappingProxyType(
        {
            "adapter": "Fine-tuned model",
            "base": "Base model (not tuned)",
            "constant_normal": "Baseline: constant normal report",
            "random_report": "Baseline: random training report",
            "nearest_neighbour": "Baseline: nearest neighbour's report",
            "shuffled_images": "Control: shuffled images",
        }
    ),
    metrics=MappingProxyType(
        {
            "finding_f1": "Finding F1",
            "finding_precision": "Finding precision",
            "finding_recall": "Finding recall",
            "side_accuracy": "Side accuracy",
            "exact_match": "Exact match",
            "bleu4_char": "BLEU-4 (characters)",
            "rouge_l_char": "ROUGE-L (characters)",
        }
    ),
    views=MappingProxyType({"frontal": "Frontal", "lateral": "Lateral", "unknown": "View unknown"}),
    sides=MappingProxyType({"left": "left", "right": "right", "bilateral": "both sides"}),
    no_side="no side",
    colon=": ",
    comma=", ",
    semicolon="; ",
)

LANGUAGES: Mapping[str, Words] = MappingProxyType({"zh": ZH, "en": EN})
