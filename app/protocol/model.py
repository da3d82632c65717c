"""A protocol: what the reader of a case sees, what they are asked, and who reads what.

A study freezes its protocol as JSON on its first day, so a preset may change later without changing what was asked.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from app.document import ErrorCategory
from xray.records import Record

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
Share = Annotated[float, Field(ge=0, le=0.5)]
Origin = Literal["generated", "reference", "either"]


class UnfitError(ValueError):
    """What does not fit together in a protocol, said in both languages."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.chinese = chinese


class Bilingual(Record):
    """A text of the interface in both of its languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Choice(Record):
    """One answer to choose; `value` is what is stored."""

    value: Name
    text: Bilingual


class Question(Record):
    """A question that is asked once a case. The answer is stored under `name` (`app.document.QuestionAnswer`).

    choice: one of `choices`. yes_no. scale: a whole number from 1 to 5, `choices` name its ends where they are given.
    count: a whole number from 0. text: free words.
    """

    name: Name
    kind: Literal["choice", "yes_no", "scale", "count", "text"]
    text: Bilingual
    choices: tuple[Choice, ...] = ()
    required: bool = True
    before_reports: bool = False
    """Whether it has to be answered before the reports are shown (such as whether the film is good enough)."""

    @property
    def answers(self) -> tuple[str, ...] | None:
        """Every possible answer as `adjudicate` writes it, None where any text or number is one."""
        if self.kind == "choice":
            return tuple(choice.value for choice in self.choices)
        return {"yes_no": ("yes", "no"), "scale": tuple("12345")}.get(self.kind)

    @model_validator(mode="after")
    def _has_choices(self) -> "Question":
        if self.kind == "choice" and len(self.choices) < 2:
            raise UnfitError(
                f"the question {self.name} has no choices to choose from", f"问题 {self.name} 没有可选的答案"
            )
        values = [choice.value for choice in self.choices]
        if len(set(values)) < len(values):
            raise UnfitError(
                f"two choices of the question {self.name} have the same value", f"问题 {self.name} 有两个答案取值相同"
            )
        return self


class Protocol(Record):
    """How a case is read.

    films: whether the films are shown; without them a report is judged against the reference alone.
    reports: how many reports are shown for judgement under neutral labels; one is judged alone.
    reference: where the reference report is: `beside` the generated one from the start, shown `after` the review is
    submitted, `never`, or `among` the reports to judge, unnamed.
    suggestions: whether the program's own comparison is shown; hidden, it cannot anchor the reader.
    source_named: whether the reader is told which run wrote a report.
    sentences: each sentence is accepted, edited or rejected; errors: each error gets its category of ReXVal and whether
    it is clinically significant, `by_sentence`, or is `counted` for the report as a whole. categories: those offered.
    correction: whether the report is to be corrected. preference: one of the reports is preferred, or neither.
    adjudicate: answers after which an adjudicator decides, as `name=value` (of a yes_no question `yes` or `no`).
    overlap: readers a case. repeats: the share of a reader's cases that they read a second time. sentinels: the share
    of further cases, the same for all readers, whose report has a planted error or is known to be good.
    """

    name: Name
    title: Bilingual
    instruction: Bilingual
    films: bool = True
    reports: int = Field(default=1, ge=1, le=5)
    reference: Literal["beside", "after", "never", "among"] = "beside"
    suggestions: bool = True
    source_named: bool = False
    sentences: bool = False
    errors: Literal["none", "by_sentence", "counted"] = "none"
    categories: tuple[ErrorCategory, ...] = Field(default=get_args(ErrorCategory), min_length=1)
    verdict: bool = False
    correction: Literal["none", "optional", "required"] = "none"
    preference: bool = False
    questions: tuple[Question, ...] = ()
    adjudicate: tuple[str, ...] = ()
    overlap: int = Field(default=1, ge=1)
    repeats: Share = 0.0
    sentinels: Share = 0.0

    @property
    def is_blind(self) -> bool:
        """Whether a reader must not learn, before the study is closed, who wrote what they judge."""
        return not self.source_named

    @property
    def judged(self) -> Origin:
        """What the reader may know of whoever wrote the texts to judge."""
        if self.reference != "among":
            return "generated"
        return "reference" if self.source_named and self.reports == 1 else "either"

    @model_validator(mode="after")
    def _fits_together(self) -> "Protocol":
        names = [question.name for question in self.questions]
        if len(set(names)) < len(names):
            raise UnfitError("two questions have the same name", "有两个问题名称相同")
        if self.preference and self.reports < 2:
            raise UnfitError("a preference needs at least two reports", "选择偏好（preference）至少需要两份报告")
        if self.reports > 1 and (self.sentences or self.errors == "by_sentence"):
            raise UnfitError("sentences are judged in one report at a time", "逐句评审时只能显示一份报告")
        if self.errors == "by_sentence" and not self.sentences:
            raise UnfitError("errors by sentence need sentences: true", "逐句标注错误需要 sentences: true")
        if self.reference == "among" and self.suggestions:
            raise UnfitError(
                "the program's comparison names the reference: set suggestions: false",
                "程序的比对会透露哪份是参考报告：请设 suggestions: false",
            )
        if self.suggestions and self.reference in ("after", "never"):
            raise UnfitError(
                f"the program's comparison tells what a reference shown {self.reference} says: set suggestions: false",
                "程序的比对会透露尚未显示的参考报告：请设 suggestions: false",
            )
        if not self.films and self.reference in ("after", "never"):
            raise UnfitError("without films the reports need a reference beside them", "不显示影像时须并列参考报告")
        for answer in self.adjudicate:
            self._check_answer(answer)
        return self

    def _check_answer(self, answer: str) -> None:
        name, _, value = answer.partition("=")
        question = next((question for question in self.questions if question.name == name), None)
        if question is None:
            raise UnfitError(f"adjudicate: there is no question {name}", f"adjudicate：没有问题 {name}")
        possible = question.answers
        if possible is not None and value not in possible:
            known = ", ".join(possible)
            raise UnfitError(
                f"adjudicate: {value!r} is no answer to {name}; there are: {known}",
                f"adjudicate：{value!r} 不是 {name} 的答案，可用的有：{known}",
            )
