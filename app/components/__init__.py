"""The parts of the page that Streamlit's own widgets cannot give: films, workbench, lock and language.

They are Streamlit components (v2): plain ES modules in this folder, no build step, registered once at import.
"""

import re
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
# The browser gets a component as one module. Its parts stand in the order in which they need each other.
_WORKBENCH = (
    "storage",
    "elements",
    "clock",
    "review",
    "completeness",
    "outbox",
    "rows",
    "questions",
    "texts",
    "frame",
    "bench",
)
_LOCAL_IMPORT = re.compile(r"^import .* from \"\./.*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8") + "\n"  # a string with a newline is never taken for a path


def _module(folder: str, parts: tuple[str, ...]) -> str:
    """Join the modules of a folder to one: their imports of each other and their exports are dropped."""
    text = "".join(_asset(f"{folder}/{part}.js") for part in parts)
    return _EXPORT.sub("", _LOCAL_IMPORT.sub("", text))


language = st.components.v2.component("xray_review_language", js=_asset("language.js"))
lock = st.components.v2.component("xray_review_lock", js=_asset("lock.js"))
viewer = st.components.v2.component(
    "xray_review_viewer",
    html=_asset("viewer.html"),
    css=_asset("viewer.css"),
    # A module of a component cannot import a file beside it, so the three files are one module.
    js="".join(_asset(name) for name in ("viewer_film.js", "viewer_panel.js", "viewer.js")),
)
workbench = st.components.v2.component(
    "xray_review_workbench",
    html=_asset("workbench/bench.html"),
    css=_asset("workbench/bench.css"),
    js=_module("workbench", _WORKBENCH),
)
