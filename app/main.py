"""The page script: look, lock, navigation, language and run choice. Streamlit runs it for every interaction."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import access, components, lock, markup, navigation, session
from app.access import Visitor
from app.faults import shown
from app.pages import GROUPS, HOME, PAGES, Page
from app.screens.refusal import refusal_of, show_stranger
from app.words import LANGUAGES

_START = "start"  # Streamlit wants a name for the page at /


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """The page in the address, or what stands in its place, and whether it shows a run, chosen in the side bar."""

    page: StreamlitPage
    of_run: bool


def main() -> None:
    """Draw the frame and the chosen page."""
    words = session.words()
    st.set_page_config(page_title=words.app_title, page_icon="🩻", layout="wide", initial_sidebar_state="collapsed")
    st.html(markup.STYLE)
    with st.container(key="language_of_page"):
        components.language(data={"language": words.html_language, "code": words.code}, key="page_language")
    chosen: _Chosen | None = None
    with shown():  # without a database nobody is known, and the page says why
        chosen = _choose(words.code)
    if chosen is None:
        return
    unknown_run: str | None = None
    with st.sidebar, shown():
        if chosen.of_run:
            unknown_run = session.settle_run()
        else:
            session.leave_run()
        _choices(with_runs=chosen.of_run)
    if unknown_run:
        _say_unknown(unknown_run)
    else:
        chosen.page.run()


def _choose(language: str) -> _Chosen | None:
    """Return the page in the address, or what stands in its place for who is here; None while the page is locked."""
    visitor = access.visitor()
    if visitor.standing != "known":
        return _everywhere(lambda: show_stranger(visitor))
    if lock.is_locked():
        _everywhere(lambda: None)
        return None
    return _menu(visitor, language)


def _everywhere(show: Callable[[], None]) -> _Chosen:
    """Stand at every address in place of the page there."""
    pages = [_made(page, show=show, language="zh", hidden=True) for page in PAGES]
    start = st.Page(show, title=HOME.titles["zh"], url_path=_START, default=True, visibility="hidden")
    return _Chosen(page=st.navigation([start, *pages], position="hidden"), of_run=False)


def _menu(visitor: Visitor, language: str) -> _Chosen:
    """Offer the pages that who is here may open, and return the one in the address, or the refusal of it."""
    opened = [page for page in PAGES if visitor.may_open(page.roles)]
    home = HOME if HOME in opened else opened[0]
    groups: dict[str, list[StreamlitPage]] = {titles[language]: [] for titles in GROUPS.values()}
    objects: dict[str, StreamlitPage] = {}
    runless: list[StreamlitPage] = []
    for page in PAGES:
        is_open = page in opened
        show = page.show if is_open else refusal_of(page.path, titles=page.titles, roles=page.roles)
        hidden = not (is_open and page.listed)
        made = [_made(page, show=show, language=language, hidden=hidden, default=page is home)]
        if page is home:  # Streamlit knows its first page at / alone, and calls its own address unknown
            made.append(_made(page, show=show, language=language, hidden=True))
        groups[GROUPS[page.group][language]].extend(made)
        objects[page.path] = made[0]
        if not (is_open and page.of_run):
            runless += made
    navigation.register(objects, home=home.path)
    num_shown = sum(any(page.visibility == "visible" for page in group) for group in groups.values())
    flat = [page for group in groups.values() for page in group]
    chosen = st.navigation(groups if num_shown > 1 else flat, position="top")
    return _Chosen(page=chosen, of_run=not any(chosen is page for page in runless))


def _made(page: Page, *, show: Callable[[], None], language: str, hidden: bool, default: bool = False) -> StreamlitPage:
    return st.Page(
        show,
        title=page.titles[language],
        url_path=_START if default else page.path,
        icon=page.icon,
        default=default,
        visibility="hidden" if hidden else "visible",
    )


def _choices(*, with_runs: bool) -> None:
    words = session.words()
    labels = {"zh": "中文", "en": "English"}
    st.segmented_control(
        words.language,
        list(LANGUAGES),
        format_func=labels.__getitem__,
        default=session.preferred_language(),
        required=True,
        key=session.LANGUAGE_KEY,
        persist_state="session",
    )
    if with_runs:
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
        navigation.open_home()


if __name__ == "__main__":
    # A process that decodes a film is told what the main module is, and would load this page and Streamlit for nothing;
    # multiprocessing leaves a main module of this name out (multiprocessing.spawn._fixup_main_from_name).
    __spec__ = ModuleSpec("app.__main__", None)
    main()
