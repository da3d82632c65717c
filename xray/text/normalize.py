"""One spelling for one meaning, with the way back to the original characters.

Scoring and finding extraction see the same text: compatibility forms folded (Unicode NFKC: full-width letters, digits
and punctuation, `㎜`), the traditional characters of the lexicon simplified, the frequent misspelling 纵膈 written
纵隔, and white space reduced to what carries meaning. Positions are kept, so that a finding read in the normalised
text can be marked in the text the user knows.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

VERSION = "v2"
"""Changes whenever `normalize` gives another result for some text; part of every score's signature."""

_TRADITIONAL = (
    "側兩雙無見氣胸腔積腫塊結節紋間質縱擴張變鈍銳緣圍脅層門葉臟腦診斷檢查醫師報現徵顯發異狀斷條鈣慮術後導"
    "靜脈監護電極釘鋼損傷組織遠約徑寬輕與並為於處單純優減亂顆彌漫廣穩實滲濕營養體癥確個陰陽癌種骯觸邊際壓"
    "隱顱頸關鎖絡點滿長較對稱舊傾纖維鏡強過剛應裝內臨響僅從會類數據統願併臥橫彎餘擠夾濁裡動區帶圓軟頂網脈盤連續攝證認讓現當帶"
    "沒懷輪潤開適屬轉縮創復頭難題項額塵佈週線擬腸膽腎髖參選鬆緩漸進擊評議請複隨訪預陳癒濃淺圖編號時歲誤鑑跡獲絲閉細紅總聯脹膿膠補試該詳調輸遲還鄰釋錄錯鏈雜離順風飽驗態環擋絕蓋軸軌頜標樣團壞權彈徹恆惡擇擔"
)
_SIMPLIFIED = (
    "侧两双无见气胸腔积肿块结节纹间质纵扩张变钝锐缘围胁层门叶脏脑诊断检查医师报现征显发异状断条钙虑术后导"
    "静脉监护电极钉钢损伤组织远约径宽轻与并为于处单纯优减乱颗弥漫广稳实渗湿营养体症确个阴阳癌种肮触边际压"
    "隐颅颈关锁络点满长较对称旧倾纤维镜强过刚应装内临响仅从会类数据统愿并卧横弯余挤夹浊里动区带圆软顶网脉盘连续摄证认让现当带"
    "没怀轮润开适属转缩创复头难题项额尘布周线拟肠胆肾髋参选松缓渐进击评议请复随访预陈愈浓浅图编号时岁误鉴迹获丝闭细红总联胀脓胶补试该详调输迟还邻释录错链杂离顺风饱验态环挡绝盖轴轨颌标样团坏权弹彻恒恶择担"
)
_SIMPLIFY = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
_WORD = re.compile(r"[0-9A-Za-z]")
_LINE_BREAKS = "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class AlignedText:
    """Normalised text and, for each of its characters, the index of the original character it came from."""

    text: str
    origins: tuple[int, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Map a non-empty [start, end) of the normalised text to [start, end) of the original text."""
        return self.origins[start], self.origins[end - 1] + 1


def normalize(text: str) -> str:
    """Return `text` as scoring and extraction see it. Applying it twice changes nothing.

    NFKC per character, traditional to simplified for the characters of the lexicon, 纵膈 to 纵隔, control and
    zero-width characters dropped. Spaces are dropped except one between two Latin words or numbers; line breaks
    become one, since a line ends a statement. Punctuation and case are kept.
    """
    return align(text).text


def align(text: str) -> AlignedText:
    """Normalise `text` and keep the origin of each character."""
    characters: list[str] = []
    origins: list[int] = []
    for index, raw in enumerate(text):
        for character in _fold(raw):
            characters.append(character)
            origins.append(index)
    return _squeeze(characters, origins)


@lru_cache(maxsize=8192)
def _fold(raw: str) -> str:
    if raw in _LINE_BREAKS:
        return "\n"
    folded = unicodedata.normalize("NFKC", raw).translate(_SIMPLIFY)
    return "".join(c for c in folded if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf"})


def _squeeze(characters: list[str], origins: list[int]) -> AlignedText:
    """Drop white space without meaning and repair 纵膈, character by character."""
    kept: list[str] = []
    kept_origins: list[int] = []
    gap: tuple[str, int] | None = None
    for character, origin in zip(characters, origins, strict=True):
        if character.isspace():
            if gap is None or character == "\n":
                gap = ("\n" if character == "\n" else " ", origin)
            continue
        if gap and kept and (gap[0] == "\n" or (_WORD.match(kept[-1]) and _WORD.match(character))):
            kept.append(gap[0])
            kept_origins.append(gap[1])
        gap = None
        kept.append("隔" if character == "膈" and kept and kept[-1] == "纵" else character)
        kept_origins.append(origin)
    return AlignedText("".join(kept), tuple(kept_origins))
