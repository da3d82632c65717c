"""分歧仲裁: the cases on which the readers of a study differ, their reviews side by side, and the decision."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import access, access_log, navigation, session
from app.disputes import Dispute, disputes
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.protocol.load import thawed
from app.protocol.model import Protocol
from app.screens import opinions
from app.screens.opinions import item_name
from app.store import studies
from app.store.studies import Study
from app.words.adjudication import ADJUDICATION_WORDS, AdjudicationWords

PATH = "adjudication"
_ROWS_SHOWN = 14
_CHOSEN = "adjudicated_study"


def show() -> None:
    """Draw the list of the study in ?study=ID, or the case in ?study=ID&dispute=KEY."""
    with shown():
        words = session.in_language(ADJUDICATION_WORDS)
        st.html(banner_html(session.words()))
        study = _study(words)
        if study is None:
            st.info(words.no_study)
            return
        found = disputes(session.database(), study, adjudicator=access.current().name)
        key = st.query_params.get("dispute", "")
        chosen = next((dispute for dispute in found if dispute.key == key), None)
        if chosen is not None:
            _case(chosen, study=study, found=found, words=words)
            return
        if key:
            st.info(words.unknown_case)
        _list(found, study=study, words=words)


def _study(words: AdjudicationWords) -> Study | None:
    """Return the study in the address, or the newest one that has something to decide."""
    known = {study.id: study for study in studies.all_studies(session.database())}
    asked = known.get(st.query_params.get("study", ""))
    if asked is not None and st.query_params.get("dispute"):
        return asked
    if not known:
        return None
    begin = asked.id if asked else next(iter(known))
    if asked is None and _CHOSEN not in st.session_state:
        me, database = access.current().name, session.database()
        begin = next((key for key, study in known.items() if disputes(database, study, adjudicator=me)), begin)
    chosen = st.selectbox(
        words.study,
        list(known),
        index=list(known).index(begin),
        format_func=lambda study_id: known[study_id].title,
        key=_CHOSEN,
    )
    return known[chosen]


def _list(found: Sequence[Dispute], *, study: Study, words: AdjudicationWords) -> None:
    st.html(report_head_html(f"{words.title} · {study.title}"))
    if not found:
        st.info(words.nothing)
        st.caption(words.own_case)
        return
    done = sum(dispute.is_decided for dispute in found)
    st.progress(done / len(found), text=words.waiting.format(open=len(found) - done, decided=done))
    st.caption(f"{words.list_hint} · {words.own_case}")
    protocol = thawed(study.protocol)
    rows = [_row(number, dispute, protocol=protocol, words=words) for number, dispute in enumerate(found, start=1)]
    event = st.dataframe(
        pd.DataFrame(rows),
        key=f"disputes_{study.id}_{st.session_state.get(navigation.VISIT_KEY, 0)}",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        height=min(38 + 36 * len(rows), 38 + 36 * _ROWS_SHOWN),
        row_height=36,
    )
    if event.selection.cells:
        _open(study, found[event.selection.cells[0][0]])


def _row(number: int, dispute: Dispute, *, protocol: Protocol, words: AdjudicationWords) -> dict[str, str | int]:
    comma = session.words().comma
    names = (item_name(item, protocol=protocol, words=words, language=session.words().code) for item in dispute.items)
    return {
        words.case: number,
        words.status: f"✓ {words.decided}" if dispute.is_decided else f"○ {words.open}",
        words.readers: len(dispute.opinions),
        words.differs: comma.join(names),
    }


def _open(study: Study, dispute: Dispute) -> None:
    st.session_state[navigation.VISIT_KEY] = st.session_state.get(navigation.VISIT_KEY, 0) + 1
    navigation.open_page(PATH, study=study.id, dispute=dispute.key)


def _case(dispute: Dispute, *, study: Study, found: Sequence[Dispute], words: AdjudicationWords) -> None:
    # Under the name that the page gives it: the audit must not tell whose reports they are before the end either.
    access_log.note("open dispute", subject=f"{study.id}/{dispute.key}", actor=access.current().name)
    number = found.index(dispute) + 1
    back, title, following = st.columns([1.2, 6, 1.6], vertical_alignment="center")
    if back.button(words.back, icon=":material/list:", width="stretch"):
        navigation.open_page(PATH, study=study.id)
    status = words.decided if dispute.is_decided else words.open
    badges = [("plain", f"{words.case} {number} / {len(found)}"), ("plain", status)]
    title.html(report_head_html(study.title, badges=badges))
    rotated = [*found[number:], *found[: number - 1]]
    upcoming = next((other for other in rotated if not other.is_decided), None)
    if following.button(words.following, disabled=upcoming is None, width="stretch") and upcoming is not None:
        _open(study, upcoming)
    opinions.draw(dispute, study=study, protocol=thawed(study.protocol), words=words)
