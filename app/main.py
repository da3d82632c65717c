"""The page script: look, navigation, language and run choice. Streamlit runs it for every interaction."""

from importlib.machinery import ModuleSpec

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import access, markup, navigation, session
from app.faults import shown
from app.pages import GROUPS, HOME, PAGES
from app.words import LANGUAGES


def main() -> None:
    """Draw the frame and the chosen page."""
    words = session.words()
    st.set_page_config(page_title=words.app_title, page_icon="🩻", layout="wide", initial_sidebar_state="collapsed")
    st.html(markup.STYLE)
    page: StreamlitPage | None = None
    with shown():  # without a database nobody is known, and the page says why
        page = _menu(words.code)
    if page is None:
        return
    unknown_run: str | None = None
    with st.sidebar, shown():
        unknown_run = session.settle_run()
        _choices()
    if unknown_run:
        _say_unknown(unknown_run)
    else:
        page.run()


def _menu(language: str) -> StreamlitPage:
    """Offer the pages that who is here may open, and return the one in the address."""
    groups: dict[str, list[StreamlitPage]] = {}
    objects: dict[str, StreamlitPage] = {}
    for page in PAGES:
        if access.allows(page.roles):
            made = st.Page(
                page.show, title=page.titles[language], url_path=page.path, icon=page.icon, default=page is HOME
            )
            groups.setdefault(GROUPS[page.group][language], []).append(made)
            objects[page.path] = made
    navigation.register(objects)
    return st.navigation(groups if len(groups) > 1 else [*objects.values()], position="top")


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
    # A process that decodes a film is told what the main module is, and would load this page and Streamlit for nothing;
    # multiprocessing leaves a main module of this name out (multiprocessing.spawn._fixup_main_from_name).
    __spec__ = ModuleSpec("app.__main__", None)
    main()
