"""Read a run's YAML file and its dotted overrides (`train.learning_rate=1e-4`).

An unknown key is an error that names the nearest valid one; every mistake is one line with its place.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from finetune.config import RunConfig
from finetune.manifest import CONFIG_FILE
from xray.errors import ConfigError


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML file and apply `section.key=value` overrides.

    Raises ConfigError: file missing, not YAML, a key unknown (with the nearest valid one) or a value out of range.
    """
    content = _read_yaml(path)
    for override in overrides:
        _apply_override(content, override)
    _check_keys(content, RunConfig, where=str(path))
    try:
        return RunConfig.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{path}: {key}: {problem['msg']} (it is {problem['input']!r})") from None


def load_run_config(folder: Path) -> RunConfig:
    """Return the settings of a run folder. Raises ConfigError where it is none."""
    path = folder / CONFIG_FILE
    if not path.exists():
        raise ConfigError(f"{folder} is not a run folder: it has no {CONFIG_FILE}")
    return load_config(path)


def resolved_yaml(config: RunConfig) -> str:
    """Return every setting, defaults included, as YAML that `load_config` reads back."""
    return yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist. Name a YAML file such as finetune/configs/demo.yaml.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise ConfigError(f"{path}{line} is not valid YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold sections such as `data:` and `train:`, not {type(content).__name__}")
    return content


def _apply_override(content: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"{override!r} is not an override. Write section.key=value, for example train.max_steps=10.")
    *parents, leaf = key.split(".")
    target = content
    for part in parents:
        if target.get(part) is None:
            target[part] = {}
        target = target[part]
        if not isinstance(target, dict):
            raise ConfigError(f"{override!r}: {part!r} is a value, not a section")
    try:
        target[leaf] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"{override!r}: the value is not valid YAML; quote it") from None


def _check_keys(content: Mapping[str, Any], schema: type, *, where: str, prefix: str = "") -> None:
    fields = _fields_of(schema)
    for key, value in content.items():
        if key not in fields:
            raise ConfigError(f"{where}: unknown key `{prefix}{key}`{_nearest(str(key), prefix)}")
        if isinstance(value, Mapping) and _fields_of(fields[key]):
            _check_keys(value, fields[key], where=where, prefix=f"{prefix}{key}.")


def _fields_of(schema: object) -> dict[str, Any]:
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return {name: field.annotation for name, field in schema.model_fields.items()}
    return {name: field.type for name, field in getattr(schema, "__dataclass_fields__", {}).items()}


def _nearest(key: str, prefix: str) -> str:
    """Name the valid key that was most likely meant: one beside it, else the same name in another section."""
    known = list(_all_keys(RunConfig, ""))
    beside = _siblings(known, prefix)
    by_leaf = {name.rsplit(".", 1)[-1]: name for name in known}
    candidates = [
        *(prefix + name for name in beside if name.startswith(key)),
        *(by_leaf[name] for name in [key] if name in by_leaf),
        *(prefix + name for name in difflib.get_close_matches(key, beside, n=1, cutoff=0.6)),
        *(by_leaf[name] for name in difflib.get_close_matches(key, list(by_leaf), n=1, cutoff=0.7)),
    ]
    return f"; did you mean `{candidates[0]}`?" if candidates else f"; valid here: {', '.join(beside)}"


def _siblings(known: Sequence[str], prefix: str) -> list[str]:
    return sorted({name.removeprefix(prefix).split(".")[0] for name in known if name.startswith(prefix)})


def _all_keys(schema: object, prefix: str) -> Iterator[str]:
    for name, kind in _fields_of(schema).items():
        yield prefix + name
        yield from _all_keys(kind, f"{prefix}{name}.")
