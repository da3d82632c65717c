"""Where a base model lies, and the hash that tells it from every other."""

import hashlib
import re
from functools import cache
from pathlib import Path

from finetune.config import ModelConfig
from finetune.models.visualglm.sat import is_sat_checkpoint
from xray.errors import ConfigError

DEMO_BASE = Path(__file__).parent / "demo_base"
_MODEL_FILES = {".json", ".safetensors", ".bin", ".pth", ".model", ".jinja", ".txt", ".tiktoken"}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def resolve_source(settings: ModelConfig) -> str:
    """Return the folder, as an absolute path, or the hub id that `model_name_or_path` means.

    Raises ConfigError for a folder that is not there, which no hub is asked for, and for a hub id without its commit.
    """
    name = settings.model_name_or_path
    folder = DEMO_BASE if name == "demo" else Path(name).expanduser()
    if folder.is_dir():
        if is_sat_checkpoint(folder):
            raise ConfigError(f"{folder} is a checkpoint of SwissArmyTransformer: convert it, finetune models from-sat")
        return str(folder.resolve())
    if not _HUB_ID.fullmatch(name):
        raise ConfigError(
            f"model_name_or_path {name!r} is no folder. Name one that is there, or a Hugging Face id such as "
            "Qwen/Qwen3-VL-4B-Instruct."
        )
    if not _COMMIT.fullmatch(settings.revision or ""):
        raise ConfigError(
            f"model_name_or_path {name!r} is no folder here. If it is a Hugging Face id, name its commit "
            "(model.revision, or --revision): a branch moves, and other weights would come under the same name."
        )
    return name


def weights_digest(settings: ModelConfig) -> str:
    """Return sha256 over the files of a model folder; for a hub id, over the id and its revision."""
    folder = Path(resolve_source(settings))
    digest = hashlib.sha256()
    if not folder.is_dir():
        digest.update(f"{settings.model_name_or_path}@{settings.revision}".encode())
        return digest.hexdigest()
    for path in sorted((*folder.iterdir(), *folder.glob("vicuna/*"))):
        if path.is_file() and path.suffix in _MODEL_FILES:
            digest.update(path.name.encode())
            stamp = path.stat()
            digest.update(_file_digest(path, stamp.st_size, stamp.st_mtime_ns))
    return digest.hexdigest()


@cache
def _file_digest(path: Path, size: int, mtime_ns: int) -> bytes:
    """Return sha256 of a file, once for each of its states: several stages of a run ask, and weights take seconds."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
