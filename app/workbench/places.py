"""What a draft from a browser is about, as the server knows it: the browser's word is taken for nothing of this."""

from app import access, session
from app.protocol.load import OPEN_REVIEW, preset
from app.protocol.model import Protocol
from app.saving import Place
from app.store import studies
from app.workbench.bench import judged_sha256
from xray.errors import DataError
from xray.metrics.alignment import split_sentences


def find_place(run_id: str, case_id: str, task: str) -> Place | None:
    """Return the place that who is here may write to: a case outside of studies, or a task of their own."""
    try:
        return _of_task(task) if task else _of_case(run_id, case_id)
    except DataError:  # the page of that run tells why it cannot be read
        return None


def _of_case(run_id: str, case_id: str) -> Place | None:
    run = session.find_run(run_id)
    case = run.case(case_id) if run else None
    if run is None or case is None:
        return None
    texts = [case.generated]
    return _place(texts, run_id=run.id, case_id=case.id, task="", protocol=preset(OPEN_REVIEW))


def _of_task(task: str) -> Place | None:
    if not access.allows(access.TASK_READERS):
        return None
    found = studies.find_task(session.database(), task, reader=access.current().name)
    if found is None or found.study.state != "open":  # what is said after the end of a study is no part of it
        return None
    texts: list[str | None] = [arm.text for arm in studies.shown(session.database(), task)]
    protocol = Protocol.model_validate_json(found.study.protocol)
    given = found.assignment
    return _place(texts, run_id=given.run_id, case_id=given.case_id, task=task, protocol=protocol)


def _place(texts: list[str | None], *, run_id: str, case_id: str, task: str, protocol: Protocol) -> Place:
    alone = protocol.sentences and len(texts) == 1
    return Place(
        run_id=run_id,
        case_id=case_id,
        task=task,
        protocol=protocol,
        judged_sha256=judged_sha256(texts),
        sentences=len(split_sentences(texts[0] or "")) if alone else 0,
    )
