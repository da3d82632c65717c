"""Captions by image id, `{"annotations": [{"image_id": "<study>_<k>", "caption": ...}]}`: the format of XrayGLM."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from xray.data.file_names import printable
from xray.data.sources.rows import decode_text
from xray.data.sources.study_files import Refusal
from xray.data.sources.values import says_nothing
from xray.errors import DataError

_IMAGE_ID = re.compile(r"(?P<study>.+)_(?P<number>\d{1,9})")


class _Annotation(BaseModel):
    """One entry of the file; other keys than these two are other people's notes. A caption that is null is empty."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    image_id: str
    caption: str | None


class _Annotations(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    annotations: list[_Annotation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The caption of one image id, with its place in the file."""

    study: str
    number: int
    text: str = field(repr=False)
    row: str


def split_id(image_id: str) -> tuple[str, int]:
    """Study and number of an image id; an id without number is a study of one film."""
    match = _IMAGE_ID.fullmatch(image_id.strip())
    return (match["study"], int(match["number"])) if match else (image_id.strip(), 1)


def read_captions(path: Path, *, refusals: list[Refusal]) -> dict[str, Caption]:
    """Read captions by image id, in file order; the first of one image id counts, and the others are noted.

    Raises DataError if the file is missing or not in this format.
    """
    try:
        text, _ = decode_text(path.read_bytes(), where=printable(path.name))
        entries = _Annotations.model_validate_json(text).annotations
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the annotations.") from None
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise DataError(
            f'{path.name}: {place}: {problem["msg"]}. Expected {{"annotations": [{{"image_id", "caption"}}]}}.'
        ) from None
    captions: dict[str, Caption] = {}
    for position, entry in enumerate(entries, start=1):
        study, number = split_id(entry.image_id)
        row = f"{printable(path.name)}, annotation {position}"
        caption = Caption(study=study, number=number, text=entry.caption or "", row=row)
        if captions.setdefault(entry.image_id.strip(), caption) is not caption:
            why = "an earlier annotation has the same image id and was kept"
            refusals.append(Refusal(where=study, code="duplicate_row", why=why, kind="note", row=row))
    return captions


def one_per_study(
    captions: Mapping[str, Caption], *, studies: Collection[str], refusals: list[Refusal]
) -> dict[str, Caption]:
    """Return the caption that each of `studies` keeps: that of its lowest image number. Others that differ are noted.

    So the choice does not depend on the order of the file. An empty caption is kept only where a study has no other.
    """
    wanted = frozenset(studies)
    kept: dict[str, Caption] = {}
    order = sorted(captions.values(), key=lambda caption: (caption.study, says_nothing(caption.text), caption.number))
    for caption in order:
        if caption.study not in wanted:
            continue
        first = kept.setdefault(caption.study, caption)
        if caption.text.strip() != first.text.strip():
            why = "the study has another report, that of an earlier image id or one that says more, which was kept"
            refusals.append(Refusal(where=caption.study, code="several_reports", why=why, kind="note", row=caption.row))
    return kept
