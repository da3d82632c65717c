"""工作列表: all test studies of a run with filters, progress and the run's scores."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from app import navigation, session
from app.faults import shown
from app.lexicon import concept_name
from app.markup import banner_html, draft_text, report_head_html, scores_html
from app.run import Run
from app.screens import filters, waiting
from app.selection import Entry, Selection, Status, next_unsubmitted
from app.words import Words
from app.words.reading import READING_WORDS
from app.words.worklist import WORKLIST_WORDS, WorklistWords
from finetune.manifest import HEADLINE

TABLE_KEY = "worklist_table"
RUN_KEY = "worklist_run"
ROWS = 100
_STATUS_SIGNS: Mapping[Status, str] = {
    "unreviewed": "○",
    "draft": "◐",
    "submitted": "●",
    "amending": "✐",
    "outdated": "↻",
}


def show() -> None:
    """Draw the page."""
    with shown():
        wanted = st.query_params.get("case")
        if wanted:
            navigation.open_case(wanted)
        words, run = session.words(), session.current_run()
        filters.begin(run)
        st.html(banner_html(words))
        _head(run, words=words)
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
        marking = session.marking(run)
        selection = filters.draw(run, entries, words=words)
        if not marking.is_ready:
            waiting.show(marking, text=session.in_language(WORKLIST_WORDS).comparing)
        _list(run, entries, selection=selection, is_marked=marking.is_ready)


def _head(run: Run, *, words: Words) -> None:
    title, choice = st.columns([5, 2], vertical_alignment="center")
    title.html(report_head_html(f"{words.run} {run.id}"))
    runs = list(session.runs())
    if len(runs) > 1:
        st.session_state[RUN_KEY] = run.id
        choice.selectbox(words.run, runs, key=RUN_KEY, label_visibility="collapsed", on_change=_choose_run)


def _choose_run() -> None:
    session.choose_run(st.session_state[RUN_KEY])


def _progress(entries: Sequence[Entry], *, words: Words) -> None:
    done = sum(entry.is_done for entry in entries)
    drafts = sum(entry.status == "draft" for entry in entries)
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    bar.progress(done / len(entries), text=words.progress.format(done=done, total=len(entries), drafts=drafts))
    upcoming = next_unsubmitted(entries)
    label = words.continue_review if upcoming else words.all_reviewed
    if button.button(label, type="primary", shortcut="N", disabled=upcoming is None, width="stretch") and upcoming:
        navigation.open_case(upcoming)


def _list(run: Run, entries: Sequence[Entry], *, selection: Selection, is_marked: bool) -> None:
    words, texts = session.words(), session.in_language(WORKLIST_WORDS)
    in_force = selection if is_marked else replace(selection, kinds=frozenset(), concepts=frozenset())
    if in_force != st.session_state.get(navigation.SELECTION_KEY, in_force):
        filters.turn_back()
    navigation.remember(in_force)
    kept = in_force.apply(entries)
    pages = max(1, -(-len(kept) // ROWS))
    page = min(filters.page(), pages)
    first, listed = (page - 1) * ROWS, kept[(page - 1) * ROWS : page * ROWS]
    place = f" · {texts.page.format(first=first + 1, last=first + len(listed))}" if pages > 1 else ""
    st.caption(f"{words.shown.format(shown=len(kept), total=len(entries))}{place} · {words.open_hint}")
    if kept:
        _table(listed, words=words, texts=texts)
    else:
        st.info(words.none_match)
    if pages > 1:
        st.pagination(pages, default=page, key=filters.page_key(), persist_state="session")
    filters.write(selection, page=page)


def _table(entries: Sequence[Entry], *, words: Words, texts: WorklistWords) -> None:
    frame = pd.DataFrame([_row(entry, words=words, texts=texts) for entry in entries])
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
            texts.state: st.column_config.TextColumn(width=100),
            words.status: st.column_config.TextColumn(width=80),
            words.disagreement: st.column_config.TextColumn(width=250),
            words.metrics[HEADLINE]: st.column_config.NumberColumn(format="%.2f", width=80),
            words.generated_report: st.column_config.TextColumn(width=350),
            words.reference_report: st.column_config.TextColumn(width=350),
        },
    )
    cells = event.selection.cells
    if cells:
        navigation.open_case(entries[cells[0][0]].case.id)


def _row(entry: Entry, *, words: Words, texts: WorklistWords) -> dict[str, str | float | None]:
    return {
        words.case: entry.case.id,
        texts.state: f"{_STATUS_SIGNS[entry.status]} {texts.states[entry.status]}",
        words.status: words.verdicts.get(entry.verdict or "", "–"),
        words.disagreement: _disagreement(entry, words=words, texts=texts),
        words.metrics[HEADLINE]: entry.case.score(HEADLINE),
        words.generated_report: draft_text(entry.case.generated, words=words),
        words.reference_report: entry.case.case.text,
    }


def _disagreement(entry: Entry, *, words: Words, texts: WorklistWords) -> str:
    if entry.case.generated is None:  # two reports can neither agree nor disagree where there is one
        return words.no_draft
    if entry.findings is None:
        return texts.not_compared
    problems = []
    for kind in entry.disagreements:
        concepts = (concept_name(concept, language=words.code) for concept in entry.concepts(kind))
        problems.append(f"{words.kinds[kind]}{words.colon}{words.comma.join(concepts)}")
    return words.semicolon.join(problems) or words.kinds["agree"]
