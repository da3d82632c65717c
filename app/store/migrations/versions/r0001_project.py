"""The tables of a project, the triggers that keep what was said, and the one user of a machine without sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_APPEND_ONLY = ("audit", "revision", "adjudication", "blinding")
_ROLES = ("reader", "adjudicator", "lead", "admin")


def upgrade() -> None:
    """Make everything."""
    _audit()
    _people()
    _studies()
    _reviews()
    if op.get_context().dialect.name == "sqlite":
        _refuse_changes_in_sqlite()
    else:
        _refuse_changes_in_postgresql()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def _audit() -> None:
    number = sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False)
    details = sa.Column("details", sa.Text, nullable=False)
    op.create_table("audit", number, *_texts("at", "actor", "action", "subject"), details, *_texts("previous", "hash"))


def _people() -> None:
    person = op.create_table(
        "person",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    role = op.create_table(
        "role",
        sa.Column("person", sa.String, sa.ForeignKey("person.name"), primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
    )
    op.bulk_insert(person, [{"name": "local", "display_name": "local", "active": True}])
    op.bulk_insert(role, [{"person": "local", "role": name} for name in _ROLES])


def _studies() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.String, primary_key=True),
        *_texts("title"),
        sa.Column("protocol", sa.Text, nullable=False),
        *_texts("protocol_sha256"),
        sa.Column("seed", _NUMBER, nullable=False),
        *_texts("state", "created_at"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("study_id", sa.String, sa.ForeignKey("study.id"), nullable=False),
        sa.Column("reader", sa.String, sa.ForeignKey("person.name"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *_texts("run_id", "case_id"),
        sa.Column("not_before", sa.String),
        sa.Column("due", sa.String),
        sa.UniqueConstraint("study_id", "reader", "position", name="one_case_per_position"),
    )
    op.create_table(
        "blinding",
        sa.Column("assignment_id", sa.String, sa.ForeignKey("assignment.id"), primary_key=True),
        sa.Column("label", sa.String, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        *_texts("source_run", "source_system", "purpose"),
    )


def _reviews() -> None:
    case = ("run_id", "reviewer", "task", "case_id")
    op.create_table(
        "revision",
        sa.Column("seq", _NUMBER, sa.ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
        *_texts("run_id", "case_id"),
        sa.Column("reviewer", sa.String, sa.ForeignKey("person.name"), nullable=False),
        *_texts("task"),
        sa.Column("revision", sa.Integer, nullable=False),
        *_texts("status"),
        sa.Column("reason", sa.Text, nullable=False),
        *_texts("client"),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        *_texts("saved_at"),
        sa.UniqueConstraint(*case, "revision", name="one_row_per_revision"),
        sa.UniqueConstraint(*case, "client", "sequence", name="one_row_per_draft"),
    )
    op.create_table(
        "adjudication",
        sa.Column("seq", _NUMBER, sa.ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
        *_texts("study_id", "run_id", "case_id"),
        sa.Column("adjudicator", sa.String, sa.ForeignKey("person.name"), nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("document", "basis", "reason")],
        *_texts("decided_at"),
    )


def _refuse_changes_in_sqlite() -> None:
    for table in _APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
