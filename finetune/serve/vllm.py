"""Merged weights served by vLLM, where it is installed: many answers at once, and none of our own rendering.

vLLM hands a picture to the model's processor as it comes. Films must therefore be sent as `xray render --size` makes
them, in the size of the card; DICOM it cannot read.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from finetune.adapter_card import read_card
from finetune.serve.schema import MOST_FILMS
from xray.errors import ConfigError


def vllm_command(source: str, *, host: str, port: int) -> list[str]:
    """Return the command that serves a model folder. Raises ConfigError for anything else, and without vLLM."""
    folder = Path(source)
    if not (folder / "config.json").is_file():
        raise ConfigError(f"vLLM serves a model folder, which {source} is not. Make one with `finetune merge RUN OUT`.")
    if find_spec("vllm") is None:
        raise ConfigError("vLLM is not installed. Leave out --engine vllm, or install vllm beside the kit.")
    options = {"host": host, "port": str(port), "served-model-name": folder.resolve().name}
    # Without these two vLLM draws at random, as a folder's generation_config.json says.
    options |= {"generation-config": "vllm", "override-generation-config": '{"temperature": 0}'}
    options["limit-mm-per-prompt"] = f'{{"image": {MOST_FILMS}}}'
    return ["vllm", "serve", str(folder), *(word for name, value in options.items() for word in (f"--{name}", value))]


def become_vllm(source: str, *, host: str, port: int, api_key: str | None) -> NoReturn:
    """Let vLLM take this process's place. The key goes by its environment: a command line is seen by everybody."""
    command = vllm_command(source, host=host, port=port)
    card = read_card(Path(source))
    if card:
        seen = card.image_size or card.render.size
        print(f"vLLM renders nothing: send PNG films of {seen} px as `xray render` makes them.", flush=True)
    os.execvpe(command[0], command, {**os.environ, **({"VLLM_API_KEY": api_key} if api_key else {})})
