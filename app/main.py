"""The page script: look, navigation, language and run choice. Streamlit runs it for every interaction."""

import streamlit as st

from app import markup, navigation, session
from app.faults import shown
from app.screens import review, worklist
from app.words import LANGUAGES


def main() -> None:
    """Draw the frame and the chosen page."""
    words = session.words()
    st.set_page_config(page_title=words.app_title, page_icon="🩻", layout="wide", initial_sidebar_state="collapsed")
    st.html(markup.STYLE)
    pages = [
        st.Page(worklist.show, title=words.worklist, url_path="worklist", icon=":material/list_alt:", default=True),
        st.Page(review.show, title=words.review, url_path="review", icon=":material/radiology:"),
    ]
    page = st.navigation(pages, position="top")
    navigation.register(*pages)
    unknown_run: str | None = None
    with st.sidebar, shown():
        unknown_run = session.settle_run()
        _choices()
    if unknown_run:
        _say_unknown(unknown_run)
    else:
        page.run()


def _choices() -> None:
    words = session.words()
    labels = {"zh": "中文", "en": "English"}
    st.segmented_control(
        words.language,
        list(LANGUAGES),
        format_func=labels.__getitem__,
        default="zh",
        required=True,
        key=session.LANGUAGE_KEY,
        persist_state="session",
    )
    st.selectbox(
        words.run,
        list(session.runs()),
        key=session.RUN_KEY,
        persist_state="session",
        on_change=session.put_run_in_address,
    )


def _say_unknown(run_id: str) -> None:
    words = session.words()
    st.info(words.unknown_run.format(run_id=run_id[:80]))
    if st.button(words.back, type="primary"):
        navigation.open_worklist()


if __name__ == "__main__":
    main()
