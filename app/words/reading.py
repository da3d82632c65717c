"""Texts of a reader's tasks and of the page on which a task is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingWords:
    """One language's texts; `statuses` by the status of a review, `none` where there is none."""

    title: str
    nothing: str
    progress: str
    start: str
    go_on: str
    all_done: str
    not_yet: str
    due: str
    overdue: str
    closed: str
    earlier: str
    earlier_hint: str
    place: str
    status: str
    saved: str
    reason: str
    statuses: Mapping[str, str]
    no_task: str
    choose_task: str
    back: str
    following: str
    submitted: str
    submitted_last: str
    skip: str
    skip_hint: str
    skip_reason: str
    skip_confirm: str
    needs_reason: str
    report: str
    reference: str
    judged_reference: str
    case_gone: str
    opens_on: str
    no_films: str
    read_blind: str


READING_WORDS: Mapping[str, ReadingWords] = MappingProxyType(
    {
        "zh": ReadingWords(
            title="我的任务",
            nothing="目前没有分配给您的阅片任务。研究负责人分配后会出现在这里。",
            progress="已提交 {done} / {total}",
            start="开始阅片",
            go_on="继续阅片",
            all_done="已全部完成",
            not_yet="{day} 起开放",
            due="截止 {day}",
            overdue="已过截止日期 {day}",
            closed="研究已结束，仅可查看",
            earlier="已提交与已跳过",
            earlier_hint="点击一行重新打开，可查看或修改",
            place="序号",
            status="状态",
            saved="保存时间（UTC）",
            reason="原因",
            statuses=MappingProxyType(
                {"none": "未开始", "draft": "草稿", "submitted": "已提交", "amended": "已修改", "void": "已跳过"}
            ),
            no_task="没有分配给您的这项任务。请从“我的任务”中打开。",
            choose_task="请从“我的任务”中选择。",
            back="我的任务",
            following="下一例",
            submitted="本例已提交。",
            submitted_last="本例已提交，目前没有待阅的病例了。",
            skip="跳过本例",
            skip_hint="跳过的病例不计入结果，之后仍可补读。请说明原因。",
            skip_reason="原因，如：影像打不开、曾参与该患者诊疗",
            skip_confirm="确认跳过",
            needs_reason="请写明原因。",
            report="报告",
            reference="参考报告",
            judged_reference="待审核的参考报告",
            case_gone="本例的影像所在的运行目前读不到，请联系研究负责人。",
            opens_on="本任务 {day} 起开放。",
            read_blind="有 {count} 例正在盲法研究中阅读，研究结束前不在此列出。",
            no_films="按研究方案，本例只比较文字，不显示影像。",
        ),
        "en": ReadingWords(
            title="My tasks",
            nothing="No case is assigned to you at the moment. Tasks appear here once the study's lead assigns them.",
            progress="{done} / {total} submitted",
            start="Start reading",
            go_on="Continue reading",
            all_done="All done",
            not_yet="Opens on {day}",
            due="Due {day}",
            overdue="Was due {day}",
            closed="The study is closed: for reading only",
            earlier="Submitted and skipped",
            earlier_hint="Click a row to open it again, to look at it or to amend it",
            place="No.",
            status="Status",
            saved="Saved (UTC)",
            reason="Reason",
            statuses=MappingProxyType(
                {
                    "none": "not begun",
                    "draft": "draft",
                    "submitted": "submitted",
                    "amended": "amended",
                    "void": "skipped",
                }
            ),
            no_task="No such task is assigned to you. Open one from “My tasks”.",
            choose_task="Choose one from “My tasks”.",
            back="My tasks",
            following="Next case",
            submitted="This case is submitted.",
            submitted_last="This case is submitted, and no other one is waiting.",
            skip="Skip this case",
            skip_hint="A skipped case does not count in the results; it can still be read later. Say why.",
            skip_reason="Reason, such as: film does not open, I have treated this patient",
            skip_confirm="Skip it",
            needs_reason="Give a reason.",
            report="Report",
            reference="Reference report",
            judged_reference="Reference report to be judged",
            case_gone="The run with this case's films cannot be read at present. Tell the study's lead.",
            opens_on="This task opens on {day}.",
            read_blind="{count} cases that are read in a blind study are not listed here until it is closed.",
            no_films="The protocol compares texts alone: no films are shown.",
        ),
    }
)
