"""The worklist's filters: widgets, the filters of the address that a session begins with, and those written there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import streamlit as st

from app import address, session
from app.document import VERDICTS
from app.lexicon import concept_name
from app.run import Run
from app.selection import BY_DISAGREEMENTS, BY_TIME, FLAWS, STATUSES, Band, Entry, Selection
from app.words import LANGUAGES, Words
from app.words.worklist import WORKLIST_WORDS, WorklistWords
from finetune.manifest import HEADLINE
from xray.metrics.marks import KINDS

_PAGE_KEY = "filter_page"
_FIRST_PAGE_KEY = "filter_first_page"
_READ_KEY = "filters_read"
_LISTS = ("filter_concepts", "filter_kinds", "filter_statuses", "filter_verdicts", "filter_flaws")
_WHOLE = (0.0, 1.0)
Option = TypeVar("Option", bound=str)


def begin(run: Run) -> None:
    """Take over the filters of the address, once a session: from then on the widgets hold them."""
    if st.session_state.get(_READ_KEY):
        return
    st.session_state[_READ_KEY] = True
    query = st.query_params.to_dict()
    if any(name in query for name in address.NAMES):
        put(address.selection_of(query, metrics=scores_of(run)))
        st.session_state[_FIRST_PAGE_KEY] = address.page_of(query)


def page_key() -> str:
    """Return the key of the widget that turns the list's pages; with other filters it is another widget."""
    return f"{_PAGE_KEY}_{st.session_state.get(_PAGE_KEY, 0)}"


def page() -> int:
    """Return the page of the list that is wanted, from 1."""
    return int(st.session_state.get(page_key()) or st.session_state.get(_FIRST_PAGE_KEY, 1))


def turn_back() -> None:
    """Go back to the first page, since the list is another one."""
    st.session_state[_PAGE_KEY] = st.session_state.get(_PAGE_KEY, 0) + 1
    st.session_state[_FIRST_PAGE_KEY] = 1


def put(selection: Selection) -> None:
    """Set the widgets to a selection."""
    values = (selection.concepts, selection.kinds, selection.statuses, selection.verdicts, selection.flaws)
    for key, chosen in zip(_LISTS, values, strict=True):
        st.session_state[key] = sorted(chosen)
    order = f"{selection.order}:{'high' if selection.descending else 'low'}" if selection.order else ""
    for code in LANGUAGES:
        st.session_state[f"filter_order_{code}"] = order
        st.session_state[f"filter_metric_{code}"] = selection.band.metric if selection.band else HEADLINE
    st.session_state["filter_text"] = selection.text
    st.session_state["filter_band"] = (selection.band.low, selection.band.high) if selection.band else _WHOLE


def draw(run: Run, entries: Sequence[Entry], *, words: Words) -> Selection:
    """Draw the widgets and return what they say."""
    texts = session.in_language(WORKLIST_WORDS)
    ready = session.marking(run).is_ready
    text, finding, kind, state, order = st.columns([3, 3, 3, 3, 3])
    concepts = {concept for entry in entries for _, concept in entry.findings or ()}
    concepts |= set(st.session_state.get("filter_concepts", ()))  # of the address, or of another run
    with text:
        said = st.text_input(words.search, placeholder=words.search_hint, key="filter_text", persist_state="session")
    name = _names(words)
    with finding:
        found = _several("filter_concepts", words.finding, sorted(concepts, key=name), name, words.finding_hint, ready)
    with kind:
        kinds = _several("filter_kinds", words.disagreement, KINDS[1:], words.kinds.__getitem__, texts.any, ready)
    with state:
        states = _several("filter_statuses", texts.state, STATUSES, texts.states.__getitem__, texts.any)
    with order:
        ordered = _order(run, words=words, texts=texts)
    selection = replace(
        ordered, text=said, concepts=frozenset(found), kinds=frozenset(kinds), statuses=frozenset(states)
    )
    return _more(run, selection, words=words, texts=texts)


