"""The sentences of the demo's hospital."""

from xray.data.phantom.wording import DISPLACING_CONCEPTS, LUNG_CONCEPTS, PLEURAL_CONCEPTS, Normal, Wording

_PRESENT = {
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
    present=_PRESENT,
    normal={
        "lungs clear": Normal(
            variants=("双肺野清晰", "双肺纹理清晰", "双肺未见异常密度影"), unless=LUNG_CONCEPTS | PLEURAL_CONCEPTS
        ),
        "heart normal": Normal(
            variants=("心影不大", "心影大小正常", "心影未见增大"), unless=frozenset({"cardiomegaly"})
        ),
        "midline": Normal(
            variants=("纵隔居中", "气管纵隔居中"), unless=DISPLACING_CONCEPTS | {"endotracheal_tube"}, share=0.5
        ),
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
