"""Reviews of files from before the project database (version 1): one table `review` with a column per field."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.document import ReviewDocument, canonical
from app.store.chain import append_record
from app.store.schema import PersonRow, RevisionRow, RoleRow


def adopt_table(session: Session) -> None:
    """Take over every row of the table `review`, oldest first, each with an audit entry of its own."""
    for old in session.execute(text("SELECT * FROM review ORDER BY id")).mappings().all():
        ensure_reader(session, old["reviewer"])
        document = ReviewDocument(
            verdict=old["verdict"],
            comment=old["comment"],
            corrected=old["corrected"],
            generated_sha256=old["generated_sha256"],
        )
        row = RevisionRow(
            run_id=old["run_id"],
            case_id=old["case_id"],
            reviewer=old["reviewer"],
            task="",
            revision=old["revision"],
            status="draft",
            reason="",
            client=old["client"],
            sequence=old["sequence"],
            document=canonical(document),
            saved_at=old["saved_at"],
        )
        append_record(session, row, actor=old["reviewer"], action="adopt")


def ensure_reader(session: Session, name: str) -> None:
    """Make the reviewer of an adopted review a person of this project, unless they are one."""
    if session.get(PersonRow, name) is None:
        session.add(PersonRow(name=name, display_name=name, active=True))
        session.flush()
        session.add(RoleRow(person=name, role="reader"))
        session.flush()
