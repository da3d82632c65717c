"""研究阅片: one task of a reader study. Nothing on it tells who wrote a report, unless the protocol does."""

import streamlit as st

from app import access, access_log, navigation, session
from app.faults import shown
from app.markup import banner_html, report_head_html
from app.moments import local_day
from app.protocol.load import thawed
from app.protocol.model import Protocol
from app.run import ReviewCase, Run
from app.store import progress, studies
from app.store.chain import now
from app.store.progress import Workload
from app.store.reviews import GIVEN
from app.store.studies import Shown, Task, Work
from app.viewing import show_films
from app.words.reading import READING_WORDS, ReadingWords
from app.workbench import Bench, ShownReport, mount


def show() -> None:
    """Draw the page of the task in ?task=ID; another reader's task is answered like one that does not exist."""
    with shown():
        words = session.in_language(READING_WORDS)
        st.html(banner_html(session.words()))
        task_id = st.query_params.get("task", "")
        task = studies.find_task(session.database(), task_id, reader=access.current().name)
        opens = task.assignment.not_before if task else None
        if task is None:
            _refuse(words.no_task if task_id else words.choose_task, words=words)
        elif opens and opens > now():
            _refuse(words.opens_on.format(day=local_day(opens)), words=words)
        else:
            _task(task, words=words)


def _refuse(sentence: str, *, words: ReadingWords) -> None:
    st.info(sentence)
    if st.button(words.back, type="primary"):
        navigation.open_page("tasks")


def _task(task: Task, *, words: ReadingWords) -> None:
    access_log.note("open task", subject=task.assignment.id, actor=task.assignment.reader)
    run = session.find_run(task.assignment.run_id)
    case = run.case(task.assignment.case_id) if run else None
    load = progress.workload(session.database(), task.study, reader=task.assignment.reader)
    upcoming = load.upcoming(moment=now(), after=task.assignment.id)
    _head(task, load=load, upcoming=upcoming, words=words)
    if run is None or case is None:
        st.error(words.case_gone, icon=":material/error:")
        return
    ahead = run.case(upcoming.assignment.case_id) if upcoming else None
    _bench(task, run=run, case=case, ahead=ahead, words=words)


def _head(task: Task, *, load: Workload, upcoming: Work | None, words: ReadingWords) -> None:
    status = next(item.status for item in load.work if item.assignment.id == task.assignment.id)
    back, title, skip, following = st.columns([1.2, 6, 1.2, 1.4], vertical_alignment="center")
    if back.button(words.back, icon=":material/list:", width="stretch"):
        navigation.open_page("tasks")
    place = f"{task.assignment.position + 1} / {len(load.work)}"
    badges = [("plain", place), *([("plain", words.closed)] if task.study.state != "open" else [])]
    title.html(report_head_html(task.study.title, badges=badges))
    is_given = status in GIVEN
    is_open = task.study.state == "open"
    can_skip = is_open and not is_given and status != "void"
    with skip.popover(words.skip, disabled=not can_skip, width="stretch", key=f"skip_box_{task.assignment.id}"):
        _ask_why(task, next_task=upcoming.assignment.id if upcoming else "", words=words)
    can_go_on = upcoming is not None and is_open and (is_given or status == "void")
    kind = "primary" if can_go_on else "secondary"
    go = following.button(words.following, type=kind, shortcut="N", disabled=not can_go_on, width="stretch")
    if go and upcoming:
        navigation.open_task(upcoming.assignment.id)
    if is_given and is_open:
        st.success(words.submitted if upcoming else words.submitted_last, icon=":material/check_circle:")


def _ask_why(task: Task, *, next_task: str, words: ReadingWords) -> None:
    """Ask for the reason why a case is skipped, and go on to the next."""
    st.write(words.skip_hint)
    with st.form(f"skip_{task.assignment.id}", border=False):
        reason = st.text_area(words.skip_reason, max_chars=500, key=f"skip_reason_{task.assignment.id}")
        confirmed = st.form_submit_button(words.skip_confirm, type="primary")
    if not confirmed:
        return
    if not reason.strip():
        st.warning(words.needs_reason)
        return
    access.require(access.TASK_READERS)
    progress.skip(session.database(), task.assignment, reason=reason)
    if next_task:
        navigation.open_task(next_task)
    navigation.open_page("tasks")


def _bench(task: Task, *, run: Run, case: ReviewCase, ahead: ReviewCase | None, words: ReadingWords) -> None:
    protocol = thawed(task.study.protocol)
    bench = Bench(
        protocol=protocol,
        run_id=run.id,
        case_id=case.id,
        task=task.assignment.id,
        reports=_reports(task, protocol=protocol, words=words),
        reference=_reference(case, protocol=protocol, words=words),
        profile=run.profile,
        read_only=task.study.state != "open",
    )
    if not protocol.films:
        st.caption(words.no_films)
        mount(bench)
        return
    films, texts = st.columns([5, 6] if len(case.case.images) < 2 else [1, 1], gap="medium")
    with films:
        show_films(run, case, key="viewer", upcoming=ahead)
    with texts:
        mount(bench)


def _reports(task: Task, *, protocol: Protocol, words: ReadingWords) -> tuple[ShownReport, ...]:
    arms = studies.shown(session.database(), task.assignment.id)
    if protocol.reports == 1:
        return (ShownReport(text=arms[0].text, heading=_heading(protocol, words=words)),)
    return tuple(_labelled(arm, words=words) for arm in arms)


def _labelled(arm: Shown, *, words: ReadingWords) -> ShownReport:
    return ShownReport(text=arm.text, heading=f"{words.report} {arm.label}", label=arm.label)


def _heading(protocol: Protocol, *, words: ReadingWords) -> str:
    """Name what is judged: what a reader may know of it follows from the protocol alone, never from the arm."""
    return words.judged_reference if protocol.judged == "reference" else words.report


def _reference(case: ReviewCase, *, protocol: Protocol, words: ReadingWords) -> ShownReport | None:
    if protocol.reference not in ("beside", "after"):
        return None
    texts = session.words()
    badge = texts.machine_translated if case.case.origin == "machine_translation" else texts.reference_note
    return ShownReport(text=case.case.text, heading=words.reference, badges=(("plain", badge),))
