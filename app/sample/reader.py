"""An invented reader: a complete review of given reports under any protocol.

What it says follows from the program's own comparison of the reports with their reference, with some carelessness by
seed. It is no finding about anybody.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from app.document import Decision as SentenceVerdict
from app.document import (
    ErrorCategory,
    Preference,
    QuestionAnswer,
    ReviewDocument,
    SentenceDecision,
    SentenceKind,
    Timings,
)
from app.protocol.completeness import counts
from app.protocol.model import Protocol, Question
from app.workbench.bench import judged_sha256
from xray.metrics.alignment import align_reports
from xray.text.lexicon import Profile

_CATEGORIES: dict[SentenceKind, ErrorCategory] = {
    "false": "false",
    "omitted": "omission",
    "side": "location",
    "place": "location",
    "degree": "severity",
    "polarity": "false",
}
_CARELESS = 0.12
"""How often an invented reader overlooks an error or sees one that is not there."""


def sample_document(
    protocol: Protocol,
    texts: tuple[str | None, ...],
    *,
    labels: tuple[str, ...],
    reference: str,
    profile: Profile,
    rng: random.Random,
) -> ReviewDocument:
    """Return a complete review under a protocol; it judges `texts` by their comparison with `reference`."""
    judged = [
        _sentences(text or "", reference=reference, profile=profile, protocol=protocol, rng=rng) for text in texts
    ]
    errors = [[one for one in sentences if one.category] for sentences in judged]
    significant = [sum(bool(one.significant) for one in found) for found in errors]
    start = datetime.now(UTC) - timedelta(seconds=rng.randint(60, 300))
    active = rng.randint(25, 150) * 1000
    wants_sentences = protocol.sentences and len(texts) == 1
    wrong = bool(errors[0])
    needs_correction = protocol.correction == "required" or (protocol.correction == "optional" and wrong)
    answers = [
        _answer(question, errors=len(errors[0]), grave=significant[0], rng=rng) for question in protocol.questions
    ]
    counted = _counts(errors[0], protocol=protocol) if protocol.errors == "counted" else ()
    return ReviewDocument(
        verdict=("edit" if wrong else "accept") if protocol.verdict else None,
        corrected=reference if needs_correction else "",
        generated_sha256=judged_sha256(list(texts)),
        sentences=tuple(one for one in judged[0] if _is_kept(one)) if wants_sentences else (),
        answers=(*answers, *counted),
        preference=_preference(significant, labels=labels, rng=rng) if protocol.preference else None,
        timings=Timings(
            first_view=start,
            first_key=start + timedelta(seconds=9),
            last_key=start + timedelta(milliseconds=active),
            active_ms=active,
            viewer_ms=active // 3,
            edits=len(errors[0]),
        ),
    )


def _sentences(
    text: str, *, reference: str, profile: Profile, protocol: Protocol, rng: random.Random
) -> list[SentenceDecision]:
    found = []
    for row in align_reports(text, reference=reference, profile=profile).rows:
        careless = rng.random() < _CARELESS
        kind: SentenceKind = row.kind or "agree"
        seen: SentenceKind = ("false" if kind == "agree" else "agree") if careless else kind
        if row.generated is not None:
            found.append(_decision("generated", row.generated, kind=kind, seen=seen, protocol=protocol, rng=rng))
        elif kind == "omitted" and row.reference:
            found.append(_decision("reference", row.reference[0], kind=kind, seen=seen, protocol=protocol, rng=rng))
    return found


def _decision(
    report: str, number: int, *, kind: SentenceKind, seen: SentenceKind, protocol: Protocol, rng: random.Random
) -> SentenceDecision:
    is_wrong = seen != "agree"
    category = next((known for known in protocol.categories if known == _CATEGORIES.get(seen)), None)
    wanted: SentenceVerdict = "accept" if not is_wrong else "reject" if category else "edit"
    return SentenceDecision(
        report="generated" if report == "generated" else "reference",
        sentence=number,
        decision=wanted if report == "generated" else None,
        suggested_kind=kind if protocol.suggestions else None,
        reader_kind=seen,
        category=category,
        significant=rng.random() < 0.7 if is_wrong else None,
    )


def _is_kept(one: SentenceDecision) -> bool:
    return one.report == "generated" or one.category is not None


def _counts(errors: Sequence[SentenceDecision], *, protocol: Protocol) -> tuple[QuestionAnswer, ...]:
    found = [f"{one.category}.{'significant' if one.significant else 'insignificant'}" for one in errors]
    return tuple(QuestionAnswer(question=name, value=found.count(name)) for name in counts(protocol))


def _answer(question: Question, *, errors: int, grave: int, rng: random.Random) -> QuestionAnswer:
    makers: dict[str, Callable[[], bool | int | str]] = {
        "yes_no": lambda: grave > 0 if "signif" in question.name else rng.random() < 0.95,
        "scale": lambda: max(1, 5 - errors - (rng.random() < 0.3)),
        "count": lambda: errors,
        "text": lambda: "见逐句核对" if errors else "无",
        "choice": lambda: question.choices[min(grave, len(question.choices) - 1)].value,
    }
    return QuestionAnswer(question=question.name, value=makers[question.kind]())


def _preference(significant: Sequence[int], *, labels: Sequence[str], rng: random.Random) -> Preference:
    ranked = sorted(zip(significant, labels, strict=True))
    if ranked[0][0] == ranked[1][0] and rng.random() < 0.8:
        return Preference(choice="neither", reason="两份报告相当")
    return Preference(choice=ranked[0][1], reason="与影像更相符")
