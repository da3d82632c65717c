"""我的账户与关于: who is here and as what, what the program is for, and what generated content means."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app import access, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.self_check import versions
from app.settings import Settings
from app.store.people import ROLES
from app.words.access import ACCESS_WORDS
from app.words.administration import ADMINISTRATION_WORDS, AboutWords
from app.words.self_check import SELF_CHECK_WORDS

LICENCE = "Apache-2.0"


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(ADMINISTRATION_WORDS).about
        st.html(banner_html(session.words()))
        left, right = st.columns([2, 3], gap="large")
        with left, shown():
            _account(words)
        with right, shown():
            st.html(report_head_html(words.purpose_title) + _list_html(words.purpose))
            st.html(report_head_html(words.generated_title) + _list_html(words.generated))
            st.html(report_head_html(words.program_title))
            st.html(_list_html((versions(), words.licence.format(licence=LICENCE))))


def _account(words: AboutWords) -> None:
    person, sign_in = access.current(), Settings.from_environment().sign_in
    is_local = sign_in.mode == "local"
    modes = session.in_language(SELF_CHECK_WORDS).modes
    rows = (
        (words.name, person.display_name),
        (words.signed_in_as, person.name),
        (words.your_roles, access.role_names(person.roles)),
        (words.sign_in, words.no_sign_in if is_local else modes[sign_in.mode]),
    )
    body = "".join(f"<dt>{escape(term)}</dt><dd>{escape(told)}</dd>" for term, told in rows)
    st.html(report_head_html(words.account) + f'<dl class="account">{body}</dl>')
    meanings = session.in_language(ACCESS_WORDS)
    colon, own = session.words().colon, (role for role in ROLES if role in person.roles)
    st.html(_list_html([f"{meanings.roles[role]}{colon}{meanings.role_meanings[role]}" for role in own]))
    if sign_in.mode == "oidc" and st.button(meanings.sign_out, icon=":material/logout:"):
        st.logout()
    if not is_local:
        st.info(words.local_drafts)


def _list_html(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
