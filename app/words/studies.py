"""Texts of the page on which the lead begins, follows and ends reader studies."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesWords:
    """One language's texts."""

    title: str
    create: str
    none_yet: str
    open: str
    closed: str
    show: str
    back: str
    progress: str
    unknown_study: str
    name: str
    name_hint: str
    protocol: str
    own_file: str
    own_file_label: str
    own_file_wait: str
    not_utf8: str
    runs: str
    systems: str
    systems_help: str
    reference: str
    mix: str
    mixes: Mapping[str, str]
    number: str
    pool: str
    readers: str
    readers_hint: str
    no_readers: str
    overlap: str
    seed: str
    seed_help: str
    repeats: str
    repeats_help: str
    sentinels: str
    sentinels_help: str
    no_common_texts: str
    not_before: str
    due: str
    preview: str
    needs_name: str
    needs_systems: str
    needs_readers: str
    needs_cases: str
    few_sentinels: str
    plan: str
    strata: Mapping[str, str]
    source: str
    label: str
    reader: str
    cases: str
    again: str
    planted: str
    total: str
    begin: str
    begun: str
    fixed: str
    submitted: str
    drafts: str
    skipped: str
    waiting: str
    share: str
    details: str
    close: str
    close_ask: str
    close_confirm: str
    unblind: str
    unblind_ask: str
    unblind_open: str
    unblind_confirm: str
    key: str
    key_hint: str
    purpose: str
    purposes: Mapping[str, str]
    known_good: str
    planted_error: str
    planted_kinds: Mapping[str, str]
    place: str
    case: str


