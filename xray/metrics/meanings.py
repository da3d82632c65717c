"""What each metric is, in one line of Chinese and one of English, its range, and which way is better."""

from collections.abc import Iterator
from dataclasses import dataclass

from xray.metrics.differences import ErrorKind
from xray.metrics.label_sums import CLASS_SETS, POLICIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One metric: what it is in Chinese and English, its bounds (None: no bound), whether higher is better."""

    zh: str
    en: str
    low: float = 0.0
    high: float | None = 1.0
    higher: bool = True

    @property
    def range(self) -> str:
        """The range and the better direction: 0…1 ↑."""
        low = f"{self.low:g}".replace("-", "−")
        bounds = f"≥ {low}" if self.high is None else f"{low}…{self.high:g}"
        return f"{bounds} {'↑' if self.higher else '↓'}"


_SETS = {
    "": ("13 类异常", "13 findings, without No Finding"),
    "_14": ("14 类（含“未见异常”）", "14 classes, No Finding among them"),
    "_5": ("CheXpert 5 类", "CheXpert's five classes"),
}
_POLICIES = {"": ("", ""), "_uncertain_negative": ("，不确定算阴性", ", uncertain as negative")}
_ERRORS: dict[ErrorKind, tuple[str, str]] = {
    "false": ("误报", "findings that the reference has not"),
    "omission": ("遗漏", "findings that are left out"),
    "location": ("侧别或位置错误", "wrong side, zone or position"),
    "severity": ("程度或大小错误", "wrong degree or size"),
    "added_comparison": ("多出与旧片的比较", "comparisons with a prior film that the reference does not make"),
    "omitted_comparison": ("缺少与旧片的比较或比较有误", "comparisons with a prior film that are left out or wrong"),
}
_HEADLINE = {"finding_f1": ("（主要指标）", " (the headline)")}


def _f1() -> Iterator[tuple[str, Meaning]]:
    for policy in POLICIES:
        uncertain = _POLICIES[policy]
        for ending in CLASS_SETS:
            zh, en = _SETS[ending]
            for mean, name in (("", ("微平均", "micro-F1")), ("_macro", ("宏平均", "macro-F1"))):
                metric = f"finding_f1{mean}{ending}{policy}"
                head = _HEADLINE.get(metric, ("", ""))
                yield (
                    metric,
                    Meaning(
                        zh=f"{zh}的{name[0]} F1{uncertain[0]}{head[0]}", en=f"{name[1]} of {en}{uncertain[1]}{head[1]}"
                    ),
                )


def _bleu() -> Iterator[tuple[str, Meaning]]:
    for order in range(1, 5):
        zh, en = f"字级 BLEU-{order}：与参考报告重合的字串", f"character BLEU-{order}: overlap of character strings"
        yield f"bleu{order}_char", Meaning(zh=zh, en=en)


def _errors() -> Iterator[tuple[str, Meaning]]:
    for kind, (zh, en) in _ERRORS.items():
        yield f"errors_{kind}", Meaning(zh=f"每份报告平均：{zh}", en=f"{en}, per report", high=None, higher=False)


MEANINGS: dict[str, Meaning] = {
    **dict(_f1()),
    "finding_precision": Meaning(zh="生成的阳性中正确的比例", en="share of the generated positives that are right"),
    "finding_recall": Meaning(zh="参考的阳性中被找到的比例", en="share of the reference's positives that are found"),
    "negative_f1": Meaning(
        zh="明确否认（如“未见气胸”）的 F1", en="F1 of what is denied in words, such as no pneumothorax"
    ),
    "example_f1": Meaning(
        zh="逐份报告 F1 的均值；两侧均无异常记 1", en="mean of the reports' own F1; 1 where neither side has a finding"
    ),
    "side_accuracy": Meaning(
        zh="双方都有的征象中侧别正确的比例；未写侧别算错",
        en="share of agreed findings whose side is right; a side left out is wrong",
    ),
    "frame_f1": Meaning(
        zh="按临床意义加权的征象 F1，侧别、位置、程度、大小、变化有误或未写则扣分，自相矛盾扣一半",
        en="F1 of findings by significance; wrong or unsaid side, place, degree, size, course costs credit",
    ),
    "frame_precision": Meaning(
        zh="生成征象中得分的加权比例", en="weighted share of what is generated that earns credit"
    ),
    "frame_recall": Meaning(
        zh="参考征象中得分的加权比例", en="weighted share of what the reference states that is found"
    ),
    "green_zh": Meaning(
        zh="匹配数 ÷（匹配数＋错误数），逐份平均", en="matches over matches and errors, mean of reports"
    ),
    "crimson_zh": Meaning(
        zh="加权净得分，误报多于正确时为负", en="weighted net credit, negative where false findings prevail", low=-1.0
    ),
    **dict(_bleu()),
    "rouge_l_char": Meaning(zh="字级 ROUGE-L：最长公共子序列", en="character ROUGE-L: longest common subsequence"),
    "cider_char": Meaning(
        zh="字级 CIDEr：少见字串的重合", en="character CIDEr: overlap, rare strings count more", high=10.0
    ),
    "chrf": Meaning(zh="chrF：1 至 6 字字串的 F2", en="chrF: F2 of strings of 1 to 6 characters"),
    "exact_match": Meaning(zh="与参考报告一字不差的比例", en="share of reports equal to their reference"),
    **dict(_errors()),
}
"""Every metric of a score report by its name."""
