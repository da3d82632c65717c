"""The texts of the worklist that no other page has."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistWords:
    """One language's texts. The mappings go from stored words to labels."""

    state: str
    states: Mapping[str, str]
    any: str
    report: str
    flaws: Mapping[str, str]
    score: str
    band: str
    band_hint: str
    by_disagreements: str
    by_time: str
    not_reviewed_last: str
    clear: str
    more_filters: str
    comparing: str
    not_compared: str
    page: str
    link_hint: str


WORKLIST_WORDS: Mapping[str, WorklistWords] = MappingProxyType(
    {
        "zh": WorklistWords(
            state="评审状态",
            states={
                "unreviewed": "未评审",
                "draft": "草稿",
                "submitted": "已提交",
                "amending": "修改中",
                "outdated": "报告已更新，需重审",
            },
            any="全部",
            report="生成报告",
            flaws={"missing": "缺失", "blank": "空白", "cut_off": "结尾被截断"},
            score="得分指标",
            band="得分范围",
            band_hint="收窄范围后，该指标无法计算的检查不再列出",
            by_disagreements="分歧数：多的在前",
            by_time="最近修改在前",
            not_reviewed_last="没有该指标的检查排在最后",
            clear="清除筛选",
            more_filters="更多筛选",
            comparing="正在逐例比对两份报告：{done} / {total}。列表可照常使用；“所见”“分歧”筛选在比对完成后生效。",
            not_compared="比对中…",
            page="第 {first}–{last} 例",
            link_hint="网址包含除搜索词以外的筛选条件，可收藏或发送给同事",
        ),
        "en": WorklistWords(
            state="State of review",
            states={
                "unreviewed": "Not reviewed",
                "draft": "Draft",
                "submitted": "Submitted",
                "amending": "Being amended",
                "outdated": "Report has changed, review again",
            },
            any="All",
            report="Generated report",
            flaws={"missing": "Missing", "blank": "Blank", "cut_off": "End cut off"},
            score="Score",
            band="Range of the score",
            band_hint="In a narrower range, studies for which the score cannot be computed are not listed",
            by_disagreements="Disagreements: most first",
            by_time="Last changed first",
            not_reviewed_last="Studies without the score come last",
            clear="Clear filters",
            more_filters="More filters",
            comparing="Comparing the two reports of each study: {done} / {total}. The list can be used meanwhile; the "
            "filters for findings and disagreements work once this is done.",
            not_compared="comparing…",
            page="{first}–{last}",
            link_hint="The address holds all filters but the words searched for; it can be kept or sent to a colleague",
        ),
    }
)
