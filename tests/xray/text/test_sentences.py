"""Sentences as radiologists write them, and what they state.

Notation: `concept sign attributes`, several separated by `;`. Signs: + present, - absent, ? uncertain. Attributes are
a side, a zone, a degree, a course or a size (`15mm`). The concepts and signs of a sentence are complete.
"""

import pytest

from xray.text.frames import find
from xray.types import Finding

SIGNS = {"present": "+", "absent": "-", "uncertain": "?"}

SENTENCES = [
    # one finding with its attributes
    ("右侧胸腔少量积液。", "pleural_effusion + right mild"),
    ("左侧胸腔大量积液，上缘达第2前肋水平。", "pleural_effusion + left severe"),
    ("双侧胸腔积液，右侧为著。", "pleural_effusion + bilateral"),
    ("左肺下野见斑片状密度增高影，边缘模糊。", "opacity + left lower"),
    ("右肺上野实变影，内见支气管充气征。", "consolidation + right upper"),
    ("左肺中野见一结节影，直径约15mm。", "nodule + left middle 15mm"),
    ("右肺下叶背段可见肿块影，大小约3.5cm×4.2cm，边缘见毛刺。", "mass + right lower 42mm"),
    ("右上肺见直径约8mm的结节。", "nodule + right upper 8mm"),
    ("双肺门呈蝶翼状渗出，符合肺水肿。", "edema + bilateral hilar"),
    ("左侧第6肋骨骨折，断端错位。", "fracture + left"),
    ("左侧锁骨中段见陈旧性骨折。", "fracture + left"),
    ("心影增大，心胸比约0.58。", "cardiomegaly +"),
    ("心影明显增大，呈普大型。", "cardiomegaly + severe"),
    ("心脏轻度增大。", "cardiomegaly + mild"),
    ("心影稍大。", "cardiomegaly + mild"),
    ("右侧气胸，肺组织压缩约30%。", "pneumothorax + right"),
    ("左侧液气胸，可见液平。", "pneumothorax + left; pleural_effusion + left"),
    ("右肺尖胸膜增厚、粘连。", "pleural_thickening + right apical"),
    ("左肺下叶盘状肺不张。", "atelectasis + left lower"),
    ("右肺中叶不张。", "atelectasis + right middle"),
    ("左侧肋膈角变钝。", "costophrenic_blunting + left"),
    ("双肺纹理增多、增粗、紊乱。", "increased_markings + bilateral"),
    ("双肺透亮度增高，肋间隙增宽，膈肌低平，考虑肺气肿。", "emphysema + bilateral; emphysema ?; diaphragm +"),
    ("右上肺见钙化灶。", "calcification + right upper"),
    ("主动脉弓迂曲、钙化。", "aorta +"),
    ("脊柱侧弯，胸椎骨质增生。", "scoliosis +; degenerative +"),
    ("上纵隔增宽。", "mediastinal_widening +"),
    ("右侧膈肌抬高。", "diaphragm + right"),
    ("食管裂孔疝。", "hernia +"),
    ("心包积液。", "pericardial_effusion +"),
    ("左侧胸壁皮下气肿。", "subcutaneous_emphysema + left"),
    ("两肺弥漫性间质性改变，呈网格影。", "opacity + bilateral severe"),
    ("双下肺磨玻璃影。", "opacity + bilateral lower"),
    ("右下肺感染。", "pneumonia + right lower"),
    ("左肺上叶空洞形成。", "mass + left upper"),
    ("两肺多发结节，考虑转移瘤。", "nodule + bilateral; nodule ?"),
    # devices
    ("气管插管在位，末端位于隆突上方约3cm。", "endotracheal_tube +"),
    ("右侧PICC管，末端位于上腔静脉。", "central_line + right"),
    ("左胸壁见心脏起搏器影。", "pacemaker + left"),
    ("右侧胸腔引流管在位。", "drain + right"),
    ("胃管置入，末端达胃内。", "gastric_tube +"),
    ("胸骨见金属缝线影。", "other_device +"),
    ("右颈内静脉置管。", "central_line + right"),
    ("原右侧引流管已拔除。", "drain - right"),
    # negation and its reach
    ("未见气胸及胸腔积液。", "pneumothorax -; pleural_effusion -"),
    ("未见明显骨折征象。", "fracture -"),
    ("无气胸、胸腔积液或肺实变。", "pneumothorax -; pleural_effusion -; consolidation -"),
    ("双肺未见明确结节、肿块及实变影。", "nodule -; mass -; consolidation -"),
    ("双侧胸腔未见积液。", "pleural_effusion - bilateral"),
    ("没有证据表明存在肺炎。", "pneumonia -"),
    ("未见气胸，胸腔积液。", "pneumothorax -; pleural_effusion -"),
    ("未见实变，或胸腔积液征象。", "consolidation -; pleural_effusion -"),
    ("心脏未见异常，胸腔积液。", "cardiomegaly -; pleural_effusion +"),
    ("双肺未见实变，左侧胸腔少量积液。", "consolidation -; pleural_effusion + left mild"),
    ("未见气胸，但见右侧胸腔积液。", "pneumothorax -; pleural_effusion + right"),
    ("胸腔积液未见显示。", "pleural_effusion -"),
    ("骨折线不明显。", "fracture -"),
    ("已排除气胸。", "pneumothorax -"),
    ("不考虑肺炎。", "pneumonia -"),
    ("右肺未见不张。", "atelectasis - right"),
    ("心影未见增大。", "cardiomegaly -"),
    ("心影无明显增大，肺门不大。", "cardiomegaly -; hilar_enlargement -"),
    ("除右肺上叶结节外，余肺未见实变。", "nodule + right upper; consolidation -"),
    ("两肺无实变及肿块，胸膜无增厚。", "consolidation -; mass -; pleural_thickening -"),
    ("未见肋骨骨折。", "fracture -"),
    ("纵隔无增宽，气管居中。", "mediastinal_widening -; shift -"),
    # normal statements
    ("心影不大。", "cardiomegaly -"),
    ("心影大小、形态正常。", "cardiomegaly -"),
    ("双侧肋膈角锐利。", "costophrenic_blunting -"),
    ("双肺野清晰。", "opacity -"),
    ("气管居中，双膈面光整。", "shift -; diaphragm -"),
    ("双肺纹理清晰，走行自然。", "increased_markings -"),
    ("心胸比约0.45。", "cardiomegaly -"),
    ("心肺膈未见异常。", ""),
    ("胸部正侧位片未见明显异常。", ""),
    # what looks like a negation and is none
    ("右肺结节未见明显变化。", "nodule + right stable"),
    ("左侧肋骨骨折未见明显移位。", "fracture + left"),
    ("右下肺膨胀不全。", "atelectasis + right lower"),
    ("双肺密度不均匀增高。", "opacity + bilateral"),
    ("无创通气下，右肺实变。", "consolidation + right"),
    ("右侧胸腔积液较前变化不明显。", "pleural_effusion + right stable None"),
    ("左肺结节较前片改变不明显", "nodule + left stable None"),
    ("左肺结节与旧片比较变化不显著。", "nodule + left stable None"),
    ("炎症较前吸收不明显", "pneumonia + stable"),
    ("右侧胸腔积液较前增多不明显。", "pleural_effusion + right stable"),
    ("右侧胸腔积液较前未见明显增多。", "pleural_effusion + right stable"),
    ("左肺结节未见进展。", "nodule + left stable"),
    ("左侧肋骨骨折移位不明显", "fracture + left None"),
    ("左侧肋骨骨折断端移位不明显。", "fracture + left"),
    # what looks like a course and is a negation
    ("心影增大不明显。", "cardiomegaly - None"),
    ("双肺纹理未见明显增多。", "increased_markings - bilateral None"),
    ("气管移位不明显。", "shift -"),
    ("间质性改变不明显。", "opacity - None"),
    ("未见移位性骨折。", "fracture -"),
    # short answers
    ("胸腔积液（-），气胸（－）。", "pleural_effusion -; pneumothorax -"),
    ("胸腔积液（—）；气胸（阴性）。", "pleural_effusion -; pneumothorax -"),
    ("胸腔积液（+），气胸（-）。", "pleural_effusion +; pneumothorax -"),
    ("胸腔积液（+）、气胸（-）。", "pleural_effusion +; pneumothorax -"),
    ("肺炎（±）。", "pneumonia ?"),
    ("胸腔积液：无；气胸：有。", "pleural_effusion -; pneumothorax +"),
    ("胸腔积液：（-）；气胸：（+）。", "pleural_effusion -; pneumothorax +"),
    # free gas under the diaphragm
    ("右侧膈下见游离气体。", "pneumoperitoneum + right"),
    ("双侧膈下可见新月形游离气体影。", "pneumoperitoneum + bilateral"),
    ("右膈下新月形透亮影。", "pneumoperitoneum + right"),
    ("气腹。", "pneumoperitoneum +"),
    ("右侧膈下积气。", "pneumoperitoneum + right"),
    ("双膈下未见明显游离气体影。", "pneumoperitoneum - bilateral"),
    ("膈下游离气体待排。", "pneumoperitoneum ?"),
    ("左膈下胃泡积气。", ""),
    # hedging
    ("右肺占位，不除外伴阻塞性肺炎。", "mass + right; pneumonia ?"),
    ("不除外伴胸腔积液。", "pleural_effusion ?"),
    ("左肺实变，不除外合并胸腔积液。", "consolidation + left; pleural_effusion ?"),
    ("左肺实变伴胸腔积液。", "consolidation + left; pleural_effusion +"),
    ("右肺结节未除外。", "nodule ? right"),
    ("右肺占位，肺癌未除外。", "mass + right; mass ?"),
    ("尚未完全排除气胸。", "pneumothorax ?"),
    ("气胸已除外。", "pneumothorax -"),
    ("考虑肺炎。", "pneumonia ?"),
    ("右下肺炎症待排。", "pneumonia ? right lower"),
    ("结核不除外。", "pneumonia ?"),
    ("不能除外少量胸腔积液。", "pleural_effusion ? mild"),
    ("左侧气胸不能完全排除。", "pneumothorax ? left"),
    ("右肺上叶可疑结节。", "nodule ? right upper"),
    ("疑似左侧第5肋骨骨折。", "fracture ? left"),
    ("左下肺肺炎?", "pneumonia ? left lower"),
    ("右肺占位，肺癌可能性大。", "mass + right; mass ?"),
    ("似见少量胸腔积液。", "pleural_effusion ?"),
    ("心影饱满。", "cardiomegaly ?"),
    ("左下肺感染可能。", "pneumonia ? left lower"),
    ("肺炎与肺不张待鉴别，肺水肿待排。", "pneumonia +; atelectasis +; edema ?"),
    ("未见可疑结节。", "nodule -"),
    ("左侧胸腔积液、左下肺实变不张。", "pleural_effusion + left; consolidation + left lower; atelectasis + left"),
    ("右侧胸腔未见明显积气、积液征象。", "pneumothorax - right; pleural_effusion - right"),
    ("左侧胸腔引流管拔除后，未见气胸。", "drain - left; pneumothorax -"),
    ("两肺散在结节，转移不除外。", "nodule + bilateral; nodule ?"),
    ("左下肺炎并左侧少量胸腔积液。", "pneumonia + left lower None; pleural_effusion + left mild"),
    ("双下肺膨胀欠佳。", "atelectasis + bilateral lower"),
    ("建议CT检查以排除肺癌。", "mass ?"),
    ("右肺斑片影，建议治疗后复查除外占位。", "opacity + right; mass ?"),
    # course
    ("右侧胸腔积液较前吸收。", "pleural_effusion + right better"),
    ("右侧胸腔积液较前增多。", "pleural_effusion + right worse"),
    ("左侧气胸已吸收。", "pneumothorax - left resolved"),
    ("原左侧胸腔积液已完全消失。", "pleural_effusion - left resolved"),
    ("右肺炎症较前好转。", "pneumonia + right better"),
    ("新发左下肺斑片影。", "opacity + left lower new"),
    ("双肺结节同前。", "nodule + bilateral stable"),
    # side
    ("左侧胸腔积液、气胸。", "pleural_effusion + left; pneumothorax + left"),
    ("左、右侧胸腔积液。", "pleural_effusion + bilateral"),
    ("左肺结节伴右侧胸腔积液。", "nodule + left; pleural_effusion + right"),
    ("右肺较左肺透亮度减低。", "opacity + right"),
    ("胸腔积液（左侧）。", "pleural_effusion + left"),
    ("结节位于左肺上叶。", "nodule + left upper"),
    ("左心室增大。", "cardiomegaly +"),
    ("右侧肋膈角变钝，少量胸腔积液。", "costophrenic_blunting + right; pleural_effusion + right mild"),
    # spelling
    ("縱膈增寬，雙側胸腔積液。", "mediastinal_widening +; pleural_effusion + bilateral"),
    ("纵膈未见增宽", "mediastinal_widening -"),
    ("右侧  胸腔 积液,约１０ｍｍ", "pleural_effusion + right"),
    ("左肺见结节影，大小约１．２ｃｍ×０．８ｃｍ。", "nodule + left 12mm"),
]


def _parse(expected: str) -> set[tuple[str, str]]:
    return {tuple(item.split()[:2]) for item in expected.split(";") if item.strip()}


def _attributes(finding: Finding) -> set[str]:
    size = {f"{finding.size_mm:g}mm"} if finding.size_mm else set()
    return {str(finding.laterality), str(finding.severity), str(finding.change), *finding.zones} | size


@pytest.mark.parametrize(("text", "expected"), SENTENCES, ids=[text for text, _ in SENTENCES])
def test_a_sentence_states_these_findings_and_no_others(text: str, expected: str):
    findings = find(text)
    assert {(f.concept, SIGNS[f.assertion]) for f in findings} == _parse(expected)
    for item in filter(str.strip, expected.split(";")):
        concept, sign, *attributes = item.split()
        stated = [f for f in findings if (f.concept, SIGNS[f.assertion]) == (concept, sign)]
        assert any(set(attributes) <= _attributes(f) for f in stated), [_attributes(f) for f in stated]


def test_the_table_is_large_enough_to_mean_something():
    assert len(SENTENCES) >= 80
    signs = [sign for _, expected in SENTENCES for _, sign in _parse(expected)]
    assert min(signs.count(sign) for sign in "+-?") >= 15
