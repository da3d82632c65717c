"""A page that waits for the comparison of a run's reports, and draws itself again once it is done."""

import streamlit as st

from app.marking import Marking

REFRESH_SECONDS = 2


def show(marking: Marking, *, text: str) -> None:
    """Say how far the comparison is; `text` has places for `done` and `total`."""
    st.fragment(_say, run_every=REFRESH_SECONDS)(marking, text)


def _say(marking: Marking, text: str) -> None:
    if marking.is_ready:
        st.rerun()
    st.info(text.format(done=marking.done, total=marking.total), icon=":material/hourglass_top:")
