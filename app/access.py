"""Who is at the page, and what they may do.

A page is drawn only for its roles (main.py), and every write asks `require` again: a fragment or a callback runs
without the page being chosen anew, and roles may have been taken away since.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from app import session
from app.settings import Settings
from app.sign_in import HEADER_KEY
from app.store import people
from app.store.people import LOCAL, ROLES, Person, Role, sign_in_name
from app.words.access import ACCESS_WORDS, AccessWords
from xray.errors import ConfigError, XrayError

READERS: frozenset[Role] = frozenset({"reader", "adjudicator", "lead"})
"""Who may see reports and films, and save a review. An admin looks after the system and needs no patient's data."""
ADMINS: frozenset[Role] = frozenset({"admin"})
LEADS: frozenset[Role] = frozenset({"lead"})
"""Who plans studies, looks behind their blinding and ends them."""
TASK_READERS: frozenset[Role] = frozenset({"reader"})
"""Whom a study gives tasks to."""
ADJUDICATORS: frozenset[Role] = frozenset({"adjudicator"})
EXPORTERS: frozenset[Role] = LEADS
"""Who takes reviews, with the reports in them, out of the project."""
Standing = Literal["known", "unknown", "inactive", "roleless", "signed out", "nameless", "unverified"]


class AccessDenied(XrayError):
    """What someone asked for is not open to their roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is at the page. `name` is what the sign-in says, "" where it says nothing; `person` is set when known."""

    standing: Standing
    name: str = ""
    person: Person | None = None

    def may_open(self, roles: Collection[Role]) -> bool:
        """Whether they have one of the roles."""
        return self.person is not None and not self.person.roles.isdisjoint(roles)


def visitor() -> Visitor:
    """Find out who is at the page: signed in or not, known to the project or not."""
    settings = Settings.from_environment()
    if settings.sign_in.mode == "local":
        return Visitor(standing="known", name=LOCAL, person=_local())
    if settings.sign_in.mode == "header":
        name = sign_in_name(_decoded(st.user.get(HEADER_KEY)))
        return _found(name) if name else Visitor(standing="signed out")
    if not st.user.get("is_logged_in"):
        return Visitor(standing="signed out")
    name = sign_in_name(str(st.user.get(settings.sign_in.claim) or ""))
    if not name:
        return Visitor(standing="nameless")
    # Where anyone may write an e-mail address into their account, an unverified one names somebody else.
    is_verified = settings.sign_in.claim != "email" or st.user.get("email_verified") in (None, True, "true")
    return _found(name) if is_verified else Visitor(standing="unverified", name=name)


def current() -> Person:
    """Return who is at the page. Raises AccessDenied for someone whom the project does not admit."""
    found = visitor()
    if found.standing != "known" or found.person is None:
        raise AccessDenied(_words().unknown_title)
    return found.person


def allows(roles: Collection[Role]) -> bool:
    """Whether who is at the page has one of the roles."""
    return visitor().may_open(roles)


def require(roles: Collection[Role]) -> Person:
    """Return who is at the page, for a write under their name. Raises AccessDenied when they have none of the roles."""
    person = current()
    if person.roles.isdisjoint(roles):
        raise AccessDenied(_words().denied.format(roles=role_names(roles)))
    return person


def may_see_films(name: str) -> bool:
    """Whether someone may see films at this moment, asked outside of a page."""
    return _has(name, READERS)


def may_export(name: str) -> bool:
    """Whether someone may take reviews out of the project at this moment, asked outside of a page."""
    return _has(name, EXPORTERS)


def recheck(name: str, roles: Collection[Role]) -> None:
    """Ask again, outside of a page, whether someone may. Raises AccessDenied when they may not any more."""
    if not _has(name, roles):
        raise AccessDenied("This is not open to you any more. Load the page anew.").in_chinese(
            "您已没有这项权限，请重新载入页面。"
        )


def role_names(roles: Collection[Role]) -> str:
    """Return the roles in words, in the order of their power."""
    words = _words()
    return words.comma.join(words.roles[role] for role in ROLES if role in roles) or words.no_role


def _has(name: str, roles: Collection[Role]) -> bool:
    person = people.find(session.database(), name)
    return person is not None and person.active and not person.roles.isdisjoint(roles)


def _words() -> AccessWords:
    return session.in_language(ACCESS_WORDS)


def _local() -> Person:
    person = people.find(session.database(), LOCAL)
    if person is None:
        raise ConfigError(
            "The database has no local user. Restore it from a backup with `python -m app restore`."
        ).in_chinese("数据库中没有本机用户。请用 `python -m app restore` 从备份恢复。")
    return person


def _found(name: str) -> Visitor:
    """Look a signed-in name up. The local user has every role and no owner, so nobody signs in as it."""
    person = people.find(session.database(), name) if name != LOCAL else None
    if person is None:
        return Visitor(standing="unknown", name=name)
    if not person.active:
        return Visitor(standing="inactive", name=name)
    if not person.roles:
        return Visitor(standing="roleless", name=name)
    return Visitor(standing="known", name=name, person=person)


def _decoded(value: object) -> str:
    """Return a header's text: HTTP gives bytes as Latin-1, proxies send UTF-8."""
    text = str(value or "")
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
