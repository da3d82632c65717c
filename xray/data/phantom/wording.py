"""The sentences of the two hospitals: data for `report`, no logic.

Placeholders: {side} 左 右 双, {zone} 上 中 下, {amount} 少量 中等量 大量, {degree} 轻度 明显, {mm} and {cm} a diameter,
{rib} a rib's number, {percent} how far a lung has collapsed. A sentence states its finding and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from xray.data.phantom.study import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Variants of one normal statement. It is written with probability `share`, and only without any of `unless`.

    `{other}` stands for the healthy side when the only objection is a one-sided finding of `one_sided`.
    """

    variants: tuple[str, ...]
    unless: frozenset[str]
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One hospital's language. `order` lists concepts and names of normal statements as its reports are built."""

    opening: tuple[str, ...]
    present: Mapping[str, tuple[str, ...]]
    normal: Mapping[str, Normal]
    order: tuple[str, ...]
    impression: Mapping[str, str]
    impression_opening: str
    impression_normal: tuple[str, ...]


LUNG_CONCEPTS = frozenset({"opacity", "consolidation", "nodule", "mass", "atelectasis", "edema", "pneumothorax"})
PLEURAL_CONCEPTS = frozenset({"pleural_effusion", "pleural_thickening"})
DEVICE_CONCEPTS = frozenset({"pacemaker", "endotracheal_tube", "central_line"})
_DISPLACING = frozenset({"atelectasis", "pleural_effusion"})

_DEMO_PRESENT = {
    "cardiomegaly": ("心影{degree}增大", "心影呈{degree}增大", "心脏{degree}增大", "心影增大，程度为{degree}"),
    "pleural_effusion": (
        "{side}侧胸腔{amount}积液",
        "{side}侧胸腔见{amount}积液",
        "{side}侧见{amount}胸腔积液",
        "{side}侧见{amount}胸腔积液，肋膈角消失",
    ),
    "pneumothorax": (
        "{side}侧{amount}气胸，肺组织压缩约{percent}%",
        "{side}侧{amount}气胸",
        "{side}侧见{amount}气胸，可见脏层胸膜线",
        "{side}侧胸腔见{amount}气胸，其内无肺纹理",
    ),
    "opacity": (
        "{side}肺{zone}野见斑片状密度增高影",
        "{side}肺{zone}野见斑片影",
        "{side}肺{zone}野见片状密度增高影，边缘模糊",
        "{side}肺{zone}野见斑片状模糊影",
    ),
    "consolidation": (
        "{side}肺{zone}野实变影",
        "{side}肺{zone}野见大叶实变影",
        "{side}肺{zone}野见实变影，内见支气管充气征",
        "{side}肺{zone}野肺实变",
    ),
    "nodule": (
        "{side}肺{zone}野见一结节影，直径约{mm}mm",
        "{side}肺{zone}野见结节影，直径约{mm}mm",
        "{side}肺{zone}野见类圆形结节，直径约{mm}mm",
        "{side}肺{zone}野见孤立结节影，直径约{mm}mm",
    ),
    "mass": (
        "{side}肺{zone}野见一肿块影，直径约{mm}mm",
        "{side}肺{zone}野见肿块影，直径约{mm}mm",
        "{side}肺{zone}野见分叶状肿块，直径约{mm}mm",
        "{side}肺{zone}野见肿块影，边缘分叶，直径约{mm}mm",
    ),
    "atelectasis": (
        "{side}肺下野见盘状肺不张，同侧膈肌抬高",
        "{side}侧肺不张，纵隔向同侧移位",
        "{side}肺下野肺不张，肺体积缩小",
        "{side}肺膨胀不全，可见肺不张",
    ),
    "edema": (
        "双肺门区见蝶翼状肺水肿",
        "双肺肺水肿，呈蝶翼状分布",
        "双肺见肺水肿征象",
        "双侧肺门周围呈肺水肿改变",
    ),
    "pleural_thickening": (
        "{side}侧胸膜增厚",
        "{side}侧胸膜增厚，边缘不光整",
        "{side}侧胸膜见带状增厚，胸膜增厚伴钙化",
        "{side}侧胸壁内缘见胸膜增厚",
    ),
    "fracture": (
        "{side}侧第{rib}肋骨骨折",
        "{side}侧第{rib}肋骨骨折，断端错位",
        "{side}侧第{rib}后肋见骨折",
        "{side}第{rib}肋骨折，断端移位",
    ),
    "pacemaker": (
        "{side}侧胸壁见心脏起搏器影",
        "{side}胸壁见心脏起搏器影，导线在位",
        "{side}侧胸壁见起搏器影，导线走行自然",
        "{side}侧上胸壁见起搏器",
    ),
    "endotracheal_tube": (
        "气管插管在位",
        "气管插管在位，末端位于隆突上方",
        "见气管插管影，末端位于隆突上方",
        "可见气管插管，位置适中",
    ),
    "central_line": (
        "{side}侧PICC管在位",
        "{side}侧PICC管，末端位于上腔静脉",
        "{side}侧见中心静脉导管影",
        "{side}侧中心静脉导管，末端位于上腔静脉",
    ),
}
DEMO_WORDING = Wording(
    opening=("影像所见：",),
    present=_DEMO_PRESENT,
    normal={
        "lungs clear": Normal(
            variants=("双肺野清晰", "双肺纹理清晰", "双肺未见异常密度影"), unless=LUNG_CONCEPTS | PLEURAL_CONCEPTS
        ),
        "heart normal": Normal(
            variants=("心影不大", "心影大小正常", "心影未见增大"), unless=frozenset({"cardiomegaly"})
        ),
        "midline": Normal(variants=("纵隔居中", "气管纵隔居中"), unless=_DISPLACING | {"endotracheal_tube"}, share=0.5),
        "angles sharp": Normal(
            variants=("双侧肋膈角锐利", "双膈面光整，肋膈角锐利"), unless=PLEURAL_CONCEPTS | {"atelectasis"}, share=0.7
        ),
        "no pneumothorax": Normal(variants=("未见气胸", "未见气胸征象"), unless=frozenset({"pneumothorax"}), share=0.5),
        "no fracture": Normal(
            variants=("胸廓骨质未见异常", "所见肋骨未见骨折"), unless=frozenset({"fracture"}), share=0.4
        ),
    },
    order=(
        "lungs clear",
        "consolidation",
        "opacity",
        "mass",
        "nodule",
        "edema",
        "atelectasis",
        "pneumothorax",
        "no pneumothorax",
        "pleural_effusion",
        "pleural_thickening",
        "angles sharp",
        "cardiomegaly",
        "heart normal",
        "midline",
        "fracture",
        "no fracture",
    ),
    impression={
        "cardiomegaly": "心影{degree}增大",
        "pleural_effusion": "{side}侧{amount}胸腔积液",
        "pneumothorax": "{side}侧{amount}气胸",
        "opacity": "{side}肺{zone}野渗出性病变",
        "consolidation": "{side}肺{zone}野实变",
        "nodule": "{side}肺{zone}野结节",
        "mass": "{side}肺{zone}野占位",
        "atelectasis": "{side}侧肺不张",
        "edema": "双肺水肿",
        "pleural_thickening": "{side}侧胸膜增厚",
        "fracture": "{side}侧肋骨骨折",
        "pacemaker": "{side}侧起搏器置入后",
        "endotracheal_tube": "气管插管后",
        "central_line": "{side}侧中心静脉置管后",
    },
    impression_opening="印象：",
    impression_normal=("心肺膈未见异常", "胸部未见明显异常"),
)

