"""Reviews as training pairs: films, prompt and the corrected report; and what it is preferred to.

    sft.jsonl           one conversation a review, which `finetune` reads as data of the kind `conversations`
    preferences.jsonl   the same where a change mattered, with the generated text under `rejected_response`
    films/              the films, named by their content

A report of a patient whom a model is scored on must not be learned from: it would be scored on what it was shown.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.export.contents import Contents, ExportFile, NothingLeftError
from app.export.records import Exclusion, PromptTurn, ReviewedReport
from xray.errors import DataError
from xray.records import Record

SFT_FILE, PREFERENCES_FILE = "sft.jsonl", "preferences.jsonl"
FILMS_FOLDER = "films"


class TrainingPair(Record):
    """A line of `sft.jsonl`: `messages` end with the corrected report, `images` are paths below the export's folder.

    `patient_id` is the pseudonym, by which preparing the pairs splits them anew.
    """

    review_id: str
    ai_label: str
    images: tuple[str, ...]
    messages: tuple["Message", ...]
    patient_id: str


class PreferencePair(TrainingPair):
    """A line of `preferences.jsonl`: the last of `messages` was chosen over `rejected_response`."""

    rejected_response: str


class Message(Record):
    """One turn; the first question begins with one `<image>` for each film."""

    role: str
    content: str


def to_pairs(
    records: Sequence[ReviewedReport],
    *,
    evaluation_patients: frozenset[str],
    others: Sequence[ReviewedReport] = (),
) -> Contents:
    """Return the pairs of every review that was handed in, and why the others make none.

    Patients of the splits `val` and `test`, and those named, make none (`evaluation_patient`). Left out are also
    `sentinel`, `repeat`, `compared` (one of several texts), `reference_judged`, `void`, `not_submitted`, `no_text`, and
    `superseded_by_approval`, also by one of `others`, which are not chosen. Raises NothingLeftError if no pair is left,
    DataError if a patient is in training and in evaluation, or if a film is missing.
    """
    scored = evaluation_patients | {record.patient_key for record in records if record.split in ("val", "test")}
    _check_splits(records, scored=scored)
    approved = {(record.run_id, record.case_id) for record in (*records, *others) if record.status == "approved"}
    reasons = {record.id: _reason(record, scored=scored, approved=approved) for record in records}
    chosen = [record for record in records if reasons[record.id] is None]
    excluded = [Exclusion(review_id=key, reason=reason) for key, reason in reasons.items() if reason]
    if not chosen:
        raise NothingLeftError(_nothing_left(excluded), excluded=excluded)
    excluded += [
        Exclusion(review_id=record.id, reason=f"{PREFERENCES_FILE}: {why}")
        for record in chosen
        if (why := _no_preference(record))
    ]
    return Contents(files=_files(chosen), num_written=len(chosen), excluded=tuple(excluded))


def _check_splits(records: Sequence[ReviewedReport], *, scored: frozenset[str]) -> None:
    both = {record.patient_key for record in records if record.split == "train"} & scored
    if both:
        raise DataError(
            f"{len(both)} patients of these reviews are in the training split of one run and in an evaluation split of "
            "another. No pairs are written: a model trained on them would be scored on patients it was shown. Export "
            "runs of one split, or prepare the data again with `splits` of the first."
        ).in_chinese(
            f"这些评审中有 {len(both)} 位患者既在一个运行的训练集，又在另一个运行的评测集。为免模型在见过的患者上评分，"
            "不写出训练样本。请只导出同一划分的运行，或用第一个运行的 `splits` 重新准备数据。"
        )


def _reason(record: ReviewedReport, *, scored: frozenset[str], approved: set[tuple[str, str]]) -> str | None:
    checks = (
        ("sentinel", record.sentinel),
        ("repeat", record.repeat),
        ("compared", record.arm),
        ("reference_judged", not record.is_of_generated_text),
        ("void", record.status == "void"),
        ("not_submitted", not record.handed_in),
        ("evaluation_patient", record.patient_key in scored),
        ("no_text", not record.final_text),
        ("superseded_by_approval", record.status != "approved" and (record.run_id, record.case_id) in approved),
    )
    return next((reason for reason, holds in checks if holds), None)


def _nothing_left(excluded: Sequence[Exclusion]) -> str:
    if not excluded:
        return "There is no review to make training pairs of. Review reports first."
    counts = ", ".join(f"{count} {reason}" for reason, count in Counter(e.reason for e in excluded).most_common())
    return (
        f"No training pair is left of {len(excluded)} reviews: {counts}. Pairs come from submitted reviews of patients "
        "outside the evaluation splits: generate reports for studies of the training split and review those, or name "
        "a run whose studies no model will be scored on any more."
    )


def _no_preference(record: ReviewedReport) -> str | None:
    if record.final_text == record.generated.strip():
        return "unchanged"
    if not record.generated.strip():
        return "nothing_generated"
    return None if record.has_significant_edit else "no_significant_edit"


def _files(chosen: Sequence[ReviewedReport]) -> Iterator[ExportFile]:
    names = {film.path: _film_name(film.path) for record in chosen for film in record.films}
    for path, name in {name: (path, name) for path, name in names.items()}.values():
        yield ExportFile(name=name, data=path)
    preferred = [record for record in chosen if _no_preference(record) is None]
    yield ExportFile(name=SFT_FILE, data=_lines(chosen, lambda record: _pair(record, names=names)))
    yield ExportFile(name=PREFERENCES_FILE, data=_lines(preferred, lambda record: _preference(record, names=names)))


def _lines(records: Sequence[ReviewedReport], pair: Callable[[ReviewedReport], TrainingPair]) -> bytes:
    return "".join(pair(record).model_dump_json() + "\n" for record in records).encode()


def _film_name(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}. A film of a review is missing; restore the run's folder."
        ).in_chinese(f"{path} 无法读取：缺少评审的影像。请恢复运行目录。") from None
    return f"{FILMS_FOLDER}/{hashlib.sha256(content).hexdigest()[:24]}{path.suffix.lower()}"


def _pair(record: ReviewedReport, *, names: dict[Path, str]) -> TrainingPair:
    images = tuple(names[film.path] for film in record.films)
    return TrainingPair(
        review_id=record.id,
        ai_label=record.ai_label,
        images=images,
        messages=(*_prompt(record.turns, images=len(images)), Message(role="assistant", content=record.final_text)),
        patient_id=record.patient_key,
    )


def _preference(record: ReviewedReport, *, names: dict[Path, str]) -> PreferencePair:
    return PreferencePair(**dict(_pair(record, names=names)), rejected_response=record.generated.strip())


def _prompt(turns: Sequence[PromptTurn], *, images: int) -> Iterator[Message]:
    first = next(index for index, turn in enumerate(turns) if turn.role == "user")
    for index, turn in enumerate(turns):
        marks = "<image>" * images + "\n" if index == first else ""
        yield Message(role=turn.role, content=marks + turn.text)
