"""实时生成: a film and a question to the model that `finetune serve` has loaded, its answer as it is written."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from app import access, session
from app.asked import asked_of
from app.faults import show as show_fault
from app.faults import shown
from app.live.client import Client, Question, ServerAbsentError
from app.live.job import RUNNING, Job, Progress
from app.marked import legend_html, report_html
from app.markup import banner_html, report_head_html
from app.run import ReviewCase, Run
from app.screens.live_film import LiveFilm, choose_film
from app.servers import Servers
from app.store.audit import record_event
from app.words.generate import GENERATE_WORDS, GenerateWords
from app.words.workbench import WORKBENCH_WORDS, WorkbenchWords
from xray.data.store import DEFAULT_QUESTION
from xray.errors import DataError
from xray.metrics.marks import Segment, mark_reports

MODELS_KEY = "live_models"
ASKED_KEY = "live_asked"
REFRESH_SECONDS = 0.6
_MODELS_SECONDS = 30.0
_XRAYGLM = "通过这张胸部X光影像可以诊断出什么？"
_DESCRIBE = "详细描述这张胸部X光片的诊断结果"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A job with the film that it is about."""

    job: Job
    film: LiveFilm


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(GENERATE_WORDS)
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title, badges=[("ai", _marks().generated_badge)]))
        left, right = st.columns([5, 6], gap="medium")
        with right:
            model = _model(words)
        served = _run_of(model)
        film: LiveFilm | None = None
        with left, shown():  # a film that is refused takes nothing else of the page with it
            film = choose_film(words, served=served)
        with right:
            _forget_other(film)
            if model:
                _ask(film, model=model, served=served, words=words)
            _running(words)


def _model(words: GenerateWords) -> str | None:
    """Return which model the server has; where nobody answers, the page says how to start one."""
    known: tuple[float, str] | None = st.session_state.get(MODELS_KEY)
    if known is None or time.monotonic() - known[0] > _MODELS_SECONDS:
        try:
            names = Client(Servers.from_environment(), silence_seconds=5).models()
            if not names:
                raise DataError("The server has no model. Start it again with `finetune serve RUN`.").in_chinese(
                    "模型服务没有载入模型。请用 `finetune serve RUN` 重新启动。"
                )
        except DataError as error:
            st.session_state.pop(MODELS_KEY, None)
            if isinstance(error, ServerAbsentError):
                address = Servers.from_environment().serve
                st.error(words.no_server.format(address=address), icon=":material/power_off:")
            else:
                show_fault(error)
            st.button(words.look_again, icon=":material/refresh:", key="live_again")
            return None
        known = st.session_state[MODELS_KEY] = (time.monotonic(), names[0])
    model = known[1]
    whose = words.of_project if _run_of(model) else words.not_of_project
    st.html(report_head_html(words.model.format(model=model), badges=[("plain", whose)]))
    return model


def _run_of(model: str | None) -> Run | None:
    """Return the run that a served name stands for: the server calls a run by its folder."""
    found = (run_id for run_id, folder in session.runs().items() if model in (run_id, folder.name))
    run_id = next(found, None) if model else None
    return session.find_run(run_id) if run_id else None


def _ask(film: LiveFilm | None, *, model: str, served: Run | None, words: GenerateWords) -> None:
    if film and film.run and film.run is not served:
        st.caption(words.other_run.format(model=model, run=film.run.id))
    question = _question(film, served=served, words=words)
    running = _is_running()
    go, stop, note = st.columns([1, 1, 3], vertical_alignment="center")
    note.caption(words.kept_nowhere)
    if go.button(words.generate, type="primary", disabled=running or film is None, width="stretch", key="live_go"):
        if film is None or not question.strip():
            st.warning(words.no_question)
        else:
            _start(film, model=model, question=question)
            st.rerun()
    if stop.button(words.stop, icon=":material/stop:", disabled=not running, width="stretch", key="live_stop"):
        asked: _Asked = st.session_state[ASKED_KEY]
        asked.job.stop()
        st.rerun()
    if film is None:
        st.info(words.no_film)


def _question(film: LiveFilm | None, *, served: Run | None, words: GenerateWords) -> str:
    texts = {"run": _trained_question(film, served=served), "xrayglm": _XRAYGLM, "describe": _DESCRIBE, "own": ""}
    kind = st.segmented_control(
        words.suggestions,
        list(texts),
        format_func=words.questions.__getitem__,
        default="run",
        required=True,
        key="live_suggestion",
    )
    case = film.case.id if film and film.case else ""
    key = f"live_question_{kind}_{case}"
    question: str = st.text_area(words.question, texts[kind], height=80, max_chars=2000, key=key)
    return question