_BASE_PRESENT = {
    "cardiomegaly": (
        "心脏形态{degree}增大",
        "心脏呈{degree}增大，心影饱满",
        "心脏{degree}扩大，心影增大",
        "心胸比增大，心脏增大程度为{degree}",
    ),
    "pleural_effusion": (
        "{side}侧{amount}胸腔积液",
        "{side}胸腔可见{amount}积液",
        "{side}侧可见{amount}胸腔积液，肋膈角变钝、消失",
        "{side}侧{amount}胸水",
    ),
    "pneumothorax": (
        "{side}侧可见{amount}气胸",
        "{side}胸腔可见{amount}气胸，同侧肺组织边缘清楚",
        "{side}侧{amount}气胸，外带无肺纹理，压缩{percent}%",
        "{side}侧{amount}气胸，可见脏层胸膜线",
    ),
    "opacity": (
        "{side}{zone}肺野可见片状阴影，分布不均",
        "{side}{zone}肺野可见片状模糊影",
        "{side}{zone}肺野可见渗出影",
        "{side}{zone}肺野可见斑片状阴影，边界不清",
    ),
    "consolidation": (
        "{side}{zone}肺野可见实变",
        "{side}{zone}肺野可见大片状实变",
        "{side}{zone}肺野肺叶实变，其中支气管充气",
        "{side}{zone}肺野可见肺实变影",
    ),
    "nodule": (
        "{side}{zone}肺野可见小结节，大小约{cm}cm",
        "{side}{zone}肺野可见结节灶一枚，大小约{cm}cm",
        "{side}{zone}肺野可见类圆形结节，直径{cm}cm",
        "{side}{zone}肺野可见孤立结节，大小约{cm}cm",
    ),
    "mass": (
        "{side}{zone}肺野可见团块影，大小约{cm}cm",
        "{side}{zone}肺野可见占位，大小约{cm}cm",
        "{side}{zone}肺野可见肿块，大小约{cm}cm",
        "{side}{zone}肺野可见较大肿块，轮廓分叶，直径{cm}cm",
    ),
    "atelectasis": (
        "{side}下肺可见盘状肺不张，{side}膈抬高",
        "{side}下肺膨胀不全，{side}膈升高",
        "{side}下肺肺不张，体积缩小，心影向{side}侧移位",
        "{side}下肺可见线状肺不张",
    ),
    "edema": (
        "两肺门旁可见对称性肺水肿，形如蝶翼",
        "两肺可见肺水肿改变",
        "两肺门区及周围肺泡性肺水肿",
        "两肺可见间质性肺水肿，肺门模糊",
    ),
    "endotracheal_tube": (
        "可见气管插管",
        "气管内插管影，止于隆突上方",
        "可见气管内插管，末端适中",
        "气管插管术后改变",
    ),
    "central_line": (
        "{side}侧可见深静脉置管，走行自然",
        "{side}侧可见中心静脉导管，末端适中",
        "可见经{side}侧置入的中心静脉导管，止于上腔静脉",
        "{side}侧可见PICC导管，在上腔静脉内",
    ),
}
BASE_WORDING = Wording(
    opening=("胸部正位片：", "胸片示：", "影像表现："),
    present=_BASE_PRESENT,
    normal={
        "heart normal": Normal(variants=("心脏形态大小正常", "心脏不大"), unless=frozenset({"cardiomegaly"})),
        "midline": Normal(
            variants=("纵隔无增宽", "气管、纵隔居于中线", "气管隆突上方通畅"),
            unless=_DISPLACING | {"endotracheal_tube"},
            share=0.5,
        ),
        "lungs clear": Normal(
            variants=("两肺清晰", "两肺透亮度正常，未见实变", "两肺未见明显异常"),
            unless=LUNG_CONCEPTS | PLEURAL_CONCEPTS,
        ),
        "angles sharp": Normal(
            variants=("两侧肋膈角锐利", "两膈光滑，肋膈角清楚"), unless=PLEURAL_CONCEPTS | {"atelectasis"}, share=0.6
        ),
        "no effusion": Normal(variants=("无胸腔积液", "未见胸水"), unless=PLEURAL_CONCEPTS, share=0.35),
        "no pneumothorax": Normal(variants=("无气胸",), unless=frozenset({"pneumothorax"}), share=0.4),
        "no thickening": Normal(
            variants=("胸膜无增厚，膈面未见钙化", "胸壁内缘胸膜无增厚"), unless=PLEURAL_CONCEPTS, share=0.3
        ),
        "no fracture": Normal(
            variants=("所见第一至第十后肋未见骨折", "肋骨无断裂错位征象", "骨质完整，无骨折"),
            unless=frozenset({"fracture"}),
            share=0.3,
        ),
        "no device": Normal(
            variants=("未见起搏器", "无气管插管", "膈肌不高，未见起搏器或插管"), unless=DEVICE_CONCEPTS, share=0.3
        ),
    },
    order=(
        "cardiomegaly",
        "heart normal",
        "midline",
        "edema",
        "lungs clear",
        "opacity",
        "consolidation",
        "nodule",
        "mass",
        "atelectasis",
        "pneumothorax",
        "no pneumothorax",
        "pleural_effusion",
        "no effusion",
        "angles sharp",
        "no thickening",
        "no fracture",
        "no device",
    ),
    impression={
        "cardiomegaly": "心脏增大",
        "pleural_effusion": "{side}侧胸水",
        "pneumothorax": "{side}气胸",
        "opacity": "{side}{zone}肺病变",
        "consolidation": "{side}{zone}肺实变",
        "nodule": "{side}{zone}肺结节",
        "mass": "{side}{zone}肺肿块",
        "atelectasis": "{side}下肺不张",
        "edema": "两肺水肿",
        "endotracheal_tube": "气管插管术后",
        "central_line": "{side}侧深静脉置管术后",
    },
    impression_opening="诊断印象：",
    impression_normal=("正常胸片", "未见伴随异常"),
)
WORDINGS = {Style.DEMO: DEMO_WORDING, Style.BASE: BASE_WORDING}
