"""Protocols from YAML: the presets that come with the app, and a user's own file."""

import json
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from app.protocol.model import Protocol
from xray.errors import ConfigError, DataError

PRESETS = Path(__file__).parent / "presets"
OPEN_REVIEW = "open_review"
"""The protocol of reviews outside of studies."""
LONGEST = 100_000


def preset_names() -> tuple[str, ...]:
    """Return the names of the presets, sorted."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


@lru_cache(maxsize=32)
def preset(name: str) -> Protocol:
    """Return a preset. Raises ConfigError for a name that there is not."""
    path = PRESETS / f"{name}.yaml"
    if name not in preset_names():
        raise ConfigError(f"There is no protocol {name[:40]!r}. There are: {', '.join(preset_names())}.")
    return read_protocol(path.read_text(encoding="utf-8"), where=path.name)


def read_protocol(text: str, *, where: str) -> Protocol:
    """Return the protocol of a YAML text. Raises ConfigError naming what does not fit, and `where` it was read."""
    try:
        return Protocol.model_validate_json(_json(text, where=where))
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise ConfigError(f"{where}{line}: this is no YAML. Correct the file.") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the protocol"
        raise ConfigError(f"{where}: {field}: {first['msg'].removeprefix('Value error, ')}.") from None


def frozen(protocol: Protocol) -> str:
    """Return the text that a study keeps of its protocol: every setting, so that a later default changes nothing."""
    return protocol.model_dump_json()


def thawed(text: str) -> Protocol:
    """Return the protocol that a study keeps. Raises DataError for one that this version cannot read."""
    try:
        return Protocol.model_validate_json(text)
    except ValidationError:
        raise DataError("The protocol of this study cannot be read. It was begun with another version.") from None


def _json(text: str, *, where: str) -> str:
    if len(text) > LONGEST:
        raise ConfigError(f"{where}: a protocol has at most {LONGEST} characters. Give the YAML of one protocol.")
    try:
        return json.dumps(yaml.safe_load(text), ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):  # an alias inside itself, a key that is no text, too many brackets
        raise ConfigError(f"{where}: this is no plain YAML of names and values. Correct the file.") from None
