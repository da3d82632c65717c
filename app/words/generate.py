"""The texts of the page for live generation."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateWords:
    """One language's texts. `states` goes from the states of a job to labels."""

    title: str
    source: str
    of_run: str
    upload: str
    case: str
    upload_label: str
    upload_note: str
    rendering: str
    film: str
    no_film: str
    model: str
    no_server: str
    of_project: str
    not_of_project: str
    look_again: str
    other_run: str
    suggestions: str
    questions: Mapping[str, str]
    question: str
    no_question: str
    generate: str
    stop: str
    states: Mapping[str, str]
    seconds: str
    kept_nowhere: str
    answer: str
    empty: str


_ZH = GenerateWords(
    title="实时生成",
    source="影像来源",
    of_run="本次运行的病例",
    upload="上传影像",
    case="病例",
    upload_label="上传一张胸片（DICOM、PNG 或 JPEG，不超过 {size} MB）",
    upload_note="影像在本机渲染为 8 位灰度图后送给模型，文件头不会送出；影像与结果都不保存。",
    rendering="正在渲染影像……",
    film="影像",
    no_film="请先选择或上传影像。",
    model="模型 {model}",
    no_server="`{address}` 处没有模型应答。请用 `finetune serve RUN` 启动模型，或启动本系统时用 --serve 指明地址。",
    of_project="本项目的运行",
    not_of_project="不是本项目的运行",
    look_again="重新连接",
    other_run="模型来自运行 {model}，影像来自运行 {run}：两者的训练与测试划分可能不同，模型也许见过这份影像。",
    suggestions="常用提问",
    questions=MappingProxyType(
        {"run": "训练时的提问", "xrayglm": "XrayGLM 的提问", "describe": "XrayGLM：详细描述", "own": "自定义"}
    ),
    question="提问",
    no_question="请先写下提问。",
    generate="生成",
    stop="停止",
    states=MappingProxyType(
        {
            "waiting": "等待模型……",
            "writing": "正在书写……",
            "done": "已完成",
            "stopped": "已停止，以下是停止前的内容",
            "late": "超过时限，已停止",
            "failed": "生成失败",
        }
    ),
    seconds="{seconds:.0f} 秒",
    kept_nowhere="本页结果不保存，离开后即消失；评审请在工作列表中进行。",
    answer="生成结果",
    empty="（模型的回答为空白）",
)

_EN = GenerateWords(
    title="Live generation",
    source="Film",
    of_run="a case of this run",
    upload="an uploaded film",
    case="Case",
    upload_label="Upload a chest film (DICOM, PNG or JPEG, {size} MB at most)",
    upload_note="The film is rendered to 8-bit grey on this machine before the model gets it; its header goes nowhere. "
    "Neither film nor answer is kept.",
    rendering="Rendering the film…",
    film="Film",
    no_film="Choose or upload a film first.",
    model="Model {model}",
    no_server="No model answers at `{address}`. Start it with `finetune serve RUN` on this machine, or name its "
    "address by --serve when this app starts.",
    of_project="a run of this project",
    not_of_project="no run of this project",
    look_again="Connect again",
    other_run="The model is of run {model}, the film of run {run}. Their splits may differ: the model may know it.",
    suggestions="Usual questions",
    questions=MappingProxyType(
        {
            "run": "as in training",
            "xrayglm": "XrayGLM's question",
            "describe": "XrayGLM: describe in detail",
            "own": "your own",
        }
    ),
    question="Question",
    no_question="Write a question first.",
    generate="Generate",
    stop="Stop",
    states=MappingProxyType(
        {
            "waiting": "waiting for the model…",
            "writing": "writing…",
            "done": "done",
            "stopped": "stopped; this was written before",
            "late": "took too long and was stopped",
            "failed": "failed",
        }
    ),
    seconds="{seconds:.0f} s",
    kept_nowhere="Nothing on this page is kept. Reviews are made from the worklist.",
    answer="Answer",
    empty="(the answer is blank)",
)

GENERATE_WORDS: Mapping[str, GenerateWords] = MappingProxyType({"zh": _ZH, "en": _EN})
