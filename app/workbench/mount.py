"""The workbench on a page: alone in a fragment, so that a save reruns nothing else and the films stay untouched."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from app import access, components, session
from app.document import sha256
from app.faults import shown
from app.markup import rows_html
from app.saving import Answer, receive, thread_name
from app.settings import Settings
from app.store import reviews
from app.store.reviews import Revision
from app.words.viewer import VIEWER_WORDS
from app.words.workbench import WORKBENCH_WORDS, WorkbenchWords
from app.workbench.bench import Bench
from app.workbench.contents import contents, review_json, state_of
from app.workbench.places import find_place

KEY = "workbench"
_ANSWERS, _BEAT, _STATE = "workbench_answers", "workbench_beat", "workbench_state"
# A page with a timer asks a restarted server for a full run. Without it the drafts would go to a fragment that the new
# server does not know, and nothing typed would be saved until the reader left the case.
REFRESH_SECONDS = 600


def mount(bench: Bench) -> None:
    """Put a case on the workbench. Once it is submitted, or a submitted one is amended, the whole page runs again."""
    st.session_state[_STATE] = None
    st.fragment(_show, run_every=REFRESH_SECONDS)(bench)


def _show(bench: Bench) -> None:
    with shown():
        reader = access.require(access.READERS).name  # a fragment runs on when the page is not drawn again
        history = _history(bench, reader=reader)
        data = _data(bench, history=history, reader=reader)
        result = components.workbench(data=data, key=KEY, default={"outbox": None}, on_outbox_change=_receive)
        # After a restart of the server the browser sends its drafts again, but no callback is registered for them yet.
        taken = _take(result.outbox)
        words = session.in_language(WORKBENCH_WORDS)
        if history:
            with st.expander(f"{words.history} ({len(history)})"):
                rows = (_history_row(revision, words=words) for revision in reversed(history))
                st.html(rows_html(words.history_columns, rows))
        state = state_of(history)
        before, st.session_state[_STATE] = st.session_state[_STATE], state
        if taken or (before not in (None, state) and "submitted" in (before, state)):
            st.rerun()


def _history(bench: Bench, *, reader: str) -> tuple[Revision, ...]:
    return reviews.history(session.database(), bench.run_id, bench.case_id, reviewer=reader, task=bench.task)


def _receive() -> None:
    with shown():
        _take(st.session_state[KEY].get("outbox"))


def _take(outbox: object) -> bool:
    """Store what the browser sent; True when there is something new to tell it.

    What another person left unsaved in this browser stays there: a session may have become somebody else's meanwhile.
    """
    if not isinstance(outbox, Mapping) or outbox.get("beat") in (None, st.session_state.get(_BEAT)):
        return False
    st.session_state[_BEAT] = outbox["beat"]
    reviewer = access.require(access.READERS).name
    if outbox.get("owner") != owner_of(Settings.from_environment().database, reviewer):
        return False
    answers = receive(outbox, find_place=find_place, database=session.database(), reviewer=reviewer)
    if not answers or answers == st.session_state.get(_ANSWERS):
        return False
    st.session_state[_ANSWERS] = answers
    return True


def _data(bench: Bench, *, history: tuple[Revision, ...], reader: str) -> dict[str, Any]:
    language, words = session.words().code, session.in_language(WORKBENCH_WORDS)
    answers: tuple[Answer, ...] = st.session_state.get(_ANSWERS, ())
    return {
        **contents(bench, history=history, words=words, language="zh" if language == "zh" else "en"),
        "help": _help(bench, words=words),
        "owner": owner_of(Settings.from_environment().database, reader),
        "thread": thread_name(run_id=bench.run_id, case_id=bench.case_id, task=bench.task),
        "acks": [_answer_json(answer) for answer in answers if not answer.refused],
        "refusals": [_answer_json(answer) for answer in answers if answer.refused],
    }


def _help(bench: Bench, *, words: WorkbenchWords) -> list[dict[str, Any]]:
    """Name the keys of the page: those of the workbench, and of the films beside it."""
    viewer = session.in_language(VIEWER_WORDS)
    films = [{"title": viewer.keys, "keys": viewer.help}] if bench.protocol.films else []
    keys = [(key, text) for key, text in words.keys if not (bench.task and "←" in key)]  # a task leads on alone
    return [{"title": words.judging, "keys": keys}, *films]


@lru_cache(maxsize=1024)
def owner_of(database: str, reader: str) -> str:
    """Name who writes where: the browser sends only what this person left unsaved for this database."""
    place = re.sub(r"//([^:/@]*):[^@/]*@", r"//\1@", database)  # not the password
    return sha256(f"{place}\0{reader}")[:16]


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "thread": answer.thread,
        "client": answer.client,
        "sequence": answer.sequence,
        "revision": answer.revision,
        "missing": list(answer.missing),
        **({"review": review_json(answer.latest)} if answer.refused else {}),
    }


def _history_row(revision: Revision, *, words: WorkbenchWords) -> tuple[str, ...]:
    document = revision.document
    return (
        str(revision.revision),
        revision.saved_at.replace("T", " ")[:19],
        words.statuses[revision.status],
        words.verdicts.get(document.verdict or "", "–"),
        document.comment,
        document.corrected,
        revision.reason,
    )
