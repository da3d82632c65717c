"""Who is at the page, and what they may do."""

from collections.abc import Collection

from app import session
from app.store import people
from app.store.people import LOCAL, Person, Role
from xray.errors import ConfigError


def current() -> Person:
    """Return who is at the page: on a machine without sign-in the one local user, who has every role."""
    person = people.find(session.database(), LOCAL)
    if person is None:
        raise ConfigError("The database has no local user. Restore it from a backup with `python -m app restore`.")
    return person


def allows(roles: Collection[Role]) -> bool:
    """Whether who is at the page has one of the roles."""
    return not current().roles.isdisjoint(roles)
