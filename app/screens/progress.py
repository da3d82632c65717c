"""进度: how far readers are and how long they take. A reader sees themselves, a lead everyone and the sentinels."""

from collections.abc import Callable, Sequence

import streamlit as st

from app import access, session
from app.faults import shown
from app.figures.plots import Bar, bar_plot
from app.figures.progress import (
    OUTCOMES,
    Quartiles,
    ReaderProgress,
    Sentinels,
    by_day,
    in_open_review,
    in_studies,
    sentinels,
)
from app.figures.ratings import readings_of
from app.figures.table import Cell, Table
from app.markup import banner_html, report_head_html
from app.run import Run
from app.screens import charts
from app.store import arms, people, studies
from app.store.arms import Task
from app.store.ledger import Progress
from app.words.readers import PROGRESS_WORDS, ProgressWords

Name = Callable[[str], str]


def show() -> None:
    """Draw the page."""
    words, texts = session.words(), session.in_language(PROGRESS_WORDS)
    with shown():
        run, who = session.current_run(), access.current()
        leads = "lead" in who.roles
        st.html(banner_html(words))
        st.html(report_head_html(texts.everyone if leads else texts.mine))
        reader = None if leads else who.name
        tasks = arms.tasks(session.database(), reader=reader)
        own = [one for one in session.ledger().all() if reader in (None, one.reviewer)]
        _readers(run, tasks, own, leads=leads, texts=texts)
        if leads:
            _sentinels(tasks, texts=texts)


def _readers(run: Run, tasks: Sequence[Task], own: Sequence[Progress], *, leads: bool, texts: ProgressWords) -> None:
    rows = (*in_studies(tasks, own), *in_open_review(own, sizes={run.id: len(run.cases)}))
    if not rows:
        st.info(texts.nothing if leads else texts.nothing_of_mine)
        return
    titles = {study.id: study.title for study in studies.all_studies(session.database())}
    names = _names()

    def work(row: ReaderProgress) -> str:
        return titles.get(row.study_id, row.study_id) or texts.open_review.format(run=row.run_id)

    st.html(charts.table_html(_shown(rows, work=work, names=names, texts=texts)))
    charts.download(
        _numbers(rows, work=work, names=names, texts=texts).csv(),
        name="progress.csv",
        label=texts.download_table,
        kind="text/csv",
    )
    days = by_day(one for one in own if one.task or one.run_id == run.id)
    if days:
        bars = [Bar(label=f"{day:%m-%d}", count=count) for day, count in days]
        svg = bar_plot(bars, title=texts.by_day, axis=texts.day)
        alt = f"{texts.by_day}: " + "; ".join(f"{day:%Y-%m-%d} {count}" for day, count in days)
        table = Table(columns=(texts.day, texts.done), rows=tuple((day.isoformat(), count) for day, count in days))
        charts.plot(svg, table, alt=alt, name="submissions", labels=(texts.download_plot, texts.download_table))


def _shown(
    rows: Sequence[ReaderProgress], *, work: Callable[[ReaderProgress], str], names: Name, texts: ProgressWords
) -> Table:
    return Table(
        columns=(
            *(texts.reader, texts.work, texts.assigned, texts.done, texts.share, texts.drafts, texts.skipped),
            *(texts.active, texts.edits, texts.last),
        ),
        rows=tuple(
            (
                *(names(row.reader), work(row), row.assigned, row.done, f"{row.done / row.assigned:.0%}"),
                *(row.drafts, row.skipped),
                *(_quartiles(found, texts=texts) for found in (row.active_seconds, row.edits)),
                row.last_saved.replace("T", " ")[:16] + (" UTC" if row.last_saved else ""),
            )
            for row in rows
        ),
    )


def _numbers(
    rows: Sequence[ReaderProgress], *, work: Callable[[ReaderProgress], str], names: Name, texts: ProgressWords
) -> Table:
    parts = ("median", "q1", "q3", "n")
    return Table(
        columns=(
            *(texts.reader, texts.work, texts.assigned, texts.done, texts.drafts, texts.skipped),
            *(f"{name}_{part}" for name in (texts.active, texts.edits) for part in parts),
            texts.last,
        ),
        rows=tuple(
            (
                *(names(row.reader), work(row), row.assigned, row.done, row.drafts, row.skipped),
                *_spread(row.active_seconds),
                *_spread(row.edits),
                row.last_saved,
            )
            for row in rows
        ),
    )


def _sentinels(tasks: Sequence[Task], *, texts: ProgressWords) -> None:
    charts.heading(texts.sentinels)
    database = session.database()
    ids = dict.fromkeys(task.study_id for task in tasks if task.purpose == "sentinel")
    given = [revision for study_id in ids for revision in studies.given_in(database, study_id)]
    found = sentinels(readings_of(given, tasks=tasks))
    if not found:
        st.info(texts.no_sentinels)
        return
    st.caption(texts.sentinels_hint)
    content = _sentinel_table(found, names=_names(), texts=texts)
    st.html(charts.table_html(content))
    charts.download(content.csv(), name="sentinels.csv", label=texts.download_table, kind="text/csv")


def _sentinel_table(found: Sequence[Sentinels], *, names: Name, texts: ProgressWords) -> Table:
    return Table(
        columns=(texts.reader, *(texts.outcomes[name] for name in OUTCOMES)),
        rows=tuple((names(one.reader), *(one.outcomes[name] for name in OUTCOMES)) for one in found),
    )


def _quartiles(found: Quartiles, *, texts: ProgressWords) -> str:
    if found.median is None:
        return texts.no_times
    return texts.quartiles.format(median=found.median, lower=found.lower, upper=found.upper, count=found.count)


def _spread(found: Quartiles) -> tuple[Cell, ...]:
    return (found.median, found.lower, found.upper, found.count)


def _names() -> Name:
    known = {person.name: person.display_name for person in people.everyone(session.database())}
    return lambda name: known.get(name, name)
