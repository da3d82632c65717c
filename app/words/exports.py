"""The texts of the export page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWords:
    """One language's texts. The mappings go from stored words (kinds, statuses, reasons) to labels."""

    title: str
    kind: str
    kinds: Mapping[str, str]
    kind_notes: Mapping[str, str]
    runs: str
    runs_hint: str
    studies: str
    studies_hint: str
    study_note: str
    statuses: str
    status_names: Mapping[str, str]
    institution: str
    institution_help: str
    producer: str
    producer_help: str
    pseudonymous: str
    pseudonymous_help: str
    films_missing: str
    films_searched: str
    retired: str
    retired_help: str
    reason: str
    reason_hint: str
    check: str
    check_note: str
    stale: str
    cannot: str
    nothing_left: str
    remedies: Mapping[str, str]
    chosen: str
    written: str
    left_out: str
    label_note: str
    write: str
    reason_missing: str
    done: str
    columns: Mapping[str, str]
    verdicts: Mapping[str, str]
    is_written: str
    earlier: str
    none_yet: str
    unreadable: str
    choose_export: str
    download: str
    download_note: str
    files: str
    pacs: str
    pacs_missing: str
    pacs_test: str
    pacs_answers: str
    pacs_confirm: str
    pacs_send: str
    pacs_kept: str
    pacs_not_kept: str
    pacs_result: str


_ZH = ExportWords(
    title="导出",
    kind="导出为",
    kinds=MappingProxyType(
        {
            "jsonl": "JSONL（完整记录）",
            "csv": "CSV（可用 Excel 打开）",
            "parquet": "Parquet（统计分析）",
            "pairs": "训练样本（SFT 与偏好对）",
            "dicom_sr": "DICOM SR 结构化报告",
            "fhir": "FHIR R4B 诊断报告",
            "pdf": "PDF 报告",
        }
    ),
    kind_notes=MappingProxyType(
        {
            "jsonl": "每条评审一行，含逐句决定、答案与全部文本。",
            "csv": "每条评审一行；嵌套内容以 JSON 文本存放。",
            "parquet": "列与 CSV 相同，带数据类型。",
            "pairs": "影像、提问与修改后的报告；参与评测的患者一律不会写入。",
            "dicom_sr": "每份已签署的报告一个文件；患者身份取自原始 DICOM 影像。",
            "fhir": "每份报告一个 Bundle，内含 PDF 与来源说明；签署前为 preliminary。",
            "pdf": "每份报告一个 PDF，内嵌中文字体；签署前每页带警示语。",
        }
    ),
    runs="运行（研究之外的评审）",
    runs_hint="不导出研究之外的评审",
    studies="读者研究",
    studies_hint="不导出研究中的评审",
    study_note="导出读者研究会揭示每份文本的来源，此操作记入审计日志。",
    statuses="评审状态",
    status_names=MappingProxyType(
        {"draft": "草稿", "submitted": "已提交", "amended": "已修订", "approved": "已仲裁", "void": "已作废"}
    ),
    institution="医疗机构",
    institution_help="签署者所在机构；DICOM SR 必须填写",
    producer="生成服务提供者",
    producer_help="名称或编码，写入文件的人工智能生成标识（GB 45438）",
    pseudonymous="没有原始影像时以假名写出",
    pseudonymous_help="假名报告在 PACS 中不会归入真实患者，仅供研究",
    films_missing="启动时没有给出原始影像目录（`--films DIR`），只能以假名写出。",
    films_searched="正在读取原始影像目录；读完之前，未找到原始影像的报告不写出。",
    retired="不再用于评测的运行",
    retired_help="声明今后不再用这些运行的检查给任何模型评分；其患者才可用于训练，此声明记入审计日志",
    reason="导出原因（必填，记入审计日志）",
    reason_hint="例如：统计分析、下一轮微调、归档",
    check="检查内容",
    check_note="写出前先检查：将写出什么、哪些不写出及原因。",
    stale="选择已改变，请重新检查。",
    cannot="按现在的选择无法导出：",
    nothing_left="选中的评审没有一条可以这样导出。",
    remedies=MappingProxyType(
        {
            "pairs": "训练样本只能来自不参与评测的患者：请为训练集的检查生成并评审报告，或声明不再用于评测的运行。",
            "dicom_sr": "结构化报告只取已签署的文本，患者身份取自原始 DICOM 影像：请提供原始影像，或选择以假名写出。",
            "fhir": "请先提交评审，或选择其他状态。",
            "pdf": "请先提交评审，或选择其他状态。",
        }
    ),
    chosen="选中的评审",
    written="将写出",
    left_out="不写出",
    label_note="签署前的报告一律标注“人工智能生成”；签署后标注“人工智能生成初稿，经某某于某时修改审核”，一字未改的为“审核”。",
    write="写出",
    reason_missing="请先填写导出原因。",
    done="已写出 {count} 条评审到 {folder}",
    columns=MappingProxyType(
        {
            "case": "病例",
            "reader": "评审者",
            "status": "状态",
            "verdict": "结论",
            "outcome": "去向",
            "label": "标注",
            "why": "原因",
            "count": "条数",
            "time": "时间（UTC）",
            "kind": "种类",
            "by": "导出者",
            "reason": "导出原因",
            "written": "写出",
            "left_out": "未写出",
            "file": "文件",
            "bytes": "字节",
            "sha256": "SHA-256",
        }
    ),
    verdicts=MappingProxyType({"accept": "接受", "edit": "需修改", "reject": "拒绝"}),
    is_written="✓ 写出",
    earlier="历次导出",
    none_yet="本项目还没有导出。",
    unreadable="（清单无法读取）",
    choose_export="查看一次导出",
    download="下载 zip",
    download_note="链接仅限本人，20 分钟内有效；下载记入审计日志。",
    files="文件清单",
    pacs="发送到 PACS",
    pacs_missing="启动时没有给出 PACS 地址（`--pacs URL`），不能发送。",
    pacs_test="测试连接",
    pacs_answers="`{address}` 有应答。",
    pacs_confirm="我确认将这 {count} 份结构化报告存入 `{address}`",
    pacs_send="发送",
    pacs_kept="✓ 已存入",
    pacs_not_kept="✕ 未存入，见 PACS 日志",
    pacs_result="已存入 {kept} / {count}",
)

