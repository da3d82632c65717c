"""The texts of the film viewer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerWords:
    """One language's texts. `looks`, `sources` and `planes` go from the names in a film's header to labels.

    `help` are the keys and what they do, in the order they are shown.
    """

    films: str
    display_note: str
    looks: Mapping[str, str]
    sources: Mapping[str, str]
    planes: Mapping[str, str]
    invert: str
    link: str
    measure: str
    prior: str
    fill: str
    reset: str
    keys: str
    close: str
    alone: str
    switch_source: str
    searching: str
    prior_label: str
    window: str
    zoom: str
    loading: str
    no_film: str
    not_shown: str
    no_answer: str
    expired: str
    help: tuple[tuple[str, str], ...]


_ZH = ViewerWords(
    films="影像",
    display_note="非诊断级显示",
    looks=MappingProxyType({"whole": "全胸", "lungs": "肺野", "mediastinum": "纵隔", "bones": "骨", "raw": "原始"}),
    sources=MappingProxyType({"original": "原始影像", "model": "模型所见（8位）"}),
    planes=MappingProxyType(
        {"geometry": "几何校正", "fiducial": "标尺校准", "detector": "探测器平面，未校正放大率", "": "无像素间距"}
    ),
    invert="反色",
    link="联动",
    measure="测量",
    prior="前片",
    fill="全屏",
    reset="复位",
    keys="影像操作",
    close="关闭",
    alone="单独显示 / 并排显示",
    switch_source="切换原始影像与模型所见",
    searching="正在查找原始影像，稍后刷新页面即可查看",
    prior_label="前片（{days} 天前）{view}",
    window="窗位 {center} 窗宽 {width}",
    zoom="{percent}%",
    loading="载入中…",
    no_film="未找到影像文件",
    not_shown="该影像无法显示（{code}）",
    no_answer="影像未能载入，请检查网络后按 0 复位重试",
    expired="影像地址已过期，正在更新…",
    help=(
        ("1 – 5", "窗口预设：全胸、肺野、纵隔、骨、原始（光标在有错误的句子或题目上时，先点击影像）"),
        ("拖动", "左右调窗宽，上下调窗位"),
        ("滚轮、+、-", "缩放"),
        ("Shift+拖动、中键拖动", "平移"),
        ("双击", "单独显示一张 / 恢复并排"),
        ("I", "反色"),
        ("L", "各窗联动：窗口、缩放、平移一起变化"),
        ("M", "测量：拖出线段，Esc 清除"),
        ("P", "显示 / 隐藏前片"),
        ("F", "适合窗口；已适合时切换全屏"),
        ("0", "复位"),
        ("?", "本说明"),
    ),
)

_EN = ViewerWords(
    films="Films",
    display_note="Not a diagnostic display",
    looks=MappingProxyType(
        {"whole": "Chest", "lungs": "Lungs", "mediastinum": "Mediastinum", "bones": "Bones", "raw": "Full range"}
    ),
    sources=MappingProxyType({"original": "Original film", "model": "As the model saw it (8 bits)"}),
    planes=MappingProxyType(
        {
            "geometry": "corrected for geometry",
            "fiducial": "calibrated by a fiducial",
            "detector": "detector plane, magnification not corrected",
            "": "no pixel spacing",
        }
    ),
    invert="Invert",
    link="Link",
    measure="Measure",
    prior="Prior",
    fill="Full screen",
    reset="Reset",
    keys="Films: mouse and keys",
    close="Close",
    alone="show alone / side by side",
    switch_source="switch between the original film and what the model saw",
    searching="Looking for the original film; reload the page in a while",
    prior_label="Prior ({days} days before), {view}",
    window="C {center} W {width}",
    zoom="{percent}%",
    loading="Loading ...",
    no_film="Film not found",
    not_shown="This film cannot be shown ({code})",
    no_answer="The film was not loaded. Check the network, then press 0 to try again",
    expired="The film's address has expired and is being renewed ...",
    help=(
        (
            "1 – 5",
            "windows: chest, lungs, mediastinum, bones, full range (click the film first when the cursor is on a "
            "sentence in error, or on a question)",
        ),
        ("drag", "left and right: width; up and down: centre"),
        ("wheel, +, -", "zoom"),
        ("Shift+drag, middle drag", "pan"),
        ("double click", "one film alone / side by side"),
        ("I", "invert"),
        ("L", "link the films: window, zoom and pan change together"),
        ("M", "measure: drag a line, Esc removes all"),
        ("P", "show / hide the prior film"),
        ("F", "fit; when it fits, full screen"),
        ("0", "reset"),
        ("?", "this list"),
    ),
)

VIEWER_WORDS: Mapping[str, ViewerWords] = MappingProxyType({"zh": _ZH, "en": _EN})
