"""`finetune check`: everything short of training, so that a run that starts also ends."""

import math
import re
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice

import torch

from finetune.arguments import training_arguments
from finetune.batch import IGNORED, ChatEncoder, collate
from finetune.config import RunConfig, TrainConfig
from finetune.console import Screen
from finetune.models.loading import LoadedModel, add_adapter, load_base
from finetune.provenance import peak_gpu_memory_mib, peak_memory_mib
from finetune.run import Run, open_run
from finetune.tokens import count_tokens, refuse_short_limits
from finetune.train import rehearse
from xray.types import Example


def check_run(config: RunConfig, *, screen: Screen) -> None:
    """Read the data, load the model, count tokens, take two steps, and tell what a run would do.

    Raises ConfigError, DataError or MemoryLimitError where a run would.
    """
    training_arguments(config, folder=config.output_dir)
    run = open_run(config, screen=screen, command="check")
    with run.data.store.reading():
        _check(run, screen=screen)


def show_loss_mask(example: Example, *, encoder: ChatEncoder) -> str:
    """Return the example as the model reads it: what is masked in round brackets, the target in square ones."""
    row = encoder.encode(example, encoder.load_pixels(example))
    tokenizer, labels = encoder.processor.tokenizer, row["labels"][0]
    target = labels[labels != IGNORED]  # the end of the sequence; with a decoder of its own, not in `input_ids` at all
    ids = row["input_ids"][0]
    masked = tokenizer.decode(ids if encoder.has_decoder else ids[: len(ids) - len(target)])
    image_token = getattr(encoder.processor, "image_token", None)
    if image_token:
        run = re.compile(f"(?:{re.escape(image_token)})+")
        masked = run.sub(lambda found: f"<{len(found[0]) // len(image_token)} image tokens>", masked)
    return f"  ({masked})\n  [{tokenizer.decode(target)}]"


def count_steps(settings: TrainConfig, *, studies: int) -> int:
    """Return the optimiser steps of a whole training on so many studies."""
    if settings.max_steps > 0:
        return settings.max_steps
    batches = math.ceil(studies / settings.per_device_train_batch_size)
    return math.ceil(settings.num_train_epochs * math.ceil(batches / settings.gradient_accumulation_steps))


def _check(run: Run, *, screen: Screen) -> None:
    config = run.config
    leaks = run.data.store.info.leakage
    screen.say("Shared between splits: " + ", ".join(f"{name} {count}" for name, count in leaks.items()))
    base = load_base(config.model)
    encoder = ChatEncoder(
        processor=base.processor, image_size=config.model.image_size, cutoff_len=config.train.cutoff_len
    )
    counts = count_tokens(run.data.all, encoder=encoder)
    screen.say(
        f"Tokens: longest {counts.longest} of train.cutoff_len {config.train.cutoff_len}; "
        f"longest report {counts.longest_target} of generate.max_new_tokens {config.generate.max_new_tokens} "
        f"(all {len(counts.lengths)} studies counted)"
    )
    refuse_short_limits(counts, config=config)
    screen.say("What counts in the loss, in the first study:")
    screen.say(show_loss_mask(run.data.train[0], encoder=encoder))
    _refuse_mixed_batches(run.data.all, encoder=encoder, config=config)
    tuned = add_adapter(base, settings=config.model, adapter=config.adapter, seed=config.seed)
    seconds = _time_step(tuned, counts.longest_first(run.data.train), config=config, screen=screen)
    steps = count_steps(config.train, studies=len(run.data.train))
    screen.say(
        f"Training: {steps} steps, at most {seconds * steps / 3600:.2f} h. The evaluations, which write up to "
        f"{min(config.train.max_eval_examples, len(run.data.val))} reports each, and the reports of the test split "
        "come on top."
    )
    screen.say(f"Ready. `finetune run` would write {run.folder}")


def _refuse_mixed_batches(examples: Sequence[Example], *, encoder: ChatEncoder, config: RunConfig) -> None:
    """Raise ConfigError when studies with different numbers of films share batches but cannot be joined."""
    if max(config.train.per_device_train_batch_size, config.generate.batch_size) == 1:
        return
    one_each = {len(example.images): example for example in examples}
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in one_each.values()]
    collate(rows, pad_token_id=encoder.processor.tokenizer.pad_token_id)


def _time_step(loaded: LoadedModel, longest: Sequence[Example], *, config: RunConfig, screen: Screen) -> float:
    """Take two steps on the longest studies, tell what they needed, and return the seconds of the second one."""
    step = config.train.per_device_train_batch_size * config.train.gradient_accumulation_steps
    examples = list(islice(cycle(longest[:step]), 2 * step))
    learning = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
    ends: list[float] = []
    reached: set[str] = set()
    for name, parameter in learning.items():
        if "lora_B" in name:  # lora_A gets no gradient before lora_B has left zero
            parameter.register_hook(partial(_note_gradient, reached, name))
    loss = rehearse(loaded, config=config, examples=examples, progress=lambda *_: ends.append(_now()))
    screen.say(
        f"Two steps on the {len({example.example_id for example in examples})} longest studies: loss {loss:.3f}, "
        f"{sum(p.numel() for p in learning.values()):,} trained parameters, "
        f"{len(reached)} of {sum('lora_B' in name for name in learning)} lora_B tensors with a gradient, "
        f"{ends[1] - ends[0]:.2f} s a step; peak memory {_memory()}"
    )
    return ends[1] - ends[0]


def _note_gradient(reached: set[str], name: str, gradient: torch.Tensor) -> None:
    if gradient.count_nonzero():
        reached.add(name)


def _now() -> float:
    """Return the time when the GPU, if there is one, has done all it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _memory() -> str:
    on_gpu = peak_gpu_memory_mib()
    return f"{peak_memory_mib():.0f} MiB" + (f", on the GPU {on_gpu:.0f} MiB" if on_gpu is not None else "")
