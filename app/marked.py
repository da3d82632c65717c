"""A report as text with its findings marked, for pages on which nothing is decided."""

from collections.abc import Iterable
from html import escape

from app.lexicon import concept_name
from app.markup import SIGNS
from app.words.workbench import WorkbenchWords
from xray.metrics.marks import KINDS, Segment


def report_html(segments: Iterable[Segment], *, words: WorkbenchWords, language: str) -> str:
    """Show a report with its findings marked by sign, word and line, their names as tooltips."""
    body = "".join(_segment_html(segment, words=words, language=language) for segment in segments)
    return f'<div class="report-text" lang="zh-CN">{body}</div>'


def legend_html(words: WorkbenchWords) -> str:
    """Show the marks' key."""
    entries = "".join(
        f'<mark class="finding {kind}"><span class="tag">{SIGNS[kind]}{escape(words.kinds[kind])}</span></mark>'
        for kind in KINDS
    )
    return f'<div class="legend">{entries}</div>'


def _segment_html(segment: Segment, *, words: WorkbenchWords, language: str) -> str:
    if segment.kind is None:
        return escape(segment.text)
    text, last = escape(segment.text[:-1]), escape(segment.text[-1:])
    label = escape(words.kinds[segment.kind])
    if segment.kind == "side":  # the side is often said outside the marked words
        label += f"·{escape(words.values.get(segment.side or '', words.unsaid))}"
    name = concept_name(segment.concept, language=language) if segment.concept else ""
    title = escape(f"{words.kinds[segment.kind]}: {name}")
    tag = f'<span class="tag">{SIGNS[segment.kind]}{label}</span>'
    return f'<mark class="finding {segment.kind}" title="{title}">{text}<span class="last">{last}{tag}</span></mark>'
