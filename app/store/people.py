"""The users of a project and what they may do."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from app.store.chain import append
from app.store.engine import Database
from app.store.schema import PersonRow, RoleRow
from xray.errors import ConfigError, DataError

LOCAL = "local"
"""The one user of a machine without sign-in; has every role."""
Role = Literal["reader", "adjudicator", "lead", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
LONGEST_NAME = 200
_SERVER = "server"
# Made once, of tables and not of mapped classes: every page asks it several times.
_BY_NAME = (
    select(PersonRow.__table__.c.display_name, PersonRow.__table__.c.active, RoleRow.__table__.c.role)
    .select_from(PersonRow.__table__.outerjoin(RoleRow.__table__))
    .where(PersonRow.__table__.c.name == bindparam("name"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user. Reviews are stored under `name`, so it is never changed; who leaves becomes inactive."""

    name: str
    display_name: str
    roles: frozenset[Role]
    active: bool = True


def sign_in_name(text: str) -> str:
    """Return a name as people are stored under it: NFC, no space around it, an e-mail address in lower case."""
    name = unicodedata.normalize("NFC", text).strip()
    return name.lower() if "@" in name else name


def is_name(text: str) -> bool:
    """Whether someone may be stored under `text`: not empty, not too long, nothing that cannot be seen."""
    return 0 < len(text) <= LONGEST_NAME and text == sign_in_name(text) and text.isprintable()


def put(database: Database, person: Person, *, actor: str) -> None:
    """Add a person, or change one of that name."""
    with database.writing() as session:
        _write(session, person, actor=actor)


def add(database: Database, person: Person, *, actor: str) -> None:
    """Add a person. Raises DataError for a name that someone has already, or that nobody can have."""
    if not is_name(person.name):
        raise DataError(
            f"A name has 1 to {LONGEST_NAME} characters that can be seen. Write what the sign-in tells."
        ).in_chinese(f"登录名为 1 至 {LONGEST_NAME} 个可见字符。请按登录系统给出的填写。")
    with database.writing() as session:
        if session.get(PersonRow, person.name) is not None:
            raise DataError(f"There is a user {person.name} already. Change that one.").in_chinese(
                f"已有用户 {person.name}。请修改该用户。"
            )
        _write(session, person, actor=actor)


def change(database: Database, person: Person, *, actor: str) -> None:
    """Change a person's name on the screen, roles and state.

    Raises DataError for one that there is not, and for admins who would lock themselves out: so one is always left.
    """
    if person.name == actor and not (person.active and "admin" in person.roles):
        raise DataError("An admin cannot take away their own access. Ask another admin.").in_chinese(
            "管理员不能取消自己的权限。请由另一位管理员操作。"
        )
    with database.writing() as session:
        if session.get(PersonRow, person.name) is None:
            raise DataError(f"There is no user {person.name}. Add them first.").in_chinese(
                f"没有用户 {person.name}。请先添加。"
            )
        _write(session, person, actor=actor)


def ensure_admin(database: Database, text: str) -> None:
    """Make who signs in as `text` an active admin, added where unknown; their other roles stay.

    Raises ConfigError for a name that nobody can have, or the one of a machine without sign-in.
    """
    name = sign_in_name(text)
    if not is_name(name) or name == LOCAL:
        raise ConfigError(f"{text[:40]!r} cannot be the name of an admin. Give it as the sign-in tells it.")
    known = find(database, name) or Person(name=name, display_name=name, roles=frozenset(), active=False)
    if not (known.active and "admin" in known.roles):
        roles: frozenset[Role] = frozenset({*known.roles, "admin"})
        put(database, Person(name=name, display_name=known.display_name, roles=roles), actor=_SERVER)


def find(database: Database, name: str) -> Person | None:
    """Return the person of that name, None where there is none."""
    with database.asking() as session:
        rows = session.connection().execute(_BY_NAME, {"name": name}).all()
    if not rows:
        return None
    own = {row.role for row in rows}
    roles = frozenset(role for role in ROLES if role in own)
    return Person(name=name, display_name=rows[0].display_name, roles=roles, active=rows[0].active)


def everyone(database: Database) -> tuple[Person, ...]:
    """Return all persons by name, the inactive ones too."""
    with database.reading() as session:
        roles = _roles(session)
        return tuple(_person(row, roles) for row in session.scalars(select(PersonRow).order_by(PersonRow.name)))


def _write(session: Session, person: Person, *, actor: str) -> None:
    details = {"roles": sorted(person.roles), "active": person.active}
    session.merge(PersonRow(name=person.name, display_name=person.display_name, active=person.active))
    session.flush()
    session.execute(delete(RoleRow).where(RoleRow.person == person.name))
    session.add_all(RoleRow(person=person.name, role=role) for role in person.roles)
    append(session, actor=actor, action="person", subject=person.name, details=json.dumps(details))


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
