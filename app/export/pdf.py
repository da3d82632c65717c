"""A report as PDF: readable on any machine (its font is in it), labelled on every page and in its metadata."""

from xml.sax.saxutils import escape

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

from app.export.aigc import NAMESPACE, AigcBlock
from app.export.contents import findings_and_impression, without_controls
from app.export.fonts import Font
from app.export.records import ExportContext, ReviewedReport
from xray.errors import DataError

NOT_FOR_CARE = "本页报告初稿由人工智能生成，仅供科研评审，未经执业医师审核签署不得用于临床"
_FAMILY, _TITLE = "report", "胸部X线检查报告"
_TITLE_PT, _TEXT_PT, _SMALL_PT = 16, 11, 8
_MARGIN_MM = 20


def to_pdf(record: ReviewedReport, *, font: Font, context: ExportContext) -> bytes:
    """Return an A4 document of the text that the reader stands for; the same review and font give the same bytes.

    Every page is headed by the label, and by a warning until the report is signed. A signed report ends with the
    signer's name, time and meaning. The AIGC block is in the XMP metadata. Raises DataError if the font lacks a
    character: leaving one out could change what is said.
    """
    page = _Page(record)
    page.add_font(_FAMILY, fname=font.path, collection_font_number=font.face)
    try:
        page.set_title(_TITLE)
        page.set_lang("zh-CN")
        page.set_creator(context.producer)
        page.set_creation_date(record.signed.at if record.signed else record.saved_at)
        block = AigcBlock(ContentProducer=context.producer, ProduceID=f"{record.id}-{record.revision}")
        page.set_xmp_metadata(_xmp(block))
        page.add_page()
        page.line_of(_TITLE, size=_TITLE_PT)
        for heading, text in _body(record, context):
            page.ln(3)
            page.line_of(heading, size=_SMALL_PT)
            page.line_of(text, size=_TEXT_PT)
        page.check_glyphs()
        return bytes(page.output())
    finally:
        page.close_fonts()


def characters_of(record: ReviewedReport, *, context: ExportContext) -> set[str]:
    """Return every character that the document sets: what its font has to hold."""
    parts = [_TITLE, *_head(record), _foot(record, page=1), "0123456789"]
    parts += [text for part in _body(record, context) for text in part]
    return set(without_controls("".join(parts)))


class _Page(FPDF):
    """The label above and the review's number below each page."""

    def __init__(self, record: ReviewedReport) -> None:
        super().__init__(format="A4")
        self._record = record
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM)

    def header(self) -> None:
        self.set_y(_MARGIN_MM / 2)
        for line in _head(self._record):
            self.line_of(line, size=_SMALL_PT)
        self.ln(4)

    def footer(self) -> None:
        self.set_y(-_MARGIN_MM / 2 - 4)
        self.line_of(_foot(self._record, page=self.page_no()), size=_SMALL_PT)

    def line_of(self, text: str, *, size: int) -> None:
        """Set a text over as many lines as it needs, broken between any two characters."""
        self.set_font(_FAMILY, size=size)
        height = size * 0.53  # millimetres for points, one and a half lines
        self.multi_cell(
            0, height, without_controls(text), align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _embedded(self) -> list[TTFFont]:
        return [font for font in self.fonts.values() if isinstance(font, TTFFont)]

    def close_fonts(self) -> None:
        """Let go of the font's file, which fpdf2 reads as it needs it."""
        for font in self._embedded():
            font.close()

    def check_glyphs(self) -> None:
        """Raise DataError if the font had no glyph for a character."""
        missing = sorted({character for font in self._embedded() for character in font.missing_glyphs})
        if missing:
            codes = ", ".join(f"U+{character:04X}" for character in missing[:5])
            raise DataError(
                f"Review {self._record.id} holds characters that the font for PDF has not: {codes}. Correct the text."
            ).in_chinese(f"评审 {self._record.id} 含有 PDF 字体没有的字符：{codes}。请修改文本。")


def _head(record: ReviewedReport) -> list[str]:
    return [record.ai_label] if record.signed else [record.ai_label, NOT_FOR_CARE]


def _foot(record: ReviewedReport, *, page: int) -> str:
    return f"{record.id} 第{record.revision}版 · 第{page}页"


def _body(record: ReviewedReport, context: ExportContext) -> list[tuple[str, str]]:
    parts = [("检查与患者（假名）", f"{record.study_uid}　{record.patient_key}")]
    if both := findings_and_impression(record.final_text):
        parts += [("影像所见", both[0]), ("诊断意见", both[1])]
    else:
        parts.append(("报告", record.final_text))
    parts.append(("生成模型", record.model_name))
    if signed := record.signed:
        organization = signed.by.organization or context.institution
        when = signed.at.isoformat(sep=" ", timespec="seconds")
        parts.append(("签署", "　".join(part for part in (signed.by.name, organization, when, signed.meaning) if part)))
    return parts


def _xmp(block: AigcBlock) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{NAMESPACE}">'
        f"<TC260:AIGC>{escape(block.model_dump_json())}</TC260:AIGC>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
