"""The training libraries, made quiet before a command uses them."""

import os
from importlib.util import find_spec

from xray.errors import ConfigError


def prepare_libraries() -> None:
    """Keep the libraries quiet and on this machine. A hub is asked only when a config names a hub id.

    Raises ConfigError where the kit was installed without its training part.
    """
    if find_spec("torch") is None:
        raise ConfigError("training is not installed. Install the kit with its extra `train`.")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from finetune.models.loading import silence_libraries

    silence_libraries()
