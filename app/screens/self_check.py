"""系统自检: every part of the installation with its state and what to do, and a backup at the press of a button."""

from collections import Counter
from datetime import UTC, datetime
from html import escape

import streamlit as st

from app import access, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.self_check import Check, Line, check
from app.settings import Settings
from app.store import audit, backup
from app.words.self_check import SELF_CHECK_WORDS, SelfCheckWords, State

_SIGNS: dict[State, str] = {"ok": "✓", "warning": "!", "fault": "✕"}
_SAID = "backup_said"


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(SELF_CHECK_WORDS)
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title))
        settings = Settings.from_environment()
        _buttons(settings, words=words)
        done = check(settings, database=session.database(), words=words)
        _summary(done, words=words)
        st.html(_table_html(done, words=words))
        if done.left_out:
            items = "".join(f"<li>{escape(reason)}</li>" for reason in done.left_out)
            st.html(f"<h4>{escape(words.left_out_title)}</h4><ul>{items}</ul>")


def _buttons(settings: Settings, *, words: SelfCheckWords) -> None:
    if said := st.session_state.pop(_SAID, None):
        st.success(said)
    again, back_up, note = st.columns([1, 1, 4], vertical_alignment="center")
    again.button(words.again, icon=":material/refresh:", width="stretch")
    note.caption(words.backup_note.format(folder=settings.backups))
    if back_up.button(words.backup_now, icon=":material/backup:", type="primary", width="stretch"):
        actor, database = access.require(access.ADMINS).name, session.database()
        target = backup.dated_file(database, settings.backups, at=datetime.now(UTC))
        head = backup.back_up(database, target)
        audit.record_event(database, actor=actor, action="backup", subject=target.name)
        st.session_state[_SAID] = words.backup_done.format(name=target, count=head.seq, hash=head.hash)
        st.rerun()


def _summary(done: Check, *, words: SelfCheckWords) -> None:
    states = Counter(line.state for line in done.lines)
    if states["fault"] or states["warning"]:
        told = words.summary_bad.format(faults=states["fault"], warnings=states["warning"])
        (st.error if states["fault"] else st.warning)(told)
    else:
        st.success(words.summary_ok)


def _table_html(done: Check, *, words: SelfCheckWords) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in words.columns)
    rows = "".join(_row_html(line, words=words) for line in done.lines)
    return f'<table class="checks"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row_html(line: Line, *, words: SelfCheckWords) -> str:
    state = f'<span class="state {line.state}">{_SIGNS[line.state]} {escape(words.states[line.state])}</span>'
    return (
        f'<tr><th scope="row">{escape(words.topics[line.topic])}</th><td>{state}</td>'
        f"<td>{escape(line.found)}</td><td>{escape(line.advice)}</td></tr>"
    )
