"""The texts of the pages on readers: their agreement and their progress."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementWords:
    """One language's texts. The mappings go from stored words to labels."""

    title: str
    source: str
    open_review: str
    none_given: str
    one_reader: str
    summary: str
    hint: str
    item: str
    topics: Mapping[str, str]
    units: str
    readers: str
    raw: str
    coefficients: Mapping[str, str]
    reasons: Mapping[str, str]
    undefined: str
    not_fitting: str
    pairs: str
    pair: str
    within: str
    within_hint: str
    no_repeats: str
    automatic: str
    automatic_hint: str
    no_automatic: str
    metric: str
    judgement: str
    tau: str
    download: str
    computing: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressWords:
    """One language's texts. The mappings go from stored words to labels."""

    mine: str
    everyone: str
    nothing: str
    nothing_of_mine: str
    work: str
    open_review: str
    reader: str
    assigned: str
    done: str
    drafts: str
    skipped: str
    share: str
    active: str
    edits: str
    quartiles: str
    no_times: str
    last: str
    by_day: str
    day: str
    sentinels: str
    sentinels_hint: str
    no_sentinels: str
    outcomes: Mapping[str, str]
    download_table: str
    download_plot: str


AGREEMENT_WORDS: Mapping[str, AgreementWords] = MappingProxyType(
    {
        "zh": AgreementWords(
            title="一致性",
            source="评审来源",
            open_review="开放评审：{run}",
            none_given="这里还没有已提交的评审。读者提交评审后，此处显示他们之间的一致性。",
            one_reader="目前只有一位读者提交了评审，读者之间的一致性需要至少两位读者评审同一批病例。",
            summary="读者之间",
            hint="括号内为 95% 置信区间（对病例自助抽样）。阳性率很高或很低时，κ 会偏低，请同时看原始一致率与 AC1"
            "。句子的区间未计入同一病例内各句的关联，偏窄。",
            item="评审内容",
            topics={
                "verdict": "结论",
                "preference": "偏好的报告",
                "errors": "错误总数",
                "significant_errors": "有临床意义的错误数",
                "kinds": "句子类别",
                "decisions": "句子取舍",
            },
            units="共同评审数",
            readers="读者数",
            raw="原始一致率",
            coefficients={
                "cohen": "Cohen κ（两位读者）",
                "fleiss": "Fleiss κ",
                "alpha": "Krippendorff α",
                "ac1": "Gwet AC1",
                "icc": "ICC(A,1)",
            },
            reasons={
                "too_few_readers": "没有由足够多读者共同评审的病例",
                "too_few_units": "共同评审的病例不足两例",
                "one_category": "所有评审都落在同一类",
                "no_variance": "各例之间没有差别",
            },
            undefined="不可计算",
            not_fitting="–",
            pairs="两两读者（Cohen κ）",
            pair="读者",
            within="同一读者的重复评审",
            within_hint="同一病例间隔一段时间再次出现时，读者与自己先前结论的一致性（Cohen κ）。",
            no_repeats="没有已提交的重复病例。研究方案设置重复比例后，此处显示读者自身的一致性。",
            automatic="自动得分与读者判断",
            automatic_hint="Kendall τ-b：得分高的报告是否也被读者评得好。对错误数与结论（接受 0、需修改 1、拒绝 2"
            "）负值为好，对评分正值为好。",
            no_automatic="没有可用的评审：需要针对单份生成报告、且该运行有单份得分的已提交评审。",
            metric="自动得分",
            judgement="读者判断",
            tau="Kendall τ-b",
            download="下载数据（CSV）",
            computing="正在计算一致性…",
            answer="问题：{question}",
        ),
        "en": AgreementWords(
            title="Agreement",
            source="Reviews of",
            open_review="Open review: {run}",
            none_given="No review has been submitted here yet. Once readers submit, their agreement is shown.",
            one_reader="Only one reader has submitted. Agreement between readers needs two or more on the same cases.",
            summary="Between readers",
            hint="In brackets: 95 % intervals over resampled cases. Kappa is low where nearly all or none are "
            "positive; look at the raw share and at AC1 as well. Those of sentences ignore that sentences of a "
            "case go together, "
            "and are too narrow.",
            item="What was judged",
            topics={
                "verdict": "Verdict",
                "preference": "Preferred report",
                "errors": "All errors",
                "significant_errors": "Clinically significant errors",
                "kinds": "Kinds of sentences",
                "decisions": "Decisions on sentences",
            },
            units="Judged by two or more",
            readers="Readers",
            raw="Raw agreement",
            coefficients={
                "cohen": "Cohen's kappa (two readers)",
                "fleiss": "Fleiss' kappa",
                "alpha": "Krippendorff's alpha",
                "ac1": "Gwet's AC1",
                "icc": "ICC(A,1)",
            },
            reasons={
                "too_few_readers": "no case was judged by enough readers",
                "too_few_units": "fewer than two cases judged together",
                "one_category": "all judgements fall into one category",
                "no_variance": "the cases do not differ",
            },
            undefined="undefined",
            not_fitting="-",
            pairs="Reader by reader (Cohen's kappa)",
            pair="Readers",
            within="The same reader again",
            within_hint="How readers agree with themselves on cases that came back later (Cohen's kappa).",
            no_repeats="No repeated case has been submitted. Set a share of repeats in the study's protocol to "
            "see this.",
            automatic="Scores and readers",
            automatic_hint="Kendall's tau-b: whether reports with a high score are judged well. Negative is good "
            "for errors and "
            "verdicts (accept 0, edit 1, reject 2), positive for ratings.",
            no_automatic="No review can be used: it takes submitted reviews of one generated report whose run "
            "scores single "
            "reports.",
            metric="Score",
            judgement="Judgement",
            tau="Kendall's tau-b",
            download="Download data (CSV)",
            computing="Computing agreement ...",
            answer="Question: {question}",
        ),
    }
)
PROGRESS_WORDS: Mapping[str, ProgressWords] = MappingProxyType(
    {
        "zh": ProgressWords(
            mine="我的进度",
            everyone="全部读者的进度",
            nothing="还没有任何读者开始评审。读者保存第一份草稿后，此处显示进度。",
            nothing_of_mine="您还没有开始评审。请从工作列表或我的任务中打开第一例。",
            work="任务",
            open_review="开放评审：{run}",
            reader="读者",
            assigned="应评",
            done="已完成",
            drafts="草稿",
            skipped="已跳过或作废",
            share="完成比例",
            active="活跃用时（秒）",
            edits="编辑次数",
            quartiles="{median:.0f}（{lower:.0f}–{upper:.0f}，n={count}）",
            no_times="未记录",
            last="最近保存",
            by_day="每日提交数",
            day="日期（本机时区）",
            sentinels="质控病例",
            sentinels_hint="植入错误的报告应被读者指出，已知正确的报告应被接受。仅负责人可见。",
            no_sentinels="没有已提交的质控病例。研究方案设置质控比例后，此处显示结果。",
            outcomes={
                "found": "植入错误：指出",
                "missed": "植入错误：漏过",
                "passed": "正确报告：接受",
                "false_alarm": "正确报告：误判",
                "untold": "无法判定",
            },
            download_table="下载数据（CSV）",
            download_plot="下载图（SVG）",
        ),
        "en": ProgressWords(
            mine="My progress",
            everyone="Progress of all readers",
            nothing="No reader has begun. Progress is shown once the first draft is saved.",
            nothing_of_mine="You have not begun. Open the first case from the worklist or from your tasks.",
            work="Work",
            open_review="Open review: {run}",
            reader="Reader",
            assigned="To read",
            done="Done",
            drafts="Drafts",
            skipped="Skipped or void",
            share="Share done",
            active="Active time (s)",
            edits="Edits",
            quartiles="{median:.0f} ({lower:.0f}-{upper:.0f}, n={count})",
            no_times="not recorded",
            last="Last saved",
            by_day="Submissions by day",
            day="Day (time zone of this machine)",
            sentinels="Sentinels",
            sentinels_hint="Reports with a planted error should be objected to, those known to be right accepted. "
            "Seen by leads "
            "only.",
            no_sentinels="No sentinel has been submitted. Set a share of sentinels in the study's protocol to see "
            "this.",
            outcomes={
                "found": "Planted error: found",
                "missed": "Planted error: missed",
                "passed": "Right report: accepted",
                "false_alarm": "Right report: objected to",
                "untold": "Cannot be told",
            },
            download_table="Download data (CSV)",
            download_plot="Download plot (SVG)",
        ),
    }
)
