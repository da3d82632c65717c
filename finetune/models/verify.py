"""`finetune models verify`: replay a golden folder and compare with what the original code gave."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from finetune.models.folder import check_folder
from finetune.models.golden import Check
from finetune.models.minigpt4.checkpoint import is_parts_folder
from xray.errors import DataError

CASES_FILE = "cases.safetensors"
_BY_MODEL_TYPE = {"chatglm": "visualglm", "qwen": "qwen_vl"}


def verify(folder: Path) -> Iterator[Check]:
    """Yield one check per golden tensor and text of `folder`, as it is computed.

    Raises DataError when the folder is no golden folder, or of a family without a replay, and ConfigError for a
    checkpoint that is not whole.
    """
    family = golden_family(folder)
    check_folder(folder / "checkpoint")
    try:
        cases = load_file(folder / CASES_FILE)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{folder / CASES_FILE} cannot be read ({error}). Name a folder of golden files.") from error
    yield from import_module(f"finetune.models.{family}.golden").replay(folder, cases)


def golden_family(folder: Path) -> str:
    """Return the family whose original layout `folder`/checkpoint has."""
    checkpoint = folder / "checkpoint"
    if is_parts_folder(checkpoint):
        return "minigpt4"
    try:
        model_type = json.loads((checkpoint / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"{folder} has no checkpoint/config.json that can be read. Name a folder with checkpoint/ and {CASES_FILE}."
        ) from error
    if model_type not in _BY_MODEL_TYPE:
        known = ", ".join([*_BY_MODEL_TYPE.values(), "minigpt4"])
        raise DataError(f"{folder}: no golden files are read for model_type {model_type!r}; there are: {known}")
    return _BY_MODEL_TYPE[model_type]