STUDIES_WORDS: Mapping[str, StudiesWords] = MappingProxyType(
    {
        "zh": StudiesWords(
            title="研究管理",
            create="新建研究",
            none_yet="还没有读者研究。选择方案、病例与读者后即可开始。",
            open="进行中",
            closed="已结束",
            show="查看",
            back="返回研究列表",
            progress="已提交 {done} / {total}",
            unknown_study="没有这项研究，请从列表中选择。",
            name="研究名称",
            name_hint="读者会看到这个名称，请勿写入模型名",
            protocol="方案",
            own_file="自定方案文件（YAML）",
            own_file_label="上传方案文件",
            own_file_wait="请上传一个 YAML 方案文件。",
            not_utf8="方案文件不是 UTF-8 编码的文本，请另存后再上传。",
            runs="运行（影像与参考报告取自第一个）",
            systems="报告来源",
            systems_help="读者在中性标签下看到这些来源的报告；来源多于每例所示份数时，由不同读者轮流阅读。",
            reference="参考报告",
            mix="病例范围",
            mixes=MappingProxyType({"any": "全部", "half": "正常与异常各半", "abnormal": "仅异常", "normal": "仅正常"}),
            number="病例数",
            pool="可用 {count} 例；另有 {left_out} 例因缺少某一来源的报告或检查不一致而未纳入。",
            readers="读者",
            readers_hint="选择参与阅片的读者",
            no_readers="还没有“读者”角色的用户，请管理员先添加。",
            overlap="每例读者数",
            seed="随机种子",
            seed_help="同一种子得到同一分配方案，随研究一并保存。",
            repeats="重复病例（%）",
            repeats_help="读者在后半程重读自己的部分病例，标签不同，用于考察自身一致性。",
            sentinels="质控病例（%）",
            no_common_texts="同一病例的几位读者各读不同来源的报告，因此算不出读者间一致性。若要一致性，请减少报告来源或增加每例读者数。",
            sentinels_help="另取少量病例，报告中植入一处错误或确知无误，全体读者相同，用于质控。",
            not_before="开放日期（可选）",
            due="截止日期（可选）",
            preview="分配预览",
            needs_name="请填写研究名称。",
            needs_systems="该方案每例显示 {count} 份报告，请至少选择 {count} 个来源。",
            needs_readers="每例需要 {count} 位读者，请再选读者或减少每例读者数。",
            needs_cases="按此条件没有可用病例，请放宽病例范围或更换来源。",
            few_sentinels="按此比例没有质控病例：病例太少，或参考报告中植不进错误。",
            plan="{cases} 例 × {overlap} 位读者，质控 {sentinels} 例，共 {readings} 次阅片。",
            strata=MappingProxyType({"normal": "正常 {count} 例", "abnormal": "异常 {count} 例"}),
            source="来源",
            label="作为报告 {label}",
            reader="读者",
            cases="病例",
            again="重复",
            planted="质控",
            total="合计",
            begin="开始研究",
            begun="研究已开始，任务已分配给各位读者。",
            fixed="开始后方案与分配不可更改。",
            submitted="已提交",
            drafts="草稿",
            skipped="已跳过",
            waiting="未开始",
            share="完成率",
            details="方案",
            close="结束研究",
            close_ask="结束后读者只能查看，不能再提交或修改，且不可恢复。",
            close_confirm="确认结束",
            unblind="揭盲",
            unblind_ask="将显示每份报告的真实来源。此操作记入审计日志。",
            unblind_open="研究仍在进行，建议先结束研究再揭盲。",
            unblind_confirm="确认揭盲",
            key="揭盲结果",
            key_hint="仅在本次会话中显示；再次查看须重新揭盲。",
            purpose="用途",
            purposes=MappingProxyType({"study": "研究", "repeat": "重复", "sentinel": "质控"}),
            known_good="质控：参考报告原文",
            planted_error="质控：植入{kind}",
            planted_kinds=MappingProxyType(
                {
                    "side": "侧别错误",
                    "degree": "程度错误",
                    "negation": "阴性改阳性",
                    "dropped": "遗漏所见",
                    "added": "多余所见",
                }
            ),
            place="序号",
            case="病例",
        ),
        "en": StudiesWords(
            title="Studies",
            create="New study",
            none_yet="There is no reader study yet. Choose a protocol, cases and readers to begin one.",
            open="open",
            closed="closed",
            show="Open",
            back="Back to the studies",
            progress="{done} / {total} submitted",
            unknown_study="There is no such study. Choose one from the list.",
            name="Name of the study",
            name_hint="Readers see this name: do not write a model's name into it",
            protocol="Protocol",
            own_file="A protocol file of your own (YAML)",
            own_file_label="Upload the protocol file",
            own_file_wait="Upload a protocol as a YAML file.",
            not_utf8="The protocol file is no text in UTF-8. Save it as such and upload it again.",
            runs="Runs (films and references are the first one's)",
            systems="Sources of reports",
            systems_help="Readers see these reports under neutral labels. Where there are more than a case shows, "
            "readers take turns.",
            reference="Reference report",
            mix="Cases",
            mixes=MappingProxyType(
                {
                    "any": "all",
                    "half": "half normal, half abnormal",
                    "abnormal": "abnormal only",
                    "normal": "normal only",
                }
            ),
            number="Number of cases",
            pool="{count} cases can be used; {left_out} more lack a report of some source, or are another examination.",
            readers="Readers",
            readers_hint="Choose who reads",
            no_readers="Nobody has the role of a reader yet. Ask an admin to add readers.",
            overlap="Readers a case",
            seed="Seed",
            seed_help="The same seed gives the same plan; it is kept with the study.",
            repeats="Cases read twice (%)",
            repeats_help="Readers see some of their cases again in the second half, under other labels: "
            "how constant they are.",
            sentinels="Sentinel cases (%)",
            no_common_texts="The readers of a case read reports of different sources, so their agreement cannot be "
            "computed. For agreement, take fewer sources or more readers a case.",
            sentinels_help="A few further cases with one planted error, or known to be good; the same for all readers, "
            "for quality.",
            not_before="Opens on (optional)",
            due="Due on (optional)",
            preview="The plan",
            needs_name="Give the study a name.",
            needs_systems="The protocol shows {count} reports a case: choose at least {count} sources.",
            needs_readers="{count} readers a case are needed: choose more readers, or ask for fewer.",
            needs_cases="No case fits. Widen the choice of cases, or choose other sources.",
            few_sentinels="No sentinel at this share: there are too few cases, or none can carry a planted error.",
            plan="{cases} cases × {overlap} readers, {sentinels} sentinels, {readings} readings in all.",
            strata=MappingProxyType({"normal": "{count} normal", "abnormal": "{count} abnormal"}),
            source="Source",
            label="as report {label}",
            reader="Reader",
            cases="Cases",
            again="Repeats",
            planted="Sentinels",
            total="Total",
            begin="Begin the study",
            begun="The study has begun and every reader has their tasks.",
            fixed="Protocol and plan cannot be changed once it has begun.",
            submitted="Submitted",
            drafts="Drafts",
            skipped="Skipped",
            waiting="Not begun",
            share="Done",
            details="Protocol",
            close="Close the study",
            close_ask="Readers can then look but neither submit nor amend. This cannot be undone.",
            close_confirm="Close it",
            unblind="Unblind",
            unblind_ask="The true source of every report will be shown. The audit keeps that you looked.",
            unblind_open="The study is still open: better close it first.",
            unblind_confirm="Unblind",
            key="What the labels stand for",
            key_hint="Shown in this session only; to see it again, unblind again.",
            purpose="Purpose",
            purposes=MappingProxyType({"study": "study", "repeat": "repeat", "sentinel": "sentinel"}),
            known_good="sentinel: the reference as it is",
            planted_error="sentinel: {kind} planted",
            planted_kinds=MappingProxyType(
                {
                    "side": "wrong side",
                    "degree": "wrong degree",
                    "negation": "negation turned",
                    "dropped": "finding left out",
                    "added": "finding added",
                }
            ),
            place="No.",
            case="Case",
        ),
    }
)
