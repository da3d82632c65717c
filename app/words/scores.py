"""The texts of the page of scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresWords:
    """One language's texts. The mappings go from stored words to labels; `warnings` from what a file of scores says."""

    title: str
    systems: str
    systems_hint: str
    metric: str
    all_metrics: str
    plot: str
    download_plot: str
    download_table: str
    undefined: str
    warnings_title: str
    warnings: Mapping[str, str]
    classes: Mapping[str, str]
    bootstrap: Mapping[str, str]
    metrics: Mapping[str, str]
    no_scores: str
    by_finding: str
    by_finding_hint: str
    not_compared: str
    no_finding: str
    finding: str
    matched: str
    of_these: str
    precision: str
    recall: str
    in_reference: str
    in_generated: str
    distribution: str
    distribution_hint: str
    no_value: str
    number_of_reports: str
    compare: str
    compare_with: str
    compare_hint: str
    one_run: str
    obstacles: Mapping[str, str]
    this_run: str
    other_run: str
    difference: str
    few_patients: str
    reports: str
    patients: str
    better: str


_CHINESE_CLASSES = MappingProxyType(
    {
        "No Finding": "未见异常",
        "Enlarged Cardiomediastinum": "心纵隔影增大",
        "Cardiomegaly": "心影增大",
        "Lung Opacity": "肺部阴影",
        "Lung Lesion": "肺部病灶",
        "Edema": "肺水肿",
        "Consolidation": "肺实变",
        "Pneumonia": "肺炎",
        "Atelectasis": "肺不张",
        "Pneumothorax": "气胸",
        "Pleural Effusion": "胸腔积液",
        "Pleural Other": "其他胸膜病变",
        "Fracture": "骨折",
        "Support Devices": "置管与装置",
    }
)
_CHINESE_METRICS = MappingProxyType(
    {
        "finding_f1": "所见 F1",
        "finding_precision": "所见精确率",
        "finding_recall": "所见召回率",
        "finding_f1_macro": "所见 F1（各类平均）",
        "finding_f1_14": "所见 F1（14 类）",
        "finding_f1_5": "所见 F1（5 类）",
        "frame_f1": "综合 F1（含侧别、部位、程度）",
        "frame_precision": "综合精确率",
        "frame_recall": "综合召回率",
        "side_accuracy": "侧别正确率",
        "green_zh": "GREEN（中文规则版）",
        "crimson_zh": "CRIMSON（中文规则版）",
        "exact_match": "完全一致",
        "bleu1_char": "BLEU-1（字）",
        "bleu2_char": "BLEU-2（字）",
        "bleu3_char": "BLEU-3（字）",
        "bleu4_char": "BLEU-4（字）",
        "rouge_l_char": "ROUGE-L（字）",
        "cider_char": "CIDEr（字）",
        "chrf": "chrF",
        "negative_f1": "阴性陈述 F1",
        "example_f1": "逐份所见 F1",
        "errors_false": "每份误报数",
        "errors_omission": "每份遗漏数",
        "errors_location": "每份位置错误数",
        "errors_severity": "每份程度错误数",
        "errors_added_comparison": "每份多出的对比数",
        "errors_omitted_comparison": "每份漏写的对比数",
    }
)
_ENGLISH_METRICS = MappingProxyType(
    {
        "finding_f1": "Finding F1",
        "finding_precision": "Finding precision",
        "finding_recall": "Finding recall",
        "finding_f1_macro": "Finding F1, mean of classes",
        "finding_f1_14": "Finding F1, 14 classes",
        "finding_f1_5": "Finding F1, 5 classes",
        "frame_f1": "Frame F1 (side, place, degree)",
        "frame_precision": "Frame precision",
        "frame_recall": "Frame recall",
        "side_accuracy": "Side accuracy",
        "green_zh": "GREEN (Chinese, by rules)",
        "crimson_zh": "CRIMSON (Chinese, by rules)",
        "exact_match": "Exact match",
        "bleu1_char": "BLEU-1 (characters)",
        "bleu2_char": "BLEU-2 (characters)",
        "bleu3_char": "BLEU-3 (characters)",
        "bleu4_char": "BLEU-4 (characters)",
        "rouge_l_char": "ROUGE-L (characters)",
        "cider_char": "CIDEr (characters)",
        "chrf": "chrF",
        "negative_f1": "F1 of negative statements",
        "example_f1": "Finding F1, mean of reports",
        "errors_false": "False findings a report",
        "errors_omission": "Omissions a report",
        "errors_location": "Wrong places a report",
        "errors_severity": "Wrong degrees a report",
        "errors_added_comparison": "Added comparisons a report",
        "errors_omitted_comparison": "Omitted comparisons a report",
    }
)
SCORES_WORDS: Mapping[str, ScoresWords] = MappingProxyType(
    {
        "zh": ScoresWords(
            title="指标",
            systems="各系统得分",
            systems_hint="每个指标都与基线并列：固定正常报告、随机训练报告、最近邻报告。与基线区间重叠时，不能说明"
            "模型读懂了影像。",
            metric="指标",
            all_metrics="全部指标",
            plot="{metric}：各系统及 95% 置信区间",
            download_plot="下载图（SVG）",
            download_table="下载数据（CSV）",
            undefined="不可计算",
            warnings_title="解读得分前请注意（{count} 条）",
            warnings={
                "predictions that are empty": "空白的生成报告",
                "predictions that hold no Chinese, and no finding is read in them": "不含中文、无法读出所见的生成报告",
                "fewer than 30 reports, intervals are rough and often too narrow": "报告少于 30 份，区间粗略且往往偏窄",
                "fewer than 30 patients, intervals are rough and often too narrow": "患者少于 30 名，区间粗略且往"
                "往偏窄",
                "an interval needs two patients or more, none is given": "患者不足两名，无法给出区间",
                "an interval needs two reports or more, none is given": "报告不足两份，无法给出区间",
                "too few patients bear on it for an interval": "涉及的患者太少，无法给出区间",
                "too few reports bear on it for an interval": "涉及的报告太少，无法给出区间",
                "the truth never states this class, it is not judged": "标准标注中从未出现该类，未评判",
                "no positive on either side, left out of macro means": "两侧均无阳性，未计入各类平均",
                "fewer than 30 positives in the reference, do not rank systems by it": (
                    "参考报告中阳性少于 30 例，不宜据此比较系统优劣"
                ),
            },
            classes=_CHINESE_CLASSES,
            bootstrap={
                "percentile bootstrap": "自助法百分位区间",
                "patients": "名患者",
                "reports": "份报告",
                "resamples": "次重抽样",
                "seed": "随机种子",
            },
            metrics=_CHINESE_METRICS,
            no_scores="本次运行的 scores.json 中没有任何系统的得分。请运行 `finetune evaluate` 重新计算。",
            by_finding="各所见的检出情况",
            by_finding_hint="同一对所见只计一次；侧别、部位或程度写错的仍算检出，另列其数。区间按患者自助抽样。",
            not_compared="正在逐例比对报告：{done} / {total}。完成后此处显示各所见的检出情况。",
            no_finding="参考报告与生成报告中均未读出阳性所见，因此没有可统计的内容。",
            finding="所见",
            matched="检出",
            of_these="其中{kind}",
            precision="精确率",
            recall="召回率",
            in_reference="参考报告",
            in_generated="生成报告",
            distribution="单份报告得分的分布",
            distribution_hint="共 {count} 份报告有该得分，{missing} 份不可计算。",
            no_value="没有任何一份报告可以计算该得分。",
            number_of_reports="{metric}（纵轴：报告份数）",
            compare="与另一次运行比较",
            compare_with="另一次运行",
            compare_hint="差值 = 另一次运行 − 本次运行，为单份报告得分之差的平均；区间按患者配对自助抽样 {draws} 次。"
            "区间不含 0 才提示有差别；同时比较多个指标时应更加谨慎。",
            one_run="项目中只有这一次运行。把另一次运行的文件夹放在同一目录下，即可在此比较。",
            obstacles={
                "same_run": "选中的是同一次运行。",
                "unknown_split": "不能比较：其中一次运行的 scores.json 由旧版程序写成，未记录测试检查。请运行 "
                "`finetune evaluate`。",
                "other_split": "不能比较：两次运行的测试检查（或患者归属）不同，得分之差没有意义。",
                "other_words": "不能比较：两次运行的得分由不同的词表或计算方式得出。请用同一版本对两者运行 "
                "`finetune evaluate`。",
            },
            this_run="本次运行",
            other_run="另一次运行",
            difference="差值",
            few_patients="可比的患者不足两名",
            reports="报告数",
            patients="患者数",
            better="各指标差值及 95% 置信区间（虚线为 0）",
        ),
        "en": ScoresWords(
            title="Scores",
            systems="Scores of all systems",
            systems_hint="Every score stands beside its baselines: a constant normal report, a random training "
            "report, the "
            "nearest neighbour's. A model whose interval overlaps theirs has not been shown to read films.",
            metric="Score",
            all_metrics="All scores",
            plot="{metric}: all systems with 95 % intervals",
            download_plot="Download plot (SVG)",
            download_table="Download data (CSV)",
            undefined="undefined",
            warnings_title="Before you read the scores ({count})",
            warnings={},
            classes={},
            bootstrap={},
            metrics=_ENGLISH_METRICS,
            no_scores="scores.json of this run holds no system. Run `finetune evaluate` to score it again.",
            by_finding="Finding by finding",
            by_finding_hint="A pair of answering findings counts once; one at a wrong side, place or degree "
            "counts as found "
            "and is told beside. Intervals resample patients.",
            not_compared="Comparing the reports of each study: {done} / {total}. The table comes once this is done.",
            no_finding="Neither the reference nor the generated reports state a positive finding; there is "
            "nothing to count.",
            finding="Finding",
            matched="Found",
            of_these="of these {kind}",
            precision="Precision",
            recall="Recall",
            in_reference="In references",
            in_generated="In generated",
            distribution="Distribution of single reports' scores",
            distribution_hint="{count} reports have this score; it is undefined for {missing}.",
            no_value="This score is undefined for every report.",
            number_of_reports="{metric} (height: number of reports)",
            compare="Against another run",
            compare_with="The other run",
            compare_hint="Difference = other run - this run, the mean over single reports; intervals from {draws} "
            "paired "
            "resamples of patients. Only an interval without 0 suggests a difference, and less so the more scores "
            "are compared.",
            one_run="This is the project's only run. Put the folder of another one beside it to compare them here.",
            obstacles={
                "same_run": "This is the same run.",
                "unknown_split": "No comparison: scores.json of one run is of an earlier version that did not "
                "name the test "
                "studies. Run `finetune evaluate`.",
                "other_split": "No comparison: the two runs have other test studies (or patients); a difference "
                "would mean "
                "nothing.",
                "other_words": "No comparison: the scores were made with other words or rules. Run `finetune "
                "evaluate` on both "
                "with one version.",
            },
            this_run="This run",
            other_run="Other run",
            difference="Difference",
            few_patients="fewer than two patients to compare",
            reports="Reports",
            patients="Patients",
            better="Differences with 95 % intervals (dashed: 0)",
        ),
    }
)
