"""The film of a live generation: of a case of the run, or uploaded."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape

import streamlit as st

from app import access, access_log, navigation, session
from app.live.film import MOST_MEGABYTES, render_upload, settings_of
from app.run import ReviewCase, Run
from app.viewing import show_films
from app.words.generate import GenerateWords
from app.words.reading import READING_WORDS
from app.words.viewer import VIEWER_WORDS
from xray.dicom.render import RenderSettings
from xray.errors import DataError

_RENDERED_KEY = "live_rendered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFilm:
    """What the model is to see: the films of a case of a run, or the uploaded one, rendered as PNG."""

    run: Run | None = None
    case: ReviewCase | None = None
    uploaded: bytes = b""

    @property
    def key(self) -> str:
        """What tells this film from others."""
        if self.run and self.case:
            return f"{self.run.id}/{self.case.id}"
        return hashlib.sha256(self.uploaded).hexdigest()

    def films(self) -> tuple[bytes, ...]:
        """Return the PNG files. Raises DataError where one of the run's is not there."""
        if self.run is None or self.case is None:
            return (self.uploaded,)
        paths = [self.run.film(self.case.id, index) for index in range(len(self.case.case.images))]
        if not paths or not all(paths):
            raise DataError(
                f"A film of {self.case.id} is missing in {self.run.folder}. Restore the run's folder."
            ).in_chinese(f"{self.run.folder} 中缺少病例 {self.case.id} 的影像。请恢复运行目录。")
        return tuple(path.read_bytes() for path in paths if path)


def choose_film(words: GenerateWords, *, served: Run | None) -> LiveFilm | None:
    """Let the reader choose a film and show it; None until there is one."""
    source = st.segmented_control(
        words.source,
        ["run", "upload"],
        format_func={"run": words.of_run, "upload": words.upload}.__getitem__,
        default="run",
        required=True,
        key="live_source",
    )
    return _of_run(words) if source == "run" else _uploaded(words, settings=settings_of(served))


def _of_run(words: GenerateWords) -> LiveFilm | None:
    run = session.current_run()
    hidden = navigation.read_blind()
    by_id = {case.id: case for case in run.cases if case.id not in hidden}
    if len(by_id) < len(run.cases):
        count = len(run.cases) - len(by_id)
        st.info(session.in_language(READING_WORDS).read_blind.format(count=count), icon=":material/visibility_off:")
    name = st.selectbox(words.case, list(by_id), key=f"live_case_{run.id}")
    case = by_id.get(name or "")
    if case is None:
        return None
    access_log.note("open case", subject=f"{run.id}/{case.id}", actor=access.current().name)
    show_films(run, case, key="viewer")
    return LiveFilm(run=run, case=case)


def _uploaded(words: GenerateWords, *, settings: RenderSettings) -> LiveFilm | None:
    given = st.file_uploader(
        words.upload_label.format(size=MOST_MEGABYTES), max_upload_size=MOST_MEGABYTES, key="live_upload"
    )
    st.caption(words.upload_note)
    if given is None:
        st.session_state.pop(_RENDERED_KEY, None)
        return None
    known: tuple[str, bytes] | None = st.session_state.get(_RENDERED_KEY)
    name = f"{given.file_id} {settings.digest()}"
    if known is None or known[0] != name:
        with st.spinner(words.rendering):
            known = st.session_state[_RENDERED_KEY] = (name, render_upload(given.getvalue(), settings=settings))
    # In the page itself: an address of its own would outlive the page.
    _show(f"data:image/png;base64,{base64.b64encode(known[1]).decode()}", name=words.film)
    return LiveFilm(uploaded=known[1])


def _show(url: str, *, name: str) -> None:
    figure = f'<figure><img src="{escape(url)}" alt="{escape(name)}"><figcaption>{escape(name)}</figcaption></figure>'
    note = escape(session.in_language(VIEWER_WORDS).display_note)
    st.html(f'<div class="live-films">{figure}</div><div class="scores-note">{note}</div>')
