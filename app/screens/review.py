"""阅片评审: the films of one study beside the workbench with both of its reports."""

from collections.abc import Sequence

import streamlit as st

from app import access, access_log, navigation, session
from app.faults import shown
from app.markup import banner_html, metrics_html, report_head_html, turns_html
from app.protocol.load import OPEN_REVIEW, preset
from app.run import ReviewCase, Run
from app.selection import Entry, neighbour, next_unsubmitted
from app.viewing import show_films
from app.words import Words
from app.workbench import Bench, ShownReport, mount


def show() -> None:
    """Draw the page of the case in ?run=ID&case=ID."""
    with shown():
        words, run = session.words(), session.current_run()
        st.html(banner_html(words))
        case_id = st.query_params.get("case", "")
        entries = navigation.entries(run)
        entry = next((entry for entry in entries if entry.case.id == case_id), None)
        if entry is None:
            st.info(words.unknown_case.format(case_id=case_id[:80]) if case_id else words.choose_case)
            if st.button(words.back, type="primary"):
                navigation.open_worklist()
            return
        case = entry.case
        access_log.note("open case", subject=f"{run.id}/{case.id}", actor=access.current().name)
        listed = navigation.listed(entries)
        _steps(case, run=run, entries=entries, listed=listed, words=words)
        following = next_unsubmitted(listed, after=case.id)
        _case(run, entry, upcoming=run.case(following) if following else None, words=words)


def _steps(case: ReviewCase, *, run: Run, entries: Sequence[Entry], listed: Sequence[Entry], words: Words) -> None:
    ids = [entry.case.id for entry in listed]
    place = f"{ids.index(case.id) + 1} / {len(ids)}" if case.id in ids else f"– / {len(ids)}"
    back, title, previous, following, upcoming = st.columns([1.6, 4.4, 1.2, 1.2, 1.8], vertical_alignment="center")
    if back.button(words.back, shortcut="W", icon=":material/list:", width="stretch"):
        navigation.open_worklist()
    badges = [("plain", f"{words.run} {run.id}"), ("plain", place)]
    title.html(report_head_html(f"{words.case} {case.id}", badges=badges))
    targets = (
        (previous, words.previous, "Left", neighbour(listed, of=case.id, step=-1)),
        (following, words.following, "Right", neighbour(listed, of=case.id, step=1)),
        (upcoming, words.next_unreviewed, "N", next_unsubmitted(listed, after=case.id)),
    )
    for column, label, shortcut, target in targets:
        if column.button(label, shortcut=shortcut, disabled=target is None, width="stretch") and target:
            navigation.open_case(target)


def _case(run: Run, entry: Entry, *, upcoming: ReviewCase | None, words: Words) -> None:
    films, texts = st.columns([5, 6] if len(entry.case.case.images) < 2 else [1, 1], gap="medium")
    with films:
        show_films(run, entry.case, key="viewer", upcoming=upcoming)
    with texts:
        if turns := turns_html(entry.case.case.turns, words=words):
            st.html(turns)
        mount(_bench(run, entry.case, words=words))
        st.html(metrics_html(entry.case.scores, words=words))  # beside the films, which stay in sight, not below them


def _bench(run: Run, case: ReviewCase, *, words: Words) -> Bench:
    translated = case.case.origin == "machine_translation"
    note = words.machine_translated if translated else words.reference_note
    return Bench(
        protocol=preset(OPEN_REVIEW),
        run_id=run.id,
        case_id=case.id,
        reports=(
            ShownReport(
                text=case.generated,
                heading=words.generated_report,
                badges=(("warn", words.cut_off),) if case.cut_off else (),
            ),
        ),
        reference=ShownReport(text=case.case.text, heading=words.reference_report, badges=(("plain", note),)),
        profile=run.profile,
    )