_EN = ExportWords(
    title="Export",
    kind="Export as",
    kinds=MappingProxyType(
        {
            "jsonl": "JSONL (whole records)",
            "csv": "CSV (opens in Excel)",
            "parquet": "Parquet (statistics)",
            "pairs": "Training pairs (SFT and preferences)",
            "dicom_sr": "DICOM SR structured reports",
            "fhir": "FHIR R4B diagnostic reports",
            "pdf": "PDF reports",
        }
    ),
    kind_notes=MappingProxyType(
        {
            "jsonl": "A line for each review, with every decision, answer and text.",
            "csv": "A row for each review; nested parts are JSON text.",
            "parquet": "The columns of the CSV, with their types.",
            "pairs": "Films, question and corrected report; never of a patient whom a model is scored on.",
            "dicom_sr": "A file for each signed report; the patient is that of the original DICOM film.",
            "fhir": "A Bundle for each report, with its PDF and where it is from; preliminary until it is signed.",
            "pdf": "A PDF for each report with its Chinese font in it; each page warns until it is signed.",
        }
    ),
    runs="Runs (reviews outside of studies)",
    runs_hint="No reviews outside of studies",
    studies="Reader studies",
    studies_hint="No reviews of studies",
    study_note="An export of a study reveals where each text came from. The audit keeps that you looked.",
    statuses="State of the review",
    status_names=MappingProxyType(
        {
            "draft": "draft",
            "submitted": "submitted",
            "amended": "amended",
            "approved": "adjudicated",
            "void": "void",
        }
    ),
    institution="Institution",
    institution_help="Of those who signed; DICOM SR requires it",
    producer="Who provides the generation",
    producer_help="Name or code, for the label of generated content in the files (GB 45438)",
    pseudonymous="Without the original film, write under a pseudonym",
    pseudonymous_help="A PACS files a report under a pseudonym with no real patient: for research only",
    films_missing="No folder of original films was named at the start (`--films DIR`): only pseudonyms can be written.",
    films_searched="The folder of original films is being read. Until that is done, reports without theirs stay out.",
    retired="Runs no longer used for evaluation",
    retired_help="No model will be scored on the studies of these runs any more; only then may their patients be "
    "learned from. The audit keeps that you said so",
    reason="Reason (required, kept in the audit)",
    reason_hint="for example: statistics, next fine-tuning, archive",
    check="Check",
    check_note="Look before anything is written: what goes out, what stays, and why.",
    stale="The choice has changed. Check again.",
    cannot="With this choice nothing can be exported:",
    nothing_left="None of the chosen reviews can be exported so. ",
    remedies=MappingProxyType(
        {
            "pairs": "Pairs come from patients whom no model is scored on: generate and review reports of the training "
            "split, or name the runs that are no longer used for evaluation.",
            "dicom_sr": "A structured report is a signed text, and its patient that of the original DICOM film: give "
            "the films, or choose pseudonyms.",
            "fhir": "Submit reviews first, or choose other states.",
            "pdf": "Submit reviews first, or choose other states.",
        }
    ),
    chosen="Chosen reviews",
    written="To be written",
    left_out="Left out",
    label_note="A report is labelled as generated by AI until it is signed; then also with who checked it, and when.",
    write="Write",
    reason_missing="Give the reason first.",
    done="{count} reviews written to {folder}",
    columns=MappingProxyType(
        {
            "case": "Case",
            "reader": "Reader",
            "status": "State",
            "verdict": "Verdict",
            "outcome": "Goes where",
            "label": "Label",
            "why": "Reason",
            "count": "Number",
            "time": "Time (UTC)",
            "kind": "Kind",
            "by": "By",
            "reason": "What for",
            "written": "Written",
            "left_out": "Left out",
            "file": "File",
            "bytes": "Bytes",
            "sha256": "SHA-256",
        }
    ),
    verdicts=MappingProxyType({"accept": "accept", "edit": "edit", "reject": "reject"}),
    is_written="✓ written",
    earlier="Earlier exports",
    none_yet="This project has no export yet.",
    unreadable="(manifest cannot be read)",
    choose_export="Look at an export",
    download="Download zip",
    download_note="The link is yours alone and lives 20 minutes; the audit keeps the download.",
    files="Files",
    pacs="Send to the PACS",
    pacs_missing="No PACS was named at the start (`--pacs URL`), so nothing can be sent.",
    pacs_test="Test the connection",
    pacs_answers="`{address}` answers.",
    pacs_confirm="I confirm that these {count} structured reports are stored in `{address}`",
    pacs_send="Send",
    pacs_kept="✓ stored",
    pacs_not_kept="✕ not stored, see the log of the PACS",
    pacs_result="{kept} / {count} stored",
)

EXPORT_WORDS: Mapping[str, ExportWords] = MappingProxyType({"zh": _ZH, "en": _EN})
