"""指标: the run's scores beside its baselines, finding by finding, report by report, and against another run."""

import re
from collections import Counter
from functools import lru_cache

import streamlit as st

from app import session
from app.faults import shown
from app.figures.differences import DRAWS, Difference, differences, obstacle
from app.figures.findings import Case, FindingScores, finding_scores
from app.figures.plots import Bar, Row, bar_plot, interval_plot
from app.figures.table import Interval, Table, interval_columns, spread
from app.figures.versioned import Versioned
from app.lexicon import concept_name
from app.markup import banner_html, report_head_html
from app.run import Run
from app.screens import charts, waiting
from app.words import Words
from app.words.scores import SCORES_WORDS, ScoresWords
from finetune.manifest import ADAPTER, Estimate
from xray.metrics.marks import KINDS

_BINS = 10


def show() -> None:
    """Draw the page."""
    words, texts = session.words(), session.in_language(SCORES_WORDS)
    with shown():
        run = session.current_run()
        st.html(banner_html(words))
        st.html(report_head_html(texts.title, badges=[("plain", f"{words.run} {run.id}")]))
        if not run.scores.systems:
            st.info(texts.no_scores)
            return
        _warnings(run, texts=texts)
    left, right = st.columns(2, gap="large")
    with left, shown():
        _systems(run, words=words, texts=texts)
    with right, shown():
        _distribution(run, words=words, texts=texts)
    for part in (_compare, _by_finding):
        with shown():
            part(run, words=words, texts=texts)


def _warnings(run: Run, *, texts: ScoresWords) -> None:
    if not run.scores.warnings:
        return
    with st.expander(texts.warnings_title.format(count=len(run.scores.warnings)), icon=":material/warning:"):
        for warning in run.scores.warnings:
            what, colon, whom = warning.partition(": ")
            name, bracket, count = whom.partition(" (")
            told = f"{texts.classes.get(name, name)}{bracket}{count}"
            st.text(f"{texts.warnings.get(what, what)}{'：' if what in texts.warnings else colon}{told}")


def _systems(run: Run, *, words: Words, texts: ScoresWords) -> None:
    charts.heading(texts.systems)
    st.caption(texts.systems_hint)
    metrics = list(dict.fromkeys(name for values in run.scores.systems.values() for name in values))
    chosen = st.selectbox(
        texts.metric, metrics, format_func=lambda name: texts.metrics.get(name, name), key=f"score_{words.code}"
    )
    found = {name: values[chosen] for name, values in run.scores.systems.items() if chosen in values}
    rows = [
        Row(label=words.systems.get(name, name), value=_interval(estimate), is_marked=name == ADAPTER)
        for name, estimate in found.items()
    ]
    title = texts.plot.format(metric=texts.metrics.get(chosen, chosen))
    most = max((end for row in rows for end in (row.value.value, row.value.high) if end is not None), default=1.0)
    svg = interval_plot(rows, title=title, undefined=texts.undefined, high=max(1.0, most))
    content = Table(
        columns=(words.system, *interval_columns(chosen), texts.reports),
        rows=tuple(
            (row.label, *spread([row.value]), estimate.n) for row, estimate in zip(rows, found.values(), strict=True)
        ),
    )
    charts.plot(svg, content, alt=_alt(title, rows, texts=texts), name=f"{run.id}-{chosen}", labels=_labels(texts))
    with st.expander(texts.all_metrics, icon=":material/table:"):
        charts.table(_all(run, metrics, words=words, texts=texts), name=f"{run.id}-scores", label=texts.download_table)
    st.caption(f"{_bootstrap(run.scores.bootstrap, texts=texts)} · {run.scores.signature}")


def _bootstrap(told: str, *, texts: ScoresWords) -> str:
    """Return in words how the intervals were made: `percentile bootstrap over 65 patients, 2000 resamples, seed 0`."""
    found = re.fullmatch(r"(\w+ bootstrap) over (\d+) (\w+), (\d+) (resamples), (seed) (\d+)", told)
    if found is None or not {found[1], found[3]} <= texts.bootstrap.keys():
        return told
    kind, units, unit, draws, resamples, seed, number = (texts.bootstrap.get(part, part) for part in found.groups())
    return f"{kind}：{units} {unit}，{draws} {resamples}，{seed} {number}"


def _all(run: Run, metrics: list[str], *, words: Words, texts: ScoresWords) -> Table:
    systems = list(run.scores.systems)
    columns = [column for name in systems for column in interval_columns(words.systems.get(name, name))]
    empty = Estimate(value=None, low=None, high=None, n=0)
    rows = (
        (
            texts.metrics.get(metric, metric),
            *spread([_interval(run.scores.systems[name].get(metric, empty)) for name in systems]),
        )
        for metric in metrics
    )
    return Table(columns=(texts.metric, *columns), rows=tuple(rows))


