"""Tiny base models with random weights, each in the layout that its family was published in.

The folders are those of the tests. Their tokenizers know the letters of the reports, as those of the published models
do; what these weigh is of no use to anyone.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.finetune.models import qwen_vl_folder, visualglm_folder
from tests.finetune.models.blip2_folder import write_opt, write_t5
from tests.finetune.models.minigpt4_folder import native_model, write_parts
from tests.finetune.models.part_folders import write_clip, write_llama

_POSITIONS = 1024
_VISUALGLM_PROMPT = "<img></img>问：答："
_QWEN_VL_PROMPT = "Picture user assistant system You are a helpful assistant."


def write_once(name: str, folder: Path, *, texts: Sequence[str]) -> None:
    """Write the model of the family `name` to `folder`, unless it is there; one that was cut short is written again."""
    if folder.is_dir():
        return
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    SEED_FAMILIES[name](unfinished, texts)
    unfinished.rename(folder)


def _write_visualglm(folder: Path, texts: Sequence[str]) -> None:
    visualglm_folder.write_folder(folder, [*texts, *[_VISUALGLM_PROMPT] * 20])


def _write_qwen_vl(folder: Path, texts: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    qwen_vl_folder.build(folder, text=f"{''.join(sorted(set(''.join(texts))))} {_QWEN_VL_PROMPT}")


def _write_minigpt4(folder: Path, texts: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    letters = "".join(texts)
    write_parts(native_model(letters), folder, letters)


def _write_opt(folder: Path, texts: Sequence[str]) -> None:
    write_opt(folder, texts, positions=_POSITIONS)


def _write_t5(folder: Path, texts: Sequence[str]) -> None:
    write_t5(folder, texts, spread=0.25)  # wider, it would begin with the loss of one who is sure and wrong


def _compose_mlp(folder: Path, texts: Sequence[str]) -> None:
    _compose(folder, texts, bridge=("mlp",))


def _compose_qformer(folder: Path, texts: Sequence[str]) -> None:
    """Take the Q-Former of a tiny BLIP-2: one that is drawn here would have the published 88 million weights."""
    other = folder.with_name("bridge")
    shutil.rmtree(other, ignore_errors=True)
    write_opt(other, texts)
    _compose(folder, texts, bridge=("qformer", "--bridge-from", str(other)))


def _compose(folder: Path, texts: Sequence[str], *, bridge: tuple[str, ...]) -> None:
    """Join CLIP and Llama by the command that a user types."""
    parts = folder.with_name("parts")
    shutil.rmtree(parts, ignore_errors=True)
    vision, language = parts / "clip", parts / "llama"
    write_clip(vision)
    write_llama(language, "".join(texts))
    named = ["--vision", str(vision), "--language", str(language), "--bridge", *bridge]
    command = [sys.executable, "-m", "finetune.cli", "models", "compose", *named, str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


SEED_FAMILIES: dict[str, Callable[[Path, Sequence[str]], None]] = {
    "visualglm": _write_visualglm,
    "qwen_vl": _write_qwen_vl,
    "minigpt4": _write_minigpt4,
    "blip2_opt": _write_opt,
    "blip2_flan_t5": _write_t5,
    "composed_qformer": _compose_qformer,
    "composed_mlp": _compose_mlp,
}
