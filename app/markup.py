"""The few pieces of HTML the pages need. Every text that enters is escaped here; report texts are untrusted."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from app.words import Words
from finetune.manifest import CaseTurn, Estimate, ScoresFile
from xray.metrics.alignment import SentenceKind

STYLE = Path(__file__).parent / "style.css"
# Shape: every kind has its own sign beside its word, so that no meaning hangs on colour alone.
SIGNS: Mapping[SentenceKind, str] = {
    "agree": "✓",
    "false": "✕",
    "omitted": "○",
    "side": "⇄",
    "place": "◎",
    "degree": "≠",
    "polarity": "±",
}
_COLUMNS = ("finding_f1", "finding_precision", "finding_recall", "frame_f1", "side_accuracy", "bleu4_char")


def draft_text(generated: str | None, *, words: Words) -> str:
    """Return a generated report, or the sentence that stands for one that is missing or blank."""
    if generated is None:
        return words.no_report
    return generated if generated.strip() else words.empty_report


def turns_html(turns: Iterable[CaseTurn], *, words: Words) -> str:
    """Show what was asked and answered before, where a case is a question of the data set's own."""
    said = [(words.speakers[turn.role], turn.text) for turn in turns if turn.role in words.speakers]
    rows = "".join(f"<p><b>{escape(speaker)}</b> {escape(text)}</p>" for speaker, text in said)
    return f'<div class="turns" lang="zh-CN">{rows}</div>' if rows else ""


def report_head_html(title: str, *, badges: Iterable[tuple[str, str]] = ()) -> str:
    """Show a report's heading; badges are (css class, text)."""
    chips = "".join(f'<span class="badge {kind}">{escape(text)}</span>' for kind, text in badges)
    return f'<div class="report-head"><h3>{escape(title)}</h3>{chips}</div>'


def banner_html(words: Words) -> str:
    """Show the line that says on every page that drafts are generated and not for clinical use."""
    return f'<div class="ai-banner" role="note">{escape(words.banner)}</div>'


def rows_html(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Show rows of texts under their headings."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def metrics_html(values: Iterable[tuple[str, float | None]], *, words: Words) -> str:
    """Show one report's own scores as a row of small figures; a score that cannot be computed is a dash."""
    known = [(words.metrics[name], value) for name, value in values if name in words.metrics]
    cells = "".join(f"<span>{escape(label)} <b>{_number(value)}</b></span>" for label, value in known)
    return f'<div class="case-scores">{cells}</div>'


def scores_html(scores: ScoresFile, *, words: Words) -> str:
    """Show the table of all systems: value and 95 % interval per metric, the adapter first."""
    metrics = [name for name in _COLUMNS if any(name in system for system in scores.systems.values())]
    head = "".join(f"<th scope='col'>{escape(words.metrics.get(name, name))}</th>" for name in metrics)
    rows = "".join(
        f"<tr class='{escape(name)}'><th scope='row'>{escape(words.systems.get(name, name))}</th>"
        + "".join(f"<td>{_estimate(values.get(metric))}</td>" for metric in metrics)
        + "</tr>"
        for name, values in scores.systems.items()
    )
    return (
        f'<table class="scores"><thead><tr><th scope="col">{escape(words.system)}</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table><p class='scores-note'>{escape(words.scores_note)}</p>"
    )


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"<b>{_number(estimate.value)}</b>"
    return (
        f"<b>{_number(estimate.value)}</b> <small>[{_number(estimate.low)}, {_number(estimate.high)}]"
        f" n={estimate.n}</small>"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
