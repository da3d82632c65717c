"""The parts of the page that Streamlit's own widgets cannot give: the films, the editor and the idle lock.

They are Streamlit components (v2): plain ES modules in this folder, no build step, registered once at import.
"""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8") + "\n"  # a string with a newline is never taken for a path


editor = st.components.v2.component(
    "xray_review_editor", html=_asset("editor.html"), css=_asset("editor.css"), js=_asset("editor.js")
)
lock = st.components.v2.component("xray_review_lock", js=_asset("lock.js"))
viewer = st.components.v2.component(
    "xray_review_viewer", html=_asset("viewer.html"), css=_asset("viewer.css"), js=_asset("viewer.js")
)
