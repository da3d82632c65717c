"""一致性: how far readers agree with each other and with themselves, and scores with readers."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from app import session
from app.faults import shown
from app.figures.ratings import Item, Reading, items_of, readings_of
from app.figures.table import Interval, Table, interval_columns, spread
from app.figures.versioned import Versioned
from app.markup import banner_html, report_head_html
from app.protocol.load import OPEN_REVIEW, preset
from app.protocol.model import Protocol
from app.run import Run
from app.screens import charts
from app.store import arms, people, reviews, studies
from app.words import Words
from app.words.readers import AGREEMENT_WORDS, AgreementWords
from app.words.scores import SCORES_WORDS
from finetune.manifest import HEADLINE

if TYPE_CHECKING:  # scipy takes a second to import, and the menu imports every page
    from app.figures.agreement import HumanScore, ItemAgreement, PairAgreement
    from xray.metrics.agreement import Agreement

_CHOSEN = "agreement_source"
_METRICS = (HEADLINE, "frame_f1", "side_accuracy", "bleu4_char", "rouge_l_char")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What was submitted somewhere: in the open review of a run, or in a study."""

    readings: tuple[Reading, ...]
    items: tuple[Item, ...]
    runs: dict[str, Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """All that the page shows of what `readers` readers have submitted; `name` begins the names of its files."""

    name: str
    readers: int
    between: "tuple[ItemAgreement, ...]"
    pairs: "tuple[PairAgreement, ...]"
    within: "tuple[PairAgreement, ...]"
    scores: "tuple[HumanScore, ...]"


def show() -> None:
    """Draw the page."""
    words, texts = session.words(), session.in_language(AGREEMENT_WORDS)
    with shown():
        run = session.current_run()
        st.html(banner_html(words))
        st.html(report_head_html(texts.title))
        study_id = _chosen(run, texts=texts)
        with st.spinner(texts.computing):
            figures = _figures(Versioned(version=_version(run, study_id), content=run), study_id)
        if not figures.readers:
            st.info(texts.none_given)
            return
        _between(figures, words=words, texts=texts)
        _within(figures, words=words, texts=texts)
        _automatic(figures, words=words, texts=texts)


def _chosen(run: Run, *, texts: AgreementWords) -> str:
    """Return the study to look at, "" for the open review of the run."""
    database = session.database()
    names = {study.id: study.title for study in studies.all_studies(database)}
    names[""] = texts.open_review.format(run=run.id)
    if _CHOSEN not in st.session_state:  # begin with the newest one in which anything was submitted
        st.session_state[_CHOSEN] = next((key for key in names if key and studies.given_in(database, key)), "")
    return st.selectbox(texts.source, list(names), format_func=names.__getitem__, key=_CHOSEN) or ""


def _version(run: Run, study_id: str) -> Hashable:
    """Name all that the figures are made of: the reviews by the newest revision, the runs by their files."""
    runs = tuple((run_id, session.version_of(folder)) for run_id, folder in session.runs().items())
    session.ledger().all()  # brings its position up to date
    return (session.database().name, session.ledger().position, study_id or run.id, runs)


@lru_cache(maxsize=8)
def _figures(run: Versioned[Run], study_id: str) -> _Figures:
    from app.figures.agreement import between_readers, pairs_of_readers, scores_and_readers, within_readers

    given = _given(run.content, study_id)
    paired = [item for item in given.items if item.topic in ("verdict", "preference", "question", "significant_errors")]
    return _Figures(
        name=study_id or run.content.id,
        readers=len({one.reader for one in given.readings}),
        between=between_readers(given.items, given.readings),
        pairs=tuple(pair for item in paired for pair in pairs_of_readers(item, given.readings)),
        within=within_readers(given.items, given.readings),
        scores=scores_and_readers(given.items, given.readings, runs=given.runs, metrics=_METRICS),
    )


def _given(run: Run, study_id: str) -> _Given:
    database = session.database()
    study = next((one for one in studies.all_studies(database) if one.id == study_id), None)
    if study is None:
        own = [one for one in reviews.standing(database, run.id) if not one.task]
        return _Given(readings=readings_of(own), items=items_of(preset(OPEN_REVIEW)), runs={run.id: run})
    tasks = arms.tasks(database, study_id=study.id)
    origins = {origin.run_id for task in tasks for origin in task.origins.values()}
    return _Given(
        readings=readings_of(studies.given_in(database, study.id), tasks=tasks),
        items=items_of(Protocol.model_validate_json(study.protocol)),
        runs={run_id: found for run_id in origins if (found := session.find_run(run_id)) is not None},
    )


def _between(figures: _Figures, *, words: Words, texts: AgreementWords) -> None:
    charts.heading(texts.summary)
    if figures.readers < 2:
        st.info(texts.one_reader)
        return
    st.caption(texts.hint)
    names = tuple(texts.coefficients)
    found = [one for one in figures.between if one.readers]
    st.html(charts.table_html(_between_table(found, names, words=words, texts=texts)))
    numbers = Table(
        columns=(
            *(texts.item, texts.units, texts.readers, texts.raw),
            *(column for name in names for column in interval_columns(texts.coefficients[name])),
        ),
        rows=tuple(
            (
                *(_item(one.item, words=words, texts=texts), one.units, one.readers, one.raw),
                *spread([_interval(one.coefficients[name], texts=texts) for name in names]),
            )
            for one in found
        ),
    )
    charts.download(numbers.csv(), name=f"{figures.name}-agreement.csv", label=texts.download, kind="text/csv")
    if figures.pairs and figures.readers > 2:
        with st.expander(texts.pairs, icon=":material/group:"):
            _pairs(figures.pairs, name=f"{figures.name}-pairs", words=words, texts=texts)


def _between_table(
    found: "list[ItemAgreement]", names: tuple[str, ...], *, words: Words, texts: AgreementWords
) -> Table:
    def cell(value: "Agreement | None") -> str:
        return _interval(value, texts=texts).text(undefined=texts.undefined) if value else texts.not_fitting

    return Table(
        columns=(texts.item, texts.units, texts.readers, texts.raw, *texts.coefficients.values()),
        rows=tuple(
            (
                *(_item(one.item, words=words, texts=texts), one.units, one.readers, _share(one.raw, texts=texts)),
                *(cell(one.coefficients[name]) for name in names),
            )
            for one in found
        ),
    )


def _pairs(found: "tuple[PairAgreement, ...]", *, name: str, words: Words, texts: AgreementWords) -> None:
    people_by_name = _names()
    rows = [
        (
            _item(one.item, words=words, texts=texts),
            "–".join(people_by_name.get(who, who) for who in dict.fromkeys((one.first, one.second))),
            one,
        )
        for one in found
    ]
    shown_rows = tuple(
        (
            *(item, who, one.kappa.units, _share(one.kappa.raw, texts=texts)),
            _interval(one.kappa, texts=texts).text(undefined=texts.undefined),
        )
        for item, who, one in rows
    )
    st.html(
        charts.table_html(Table(columns=(texts.item, texts.pair, texts.units, texts.raw, "Cohen κ"), rows=shown_rows))
    )
    numbers = Table(
        columns=(texts.item, texts.pair, texts.units, texts.raw, *interval_columns("Cohen κ")),
        rows=tuple(
            (item, who, one.kappa.units, one.kappa.raw, *spread([_interval(one.kappa, texts=texts)]))
            for item, who, one in rows
        ),
    )
    charts.download(numbers.csv(), name=f"{name}.csv", label=texts.download, kind="text/csv")


def _within(figures: _Figures, *, words: Words, texts: AgreementWords) -> None:
    charts.heading(texts.within)
    if not figures.within:
        st.info(texts.no_repeats)
        return
    st.caption(texts.within_hint)
    _pairs(figures.within, name=f"{figures.name}-repeats", words=words, texts=texts)


def _automatic(figures: _Figures, *, words: Words, texts: AgreementWords) -> None:
    charts.heading(texts.automatic)
    if not figures.scores:
        st.info(texts.no_automatic)
        return
    st.caption(texts.automatic_hint)
    metrics = session.in_language(SCORES_WORDS).metrics
    rows = [(_item(one.item, words=words, texts=texts), metrics[one.metric], one.tau) for one in figures.scores]
    columns = (texts.judgement, texts.metric, texts.units)
    st.html(
        charts.table_html(
            Table(
                columns=(*columns, texts.tau),
                rows=tuple(
                    (item, metric, tau.units, _interval(tau, texts=texts).text(undefined=texts.undefined))
                    for item, metric, tau in rows
                ),
            )
        )
    )
    numbers = Table(
        columns=(*columns, *interval_columns(texts.tau)),
        rows=tuple((item, metric, tau.units, *spread([_interval(tau, texts=texts)])) for item, metric, tau in rows),
    )
    charts.download(numbers.csv(), name=f"{figures.name}-scores-and-readers.csv", label=texts.download, kind="text/csv")


def _item(item: Item, *, words: Words, texts: AgreementWords) -> str:
    if item.question is None:
        return texts.topics[item.topic]
    return texts.answer.format(question=getattr(item.question.text, words.code))


def _interval(found: "Agreement | None", *, texts: AgreementWords) -> Interval:
    if found is None:
        return Interval(value=None)
    return Interval(value=found.value, low=found.low, high=found.high, reason=texts.reasons.get(found.reason or "", ""))


def _share(value: float | None, *, texts: AgreementWords) -> str:
    return texts.undefined if value is None else f"{value:.1%}"


def _names() -> dict[str, str]:
    return {person.name: person.display_name for person in people.everyone(session.database())}