def write(selection: Selection, *, page: int) -> None:
    """Put the filters into the address, beside the run and whatever else is there."""
    present = st.query_params.to_dict()
    wanted = {name: value for name, value in present.items() if name not in address.NAMES}
    wanted |= address.query_of(selection, page=page)
    if wanted != present:
        st.query_params.from_dict(wanted)


def scores_of(run: Run) -> tuple[str, ...]:
    """Return the names of the scores that single reports of the run have."""
    return tuple(dict.fromkeys(name for case in run.cases for name, _ in case.scores))


def _more(run: Run, selection: Selection, *, words: Words, texts: WorklistWords) -> Selection:
    metrics = [name for name in scores_of(run) if name in words.metrics]
    is_narrow = bool(selection_keys() - {"filter_concepts", "filter_kinds", "filter_statuses"})
    with st.expander(texts.more_filters, icon=":material/tune:", expanded=is_narrow, key="more_filters"):
        verdict, flaw, metric, band, clear = st.columns([3, 3, 3, 3, 3], vertical_alignment="bottom")
        with verdict:
            verdicts = _several("filter_verdicts", words.status, VERDICTS, words.verdicts.__getitem__, texts.any)
        with flaw:
            flaws = _several("filter_flaws", texts.report, FLAWS, texts.flaws.__getitem__, texts.any)
        chosen = metric.selectbox(
            texts.score,
            metrics or [HEADLINE],
            format_func=lambda name: words.metrics.get(name, name),
            key=f"filter_metric_{words.code}",
            persist_state="session",
        )
        low, high = band.slider(
            texts.band,
            *_WHOLE,
            _WHOLE,
            step=0.05,
            help=texts.band_hint,
            key="filter_band",
            persist_state="session",
        )
        clear.button(
            texts.clear,
            key="clear_filters",
            on_click=put,
            args=(Selection(),),
            icon=":material/filter_alt_off:",
            width="stretch",
        )
        st.caption(texts.link_hint)
    return replace(
        selection,
        verdicts=frozenset(verdicts),
        flaws=frozenset(flaws),
        band=Band(metric=chosen, low=low, high=high) if chosen and (low, high) != _WHOLE else None,
    )


def selection_keys() -> set[str]:
    """Return the keys of the list filters that are set."""
    narrow = {key for key in _LISTS if st.session_state.get(key)}
    return narrow | ({"filter_band"} if tuple(st.session_state.get("filter_band", _WHOLE)) != _WHOLE else set())


def _order(run: Run, *, words: Words, texts: WorklistWords) -> Selection:
    available = [name for name in scores_of(run) if name in words.metrics]
    options = ["", f"{BY_DISAGREEMENTS}:high", f"{BY_TIME}:high"]
    options += [f"{name}:{way}" for name in available for way in ("low", "high")]
    fixed = {"": words.order_of_run, options[1]: texts.by_disagreements, options[2]: texts.by_time}

    def label(option: str) -> str:
        name, _, way = option.partition(":")
        text = words.order_low_first if way == "low" else words.order_high_first
        return fixed.get(option) or text.format(metric=words.metrics.get(name, name))

    key = f"filter_order_{words.code}"
    if st.session_state.get(key, "") not in options:  # an order of another run
        st.session_state[key] = ""
    chosen = st.selectbox(
        words.order, options, format_func=label, key=key, help=texts.not_reviewed_last, persist_state="session"
    )
    name, _, way = (chosen or "").partition(":")
    return Selection(order=name, descending=way == "high")


def _names(words: Words) -> Callable[[str], str]:
    return lambda concept: concept_name(concept, language=words.code)


def _several(
    key: str, label: str, options: Sequence[Option], name: Callable[[Option], str], hint: str, enabled: bool = True
) -> list[Option]:
    chosen: list[Option] = st.multiselect(
        label, options, format_func=name, placeholder=hint, key=key, persist_state="session", disabled=not enabled
    )
    return chosen
