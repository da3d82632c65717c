"""研究管理: reader studies, how far their readers are, their end, and what the labels stood for."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import access, navigation, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.protocol.load import thawed
from app.screens import new_study
from app.screens.new_study import source_name
from app.store import people, progress, studies
from app.store.progress import Workload
from app.store.studies import Arm, Study
from app.words.studies import STUDIES_WORDS, StudiesWords

PATH = "studies"
_KEY = "unblinded"
_ROWS_SHOWN = 14


def show() -> None:
    """Draw the list, the study in ?study=ID, or with ?new=1 the form of a study to begin."""
    with shown():
        words = session.in_language(STUDIES_WORDS)
        st.html(banner_html(session.words()))
        known = {study.id: study for study in studies.all_studies(session.database())}
        asked = st.query_params.get("study", "")
        is_deeper = bool(asked or st.query_params.get("new"))
        if is_deeper and st.button(words.back, icon=":material/list:"):
            navigation.open_page(PATH)
        if asked in known:
            _study(known[asked], words=words)
        elif st.query_params.get("new"):
            new_study.show(words)
        else:
            if asked:
                st.info(words.unknown_study)
            _list(known, words=words)


def _list(known: Mapping[str, Study], *, words: StudiesWords) -> None:
    head, button = st.columns([6, 1.2], vertical_alignment="center")
    head.html(report_head_html(words.title))
    if button.button(words.create, type="primary", icon=":material/add:", width="stretch"):
        navigation.open_page(PATH, new="1")
    if not known:
        st.info(words.none_yet)
    for study in known.values():
        with st.container(border=True):
            _line(study, words=words)


def _line(study: Study, *, words: StudiesWords) -> None:
    loads = progress.workloads_in(session.database(), study)
    head, button = st.columns([6, 1.2], vertical_alignment="center")
    _title(study, place=head, words=words)
    _bar(loads, place=head, words=words)
    if button.button(words.show, key=f"show_{study.id}", width="stretch"):
        navigation.open_page(PATH, study=study.id)


def _title(study: Study, *, place: st.delta_generator.DeltaGenerator, words: StudiesWords) -> None:
    name = getattr(thawed(study.protocol).title, session.words().code)
    state = words.open if study.state == "open" else words.closed
    place.html(report_head_html(study.title, badges=[("plain", name), ("plain", state)]))


def _bar(loads: tuple[Workload, ...], *, place: st.delta_generator.DeltaGenerator, words: StudiesWords) -> None:
    done, total = sum(load.done for load in loads), sum(len(load.work) for load in loads)
    place.progress(done / total if total else 0.0, text=words.progress.format(done=done, total=total))


def _study(study: Study, *, words: StudiesWords) -> None:
    loads = progress.workloads_in(session.database(), study)
    head, close, unblind = st.columns([5, 1.2, 1.2], vertical_alignment="center")
    _title(study, place=head, words=words)
    with close.popover(words.close, disabled=study.state != "open", width="stretch"):
        st.warning(words.close_ask)
        if st.button(words.close_confirm, type="primary"):
            studies.close(session.database(), study.id, actor=access.require(access.LEADS).name)
            st.rerun()
    with unblind.popover(words.unblind, width="stretch"):
        st.warning(words.unblind_ask)
        if study.state == "open":
            st.warning(words.unblind_open)
        if st.button(words.unblind_confirm, type="primary"):
            seen = studies.unblind(session.database(), study.id, actor=access.require(access.LEADS).name)
            st.session_state[_KEY] = (study.id, seen)
    _bar(loads, place=st.container(), words=words)
    names = {person.name: person.display_name for person in people.everyone(session.database())}
    st.dataframe(
        pd.DataFrame([_progress_row(load, name=names.get(load.reader, load.reader), words=words) for load in loads]),
        hide_index=True,
        column_config={words.share: st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)},
    )
    _key(study, loads=loads, names=names, words=words)
    with st.expander(f"{words.details} · sha256 {study.protocol_sha256[:12]} · {words.seed} {study.seed}"):
        st.code(thawed(study.protocol).model_dump_json(indent=2), language="json")


def _progress_row(load: Workload, *, name: str, words: StudiesWords) -> dict[str, str | int | float]:
    return {
        words.reader: name,
        words.total: len(load.work),
        words.submitted: load.done,
        words.drafts: load.count("draft"),
        words.skipped: load.count("void"),
        words.waiting: load.count(None),
        words.share: load.done / len(load.work),
    }


def _key(study: Study, *, loads: tuple[Workload, ...], names: Mapping[str, str], words: StudiesWords) -> None:
    """Show what the labels stand for, where who is here has just asked for it."""
    found: tuple[str, dict[str, tuple[Arm, ...]]] = st.session_state.get(_KEY, ("", {}))
    if found[0] != study.id:
        return
    st.html(report_head_html(words.key))
    st.caption(words.key_hint)
    rows = [
        {
            words.reader: names.get(load.reader, load.reader),
            words.place: item.assignment.position + 1,
            words.case: item.assignment.case_id,
            words.purpose: words.purposes[arms[0].purpose],
            **{arm.label: source_name(arm.source_run, arm.source_system, words=words) for arm in arms},
        }
        for load in loads
        for item in load.work
        if (arms := found[1].get(item.assignment.id, ()))
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=min(38 + 36 * len(rows), 38 + 36 * _ROWS_SHOWN))
