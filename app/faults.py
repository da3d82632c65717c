"""Errors on a page: one sentence and an error id, never a stack trace, never a value."""

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.session import words
from app.words.refusals import REFUSALS, UNKNOWN_REFUSAL
from xray.errors import Rejected, XrayError

_log = logging.getLogger("app")


def show(error: Exception) -> bool:
    """Put `error` on the page and its place in the log; True tells Streamlit that it has been shown.

    Our own errors are written for users and shown in the language of the page, where they are told in both. Of all
    others the page shows an id; the log gets that id, the type and the lines of code, but no message, because a message
    may quote a report.
    """
    if isinstance(error, XrayError):
        st.error(sentence_of(error), icon=":material/error:")
        return True
    error_id = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-4:]))
    _log.error("error %s: %s at %s", error_id, type(error).__name__, place)
    st.error(words().unexpected_error.format(error_id=error_id), icon=":material/error:")
    return True


def sentence_of(error: XrayError) -> str:
    """Return what an error of our own says, in the language of the page where it is told in both."""
    if words().code != "zh":
        return str(error)
    if isinstance(error, Rejected):
        return REFUSALS.get(error.code, UNKNOWN_REFUSAL).format(code=error.code)
    return error.chinese or str(error)


@contextmanager
def shown() -> Iterator[None]:
    """Run a part of a page; an error in it is shown in its place and the rest of the page lives on."""
    try:
        yield
    except Exception as error:  # whatever it is, a reader must not see a stack trace
        show(error)
