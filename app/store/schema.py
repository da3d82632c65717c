"""The tables of one project. Migrations make them; this module only names them for SQLAlchemy.

What a person said is never changed: revisions, decisions, blinding and the audit are append-only (triggers refuse
UPDATE and DELETE on both databases). Such a record is named by the number of the audit entry that vouches for it, so
no record exists without its entry. Times are ISO 8601 in UTC and documents are JSON as text, byte for byte what was
hashed, because a database's own types would spell them differently.
"""

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

APPEND_ONLY = ("audit", "revision", "adjudication", "blinding")
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite's row number is of type INTEGER and of no other


class Base(DeclarativeBase):
    """Parent of all tables."""


class AuditRow(Base):
    """One link of the chain: who did what to what. `hash` covers everything before it, through `previous`."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String)
    actor: Mapped[str] = mapped_column(String)
    action: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    details: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String)
    hash: Mapped[str] = mapped_column(String)


class PersonRow(Base):
    """A user; `name` is what the sign-in calls them and what reviews are stored under."""

    __tablename__ = "person"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    display_name: Mapped[str] = mapped_column(String)
    active: Mapped[bool]


class RoleRow(Base):
    """One role of one user."""

    __tablename__ = "role"

    person: Mapped[str] = mapped_column(ForeignKey("person.name"), primary_key=True)
    role: Mapped[str] = mapped_column(String, primary_key=True)


class StudyRow(Base):
    """A reader study: a protocol as it was when the study began, and the seed of its assignment."""

    __tablename__ = "study"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    title: Mapped[str] = mapped_column(String)
    protocol: Mapped[str] = mapped_column(Text)
    protocol_sha256: Mapped[str] = mapped_column(String)
    seed: Mapped[int] = mapped_column(_NUMBER)
    state: Mapped[str] = mapped_column(String)
    created_at: Mapped[str] = mapped_column(String)


class AssignmentRow(Base):
    """One case that one reader is to judge in a study. Nothing in it tells which report came from where."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("study_id", "reader", "position", name="one_case_per_position"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.id"))
    reader: Mapped[str] = mapped_column(ForeignKey("person.name"))
    position: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[str] = mapped_column(String)
    case_id: Mapped[str] = mapped_column(String)
    not_before: Mapped[str | None] = mapped_column(String)
    due: Mapped[str | None] = mapped_column(String)


class BlindingRow(Base):
    """What a neutral label stands for in one assignment. No function for readers looks into this table's sources."""

    __tablename__ = "blinding"

    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    label: Mapped[str] = mapped_column(String, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    source_run: Mapped[str] = mapped_column(String)
    source_system: Mapped[str] = mapped_column(String)
    purpose: Mapped[str] = mapped_column(String)


class RevisionRow(Base):
    """One saved state of one review. `task` is the assignment's id, "" for a review outside of studies."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("run_id", "reviewer", "task", "case_id", "revision", name="one_row_per_revision"),
        UniqueConstraint("run_id", "reviewer", "task", "case_id", "client", "sequence", name="one_row_per_draft"),
    )

    seq: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    run_id: Mapped[str] = mapped_column(String)
    case_id: Mapped[str] = mapped_column(String)
    reviewer: Mapped[str] = mapped_column(ForeignKey("person.name"))
    task: Mapped[str] = mapped_column(String)
    revision: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    client: Mapped[str] = mapped_column(String)
    sequence: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[str] = mapped_column(String)


class AdjudicationRow(Base):
    """A decision about a case on which readers differ; the newest of a case and study counts."""

    __tablename__ = "adjudication"

    seq: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True, autoincrement=False)
    study_id: Mapped[str] = mapped_column(String)
    run_id: Mapped[str] = mapped_column(String)
    case_id: Mapped[str] = mapped_column(String)
    adjudicator: Mapped[str] = mapped_column(ForeignKey("person.name"))
    document: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[str] = mapped_column(String)
