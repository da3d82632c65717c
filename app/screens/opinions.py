"""A disputed case: films, what was judged, what each reader said under a neutral name, and the form of the decision."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from app import access, session
from app.disputes import Dispute
from app.document import VERDICTS, ReviewDocument
from app.markup import report_head_html
from app.protocol.disagreement import NEITHER, Item, Opinion, decided, sentence
from app.protocol.model import Protocol, Question
from app.store import adjudication
from app.store.adjudication import Decision, Ground
from app.store.studies import Study
from app.viewing import show_films
from app.words.adjudication import AdjudicationWords
from app.words.workbench import WORKBENCH_WORDS
from xray.errors import DataError
from xray.metrics.alignment import split_sentences


def item_name(item: Item, *, protocol: Protocol, words: AdjudicationWords, language: str) -> str:
    """Name what readers differ in."""
    if item.kind == "question":
        return str(getattr(_question(item, protocol).text, language))
    if item.kind == "errors":
        return f"{words.items['errors']}·{words.categories[item.name]}"
    if item.kind == "sentence":
        return words.items["sentence"].format(number=int(item.name) + 1)
    return words.items[item.kind]


def draw(dispute: Dispute, *, study: Study, protocol: Protocol, words: AdjudicationWords) -> None:
    """Draw the case and, below the reviews, the form of the decision."""
    run = session.find_run(dispute.run_id)
    case = run.case(dispute.case_id) if run else None
    texts = st.container()
    if run is not None and case is not None and protocol.films:
        films, texts = st.columns([5, 6], gap="medium")
        with films:
            show_films(run, case, key="viewer")
    with texts:
        for number, text in enumerate(dispute.reports, start=1):
            badges = [("ai", text) for text in _generated_badges(protocol)]
            st.html(report_head_html(_report_name(dispute, number, words=words), badges=badges) + _text_html(text))
        if case is not None and protocol.reference in ("beside", "after"):
            st.html(report_head_html(words.reference) + _text_html(case.case.text))
        columns = st.columns(len(dispute.opinions), border=True)
        for number, (column, opinion) in enumerate(zip(columns, dispute.opinions, strict=True), start=1):
            column.html(_opinion_html(opinion, number=number, dispute=dispute, protocol=protocol, words=words))
        _form(dispute, study=study, protocol=protocol, words=words)
        _earlier(dispute, words=words)


def _generated_badges(protocol: Protocol) -> tuple[str, ...]:
    """Say that a report is generated, or may be: a badge on some reports would tell which are not."""
    words = session.in_language(WORKBENCH_WORDS)
    told = {"generated": words.generated_badge, "either": words.generated_among_badge}.get(protocol.judged)
    return (told,) if told else ()


def _report_name(dispute: Dispute, number: int, *, words: AdjudicationWords) -> str:
    return words.report.format(number=number if len(dispute.reports) > 1 else "").strip()


def _text_html(text: str) -> str:
    return f'<div class="report-text" lang="zh-CN">{escape(text)}</div>'


def _opinion_html(
    opinion: Opinion, *, number: int, dispute: Dispute, protocol: Protocol, words: AdjudicationWords
) -> str:
    document, language = opinion.document, session.words().code
    rows = [(item_name(item, protocol=protocol, words=words, language=language), item) for item in dispute.items]
    told = [(name, value_text(item, opinion, dispute=dispute, protocol=protocol, words=words)) for name, item in rows]
    if document.preference and document.preference.reason:
        told.append((words.why, document.preference.reason))
    told += [(words.comment, document.comment)] if document.comment else []
    told += [(words.corrected, document.corrected)] if document.corrected else []
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told)
    moment = words.saved_at.format(moment=opinion.review.saved_at.replace("T", " ")[:16])
    head = report_head_html(words.reader.format(number=number))
    return f'{head}<dl class="opinion" lang="zh-CN">{body}</dl><p class="scores-note">{escape(moment)}</p>'


def value_text(item: Item, opinion: Opinion, *, dispute: Dispute, protocol: Protocol, words: AdjudicationWords) -> str:
    """Say in words what a reader said on one thing."""
    if item.kind == "verdict":
        return session.words().verdicts.get(opinion.document.verdict or "", words.no_answer)
    if item.kind == "preference":
        return _preference_text(opinion.preferred, dispute=dispute, words=words)
    if item.kind == "errors":
        counts = {weight: opinion.answer(f"{item.name}.{weight}") or 0 for weight in ("significant", "insignificant")}
        return words.counted.format(**counts)
    if item.kind == "sentence":
        return _sentence_text(opinion, int(item.name), words=words)
    return _answer_text(_question(item, protocol), opinion.answer(item.name), words=words)


def _preference_text(preferred: object, *, dispute: Dispute, words: AdjudicationWords) -> str:
    if preferred == NEITHER:
        return words.neither
    if preferred in dispute.reports:
        return words.report.format(number=dispute.reports.index(str(preferred)) + 1)
    return words.no_answer


def _sentence_text(opinion: Opinion, number: int, *, words: AdjudicationWords) -> str:
    spans = split_sentences(next(iter(opinion.texts.values())))
    said = spans[number].text.strip() if number < len(spans) else ""
    found = sentence(opinion.document, number)
    if found is None or found.decision is None:
        return f"{said} → {words.no_answer}"
    parts = [words.decisions[found.decision], *([words.categories[found.category]] if found.category else [])]
    if found.significant is not None:
        parts.append(words.significant if found.significant else words.insignificant)
    outcome = session.words().comma.join(parts)
    return f"{said} → {outcome} {found.replacement}".strip()


def _answer_text(question: Question, value: object, *, words: AdjudicationWords) -> str:
    if value is None:
        return words.no_answer
    if isinstance(value, bool):
        return words.yes if value else words.no
    known = {choice.value: choice.text for choice in question.choices} if question.kind == "choice" else {}
    text = known.get(str(value))
    return str(getattr(text, session.words().code)) if text else str(value)


def _form(dispute: Dispute, *, study: Study, protocol: Protocol, words: AdjudicationWords) -> None:
    key = f"{study.id}_{dispute.key}"
    st.html(report_head_html(words.decide))
    names = [words.reader.format(number=number) for number in range(1, len(dispute.opinions) + 1)]
    with st.form(f"decision_{key}"):
        base = st.radio(
            words.base,
            range(len(names)),
            format_func=lambda index: names[index],
            horizontal=True,
            help=words.base_hint,
            key=f"base_{key}",
        )
        changes = _changes(dispute, protocol=protocol, words=words, key=key)
        reason = st.text_area(words.reason, placeholder=words.reason_hint, max_chars=2000, key=f"reason_{key}")
        confirmed = st.form_submit_button(words.confirm, type="primary")
    if not confirmed:
        return
    if not reason.strip():
        st.warning(words.needs_reason)
        return
    _store(dispute, base=dispute.opinions[base], changes=changes, reason=reason.strip(), study=study)
    st.toast(words.stored, icon=":material/check_circle:")
    st.rerun()


def _changes(dispute: Dispute, *, protocol: Protocol, words: AdjudicationWords, key: str) -> Mapping[Item, object]:
    """Ask for each thing in dispute that is not left to the chosen review; what is left open is that review's."""
    chosen: dict[Item, object] = {}
    language = session.words().code
    for item in dispute.items:
        options = _options(item, dispute=dispute, protocol=protocol, words=words)
        if not options:
            continue
        picked = st.selectbox(
            item_name(item, protocol=protocol, words=words, language=language),
            list(options),
            index=None,
            placeholder=words.as_in_base,
            format_func=options.__getitem__,
            key=f"{item.kind}_{item.name}_{key}",
        )
        if picked is not None:
            chosen[item] = picked
    return chosen


