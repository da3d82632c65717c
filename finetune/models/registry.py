"""Our own model families, made known to transformers' Auto classes.

A folder in the layout that a model was published in then opens as any other: `AutoConfig`, the image-text-to-text class
and `AutoProcessor` find our classes by `model_type`, and no remote code runs. Each family is a folder beside this file
with a `register()` of its own.
"""

from functools import cache
from pathlib import Path

from transformers import AutoConfig, PreTrainedConfig

from finetune.models.blip2.image_place import with_image_place
from finetune.models.composed import modeling as composed
from finetune.models.minigpt4 import modeling as minigpt4
from finetune.models.minigpt4.checkpoint import is_parts_folder


@cache
def register_families() -> None:
    """Register every family once. Whoever opens a model calls it first."""
    from finetune.models import qwen_vl, visualglm

    qwen_vl.register()
    visualglm.register()
    composed.register()
    minigpt4.register()


def read_config(source: str | Path, *, revision: str | None = None) -> PreTrainedConfig:
    """Return the configuration of a model folder or a hub id, also where the published files have none.

    Raises ConfigError for a folder of parts that lacks one, and what transformers raises for other folders.
    """
    register_families()
    if is_parts_folder(Path(source)):
        return minigpt4.read_config(Path(source))
    config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    return with_image_place(config, source=source, revision=revision)
