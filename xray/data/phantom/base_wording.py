"""The sentences of the other hospital, where the demo base learned."""

from xray.data.phantom.wording import (
    DEVICE_CONCEPTS,
    DISPLACING_CONCEPTS,
    LUNG_CONCEPTS,
    PLEURAL_CONCEPTS,
    Normal,
    Wording,
)

_PRESENT = {
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
    present=_PRESENT,
    normal={
        "heart normal": Normal(variants=("心脏形态大小正常", "心脏不大"), unless=frozenset({"cardiomegaly"})),
        "midline": Normal(
            variants=("纵隔无增宽", "气管、纵隔居于中线", "气管隆突上方通畅"),
            unless=DISPLACING_CONCEPTS | {"endotracheal_tube"},
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
