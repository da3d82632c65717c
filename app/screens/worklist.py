"""工作列表: all test studies of a run with filters, progress and the run's scores."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import navigation, session
from app.document import VERDICTS
from app.faults import shown
from app.lexicon import concept_name
from app.markup import banner_html, draft_text, report_head_html, scores_html
from app.run import Run
from app.selection import UNREVIEWED, Entry, Selection, next_unreviewed
from app.words import Words
from app.words.reading import READING_WORDS
from finetune.manifest import HEADLINE
from xray.metrics.marks import KINDS

TABLE_KEY = "worklist_table"
_STATUS_SIGNS = {UNREVIEWED: "○", "accept": "✓", "edit": "✎", "reject": "✕"}


def show() -> None:
    """Draw the page."""
    with shown():
        wanted = st.query_params.get("case")
        if wanted:
            navigation.open_case(wanted)
        words, run = session.words(), session.current_run()
        st.html(banner_html(words))
        st.html(report_head_html(f"{words.run} {run.id}"))
        entries = navigation.entries(run)
        if len(entries) < len(run.cases):
            hidden = len(run.cases) - len(entries)
            st.info(
                session.in_language(READING_WORDS).read_blind.format(count=hidden), icon=":material/visibility_off:"
            )
        if not entries:
            return
        _progress(entries, words=words)
        with st.expander(words.scores_title, icon=":material/monitoring:"):
            st.html(scores_html(run.scores, words=words))
        selection = _filters(run, entries, words=words)
        navigation.remember(selection)
        _table(selection.apply(entries), total=len(entries), run=run, words=words)


def _progress(entries: Sequence[Entry], *, words: Words) -> None:
    done = sum(entry.status != UNREVIEWED for entry in entries)
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    bar.progress(done / len(entries), text=words.progress.format(done=done, total=len(entries)))
    upcoming = next_unreviewed(entries)
    label = words.continue_review if upcoming else words.all_reviewed
    if button.button(label, type="primary", shortcut="N", disabled=upcoming is None, width="stretch") and upcoming:
        navigation.open_case(upcoming)


def _filters(run: Run, entries: Sequence[Entry], *, words: Words) -> Selection:
    def name(concept: str) -> str:
        return concept_name(concept, language=words.code)

    concepts = sorted({concept for entry in entries for _, concept in entry.marks.findings}, key=name)
    status_names = {UNREVIEWED: words.unreviewed, **words.verdicts}
    text, finding, kind, status, order = st.columns([3, 3, 3, 3, 3])
    metric, descending = _order(order, run=run, words=words)
    return Selection(
        text=text.text_input(words.search, placeholder=words.search_hint, key="filter_text", persist_state="session"),
        concepts=frozenset(
            finding.multiselect(
                words.finding,
                concepts,
                format_func=name,
                placeholder=words.finding_hint,
                key="filter_concepts",
                persist_state="session",
            )
        ),
        kinds=frozenset(
            kind.multiselect(
                words.disagreement,
                KINDS[1:],
                format_func=lambda found: words.kinds[found],
                placeholder=words.disagreement_hint,
                key="filter_kinds",
                persist_state="session",
            )
        ),
        statuses=frozenset(
            status.multiselect(
                words.status,
                (UNREVIEWED, *VERDICTS),
                format_func=lambda word: status_names[word],
                placeholder=words.status_hint,
                key="filter_statuses",
                persist_state="session",
            )
        ),
        metric=metric,
        descending=descending,
    )


def _order(place: st.delta_generator.DeltaGenerator, *, run: Run, words: Words) -> tuple[str | None, bool]:
    available = dict.fromkeys(name for case in run.cases for name, _ in case.scores if name in words.metrics)
    options = ["", *(f"{name}:{way}" for name in available for way in ("low", "high"))]

    def label(option: str) -> str:
        name, _, way = option.partition(":")
        text = {"": words.order_of_run, "low": words.order_low_first, "high": words.order_high_first}[way]
        return text.format(metric=words.metrics.get(name, name))

    chosen = place.selectbox(
        words.order, options, format_func=label, key=f"filter_order_{words.code}", persist_state="session"
    )
    name, _, way = (chosen or "").partition(":")
    return (name or None, way == "high")


def _table(entries: Sequence[Entry], *, total: int, run: Run, words: Words) -> None:
    st.caption(f"{words.shown.format(shown=len(entries), total=total)} · {words.open_hint}")
    if not entries:
        st.info(words.none_match)
        return
    frame = pd.DataFrame([_row(entry, words=words) for entry in entries])
    event = st.dataframe(
        frame,
        key=f"{TABLE_KEY}_{st.session_state.get('visit', 0)}",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        height=min(38 + 36 * len(frame), 620),
        row_height=36,
        column_config={
            words.case: st.column_config.TextColumn(width=150),
            words.status: st.column_config.TextColumn(width=95),
            words.disagreement: st.column_config.TextColumn(width=250),
            words.metrics[HEADLINE]: st.column_config.NumberColumn(format="%.2f", width=80),
            words.generated_report: st.column_config.TextColumn(width=370),
            words.reference_report: st.column_config.TextColumn(width=370),
        },
    )
    cells = event.selection.cells
    if cells:
        navigation.open_case(entries[cells[0][0]].case.id)


def _row(entry: Entry, *, words: Words) -> dict[str, str | float | None]:
    verdict = words.unreviewed if entry.status == UNREVIEWED else words.verdicts[entry.status]
    return {
        words.case: entry.case.id,
        words.status: f"{_STATUS_SIGNS[entry.status]} {verdict}",
        words.disagreement: _disagreement(entry, words=words),
        words.metrics[HEADLINE]: entry.case.score(HEADLINE),
        words.generated_report: draft_text(entry.case.generated, words=words),
        words.reference_report: entry.case.case.text,
    }


def _disagreement(entry: Entry, *, words: Words) -> str:
    if entry.case.generated is None:  # two reports can neither agree nor disagree where there is one
        return words.no_draft
    problems = []
    for kind in entry.marks.disagreements:
        concepts = (concept_name(concept, language=words.code) for concept in entry.marks.concepts(kind))
        problems.append(f"{words.kinds[kind]}{words.colon}{words.comma.join(concepts)}")
    return words.semicolon.join(problems) or words.kinds["agree"]
