"""Moving between the pages: the addresses, the cases in list order, and the filters that stay in force."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import access, session
from app.run import Run
from app.selection import Entry, Selection
from app.store import progress

OF_STUDIES = frozenset({"tasks", "reading", "adjudication", "studies"})
"""Paths of the pages of reader studies: a run's name in their address or side bar would tell who wrote a report."""
WITHOUT_RUN = OF_STUDIES | {"people", "audit", "check", "about"}
"""Paths of all pages that show no run, so that none is in their address."""
SELECTION_KEY = "selection"
VISIT_KEY = "visit"
_PAGES_KEY = "pages"
_HOME_KEY = "home"


def register(pages: Mapping[str, StreamlitPage], *, home: str) -> None:
    """Remember this session's page objects by their path, which Streamlit wants back for switching, and the first."""
    st.session_state[_PAGES_KEY] = pages
    st.session_state[_HOME_KEY] = home


def open_page(path: str, **query: str) -> None:
    """Go to the page at `/path`, with `query` in its address and, where the page shows a run, the present one."""
    run = {} if path in WITHOUT_RUN else _run_query()
    st.switch_page(st.session_state[_PAGES_KEY][path], query_params={**run, **query})


def open_case(case_id: str) -> None:
    """Go to the review page of a case of the present run; its address ?run=ID&case=ID can be bookmarked."""
    st.session_state[VISIT_KEY] = st.session_state.get(VISIT_KEY, 0) + 1  # a new table forgets the clicked cell
    open_page("review", case=case_id)


def open_task(task_id: str) -> None:
    """Go to the page on which a task of a reader study is read; its address ?task=ID can be bookmarked."""
    st.session_state[VISIT_KEY] = st.session_state.get(VISIT_KEY, 0) + 1
    open_page("reading", task=task_id)


def open_home() -> None:
    """Go to the first page that is open to who is here: the list, unless they read no cases."""
    open_page(st.session_state[_HOME_KEY])


def open_worklist() -> None:
    """Go back to the list; its filters are as they were."""
    open_page("worklist")


def remember(selection: Selection) -> None:
    """Keep the list's filters for previous and next on the review page."""
    st.session_state[SELECTION_KEY] = selection


def entries(run: Run) -> tuple[Entry, ...]:
    """Return the cases of the run with their findings and the reader's own reviews, in the order of the run.

    Those that the reader has in a blind study are left out until it is closed.
    """
    marking, hidden = session.marking(run), read_blind()
    own = session.ledger().of(run.id, reviewer=access.current().name)
    return tuple(
        Entry(case=case, findings=marking.findings(case.id), review=own.get(case.id))
        for case in run.cases
        if case.id not in hidden
    )


def read_blind() -> frozenset[str]:
    """Return the cases that who is here must not see openly.

    A lead, who can unblind a study, sees them all; an adjudicator none of any reader's, for they may come to decide it.
    """
    person = access.current()
    if "lead" in person.roles:
        return frozenset()
    return progress.blind_cases(session.database(), None if "adjudicator" in person.roles else person.name)


def listed(found: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return those of a run's entries that the list shows under the filters in force."""
    selection: Selection = st.session_state.get(SELECTION_KEY, Selection())
    return selection.apply(found)


def _run_query() -> dict[str, str]:
    run_id = st.session_state.get(session.RUN_KEY)  # a page that was refused has not settled one
    return {session.RUN_KEY: run_id} if run_id else {}