def _trained_question(film: LiveFilm | None, *, served: Run | None) -> str:
    """Return what the case, or else the model, was asked; the kit's own question where neither tells."""
    if film and film.case and film.case.case.turns:
        return film.case.case.turns[-1].text
    run = served or (film.run if film else None)
    try:
        return asked_of(run.folder).question if run else DEFAULT_QUESTION
    except DataError:
        return DEFAULT_QUESTION


def _start(film: LiveFilm, *, model: str, question: str) -> None:
    actor = access.require(access.READERS).name
    before = film.case.case.turns[:-1] if film.case else ()
    turns = (*((turn.role, turn.text) for turn in before), ("user", question))
    if earlier := st.session_state.get(ASKED_KEY):
        earlier.job.stop()
    asked = Question(model=model, films=film.films(), turns=turns)
    st.session_state[ASKED_KEY] = _Asked(job=Job(Servers.from_environment(), asked), film=film)
    record_event(
        session.database(),
        actor=actor,
        action="live generation",
        subject=model,
        details=json.dumps({"film": f"{film.run.id}/{film.case.id}" if film.run and film.case else "upload"}),
    )


def _forget_other(film: LiveFilm | None) -> None:
    """Let go of an answer about another film than the one on show: nobody may read it as this one's report."""
    asked: _Asked | None = st.session_state.get(ASKED_KEY)
    if asked is not None and (film is None or asked.film.key != film.key):
        asked.job.stop()
        del st.session_state[ASKED_KEY]


def _is_running() -> bool:
    asked: _Asked | None = st.session_state.get(ASKED_KEY)
    return asked is not None and asked.job.look().state in RUNNING


def _running(words: GenerateWords) -> None:
    if ASKED_KEY in st.session_state:
        st.fragment(_answer, run_every=REFRESH_SECONDS if _is_running() else None)(words)


def _answer(words: GenerateWords) -> None:
    """Show how far the answer is; alone in a fragment, so that the film stays untouched."""
    with shown():
        access.require(access.READERS)
        asked: _Asked | None = st.session_state.get(ASKED_KEY)
        if asked is None:  # the timer may come once more
            return
        progress = asked.job.look()
        _head(progress, words=words)
        if progress.error or progress.unexpected:
            show_fault(progress.error or progress.unexpected or DataError(""))
        case, run = asked.film.case, asked.film.run
        if progress.state == "done" and case is not None and run is not None:
            _compare(progress, case=case, run=run, words=words)
        elif progress.text or progress.state == "done":
            st.html(_text((Segment(text=progress.text or words.empty),)))
        _note_end(progress)


def _note_end(progress: Progress) -> None:
    """Draw the whole page once an answer has ended: its buttons are outside of the fragment, and the timer ends."""
    was_running = st.session_state.get("live_was_running", False)
    st.session_state["live_was_running"] = progress.state in RUNNING
    if was_running and progress.state not in RUNNING:
        st.rerun()


def _head(progress: Progress, *, words: GenerateWords) -> None:
    general = session.words()
    state = f"{words.states[progress.state]} · {words.seconds.format(seconds=progress.seconds)}"
    badges = [("ai", _marks().generated_badge), ("plain", state)]
    badges += [("warn", general.cut_off)] if progress.is_cut else []
    st.html(f'<div role="status">{report_head_html(words.answer, badges=badges)}</div>')
    if progress.state in RUNNING:
        st.progress(min(len(progress.text) / 300, 0.95))  # a report has some 300 letters; the end is not known before


def _compare(progress: Progress, *, case: ReviewCase, run: Run, words: GenerateWords) -> None:
    general = session.words()
    marked = mark_reports(progress.text, reference=case.case.text, profile=run.profile)
    left, right = st.columns(2, gap="medium")
    with left:
        st.html(report_head_html(general.generated_report, badges=[("ai", _marks().generated_badge)]))
        text = progress.text.strip()
        st.html(_text(marked.generated if text else (Segment(text=words.empty),)))
    with right:
        st.html(report_head_html(general.reference_report, badges=[("plain", general.reference_note)]))
        st.html(_text(marked.reference))
    st.html(legend_html(_marks()))


def _marks() -> WorkbenchWords:
    return session.in_language(WORKBENCH_WORDS)


def _text(segments: Iterable[Segment]) -> str:
    return report_html(segments, words=_marks(), language=session.words().code)
