"""The idle lock: after a time without input a page is covered, and its texts leave the browser until someone goes on.

The browser counts (components/lock.js): input in one page of this app counts for all of them. It covers the page at
once and tells the server, which then draws nothing but the lock. What was not saved yet stays in the editor's store.
"""

import streamlit as st

from app import components, session
from app.settings import Settings
from app.words.access import ACCESS_WORDS, AccessWords

KEY = "idle_lock"
WARNING_SECONDS = 60.0
_SHARE_OF_WARNING = 0.5  # of a time that is shorter than two minutes


def is_locked() -> bool:
    """Mount the lock, first of all on the page, and tell whether it is shut."""
    settings = Settings.from_environment()
    seconds = settings.lock_minutes * 60
    if seconds <= 0:
        return False
    words, signs_out = session.in_language(ACCESS_WORDS), settings.sign_in.mode == "oidc"
    with st.container(key="lock"):
        result = components.lock(
            data={
                "seconds": seconds,
                "warning": min(WARNING_SECONDS, seconds * _SHARE_OF_WARNING),
                "locked": bool(st.session_state.get(KEY, {}).get("locked")),
                "signs_out": signs_out,
                "words": _texts(words, signs_out=signs_out),
            },
            key=KEY,
            default={"locked": False},
            on_locked_change=lambda: None,
        )
    locked = result.locked is True
    if locked and signs_out:
        st.logout()  # the way back is the sign-in, so a page loaded anew does not open the lock
    return locked


def _texts(words: AccessWords, *, signs_out: bool) -> dict[str, str]:
    return {
        "title": words.locked_title,
        "told": words.locked_sign_in if signs_out else words.locked,
        "kept": words.drafts_kept,
        "unlock": words.sign_in if signs_out else words.unlock,
        "soon": words.locking_soon,
        "stay": words.stay,
    }
