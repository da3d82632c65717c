"""Reports that an information system stored as HTML, back to the text that a reader of it sees."""

import html
import re
from html.parser import HTMLParser

from xray.errors import Rejected

_NEW_LINE = {"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4"}
_UNSEEN = {"script", "style", "head", "title"}
_OTHER_TAGS = {"html", "body", "span", "font", "tbody", "td", "th", "ul", "ol", "a", "b", "i", "u", "strong", "em"}
_OTHER_TAGS |= {"sub", "sup", "center", "pre", "meta"}
_TAGS = _NEW_LINE | _UNSEEN | _OTHER_TAGS
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_TAGS))})\b[^<>]{{0,2000}}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:nbsp|lt|gt|amp|quot|apos|[lr]dquo|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_OTHER_FORMATS = re.compile(r"\{\\rtf|<\?xml\b|<!\[CDATA\[|<ClinicalDocument\b", re.IGNORECASE)
_BROKEN_TAG = re.compile(r"<(?![^<>]{0,2000}>)")
_MOST_CHARACTERS = 40_000  # ten times the longest report
_MOST_LAYERS = 2  # text that was escaped twice, `&lt;br&gt;`, is what some interfaces make of it


def plain_text(text: str) -> str:
    """Return `text` without HTML: tags that break a line become line breaks, entities become characters.

    Text without markup comes back unchanged; `<5mm` is no tag. Raises Rejected: `report_markup` for RTF and XML,
    and for text that still holds HTML after two layers of escaping, `report_too_long`.
    """
    if _OTHER_FORMATS.search(text):
        raise Rejected("report_markup", "the report holds RTF or XML codes; export it as plain text")
    for _ in range(_MOST_LAYERS):
        if not _has_markup(text):
            return text
        if len(text) > _MOST_CHARACTERS:
            raise Rejected("report_too_long", f"the report has {len(text)} characters of HTML")
        text = _seen(text)
    if _has_markup(text):
        raise Rejected("report_markup", "the report holds HTML codes; export it as plain text")
    return text


def _has_markup(text: str) -> bool:
    return _TAG.search(text) is not None or _ENTITY.search(text) is not None


def _seen(text: str) -> str:
    if not _TAG.search(text):
        return html.unescape(text).replace("\xa0", " ")
    reader = _Reader()
    reader.feed(_BROKEN_TAG.sub("&lt;", text))  # on tags without end the parser takes quadratic time
    reader.close()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects what a browser would show, and every `<word>` that is no tag of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _NEW_LINE:
            self.parts.append("\n")
        elif tag not in _TAGS:
            self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _NEW_LINE - {"br"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)
