"""Why a review is not in an export, in words: the reasons of `app.export` as they are stored, by language."""

from collections.abc import Mapping
from types import MappingProxyType

_ZH = {
    "outdated": "评审的是较早的一版生成报告",
    "unknown_text": "没有记录评审的是哪一版文本",
    "run_missing": "项目中已没有该运行",
    "case_missing": "运行中已没有该病例",
    "film_missing": "运行目录中缺少影像",
    "superseded_decision": "已有更新的仲裁结论",
    "sentinel": "质控病例（植入错误）",
    "repeat": "重复阅片",
    "compared": "多份文本比较，未单独签署",
    "reference_judged": "评审对象是参考报告，非模型生成",
    "not_a_report": "数据集自带的问答，不是报告",
    "void": "已作废",
    "no_text": "已拒绝，或删改后没有可写出的文本",
    "not_signed": "尚未签署",
    "superseded_by_approval": "已有仲裁结论",
    "not_adjudicated": "多位医师签署了不同文本，尚未仲裁",
    "no_original_film": "没有原始 DICOM 影像，无法确定患者身份",
    "unfit_original_film": "原始影像损坏，或属于多位患者、多次检查",
    "not_submitted": "尚未提交",
    "evaluation_patient": "患者参与模型评测，不得用于训练",
    "preferences.jsonl: unchanged": "偏好对：报告未改动",
    "preferences.jsonl: nothing_generated": "偏好对：没有生成文本",
    "preferences.jsonl: no_significant_edit": "偏好对：没有临床意义的改动",
}
_EN = {
    "outdated": "judged an earlier generated report",
    "unknown_text": "not known which text was judged",
    "run_missing": "the project no longer has the run",
    "case_missing": "the run no longer has the case",
    "film_missing": "a film is missing in the run's folder",
    "superseded_decision": "decided again since",
    "sentinel": "sentinel case (planted errors)",
    "repeat": "read a second time",
    "compared": "one of several compared texts, not signed for itself",
    "reference_judged": "a reference report was judged, no generated one",
    "not_a_report": "answers a question of the data set, no report",
    "void": "void",
    "no_text": "rejected, or struck out and not rewritten: there is no text",
    "not_signed": "not signed yet",
    "superseded_by_approval": "an adjudicator has decided",
    "not_adjudicated": "several readers signed different texts, nobody decided",
    "no_original_film": "no original DICOM film to tell the patient",
    "unfit_original_film": "an original film is damaged, or of another patient or study",
    "not_submitted": "not submitted yet",
    "evaluation_patient": "a model is scored on the patient: not for training",
    "preferences.jsonl: unchanged": "preference: the report was not changed",
    "preferences.jsonl: nothing_generated": "preference: nothing was generated",
    "preferences.jsonl: no_significant_edit": "preference: no change that matters clinically",
}
EXCLUSION_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"zh": MappingProxyType(_ZH), "en": MappingProxyType(_EN)}
)
