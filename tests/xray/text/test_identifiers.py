"""What names a person goes, in every place where it stands; what describes a film stays, to the last character."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray.text.test_sentences import SENTENCES
from xray.text.identifiers import remove_identifiers

STUDY_DAY = date(2023, 2, 2).toordinal()
FINDING = "双肺野清晰，心影不大。"
GIVEN = (
    "伟",
    "建国",
    "秀英",
    "小明",
    "志强",
    "丽",
    "光明",
    "海燕",
    "文静",
    "欣怡",
    "正清",
    "玉兰",
    "国栋",
    "雨桐",
    "浩",
)
SURNAMES = ("王", "李", "张", "刘", "陈", "欧阳", "赵", "黄", "白", "石", "高", "金", "温", "方", "于")

# {who} name, {latin} name, {phone}, {card}, {number}, {day}, {place}, {hospital}: planted; all else may stay
PLACES = (
    ("患者{who}，男，45岁。", "who"),
    ("患者{who}因咳嗽3天入院。", "who"),
    ("患者姓名：{who} 性别：男 年龄：45岁", "who"),
    ("姓名:{who}", "who"),
    ("报告医生：{who}", "who"),
    ("审核医师：{who}", "who"),
    ("報告醫師：{who}", "who"),
    ("诊断医生：{who}（主治医师）", "who"),
    ("报告医师 {who}", "who"),
    ("医师签名：{who}", "who"),
    ("电子签名：{who}", "who"),
    ("报告者：{who}", "who"),
    ("【报告医生】：{who}", "who"),
    ("请{who}主任医师会诊。", "who"),
    ("已电话通知{who}医生。", "who"),
    ("由{who}技师摄片。", "who"),
    ("家属：{who}", "who"),
    ("联系人：{who}（妻子）", "who"),
    ("\n{who}", "who"),
    ("\n{who} 2023-01-02 10:20", "who"),
    ("Dr. {latin} was informed.", "latin"),
    ("Electronically signed by: {latin}, MD", "latin"),
    ("Radiologist: {latin}", "latin"),
    ("Patient name: {latin}", "latin"),
    ("Mr. {latin} was examined.", "latin"),
    ("联系电话：{phone}", "phone"),
    ("手机{phone}。", "phone"),
    ("请电告（{phone}）。", "phone"),
    ("Tel: {phone}", "phone"),
    ("身份证号：{card}", "card"),
    ("身份证{card}，", "card"),
    ("（{card}）", "card"),
    ("住院号：{number}", "number"),
    ("检查号 {number}，", "number"),
    ("影像号为{number}。", "number"),
    ("患者ID：{number}", "number"),
    ("医保卡号：{number}", "number"),
    ("门诊号：{number}；", "number"),
    ("MRN: {number}", "number"),
    ("Accession number: {number}", "number"),
    ("病历号{number}", "number"),
    ("与{day}胸片比较，无变化。", "day"),
    ("报告日期：{day}", "day"),
    ("检查时间：{day} 10:20:33", "day"),
    ("于{day}行手术。", "day"),
    ("前片（{day}）示。", "day"),
    ("Comparison: {day}.", "day"),
    ("家庭住址：{place}", "place"),
    ("患者住{place}。", "place"),
    ("患者来自{place}，", "place"),
    ("在{hospital}行CT检查。", "hospital"),
    ("{hospital}影像诊断报告单\n", "hospital"),
    ("2周前{hospital}胸片示。", "hospital"),
    ("邮箱：{mail}", "mail"),
    ("微信号：{account}", "account"),
    ("QQ：{digits}", "digits"),
)
ADDRESSES = (
    "北京市朝阳区建国路88号",
    "江苏省南京市鼓楼区中山路321号3栋501室",
    "上海市浦东新区世纪大道100弄7号",
    "哈尔滨市南岗区西大直街92号",
)
HOSPITALS = (
    "北京协和医院",
    "复旦大学附属中山医院",
    "四川大学华西医院",
    "南京市鼓楼区中央门社区卫生服务中心",
    "大同市第三人民医院",
)


def invent(kind: str, rng: np.random.Generator) -> str:
    """Draw an identifier."""

    def digits(count: int) -> str:
        return "".join(str(digit) for digit in rng.integers(0, 10, count))

    day = date.fromordinal(STUDY_DAY - int(rng.integers(40, 400)))
    forms = {
        "who": [str(rng.choice(SURNAMES)) + str(rng.choice(GIVEN))],
        "latin": [f"{rng.choice(['Wei', 'Jane', 'Peter'])} {rng.choice(['Zhang', 'Smith', 'O’Neil'])}"],
        "phone": [
            f"13{digits(9)}",
            f"186-{digits(4)}-{digits(4)}",
            f"+86 15{digits(9)}",
            f"010-{digits(8)}",
            "400-820-8820",
        ],
        "card": [
            f"110101{1930 + int(rng.integers(70))}0307{digits(3)}X",
            f"3201065812{10 + int(rng.integers(18))}{digits(3)}",
        ],
        "number": [digits(8), f"ZY{digits(6)}", f"{digits(4)}-{digits(5)}", f"A{digits(7)}"],
        "day": [
            day.isoformat(),
            f"{day:%Y%m%d}",
            f"{day:%Y/%m/%d}",
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year}.{day.month}.{day.day}",
        ],
        "place": list(ADDRESSES),
        "hospital": list(HOSPITALS),
        "mail": [f"wang{digits(3)}@126.com"],
        "account": [f"wx_{digits(6)}"],
        "digits": [f"7{digits(8)}"],
    }[kind]
    return str(rng.choice(forms))


PLANTED = [(place, kind, seed) for place, kind in PLACES for seed in range(6)]


@pytest.mark.parametrize(("place", "kind", "seed"), PLANTED)
def test_a_planted_identifier_is_gone_and_the_findings_stay(place: str, kind: str, seed: int):
    secret = invent(kind, np.random.default_rng([seed, len(place)]))
    planted = place.format(**{kind: secret})
    text = planted + FINDING if planted.endswith(("\n", "，", "；")) else FINDING + planted
    for study_day in (None, STUDY_DAY):
        cleaned = remove_identifiers(text, study_day=study_day)
        assert secret not in cleaned.text
        assert FINDING.rstrip("。") in cleaned.text
        assert cleaned.removed


UNTOUCHED = (
    "患者高热3天，咳嗽，咳黄痰。",
    "患者高血压、糖尿病病史。",
    "患者曾吸烟，曾摔倒，常乏力，成功脱机，于昨日入院，平素体健，时有咳嗽，单肺通气，安静。",
    "患者白内障术后，游离体，毛糙，张力高，舒张压高，石蜡样，平卧位，关节痛，马尾综合征，唐氏综合征。",
    "毛玻璃影",
    "右侧张力性气胸",
    "考虑医院获得性肺炎。医院感染待排。",
    "Clinical indication: None. Clinical correlation is recommended. Chest XXXX. Clinical history unknown.",
    "患者白血病化疗后改变。",
    "王冠样高密度影。高密度影。白肺。黄疸。金属异物。石棉肺。石骨症。",
    "印象：石棉肺。",
    "诊断：高血压性心脏病。",
    "诊断：肺炎。",
    "诊断：结核",
    "报告：双肺清晰。",
    "影像诊断：支气管炎。",
    "检查所见：气管居中。",
    "请结合临床，建议上级医院进一步检查。",
    "建议外院CT复查，我院随诊。",
    "请主治医师结合临床。请主管医生注意。管床医生已知晓。请临床医生结合病史。",
    "请上级医师会诊。高年资医师复核后发出。",
    "审核医师：",
    "报告医生：",
    "结节大小约3.2×2.1cm，T4、L1椎体，第5肋骨，2型糖尿病，C7-T1水平。",
    "右肺上叶尖后段（S1+2）见结节，直径8mm，密度1.5倍。",
    "心胸比约0.58（参考＜0.50），比例约1:2。",
    "右侧第3-5肋骨骨折，断端错位约3/4。",
    "CT值约35HU，层厚5mm，管电压120kV，3.5mAs，SID 180cm。",
    "双侧肺门影增大、增浓，右侧12mm×9mm。",
    "3天前行PICC置管，2周后复查，6个月后随访。",
    "床旁胸片。床边片示。卧床。",
    "左侧位片：心前间隙正常，心后区清晰。",
    "主动脉弓部钙化，主动脉结突出。主干支气管通畅。",
    "气管插管末端位于隆突上3.5cm，右侧PICC尖端位于T6水平。",
    "女，89岁。男性，67岁，65岁。",
    "全身情况良好，周围型肺癌，中央型肺癌，成人型。",
    "平片未见异常。安静状态。时间长。方向正常。路径清楚。",
    "单纯性气胸。双重征。",
    "与前片比较，右肺病灶吸收好转。",
    "未见明显异常",
    "The heart is 3.2 x 2.1 cm. T12 vertebral body. No pneumothorax. Compared to XXXX. Dr. XXXX was notified.",
    "Stable since prior. 2 days ago, 3/4 of the lung, 89-year-old man. Port-A-Cath in place.",
    "PA and lateral views. Swan-Ganz catheter. Cardiomegaly, mild. Signed out.",
    "右肺中叶综合征；Kerley B线；Pancoast瘤；Hampton驼峰征。",
    "胸廓对称，脊柱侧弯Cobb角约25°，骨质疏松（T值-2.5）。",
    "两肺纹理增多、增粗，以双下肺为著。余（-）。",
)


@pytest.mark.parametrize("text", [*UNTOUCHED, *(sentence for sentence, _ in SENTENCES)])
def test_words_of_a_report_are_never_taken_for_names(text: str):
    assert remove_identifiers(text, study_day=STUDY_DAY) == remove_identifiers(text)
    assert remove_identifiers(text).text == text
    assert remove_identifiers(text).removed == ()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("与2023-01-02胸片比较，右肺病灶吸收。", "与31天前胸片比较，右肺病灶吸收。"),
        ("对比2023年1月2日胸片，无变化。", "对比31天前胸片，无变化。"),
        ("2022年12月行手术。", "2个月前行手术。"),
        ("2019年行CABG术。", "4年前行CABG术。"),
        ("12月30日胸片示肺炎。", "34天前胸片示肺炎。"),
        ("2023-02-02 09:30复查。", "当日复查。"),
        ("建议2023-03-02复查。", "建议28天后复查。"),
        ("Compared to 01/02/2023, no change.", "Compared to 31 days earlier, no change."),
        ("Film of Jan 2, 2023 shown.", "Film 31 days earlier shown."),
    ],
)
def test_a_date_becomes_its_distance_from_the_day_of_the_study(text: str, cleaned: str):
    assert remove_identifiers(text, study_day=STUDY_DAY).text == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("与2023-01-02胸片比较，右肺病灶吸收。", "与既往胸片比较，右肺病灶吸收。"),
        ("与2023-01-02前片比较。", "与前片比较。"),
        ("建议2023-03-02复查。", "建议择期复查。"),
        ("于2023-01-02行手术。", "既往行手术。"),
    ],
)
def test_without_the_day_of_the_study_a_date_becomes_a_general_word(text: str, cleaned: str):
    assert remove_identifiers(text).text == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("请王医生会诊。", "请医生会诊。"),
        ("患者张三，男，45岁，双肺清晰。", "患者，男，45岁，双肺清晰。"),
        ("双肺清晰。报告医生：张三  审核医师：李四 2023-01-02 10:20", "双肺清晰。"),
        ("双肺清晰。\n报告医生：张三\n审核医师：李四", "双肺清晰。"),
        ("双肺清晰（报告：王五）。", "双肺清晰。"),
        ("患者在北京协和医院行CT检查。", "患者在外院行CT检查。"),
        ("家住北京市朝阳区建国路88号3号楼2单元501室。心影不大。", "家住某地。心影不大。"),
        ("92岁男性。", "90岁以上男性。"),
        ("九十三岁女性。", "90岁以上女性。"),
        ("94-year-old man.", "over-90-year-old man."),
        ("12床，双肺清晰。", "双肺清晰。"),
        ("住院号：123456，双肺清晰，联系电话：13812345678。", "双肺清晰。"),
        ("Dr. John Smith was informed.", "The physician was informed."),
    ],
)
def test_what_stays_is_a_sentence(text: str, cleaned: str):
    assert remove_identifiers(text).text == cleaned


@pytest.mark.parametrize("written", ["张三", "张 三", "ＺＨＡＮＧ ＳＡＮ", "zhang san", "Zhang, San", "CX-778899"])
def test_a_known_name_or_number_goes_wherever_it_stands(written: str):
    known = ("张三", "Zhang San", "CX-778899")
    text = f"双肺清晰{written}心影不大。"
    assert remove_identifiers(text, known=known).text == "双肺清晰心影不大。"


# Names of people that are words of a report as well, or the end of one word and the beginning of the next.
WORDS_AS_NAMES = ("张力", "高度", "钙化", "向平", "双肺", "肺文", "明显", "于明", "常见", "门高", "白高")


@pytest.mark.parametrize(
    "text",
    [
        "右侧张力性气胸，张力高，舒张力弱。",
        "患者张力性气胸置管后，患者高度紧张。",
        "患者：张力性气胸",
        "高度怀疑结核。报告：高度怀疑结核。",
        "X线方向平行于椎间隙，由于明显增大，走向平直。",
        "钙化。",
        "印象：钙化",
        "右上肺钙化，女，45岁。",
        "双肺文理增多，右肺门，高密度影，白，高。",
        "胸椎常见明显退变及高度变扁。",
        *UNTOUCHED,
        *(sentence for sentence, _ in SENTENCES),
    ],
)
def test_a_known_name_that_is_a_word_of_reports_is_never_cut_out_of_one(text: str):
    assert remove_identifiers(text, known=WORDS_AS_NAMES).text == text


@pytest.mark.parametrize("name", ["张力", "高度", "向平", "于明", "李明", "陈志明", "欧阳小明"])
@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("患者{}，男，45岁。", "患者，男，45岁。"),
        ("{}，男，45岁。", "男，45岁。"),
        ("患者{}因咳嗽入院。", "患者因咳嗽入院。"),
        ("{}诉胸痛。", "诉胸痛。"),
        ("请{}医生会诊。", "请医生会诊。"),
        ("已电话告知{}。", "已电话告知。"),
        ("双肺清晰。报告医师：{}  审核医师：李四", "双肺清晰。"),
        ("双肺清晰。报告医师：李四/{}", "双肺清晰。"),
        ("双肺清晰。【报告医师】{}", "双肺清晰。"),
        ("双肺清晰。报告：{}  审核：王五", "双肺清晰。"),
        ("双肺清晰。\n{} 2023-01-02", "双肺清晰。"),
    ],
)
def test_a_known_name_that_is_a_word_goes_from_where_names_stand(text: str, cleaned: str, name: str):
    assert remove_identifiers(text.format(name), known=(name,)).text == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("李明显著好转，由李明确认。", "显著好转，由确认。"),
        ("双肺清晰，陈志明显示配合。", "双肺清晰，显示配合。"),
        ("买买提吐尔逊，买买提•吐尔逊，买买提·吐尔逊双肺清晰。", "双肺清晰。"),
    ],
)
def test_a_known_name_goes_though_its_end_and_what_follows_would_be_a_word(text: str, cleaned: str):
    assert remove_identifiers(text, known=("李明", "陈志明", "买买提·吐尔逊")).text == cleaned


def test_a_known_number_is_no_part_of_a_longer_word():
    assert remove_identifiers("见LINE12345X。", known=("12345",)).text == "见LINE12345X。"


@pytest.mark.parametrize(
    "text",
    [
        "右侧第3-4-5-6-7-8-9肋骨折。",
        "右侧3-4-5-6-7-8-9肋骨骨折。",
        "右侧第3、4、5、6、7、8、9、10肋，第3,4,5,6,7,8,9,10肋。",
        "右侧第3.4.5.6.7.8肋骨骨折。",
        "右侧第3 4 5 6 7 8 9前肋骨折。",
        "左侧三四五六七八九肋，第二三四五六七八九后肋骨折。",
        "T3-4-5、T3-4-5-6-7-8-9椎体，L1-2-3-4-5，10-11-12胸椎。",
        "结节直径10 12 13 15mm，分别为12 13 15 18 mm。",
        "大小约102 113 121 mm，CT值120 130 140 HU，管电压120 125 130 140kV。",
        "大小12×13×15mm，12*13*15mm，120x130x150mm。",
        "SUV 3.5 4.2 5.1 12.3，SUVmax：2.5、3.6、10.2。",
        "血压120/80 130/85 mmHg，肺压缩约10%-20%-30%。",
        "2019-2021年。",
    ],
)
def test_series_of_measurements_ribs_and_vertebrae_are_no_numbers_of_a_person(text: str):
    assert remove_identifiers(text).text == text


@pytest.mark.parametrize(
    "number",
    [
        "138 1234 5678",
        "138-1234-5678",
        "138–1234–5678",
        "1381 234 5678",
        "138 123 456 78",
        "1 3 8 1 2 3 4 5 6 7 8",
        "6222-0210-0123",
        "6222 0210 0123 4567 890",
        "622 202 123 456 789",
        "110101 19500307 7758",
        "0512-6543 2109",
        "1234 5678",
        "1234567",
    ],
)
def test_a_long_number_goes_however_it_is_spaced(number: str):
    assert remove_identifiers(f"双肺清晰（{number}）。").text == "双肺清晰。"


def test_each_removal_is_told_by_its_kind():
    cleaned = remove_identifiers("报告医生：张三，电话13812345678，住院号：123456。")
    assert sorted(cleaned.removed) == ["hospital_number", "name", "phone"]


def test_full_width_and_chinese_digits_are_read_as_digits():
    text = "电话：１３８１２３４５６７８，一三八零零一三八零零零，住院号：００１２３４５。心影不大。"
    assert remove_identifiers(text).text == "心影不大。"


@given(st.text(alphabet="张王医生：，。 \n2023-01年月日()（）号住院电话13ABab患者\ue000", max_size=60))
def test_any_text_is_cleaned_and_stays_clean(text: str):
    once = remove_identifiers(text)
    assert once.removed or once.text == text
    assert "\ue000" not in once.text or "\ue000" in text
