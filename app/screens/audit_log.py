"""审计日志: every entry of the audit, its chain of hashes verified, and the entries as a file. For admins."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app import access, session
from app.export.csv import table
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.store import audit
from app.store.audit import Entry, Filter
from app.store.chain import START
from app.words.administration import ADMINISTRATION_WORDS, AuditWords
from xray.errors import DataError

PAGE_SIZE = 50
_COLUMNS = ("seq", "at_utc", "actor", "action", "subject", "details", "previous", "hash")


def show() -> None:
    """Draw the page."""
    with shown():
        words, zone = session.in_language(ADMINISTRATION_WORDS).audit, _zone()
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title))
        st.caption(words.intro.format(zone=zone))
        _verification(words)
        kept = _filter(words, zone=zone)
        count = audit.number_of(session.database(), kept)
        if not count:
            st.info(words.none)
            return
        _entries(kept, count=count, words=words, zone=zone)
        _export(kept, words=words)


def _verification(words: AuditWords) -> None:
    anchor, button = st.columns([5, 2], vertical_alignment="bottom")
    written_down = anchor.text_input(words.anchor, help=words.anchor_help, max_chars=64, key="audit_anchor").strip()
    if not button.button(words.verify, type="primary", icon=":material/verified:", width="stretch"):
        return
    try:
        head = audit.verify(session.database(), anchor=written_down or START)
    except DataError as error:
        st.error(f"{words.broken}{error}", icon=":material/link_off:")
        return
    told = words.holds.format(count=head.seq, hash=head.hash) if head.seq else words.empty
    st.success(told, icon=":material/verified:")


def _filter(words: AuditWords, *, zone: tzinfo) -> Filter:
    actors, actions = audit.known_words(session.database())
    actor, action, subject, days = st.columns(4)
    chosen_actor = actor.selectbox(
        words.actor, ["", *actors], format_func=lambda name: name or words.everyone, key="audit_actor"
    )
    chosen_action = action.selectbox(
        words.action,
        ["", *actions],
        format_func=lambda name: words.actions.get(name, name) if name else words.all_actions,
        key="audit_action",
    )
    part = subject.text_input(words.subject, placeholder=words.subject_hint, key="audit_subject")
    span = days.date_input(words.days, value=(), format="YYYY-MM-DD", key="audit_days")
    since, before = times_of(span if isinstance(span, tuple) else (span,), zone=zone)
    return Filter(actor=chosen_actor, action=chosen_action, subject=part.strip(), since=since, before=before)


def times_of(days: Sequence[date], *, zone: tzinfo) -> tuple[str, str]:
    """Return the times in UTC at which the first of the reader's days begins and the last one ends; "" without days."""
    if not days:
        return "", ""
    begins, ends = days[0], days[-1] + timedelta(days=1)
    return _utc(begins, zone=zone), _utc(ends, zone=zone)


def _utc(day: date, *, zone: tzinfo) -> str:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC).isoformat(timespec="milliseconds")


def _entries(kept: Filter, *, count: int, words: AuditWords, zone: tzinfo) -> None:
    pages = math.ceil(count / PAGE_SIZE)
    # A page number of other filters would be beyond the end of these.
    page = st.pagination(pages, key=f"audit_page_{hash(kept)}") if pages > 1 else 1
    found = audit.listed(session.database(), kept, count=PAGE_SIZE, skip=(page - 1) * PAGE_SIZE)
    rows = [_row(entry, words=words, zone=zone) for entry in found]
    st.dataframe(rows, hide_index=True, width="stretch", height=min(38 + 35 * len(rows), 720))
    st.caption(words.count.format(count=count))


def _row(entry: Entry, *, words: AuditWords, zone: tzinfo) -> dict[str, str]:
    at = datetime.fromisoformat(entry.at).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    action = words.actions.get(entry.action, entry.action)
    details = "" if entry.details == "{}" else entry.details
    values = (str(entry.seq), at, entry.actor, action, entry.subject, details, entry.hash)
    return dict(zip(words.columns, values, strict=True))


def _export(kept: Filter, *, words: AuditWords) -> None:
    actor = access.current().name

    def make() -> bytes:  # called when the button is pressed, outside of the page, where nobody is signed in
        access.recheck(actor, access.ADMINS)
        entries = audit.listed(session.database(), kept)
        audit.record_event(session.database(), actor=actor, action="export audit", subject=f"{len(entries)} entries")
        return table(_COLUMNS, (_cells(entry) for entry in reversed(entries)))

    name = f"audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"
    st.download_button(
        words.export, data=make, file_name=name, mime="text/csv", icon=":material/download:", on_click="ignore"
    )
    st.caption(words.export_note)


def _cells(entry: Entry) -> tuple[str | int, ...]:
    return (
        entry.seq,
        entry.at,
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
        entry.previous,
        entry.hash,
    )


def _zone() -> tzinfo:
    """Return the time zone of the browser, UTC where it tells none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
