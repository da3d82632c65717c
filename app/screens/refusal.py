"""What someone sees in place of a page that is not open to them: who they are, why, and whom to ask. Nothing else."""

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from app import access, access_log, navigation, session
from app.access import Visitor
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.settings import Settings
from app.store import people
from app.store.people import Role
from app.words.access import ACCESS_WORDS, AccessWords


def refusal_of(path: str, *, titles: Mapping[str, str], roles: frozenset[Role]) -> Callable[[], None]:
    """Return the page that stands at `/path` for people without any of the roles; it is noted in the audit."""

    def show() -> None:
        with shown():
            words, person = session.in_language(ACCESS_WORDS), access.current()
            access_log.note("page refused", subject=path, actor=person.name)
            st.html(banner_html(session.words()))
            st.html(report_head_html(words.refused_title))
            page, own = titles[session.words().code], access.role_names(person.roles)
            st.warning(words.refused.format(page=page, roles=access.role_names(roles), own=own), icon=":material/lock:")
            if st.button(words.back, type="primary"):
                navigation.open_home()

    return show


def show_stranger(visitor: Visitor) -> None:
    """Draw the one page of someone who has not signed in, or whom the project does not know or admit."""
    words = session.in_language(ACCESS_WORDS)
    st.html(banner_html(session.words()))
    if visitor.standing == "signed out":
        _offer_sign_in(words)
        return
    st.html(report_head_html(words.unknown_title))
    reasons = {
        "unknown": words.unknown_person,
        "inactive": words.inactive_person,
        "roleless": words.roleless_person,
        "nameless": words.no_claim,
        "unverified": words.unverified,
    }
    st.warning(reasons[visitor.standing], icon=":material/person_off:")
    if visitor.name:
        access_log.note("sign-in refused", subject=visitor.standing, actor=visitor.name)
        st.html(f"<p>{words.unknown_name.format(name=f'<b>{escape(visitor.name)}</b>')}</p>")
        st.html(f"<p>{escape(_whom_to_ask(words))}</p>")
    _offer_sign_out(words)


def _offer_sign_in(words: AccessWords) -> None:
    st.html(report_head_html(words.sign_in_title))
    if Settings.from_environment().sign_in.mode == "header":
        st.warning(words.no_claim, icon=":material/person_off:")
        return
    st.html(f"<p>{escape(words.sign_in_note)}</p>")
    if st.button(words.sign_in, type="primary", icon=":material/login:"):
        st.login()


def _offer_sign_out(words: AccessWords) -> None:
    is_ours = Settings.from_environment().sign_in.mode == "oidc"
    if is_ours and st.button(words.sign_out, icon=":material/logout:"):
        st.logout()


def _whom_to_ask(words: AccessWords) -> str:
    admins = [
        person.display_name
        for person in people.everyone(session.database())
        if person.active and "admin" in person.roles and person.name != people.LOCAL
    ]
    return words.ask_admins.format(names=words.comma.join(admins)) if admins else words.ask_operator
