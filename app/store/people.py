"""The users of a project and what they may do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.store.chain import append
from app.store.engine import Database
from app.store.schema import PersonRow, RoleRow

LOCAL = "local"
"""The one user of a machine without sign-in; has every role."""
Role = Literal["reader", "adjudicator", "lead", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user. Reviews are stored under `name`, so it is never changed; who leaves becomes inactive."""

    name: str
    display_name: str
    roles: frozenset[Role]
    active: bool = True


def put(database: Database, person: Person, *, actor: str) -> None:
    """Add a person, or change one of that name."""
    details = {"roles": sorted(person.roles), "active": person.active}
    with database.writing() as session:
        session.merge(PersonRow(name=person.name, display_name=person.display_name, active=person.active))
        session.flush()
        session.execute(delete(RoleRow).where(RoleRow.person == person.name))
        session.add_all(RoleRow(person=person.name, role=role) for role in person.roles)
        append(session, actor=actor, action="person", subject=person.name, details=json.dumps(details))


def find(database: Database, name: str) -> Person | None:
    """Return the person of that name, None where there is none."""
    with database.reading() as session:
        row = session.get(PersonRow, name)
        return _person(row, _roles(session)) if row else None


def everyone(database: Database) -> tuple[Person, ...]:
    """Return all persons by name, the inactive ones too."""
    with database.reading() as session:
        roles = _roles(session)
        return tuple(_person(row, roles) for row in session.scalars(select(PersonRow).order_by(PersonRow.name)))


def _roles(session: Session) -> Sequence[RoleRow]:
    return session.scalars(select(RoleRow)).all()


def _person(row: PersonRow, roles: Sequence[RoleRow]) -> Person:
    own = {found.role for found in roles if found.person == row.name}
    return Person(
        name=row.name,
        display_name=row.display_name,
        roles=frozenset(role for role in ROLES if role in own),
        active=row.active,
    )
