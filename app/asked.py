"""What a run's model was asked: the question and the system prompt, from the run's own configuration."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.manifest import CONFIG_FILE
from xray.errors import DataError

_RESTORE = "Restore the file, or run `finetune run` again."
_RESTORE_ZH = "请恢复该文件，或重新运行 `finetune run`。"


class Asked(BaseModel):
    """The question that asks for a report, and what stands before it, if anything."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    question: str
    system: str | None = None


class _Configuration(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    data: Asked


def asked_of(folder: Path) -> Asked:
    """Read what the model of a run folder was asked. Raises DataError where its configuration does not tell."""
    path = folder / CONFIG_FILE
    try:
        return _Configuration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).data
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{path} cannot be read, and it alone says what the model was asked. {_RESTORE}").in_chinese(
            f"{path} 无法读取，而只有它记录了模型收到的提问。{_RESTORE_ZH}"
        ) from None
    except (yaml.YAMLError, ValidationError):
        raise DataError(f"{path} does not say what the model was asked (data.question). {_RESTORE}").in_chinese(
            f"{path} 没有记录模型收到的提问（data.question）。{_RESTORE_ZH}"
        ) from None
