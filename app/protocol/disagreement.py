"""Where the readers of a case differ, and how a decision between them becomes a document.

Labels are each reader's own: what is compared is the text behind a label, never the letter.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from app.document import ErrorCategory, Preference, QuestionAnswer, ReviewDocument, SentenceDecision
from app.protocol.model import Protocol, Question
from app.store.reviews import Revision

NEITHER = "neither"
_SCALE_STEPS = 2  # one step on a scale of five is no other opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A submitted review and the texts that its reader judged, by label."""

    review: Revision
    texts: Mapping[str, str]

    @property
    def document(self) -> ReviewDocument:
        """What the reader said."""
        return self.review.document

    def answer(self, name: str) -> object:
        """Return the answer to a question, None where there is none."""
        return next((one.value for one in self.document.answers if one.question == name), None)

    @property
    def preferred(self) -> str | None:
        """The text that was preferred, `neither`, or None where nothing was."""
        chosen = self.document.preference.choice if self.document.preference else None
        return chosen if chosen in (None, NEITHER) else self.texts.get(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing on which readers differ, or which the protocol sends to an adjudicator.

    kind: `verdict`, `preference`, `question`, `errors` (of a category, `name`), `sentence` (its number from 0, `name`).
    """

    kind: str
    name: str = ""


def together(opinions: Sequence[Opinion]) -> tuple[tuple[Opinion, ...], ...]:
    """Group the reviews of a case by the texts that were judged: only reviews of the same texts can differ."""
    groups: dict[tuple[str, ...], list[Opinion]] = {}
    for opinion in opinions:
        groups.setdefault(tuple(sorted(opinion.texts.values())), []).append(opinion)
    return tuple(tuple(group) for group in groups.values())


def differences(opinions: Sequence[Opinion], *, protocol: Protocol) -> tuple[Item, ...]:
    """Return what has to be decided between reviews of the same texts, in the order of the page."""
    return tuple(dict.fromkeys(_differences(opinions, protocol=protocol)))


def _differences(opinions: Sequence[Opinion], *, protocol: Protocol) -> Iterator[Item]:
    for question in protocol.questions:
        given = [opinion.answer(question.name) for opinion in opinions]
        if _differ(question, given) or any(_is_sent_on(question, value, protocol=protocol) for value in given):
            yield Item(kind="question", name=question.name)
    if protocol.errors == "counted":
        for category in get_args(ErrorCategory):
            if len({_has_errors(opinion, category) for opinion in opinions}) > 1:
                yield Item(kind="errors", name=category)
    for number in _sentences(opinions):
        if len({_judged(opinion, number) for opinion in opinions}) > 1:
            yield Item(kind="sentence", name=str(number))
    if len({opinion.preferred for opinion in opinions}) > 1:
        yield Item(kind="preference")
    if len({opinion.document.verdict for opinion in opinions}) > 1:
        yield Item(kind="verdict")


def _differ(question: Question, given: Sequence[object]) -> bool:
    if question.kind == "text":
        return False
    numbers = [value for value in given if isinstance(value, int) and not isinstance(value, bool)]
    if question.kind == "scale":
        return bool(numbers) and max(numbers) - min(numbers) >= _SCALE_STEPS
    return len(set(given)) > 1


def _is_sent_on(question: Question, value: object, *, protocol: Protocol) -> bool:
    word = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return f"{question.name}={word}" in protocol.adjudicate


def _has_errors(opinion: Opinion, category: str) -> bool:
    """Whether any error of a category was counted, whatever its weight: readers rarely count alike."""
    counts = (opinion.answer(f"{category}.{weight}") for weight in ("significant", "insignificant"))
    return any(isinstance(count, int) and count > 0 for count in counts)


def _sentences(opinions: Sequence[Opinion]) -> tuple[int, ...]:
    numbers = {one.sentence for opinion in opinions for one in opinion.document.sentences if one.report == "generated"}
    return tuple(sorted(numbers))


def _judged(opinion: Opinion, number: int) -> tuple[bool, str | None]:
    """Return whether a sentence was found right, and the error that it was found to be."""
    found = sentence(opinion.document, number)
    if found is None or found.decision is None:
        return True, None
    return found.decision == "accept", found.category


def sentence(document: ReviewDocument, number: int) -> SentenceDecision | None:
    """Return what a review decided on a sentence of the judged report, None where it says nothing."""
    ours = (one for one in document.sentences if one.report == "generated" and one.sentence == number)
    return next(ours, None)


def decided(base: Opinion, changes: Mapping[Item, object], *, reason: str) -> ReviewDocument:
    """Return the decision's document: what `base` says, but for `changes`.

    A change is a verdict, the answer to a question, or the preferred text (`neither` where none is). Labels in it are
    those of the reader of `base`.
    """
    document = base.document
    for item, value in changes.items():
        if item.kind == "verdict":
            document = document.model_copy(update={"verdict": value})
        elif item.kind == "preference":
            labels = {text: label for label, text in base.texts.items()}
            choice = Preference(choice=labels.get(str(value), NEITHER), reason=reason)
            document = document.model_copy(update={"preference": choice})
        elif item.kind == "question":
            others = tuple(one for one in document.answers if one.question != item.name)
            answer = QuestionAnswer.model_validate({"question": item.name, "value": value})
            document = document.model_copy(update={"answers": (*others, answer)})
    return ReviewDocument.model_validate(document.model_dump())