def _compare(run: Run, *, words: Words, texts: ScoresWords) -> None:
    charts.heading(texts.compare)
    others = [name for name in session.runs() if name != run.id]
    if not others:
        st.info(texts.one_run)
        return
    chosen = st.selectbox(texts.compare_with, others, key="compare_run")
    other = session.find_run(chosen) if chosen else None
    if other is None:
        return
    why_not = obstacle(run, other)
    if why_not:
        st.info(texts.obstacles[why_not])
        return
    found = _differences(_versioned(run), _versioned(other))
    st.caption(texts.compare_hint.format(draws=DRAWS))
    rows = [
        Row(label=texts.metrics.get(one.metric, one.metric), value=_said(one, texts=texts), is_marked=True)
        for one in found
    ]
    ends = [abs(end) for row in rows for end in (row.value.value, row.value.low, row.value.high) if end is not None]
    reach = max(0.05, *ends) if ends else 0.05
    svg = interval_plot(rows, title=texts.better, undefined=texts.undefined, low=-reach, high=reach, zero=0.0)
    name = f"{run.id}-{other.id}"
    content = _difference_table(found, texts=texts)
    charts.plot(svg, content, alt=_alt(texts.better, rows, texts=texts), name=name, labels=_labels(texts))
    shown_rows = tuple(
        (
            *(texts.metrics.get(one.metric, one.metric), one.first, one.second),
            *(_said(one, texts=texts).text(undefined=texts.undefined), one.reports, one.patients),
        )
        for one in found
    )
    columns = (texts.metric, texts.this_run, texts.other_run, texts.difference, texts.reports, texts.patients)
    st.html(charts.table_html(Table(columns=columns, rows=shown_rows)))


def _difference_table(found: tuple[Difference, ...], *, texts: ScoresWords) -> Table:
    names = (texts.metric, texts.this_run, texts.other_run, *interval_columns(texts.difference))
    return Table(
        columns=(*names, texts.reports, texts.patients),
        rows=tuple(
            (
                texts.metrics.get(one.metric, one.metric),
                one.first,
                one.second,
                *spread([one.difference]),
                one.reports,
                one.patients,
            )
            for one in found
        ),
    )


def _by_finding(run: Run, *, words: Words, texts: ScoresWords) -> None:
    charts.heading(texts.by_finding)
    marking = session.marking(run)
    if not marking.is_ready:
        waiting.show(marking, text=texts.not_compared)
        return
    found = _finding_scores(_versioned(run))
    if not found:
        st.info(texts.no_finding)
        return
    st.caption(texts.by_finding_hint)
    charts.table(_finding_table(found, words=words, texts=texts), name=f"{run.id}-findings", label=texts.download_table)


def _finding_table(found: tuple[FindingScores, ...], *, words: Words, texts: ScoresWords) -> Table:
    wrong = ("side", "place", "degree")
    return Table(
        columns=(
            *(texts.finding, texts.in_reference, texts.in_generated, texts.matched),
            *(texts.of_these.format(kind=words.kinds[kind]) for kind in wrong),
            *(words.kinds["false"], words.kinds["omitted"], texts.precision, texts.recall, *interval_columns("F1")),
        ),
        rows=tuple(
            (
                *(concept_name(one.concept, language=words.code), one.stated, one.generated, one.matched),
                *(one.kinds.get(kind, 0) for kind in KINDS if kind in wrong),
                *(one.kinds.get("false", 0), one.kinds.get("omitted", 0), one.precision, one.recall),
                *spread([one.f1]),
            )
            for one in found
        ),
    )


def _distribution(run: Run, *, words: Words, texts: ScoresWords) -> None:
    charts.heading(texts.distribution)
    per_report = run.scores.per_report.get(ADAPTER, {})
    metrics = list(dict.fromkeys(name for values in per_report.values() for name in values))
    chosen = st.selectbox(
        texts.metric, metrics, format_func=lambda name: texts.metrics.get(name, name), key=f"spread_{words.code}"
    )
    known = [values[chosen] for values in per_report.values() if values.get(chosen) is not None] if chosen else []
    if not known:
        st.info(texts.no_value)
        return
    counts = Counter(min(int(value * _BINS), _BINS - 1) for value in known if value is not None)
    bars = [
        Bar(label=f"{number / _BINS:.1f}–{(number + 1) / _BINS:.1f}", count=counts[number]) for number in range(_BINS)
    ]
    name = texts.metrics.get(chosen, chosen)
    svg = bar_plot(bars, title=texts.distribution, axis=texts.number_of_reports.format(metric=name))
    st.caption(texts.distribution_hint.format(count=len(known), missing=len(per_report) - len(known)))
    alt = f"{texts.distribution}: " + "; ".join(f"{bar.label} {bar.count}" for bar in bars)
    content = Table(columns=(name, texts.reports), rows=tuple((bar.label, bar.count) for bar in bars))
    charts.plot(svg, content, alt=alt, name=f"{run.id}-{chosen}-distribution", labels=_labels(texts))


def _interval(estimate: Estimate) -> Interval:
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def _said(one: Difference, *, texts: ScoresWords) -> Interval:
    found = one.difference
    return Interval(
        value=found.value, low=found.low, high=found.high, reason=texts.few_patients if found.low is None else ""
    )


def _labels(texts: ScoresWords) -> tuple[str, str]:
    return texts.download_plot, texts.download_table


def _alt(title: str, rows: list[Row], *, texts: ScoresWords) -> str:
    return f"{title}: " + "; ".join(f"{row.label} {row.value.text(undefined=texts.undefined)}" for row in rows)


def _versioned(run: Run) -> Versioned[Run]:
    return Versioned(version=(run.folder, session.version_of(run.folder)), content=run)


@lru_cache(maxsize=8)
def _differences(first: Versioned[Run], second: Versioned[Run]) -> tuple[Difference, ...]:
    return differences(first.content, second.content)


@lru_cache(maxsize=8)
def _finding_scores(run: Versioned[Run]) -> tuple[FindingScores, ...]:
    marking = session.marking(run.content)
    return finding_scores(
        Case(patient=case.case.patient_key, findings=marking.findings(case.id) or ()) for case in run.content.cases
    )
