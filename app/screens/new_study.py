"""新建研究: the form of a study to begin, and its plan in numbers."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

import pandas as pd
import streamlit as st

from app import access, navigation, session
from app.markup import report_head_html
from app.moments import in_utc
from app.protocol.assignment import REFERENCE, Design, Reading, Source, StudyCase, make_plan
from app.protocol.load import OPEN_REVIEW, frozen, preset, preset_names, read_protocol
from app.protocol.model import Protocol
from app.protocol.sentinels import KNOWN_GOOD, PLANTED_PREFIX
from app.protocol.sources import MIXES, choose, pool, sources_of
from app.protocol.summary import Summary, summarize
from app.run import Run
from app.store import people, studies
from app.store.studies import Study
from app.words.studies import STUDIES_WORDS, StudiesWords
from finetune.manifest import ADAPTER

_OWN = "own"
_ID = "new_study_id"
_SEED = "new_study_seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """What the lead has chosen so far; complete where `lacking` is empty."""

    title: str
    design: Design
    cases: tuple[StudyCase, ...]
    lacking: tuple[str, ...]


def source_name(run_id: str, system: str, *, words: StudiesWords) -> str:
    """Name a source of reports in the reader's language."""
    if system == REFERENCE:
        return words.reference
    if system == KNOWN_GOOD:
        return words.known_good
    if system.startswith(PLANTED_PREFIX):
        return words.planted_error.format(kind=words.planted_kinds[system.removeprefix(PLANTED_PREFIX)])
    return f"{session.words().systems.get(system, system)} · {run_id}"


def show(words: StudiesWords) -> None:
    """Draw the form, and below it the plan as far as it can be made."""
    st.html(report_head_html(words.create))
    left, right = st.columns(2, gap="large")
    with left:
        title = st.text_input(words.name, placeholder=words.name_hint, max_chars=100, key="new_study_title")
        protocol = _protocol(words)
    if protocol is None:
        return
    with left:
        runs, sources = _reports(protocol, words=words)
    with right:
        wishes = _wishes(title, protocol=protocol, runs=runs, sources=sources, words=words)
    if wishes is not None:
        _preview(wishes, words=words)


def _protocol(words: StudiesWords) -> Protocol | None:
    """Return the protocol that is chosen, with its instruction on the page; None until a file is there."""
    language = session.words().code
    names = [name for name in preset_names() if name != OPEN_REVIEW]
    titles = {name: f"{getattr(preset(name).title, language)} ({name})" for name in names} | {_OWN: words.own_file}
    chosen = st.selectbox(words.protocol, list(titles), format_func=titles.__getitem__, key="new_study_protocol")
    if chosen != _OWN:
        protocol = preset(chosen)
    else:
        file = st.file_uploader(words.own_file_label, type=["yaml", "yml"], key="new_study_file")
        if file is None:
            st.info(words.own_file_wait)
            return None
        try:
            protocol = read_protocol(file.getvalue().decode("utf-8"), where=file.name)
        except UnicodeDecodeError:
            st.error(words.not_utf8)
            return None
    st.caption(getattr(protocol.instruction, language))
    return protocol


def _reports(protocol: Protocol, *, words: StudiesWords) -> tuple[tuple[Run, ...], tuple[Source, ...]]:
    """Ask for runs and systems; the reference is one of them where the protocol lets it be judged, or the only one."""
    available = list(session.runs())
    chosen = st.multiselect(words.runs, available, default=available[:1], key="new_study_runs")
    runs = tuple(run for run in map(session.find_run, chosen) if run is not None)
    possible = [source for source in sources_of(runs) if _may_be_judged(source, protocol=protocol)]
    sources = st.multiselect(
        words.systems,
        possible,
        default=[source for source in possible if source.system in (ADAPTER, REFERENCE)],
        format_func=lambda source: source_name(source.run_id, source.system, words=words),
        help=words.systems_help,
        key=f"new_study_systems_{protocol.name}_{'_'.join(chosen)}",
    )
    return runs, tuple(sources)


def _may_be_judged(source: Source, *, protocol: Protocol) -> bool:
    """Whether the reports of a source fit what the protocol tells its readers of them."""
    is_reference = source.system == REFERENCE
    return {"generated": not is_reference, "reference": is_reference, "either": True}[protocol.judged]


def _wishes(
    title: str, *, protocol: Protocol, runs: tuple[Run, ...], sources: tuple[Source, ...], words: StudiesWords
) -> _Wishes | None:
    found = pool(runs, sources) if runs and sources else None
    mix = st.selectbox(words.mix, MIXES, format_func=words.mixes.__getitem__, key="new_study_mix")
    most = len(found.cases) if found else 0
    number = st.number_input(
        words.number, 1, max(most, 1), value=max(min(most, 100), 1), key=f"new_study_number_{most}"
    )
    if found:
        st.caption(words.pool.format(count=most, left_out=found.left_out))
    readers = _readers(words)
    seed, overlap, repeats, sentinels = _numbers(protocol, num_readers=len(readers), words=words)
    opens, ends = st.columns(2)
    not_before = opens.date_input(words.not_before, value=None, key="new_study_opens")
    due = ends.date_input(words.due, value=None, key="new_study_due")
    if not runs:
        return None
    design = Design(
        study_id=st.session_state.setdefault(_ID, f"study-{secrets.token_hex(4)}"),
        run_id=runs[0].id,
        protocol=protocol,
        sources=sources,
        readers=readers,
        seed=seed,
        overlap=overlap,
        repeats=repeats,
        sentinels=sentinels,
        not_before=in_utc(not_before, time.min) if not_before else None,
        due=in_utc(due, time.max) if due else None,
        profile=runs[0].profile,
    )
    cases = choose(found.cases, number=number, mix=mix, seed=seed, profile=runs[0].profile) if found else ()
    lacking = _lacking(title, design=design, cases=cases, words=words)
    return _Wishes(title=title.strip(), design=design, cases=cases, lacking=lacking)


