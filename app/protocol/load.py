"""Protocols from YAML: the presets that come with the app, and a user's own file."""

import json
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.protocol.model import Protocol, UnfitError
from xray.errors import ConfigError, DataError

PRESETS = Path(__file__).parent / "presets"
OPEN_REVIEW = "open_review"
"""The protocol of reviews outside of studies."""
LONGEST = 100_000
# By the types of pydantic's errors (https://docs.pydantic.dev/latest/errors/validation_errors), with their context.
_FAULTS = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项设置，请核对名称",
    "literal_error": "只能是 {expected} 之一",
    "string_pattern_mismatch": "须符合 {pattern}",
    "string_type": "须是文字",
    "string_too_short": "不能为空",
    "bool_type": "须是 true 或 false",
    "bool_parsing": "须是 true 或 false",
    "int_type": "须是整数",
    "int_parsing": "须是整数",
    "int_from_float": "须是整数",
    "float_type": "须是数字",
    "float_parsing": "须是数字",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "tuple_type": "须是一个列表",
    "too_short": "项目太少",
    "model_type": "须由名称和取值组成",
    "model_attributes_type": "须由名称和取值组成",
}
_OTHER_FAULT = "取值不合要求"


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
        line_zh = f"第 {place.line + 1} 行" if place else ""
        raise ConfigError(f"{where}{line}: this is no YAML. Correct the file.").in_chinese(
            f"{where}{line_zh}：不是 YAML。请更正文件。"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{where}: {field or 'the protocol'}: {first['msg'].removeprefix('Value error, ')}."
        ).in_chinese(f"{where}：{field or '方案'}：{_in_chinese(first)}。") from None


def _in_chinese(error: ErrorDetails) -> str:
    given = error.get("ctx", {})
    if isinstance(unfit := given.get("error"), UnfitError):
        return unfit.chinese
    return _FAULTS.get(error["type"], _OTHER_FAULT).format_map(given)


def frozen(protocol: Protocol) -> str:
    """Return the text that a study keeps of its protocol: every setting, so that a later default changes nothing."""
    return protocol.model_dump_json()


def thawed(text: str) -> Protocol:
    """Return the protocol that a study keeps. Raises DataError for one that this version cannot read."""
    try:
        return Protocol.model_validate_json(text)
    except ValidationError:
        raise DataError("The protocol of this study cannot be read. It was begun with another version.").in_chinese(
            "无法读取该研究的方案：研究是用其他版本的程序开始的。"
        ) from None


def _json(text: str, *, where: str) -> str:
    if len(text) > LONGEST:
        raise ConfigError(
            f"{where}: a protocol has at most {LONGEST} characters. Give the YAML of one protocol."
        ).in_chinese(f"{where}：方案最多 {LONGEST} 个字符。请给出一个方案的 YAML。")
    try:
        return json.dumps(yaml.safe_load(text), ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):  # an alias inside itself, a key that is no text, too many brackets
        raise ConfigError(f"{where}: this is no plain YAML of names and values. Correct the file.").in_chinese(
            f"{where}：不是由名称和取值组成的 YAML。请更正文件。"
        ) from None
