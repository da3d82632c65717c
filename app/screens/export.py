"""导出: a lead chooses reviews and a format, sees what goes out and what stays, and writes it into the project."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import pandas as pd
import streamlit as st

from app import access, session
from app.export.archive import new_folder
from app.export.contents import NothingLeftError
from app.export.folder import Kind
from app.export.gather import Choice
from app.export.joining import FindOriginal, originals_in
from app.export.order import PRODUCER, Order, Plan, carry_out, plan
from app.export.records import SIGNABLE, Status
from app.faults import sentence_of, shown
from app.markup import banner_html, report_head_html
from app.run import find_runs, sort_runs
from app.screens import exported
from app.store import studies
from app.words.exclusions import EXCLUSION_WORDS
from app.words.exports import EXPORT_WORDS, ExportWords
from xray.errors import ConfigError, DataError

LOOK_KEY = "export_look"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found when an order was checked. `refusal` is why nothing can be written, beside what `counts` say."""

    order: Order
    rows: tuple[dict[str, str], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    chosen: int = 0
    written: int = 0
    refusal: ConfigError | DataError | None = None


def show() -> None:
    """Draw the page."""
    with shown():
        words = session.in_language(EXPORT_WORDS)
        st.html(banner_html(session.words()))
        st.html(report_head_html(words.title))
        order = _form(words)
        _check(order, words=words)
        exported.show(words)


def _form(words: ExportWords) -> Order:
    what, which, who = st.columns([3, 4, 3], gap="medium")
    with what:
        kind: Kind = st.selectbox(words.kind, get_args(Kind), format_func=words.kinds.__getitem__, key="export_kind")
        st.caption(words.kind_notes[kind])
        statuses: list[Status] = st.multiselect(
            words.statuses,
            get_args(Status),
            default=list(SIGNABLE),
            format_func=words.status_names.__getitem__,
            key="export_statuses",
        )
    with which:
        choice, retired = _sources(words), frozenset[str]()
        if kind == "pairs":
            runs = list(session.runs())
            retired = frozenset(st.multiselect(words.retired, runs, help=words.retired_help, key="export_retired"))
    with who:
        institution = st.text_input(words.institution, help=words.institution_help, key="export_institution")
        producer = st.text_input(words.producer, PRODUCER, help=words.producer_help, key="export_producer")
        needs_film = kind == "dicom_sr"
        pseudonymous = needs_film and st.checkbox(
            words.pseudonymous, help=words.pseudonymous_help, key="export_pseudonymous"
        )
        if needs_film:
            _tell_of_films(words)
        reason = st.text_input(words.reason, placeholder=words.reason_hint, key="export_reason")
    return Order(
        kind=kind,
        choice=Choice(run_ids=choice[0], study_ids=choice[1], statuses=frozenset(statuses), retired=retired),
        actor=access.current().name,
        reason=reason,
        producer=producer,
        institution=institution,
        pseudonymous=pseudonymous,
        unreadable=sort_runs(find_runs(session.project())).unreadable if retired else 0,
    )


def _tell_of_films(words: ExportWords) -> None:
    """Say where the patients of structured reports come from, or why not all of them are known yet."""
    films = session.lightbox().originals
    if films is None:
        st.caption(words.films_missing)
    elif films.is_searching:
        st.caption(words.films_searched)


def _sources(words: ExportWords) -> tuple[tuple[str, ...], tuple[str, ...]]:
    runs = st.multiselect(
        words.runs,
        list(session.runs()),
        default=[st.session_state[session.RUN_KEY]],
        placeholder=words.runs_hint,
        key="export_runs",
    )
    known = {study.id: study.title for study in studies.all_studies(session.database())}
    if not known:
        return tuple(runs), ()
    chosen = st.multiselect(
        words.studies, list(known), format_func=known.__getitem__, placeholder=words.studies_hint, key="export_studies"
    )
    if chosen:
        st.caption(words.study_note)
    return tuple(runs), tuple(chosen)


def _check(order: Order, *, words: ExportWords) -> None:
    button, note = st.columns([1, 5], vertical_alignment="center")
    note.caption(f"{words.check_note}{words.label_note}")
    if button.button(words.check, icon=":material/fact_check:", width="stretch", key="export_check"):
        st.session_state[LOOK_KEY] = _look(replace(order, reason=""))
    look: _Look | None = st.session_state.get(LOOK_KEY)
    if look is None:
        return
    if look.order != replace(order, reason=""):
        st.info(words.stale)
        return
    if look.refusal:
        st.error(f"{words.cannot}\n\n{sentence_of(look.refusal)}", icon=":material/block:")
        return
    _tell(look, words=words)
    if not look.written:
        st.error(f"{words.nothing_left}{words.remedies.get(order.kind, '')}", icon=":material/block:")
    elif st.button(words.write, type="primary", icon=":material/save:", key="export_write"):
        _write(order, words=words)


def _look(order: Order) -> _Look:
    access.require(access.EXPORTERS)  # looking at a study's reviews tells where their texts came from
    try:
        made = plan(order, database=session.database(), runs=session.all_runs(), originals=_originals(order))
    except NothingLeftError as error:
        counts = Counter(exclusion.reason for exclusion in error.excluded).most_common()
        return _Look(order=order, counts=tuple(counts), chosen=sum(count for _, count in counts))
    except (ConfigError, DataError) as error:
        return _Look(order=order, refusal=error)
    return _Look(
        order=order,
        rows=_rows(made),
        counts=tuple(made.counts.items()),
        chosen=len(made.records) + len(made.context.left_out),
        written=made.contents.num_written,
    )


def _originals(order: Order) -> FindOriginal:
    return originals_in(session.lightbox().originals, name_patients=order.kind == "dicom_sr")


def _rows(made: Plan) -> tuple[dict[str, str], ...]:
    """Return a row for each record, by the stored words; `outcome` is empty where it is written whole."""
    why = {exclusion.review_id: exclusion.reason for exclusion in made.excluded}
    return tuple(
        {
            "case": record.case_id,
            "reader": record.reader.name,
            "status": record.status,
            "verdict": record.verdict or "",
            "outcome": why.get(record.id, ""),
            "label": record.ai_label,
        }
        for record in made.records
    )


def _tell(look: _Look, *, words: ExportWords) -> None:
    names = session.in_language(EXCLUSION_WORDS)
    figures = st.columns(3)
    parts = sum(count for reason, count in look.counts if ":" not in reason)
    for place, label, value in zip(
        figures, (words.chosen, words.written, words.left_out), (look.chosen, look.written, parts), strict=True
    ):
        place.metric(label, value)
    if look.counts:
        reasons = [{words.columns["why"]: names.get(why, why), words.columns["count"]: n} for why, n in look.counts]
        st.dataframe(pd.DataFrame(reasons), hide_index=True, key="export_reasons")
    if look.rows:
        frame = pd.DataFrame([_row(row, words=words, names=names) for row in look.rows])
        st.dataframe(frame, hide_index=True, height=min(38 + 36 * len(frame), 360), key="export_rows")


def _row(row: dict[str, str], *, words: ExportWords, names: Mapping[str, str]) -> dict[str, str]:
    outcome = names.get(row["outcome"], row["outcome"])
    is_partly = ":" in row["outcome"]
    told = {
        **row,
        "status": words.status_names[row["status"]],
        "verdict": words.verdicts.get(row["verdict"], "–"),
        "outcome": words.is_written
        if not outcome
        else f"{words.is_written}；{outcome}"
        if is_partly
        else f"✕ {outcome}",
    }
    return {words.columns[name]: value for name, value in told.items()}


def _write(order: Order, *, words: ExportWords) -> None:
    if not order.reason.strip():
        st.warning(words.reason_missing)
        return
    access.require(access.EXPORTERS)
    folder = new_folder(session.project(), kind=order.kind)
    find = _originals(order)
    made = carry_out(order, database=session.database(), runs=session.all_runs(), folder=folder, originals=find)
    del st.session_state[LOOK_KEY]
    exported.remember(folder.name)
    st.success(words.done.format(count=made.contents.num_written, folder=f"exports/{folder.name}"))
