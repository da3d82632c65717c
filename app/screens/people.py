"""用户: who may use this project, and as what. For admins."""

from collections.abc import Sequence

import streamlit as st

from app import access, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.settings import Settings
from app.store import people
from app.store.people import LOCAL, ROLES, Person, Role
from app.words.access import ACCESS_WORDS
from app.words.administration import ADMINISTRATION_WORDS, PeopleWords

_SAID = "people_said"


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(ADMINISTRATION_WORDS).people
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title))
        if Settings.from_environment().sign_in.mode == "local":
            st.info(words.local_note)
        if said := st.session_state.pop(_SAID, None):
            st.success(said)
        everyone = _listed()
        _table(everyone, words=words)
        left, right = st.columns(2, gap="large")
        with left, shown():
            _add(everyone, words=words)
        with right, shown():
            _change(everyone, words=words)


def _listed() -> tuple[Person, ...]:
    """Return everyone who can be at a page: with a sign-in the one user of a machine without it is nobody."""
    is_local = Settings.from_environment().sign_in.mode == "local"
    return tuple(person for person in people.everyone(session.database()) if is_local or person.name != LOCAL)


def _table(everyone: Sequence[Person], *, words: PeopleWords) -> None:
    own = access.current().name
    rows = []
    for person in everyone:
        name = f"{person.name}{words.yourself}" if person.name == own else person.name
        state = words.active if person.active else words.inactive
        rows.append(dict(zip(words.columns, (name, person.display_name, _told(person.roles), state), strict=True)))
    st.dataframe(rows, hide_index=True, width="stretch")


def _add(everyone: Sequence[Person], *, words: PeopleWords) -> None:
    with st.form("add_person", clear_on_submit=False):
        st.html(report_head_html(words.add_title))
        text = st.text_input(words.name, help=words.name_help, max_chars=people.LONGEST_NAME, key="add_name")
        display_name = st.text_input(words.display_name, max_chars=people.LONGEST_NAME, key="add_display_name")
        roles = _role_choice(words, key="add_roles", default=("reader",))
        if not st.form_submit_button(words.add, type="primary"):
            return
    name = people.sign_in_name(text)
    taken = {person.name for person in everyone}
    if not people.is_name(name) or name == LOCAL:
        st.error(words.bad_name)
    elif name in taken:
        st.error(words.taken.format(name=name))
    elif not roles:
        st.error(words.no_role)
    else:
        actor = access.require(access.ADMINS).name
        new = Person(name=name, display_name=display_name.strip() or name, roles=frozenset(roles))
        people.add(session.database(), new, actor=actor)
        _say(words.added.format(name=name))


def _change(everyone: Sequence[Person], *, words: PeopleWords) -> None:
    with st.container(border=True):
        st.html(report_head_html(words.change_title))
        labels = {person.name: f"{person.display_name} ({person.name})" for person in everyone}
        chosen = st.selectbox(words.choose, list(labels), format_func=lambda name: labels.get(name, name), key="chosen")
        before = next(person for person in everyone if person.name == chosen)
        after = _edited(before, words=words)
        if not st.button(words.save, type="primary", key="save_person"):
            return
        actor = access.require(access.ADMINS).name
        if after == before:
            st.info(words.unchanged)
        elif before.name == actor and not (after.active and "admin" in after.roles):
            st.error(words.own_access)
        else:
            people.change(session.database(), after, actor=actor)
            _say(words.saved.format(name=after.name))


def _edited(before: Person, *, words: PeopleWords) -> Person:
    """Show the fields of a person; their keys name the person, so that another choice shows other values."""
    display_name = st.text_input(
        words.display_name, value=before.display_name, max_chars=people.LONGEST_NAME, key=f"display_{before.name}"
    )
    roles = _role_choice(words, key=f"roles_{before.name}", default=[role for role in ROLES if role in before.roles])
    active = st.toggle(words.is_active, value=before.active, key=f"active_{before.name}")
    return Person(
        name=before.name,
        display_name=display_name.strip() or before.name,
        roles=frozenset(roles),
        active=active,
    )


def _role_choice(words: PeopleWords, *, key: str, default: Sequence[Role]) -> list[Role]:
    meanings = session.in_language(ACCESS_WORDS)
    chosen: list[Role] = st.multiselect(
        words.roles,
        list(ROLES),
        default=default,
        format_func=lambda role: meanings.roles[role],
        help="  \n".join(
            f"{meanings.roles[role]}{session.words().colon}{meanings.role_meanings[role]}" for role in ROLES
        ),
        placeholder="",
        key=key,
    )
    return chosen


def _told(roles: frozenset[Role]) -> str:
    return access.role_names(roles)


def _say(text: str) -> None:
    """Show the page anew with what was done: the table above was drawn before it."""
    st.session_state[_SAID] = text
    st.rerun()
