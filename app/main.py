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
    with st.sidebar, shown():
        _choices()
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
    st.selectbox(words.run, list(session.runs()), key=session.RUN_KEY, persist_state="session")


if __name__ == "__main__":
    main()