def _readers(words: StudiesWords) -> tuple[str, ...]:
    able = {
        person.name: person.display_name
        for person in people.everyone(session.database())
        if person.active and "reader" in person.roles
    }
    if not able:
        st.warning(words.no_readers)
    chosen = st.multiselect(
        words.readers,
        list(able),
        format_func=able.__getitem__,
        placeholder=words.readers_hint,
        key="new_study_readers",
    )
    return tuple(chosen)


def _numbers(protocol: Protocol, *, num_readers: int, words: StudiesWords) -> tuple[int, int, float, float]:
    """Ask for seed, overlap and the shares of repeats and sentinels, the protocol's own at first."""
    left, right = st.columns(2)
    most = max(num_readers, 1)
    overlap = left.number_input(
        words.overlap, 1, most, value=min(protocol.overlap, most), key=f"new_study_overlap_{protocol.name}_{most}"
    )
    seed = right.number_input(
        words.seed,
        0,
        2**31 - 1,
        value=st.session_state.setdefault(_SEED, secrets.randbelow(100_000)),
        help=words.seed_help,
        key="new_study_seed_input",
    )
    repeats = left.number_input(
        words.repeats,
        0,
        50,
        value=round(protocol.repeats * 100),
        help=words.repeats_help,
        key=f"new_study_repeats_{protocol.name}",
    )
    sentinels = right.number_input(
        words.sentinels,
        0,
        50,
        value=round(protocol.sentinels * 100),
        help=words.sentinels_help,
        key=f"new_study_sentinels_{protocol.name}",
    )
    return int(seed), int(overlap), repeats / 100, sentinels / 100


def _lacking(title: str, *, design: Design, cases: Sequence[StudyCase], words: StudiesWords) -> tuple[str, ...]:
    checks = (
        (not title.strip(), words.needs_name),
        (len(design.sources) < design.protocol.reports, words.needs_systems.format(count=design.protocol.reports)),
        (len(design.readers) < design.overlap or not design.readers, words.needs_readers.format(count=design.overlap)),
        (not cases and len(design.sources) >= design.protocol.reports, words.needs_cases),
    )
    return tuple(sentence for is_lacking, sentence in checks if is_lacking)


def _preview(wishes: _Wishes, *, words: StudiesWords) -> None:
    st.html(report_head_html(words.preview))
    for sentence in wishes.lacking:
        st.info(sentence)
    design, can_plan = wishes.design, wishes.lacking in ((), (words.needs_name,))
    plan = make_plan(design, wishes.cases) if can_plan else ()
    if plan:
        _tables(summarize(plan), design=design, words=words)
        st.caption(words.fixed)
    if st.button(words.begin, type="primary", disabled=bool(wishes.lacking) or not plan):
        _begin(wishes, plan=plan)


def _tables(summary: Summary, *, design: Design, words: StudiesWords) -> None:
    told = words.plan.format(
        cases=summary.cases, overlap=design.overlap, sentinels=summary.sentinels, readings=summary.readings
    )
    strata = session.words().comma.join(words.strata[name].format(count=count) for name, count in summary.strata)
    st.write(f"{told} {strata}")
    if design.sentinels and not summary.sentinels:
        st.warning(words.few_sentinels)
    if design.overlap > 1 and not design.has_common_texts:
        st.warning(words.no_common_texts)
    names = {person.name: person.display_name for person in people.everyone(session.database())}
    left, right = st.columns(2)
    left.dataframe(
        [
            {
                words.reader: names.get(load.reader, load.reader),
                words.cases: load.study,
                words.again: load.repeats,
                words.planted: load.sentinels,
                words.total: load.total,
            }
            for load in summary.loads
        ],
        hide_index=True,
    )
    rows = [
        {words.source: source_name(source.run_id, source.system, words=words)}
        | {words.label.format(label=letter): count for letter, count in zip("ABCDE", counts, strict=False)}
        for source, counts in summary.labels
    ]
    right.dataframe(pd.DataFrame(rows), hide_index=True)


def _begin(wishes: _Wishes, *, plan: Sequence[Reading]) -> None:
    """Store study and plan in one transaction, and show the study."""
    design = wishes.design
    study = Study(id=design.study_id, title=wishes.title, protocol=frozen(design.protocol), seed=design.seed)
    given = [(reading.assignment, reading.arms) for reading in plan]
    studies.begin(session.database(), study, actor=access.require(access.LEADS).name, assignments=given)
    for key in (_ID, _SEED):
        st.session_state.pop(key, None)
    st.toast(session.in_language(STUDIES_WORDS).begun, icon=":material/check_circle:")
    navigation.open_page("studies", study=study.id)
