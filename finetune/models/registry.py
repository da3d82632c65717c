"""Our own model families, made known to transformers' Auto classes.

A folder in the layout that a model was published in then opens as any other: `AutoConfig`, the image-text-to-text class
and `AutoProcessor` find our classes by `model_type`, and no remote code runs. Each family is a folder beside this file
with a `register()` of its own.
"""

from functools import cache


@cache
def register_families() -> None:
    """Register every family once. Whoever opens a model calls it first."""
    from finetune.models import qwen_vl, visualglm

    qwen_vl.register()
    visualglm.register()