def _options(item: Item, *, dispute: Dispute, protocol: Protocol, words: AdjudicationWords) -> dict[object, str]:
    """Return what an adjudicator may decide of an item, with its words; nothing for what a whole review decides."""
    if item.kind == "verdict":
        return {verdict: session.words().verdicts[verdict] for verdict in VERDICTS}
    if item.kind == "preference":
        values = (*dispute.reports, NEITHER)
        return {value: _preference_text(value, dispute=dispute, words=words) for value in values}
    if item.kind != "question":
        return {}
    question = _question(item, protocol)
    answers: dict[str, tuple[object, ...]] = {
        "yes_no": (True, False),
        "scale": (1, 2, 3, 4, 5),
        "choice": tuple(choice.value for choice in question.choices),
    }
    return {value: _answer_text(question, value, words=words) for value in answers.get(question.kind, ())}


def _store(dispute: Dispute, *, base: Opinion, changes: Mapping[Item, object], reason: str, study: Study) -> None:
    """Store the decision; what it rests on begins with the review whose labels it uses."""
    ordered = [base, *(opinion for opinion in dispute.opinions if opinion is not base)]
    document: ReviewDocument = decided(base, changes, reason=reason)
    adjudication.decide(
        session.database(),
        Decision(
            run_id=dispute.run_id,
            case_id=dispute.case_id,
            study_id=study.id,
            adjudicator=access.require(access.ADJUDICATORS).name,
            document=document,
            basis=tuple(
                Ground(reviewer=one.review.reviewer, task=one.review.task, revision=one.review.revision)
                for one in ordered
            ),
            reason=reason,
        ),
    )


def _earlier(dispute: Dispute, *, words: AdjudicationWords) -> None:
    if not dispute.earlier:
        return
    with st.expander(f"{words.history} ({len(dispute.earlier)})"):
        rows = [
            {"UTC": one.decided_at.replace("T", " ")[:16], words.decider: one.adjudicator, words.reason: one.reason}
            for one in reversed(dispute.earlier)
        ]
        st.dataframe(rows, hide_index=True)


def _question(item: Item, protocol: Protocol) -> Question:
    for question in protocol.questions:
        if question.name == item.name:
            return question
    raise DataError(f"The protocol {protocol.name} has no question {item.name}.")
