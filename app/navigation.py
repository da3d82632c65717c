"""Moving between the pages: the addresses, the cases in list order, and the filters that stay in force."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import access, session
from app.run import Run
from app.selection import Entry, Selection

SELECTION_KEY = "selection"
VISIT_KEY = "visit"
_PAGES_KEY = "pages"


def register(pages: Mapping[str, StreamlitPage]) -> None:
    """Remember this session's page objects by their path, which Streamlit wants back for switching."""
    st.session_state[_PAGES_KEY] = pages


def open_page(path: str, **query: str) -> None:
    """Go to the page at `/path` of the present run, with `query` in its address."""
    st.switch_page(st.session_state[_PAGES_KEY][path], query_params={**_run_query(), **query})


def open_case(case_id: str) -> None:
    """Go to the review page of a case of the present run; its address ?run=ID&case=ID can be bookmarked."""
    st.session_state[VISIT_KEY] = st.session_state.get(VISIT_KEY, 0) + 1  # a new table forgets the clicked cell
    open_page("review", case=case_id)


def open_worklist() -> None:
    """Go back to the list; its filters are as they were."""
    open_page("worklist")


def remember(selection: Selection) -> None:
    """Keep the list's filters for previous and next on the review page."""
    st.session_state[SELECTION_KEY] = selection


def entries(run: Run) -> tuple[Entry, ...]:
    """Return all cases of the run with their findings and the reader's own reviews, in the order of the run."""
    marking = session.marking(run)
    own = session.ledger().of(run.id, reviewer=access.current().name)
    return tuple(Entry(case=case, findings=marking.findings(case.id), review=own.get(case.id)) for case in run.cases)


def listed(run: Run) -> tuple[Entry, ...]:
    """Return the cases that the list shows under the filters in force."""
    selection: Selection = st.session_state.get(SELECTION_KEY, Selection())
    return selection.apply(entries(run))


def _run_query() -> dict[str, str]:
    return {session.RUN_KEY: st.session_state[session.RUN_KEY]}
