"""Entries of a file of conversations, checked one by one: roles, turns, and marks for images."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from xray.data.file_names import printable
from xray.data.patient_ids import real_patient_id
from xray.data.sources.rows import decode_text
from xray.data.sources.study_files import Refusal, first_stated
from xray.data.sources.values import parse_id, parse_split
from xray.errors import DataError, Rejected
from xray.records import is_encodable
from xray.types import Split, Turn

_MARK = "<image>"
_ROLES: dict[str, Literal["system", "user", "assistant"]] = {"system": "system", "human": "user", "user": "user"}
_ROLES |= {"gpt": "assistant", "assistant": "assistant", "model": "assistant"}
_MOST_CHARACTERS = 20_000


class _Said(BaseModel):
    """One turn of either style."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: str = Field(validation_alias=AliasChoices("from", "role"))
    text: str = Field(validation_alias=AliasChoices("value", "content"))


class _Entry(BaseModel):
    """One conversation of either style; other fields are other people's notes."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    image: str | list[str] | None = None
    images: str | list[str] | None = None
    conversations: list[_Said] | None = None
    messages: list[_Said] | None = None
    system: str | None = None
    patient_id: str | None = None
    subject_id: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One conversation: its turns without marks, ending with the assistant, and the names of the films it shows.

    `place` says where it stands: `chat.json, entry 3`. `patient_id` is None where the entry names nobody.
    """

    place: str
    images: tuple[str, ...] = field(repr=False)
    turns: tuple[Turn, ...] = field(repr=False)
    patient_id: str | None = field(repr=False)
    split: Split | None


def read_dialogues(path: Path, *, refusals: list[Refusal]) -> list[Dialogue]:
    """Read `.json` (a list of entries) or `.jsonl` (one a line), in file order.

    Entries that cannot be used go to `refusals`: `bad_entry` (not this format), `no_film_named`, `unknown_role`,
    `bad_turns` (not user and assistant in turn, ending with the assistant; a system turn only first), `empty_answer`,
    `image_marks` (not one `<image>` for each image, or one that the user did not set), `undecodable_text`,
    `text_too_long`, `unknown_split`, and what `parse_id` refuses of a patient's id. Raises DataError if the file is
    missing, no text, or no JSON.
    """
    name = printable(path.name)
    dialogues: list[Dialogue] = []
    for place, record in _records(path, name=name):
        try:
            dialogues.append(_dialogue(record, place=place))
        except Rejected as rejected:
            refusals.append(Refusal(where=place, code=rejected.code, why=rejected.why, row=place))
    return dialogues


def _records(path: Path, *, name: str) -> Iterator[tuple[str, object]]:
    try:
        text, _ = decode_text(path.read_bytes(), where=name)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the conversations.") from None
    if text.lstrip().startswith("["):
        records = _parsed(text, where=name)
        assert isinstance(records, list)  # what begins with a bracket and is JSON
        yield from ((f"{name}, entry {number}", record) for number, record in enumerate(records, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{name}, line {number}", _parsed(line, where=f"{name}, line {number}")


def _parsed(text: str, *, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or a number too long"
        raise DataError(f"{where}: not JSON ({why}). A list of conversations, or one a line, is expected.") from None


def _dialogue(record: object, *, place: str) -> Dialogue:
    try:
        entry = _Entry.model_validate(record)
    except ValidationError:
        raise Rejected("bad_entry", "the entry has not the fields of a conversation (see the docs)") from None
    stated = [] if entry.system is None or not entry.system.strip() else [("system", entry.system)]
    if entry.conversations and entry.messages:
        raise Rejected("bad_entry", "the entry has `conversations` and `messages`; keep the one that is meant")
    said = [(turn.role, turn.text) for turn in entry.conversations or entry.messages or ()]
    images = tuple(name for name in (*_names(entry.image), *_names(entry.images)) if name.strip())
    if not images:
        raise Rejected("no_film_named", "the conversation names no image")
    turns = tuple(_turn(role, text) for role, text in [*stated, *said])
    _check_order(turns)
    _check_marks(turns, images=len(images))
    return Dialogue(
        place=place,
        images=images,
        turns=tuple(Turn(role=turn.role, text=turn.text.replace(_MARK, "").strip()) for turn in turns),
        patient_id=first_stated(real_patient_id(parse_id(name or "")) for name in (entry.patient_id, entry.subject_id)),
        split=parse_split(entry.split or ""),
    )


def _names(images: str | list[str] | None) -> list[str]:
    return [images] if isinstance(images, str) else images or []


def _turn(role: str, text: str) -> Turn:
    known = _ROLES.get(role.strip().casefold())
    if known is None:
        raise Rejected("unknown_role", "a turn is of another role than system, user (human) and assistant (gpt)")
    if "\ufffd" in text or "\0" in text or not is_encodable(text):
        raise Rejected("undecodable_text", "a turn holds characters that were lost in a conversion")
    if len(text) > _MOST_CHARACTERS:
        raise Rejected("text_too_long", f"a turn has {len(text)} characters, more than {_MOST_CHARACTERS}")
    if known == "assistant" and not text.strip():
        raise Rejected("empty_answer", "an answer of the assistant is empty")
    return Turn(role=known, text=text)


def _check_order(turns: tuple[Turn, ...]) -> None:
    roles = [turn.role for turn in turns]
    talk = roles[1:] if roles[:1] == ["system"] else roles
    if not talk or len(talk) % 2 or any(role != ("user", "assistant")[place % 2] for place, role in enumerate(talk)):
        raise Rejected("bad_turns", "user and assistant do not speak in turn, from a question to an answer")


def _check_marks(turns: tuple[Turn, ...], *, images: int) -> None:
    marks = {role: sum(turn.text.count(_MARK) for turn in turns if turn.role == role) for role in _ROLES.values()}
    if marks["system"] or marks["assistant"] or marks["user"] != images:
        raise Rejected("image_marks", f"{images} images need as many {_MARK} in the user's turns, and none elsewhere")
