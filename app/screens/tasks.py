"""我的任务: the studies that a reader takes part in, how far they are, and the way to the next case."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import access, navigation, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.moments import local_day
from app.protocol.load import thawed
from app.store import progress
from app.store.chain import now
from app.store.progress import Workload
from app.store.reviews import GIVEN
from app.store.studies import Work
from app.words.reading import READING_WORDS, ReadingWords

_SIGNS = {"submitted": "✓", "amended": "✓", "void": "⊘"}
_ROWS_SHOWN = 12


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(READING_WORDS)
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title))
        loads = progress.workloads_of(session.database(), access.current().name)
        if not loads:
            st.info(words.nothing)
        for load in sorted(loads, key=lambda load: load.study.state != "open"):
            with st.container(border=True):
                _study(load, words=words)


def _study(load: Workload, *, words: ReadingWords) -> None:
    moment, total = now(), len(load.work)
    upcoming = load.upcoming(moment=moment)
    is_open = load.study.state == "open"
    head, button = st.columns([5, 1.2], vertical_alignment="center")
    protocol = thawed(load.study.protocol)
    badges = [("plain", getattr(protocol.title, session.words().code)), *_times(load, moment=moment, words=words)]
    head.html(report_head_html(load.study.title, badges=badges))
    head.progress(load.done / total, text=words.progress.format(done=load.done, total=total))
    label = words.all_done
    if upcoming is not None:
        label = words.go_on if load.done or upcoming.status == "draft" else words.start
    elif load.count(None, "draft"):
        opens = min(item.assignment.not_before or moment for item in load.work if item.status in (None, "draft"))
        label = words.not_yet.format(day=local_day(opens))
    can_read = is_open and upcoming is not None
    if button.button(label, key=f"next_{load.study.id}", type="primary", disabled=not can_read, width="stretch"):
        navigation.open_task(upcoming.assignment.id if upcoming else "")
    _earlier(load, words=words)


def _times(load: Workload, *, moment: str, words: ReadingWords) -> list[tuple[str, str]]:
    """Return the study's badges: that it is closed, or the day on which the next of its open tasks is due."""
    if load.study.state != "open":
        return [("plain", words.closed)]
    waiting = [item.assignment.due for item in load.work if item.status not in GIVEN and item.assignment.due]
    if not waiting:
        return []
    due = min(waiting)
    return (
        [("warn", words.overdue.format(day=local_day(due)))]
        if due < moment
        else [("plain", words.due.format(day=local_day(due)))]
    )


def _earlier(load: Workload, *, words: ReadingWords) -> None:
    earlier = [item for item in load.work if item.status in (*GIVEN, "void")]
    if not earlier:
        return
    with st.expander(f"{words.earlier} ({len(earlier)})"):
        st.caption(words.earlier_hint)
        frame = pd.DataFrame(_rows(earlier, words=words))
        event = st.dataframe(
            frame,
            key=f"earlier_{load.study.id}_{st.session_state.get(navigation.VISIT_KEY, 0)}",
            on_select="rerun",
            selection_mode="single-cell",
            hide_index=True,
            height=min(38 + 36 * len(frame), 38 + 36 * _ROWS_SHOWN),
            row_height=36,
        )
        if event.selection.cells:
            navigation.open_task(earlier[event.selection.cells[0][0]].assignment.id)


def _rows(earlier: Sequence[Work], *, words: ReadingWords) -> list[dict[str, str | int]]:
    return [
        {
            words.place: item.assignment.position + 1,
            words.status: f"{_SIGNS[item.status or 'void']} {words.statuses[item.status or 'none']}",
        }
        for item in earlier
    ]
