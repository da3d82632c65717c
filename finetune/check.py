"""`finetune check`: everything short of training, so that a run that starts also ends."""

import re
import time
from collections.abc import Sequence

from finetune.batch import IGNORED, ChatEncoder, collate
from finetune.config import RunConfig
from finetune.console import Screen
from finetune.models.loading import LoadedModel, add_adapter, load_base
from finetune.provenance import peak_gpu_memory_mib, peak_memory_mib
from finetune.run import open_run
from finetune.tokens import count_tokens, refuse_short_limits
from xray.types import Example


def check_run(config: RunConfig, *, screen: Screen) -> None:
    """Read the data, load the model, count tokens, take one step on two studies, and tell what a run would do.

    Raises ConfigError, DataError or MemoryLimitError where a run would.
    """
    run = open_run(config, screen=screen, command="check")
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
        f"({counts.sampled} studies encoded)"
    )
    refuse_short_limits(counts, config=config)
    screen.say("What counts in the loss, in the first study:")
    screen.say(show_loss_mask(run.data.train[0], encoder=encoder))
    tuned = add_adapter(base, settings=config.model, adapter=config.adapter, seed=config.seed)
    _try_step(tuned, run.data.train[:2], encoder=encoder, config=config, studies=len(run.data.train), screen=screen)
    screen.say(f"Ready. `finetune run` would write {run.folder}")


def show_loss_mask(example: Example, *, encoder: ChatEncoder) -> str:
    """Return the example as the model reads it: what is masked in round brackets, the target in square ones."""
    row = encoder.encode(example, encoder.load_pixels(example))
    tokenizer, ids, counted = encoder.processor.tokenizer, row["input_ids"][0], row["labels"][0] != IGNORED
    masked = tokenizer.decode(ids[~counted])
    image_token = getattr(encoder.processor, "image_token", None)
    if image_token:
        run = re.compile(f"(?:{re.escape(image_token)})+")
        masked = run.sub(lambda found: f"<{len(found[0]) // len(image_token)} image tokens>", masked)
    return f"  ({masked})\n  [{tokenizer.decode(ids[counted])}]"


def _try_step(
    loaded: LoadedModel,
    examples: Sequence[Example],
    *,
    encoder: ChatEncoder,
    config: RunConfig,
    studies: int,
    screen: Screen,
) -> None:
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in examples]
    batch = collate(rows, pad_token_id=loaded.processor.tokenizer.pad_token_id)
    batch = {name: tensor.to(loaded.model.device) for name, tensor in batch.items()}
    loaded.model.train()
    loaded.model(**batch).loss.backward()
    loaded.model.zero_grad()
    started = time.perf_counter()
    loss = loaded.model(**batch).loss
    loss.backward()
    touched = sum(bool(p.grad.abs().sum() > 0) for p in loaded.model.parameters() if p.grad is not None)  # waits
    seconds = (time.perf_counter() - started) / len(rows)
    learning = [p for p in loaded.model.parameters() if p.requires_grad]
    hours = seconds * studies * config.train.num_train_epochs / 3600
    number = sum(p.numel() for p in learning)
    screen.say(
        f"One step on {len(rows)} studies: loss {loss.item():.3f}, {number:,} trained parameters, "
        f"{touched} of {len(learning)} tensors with a gradient, {seconds:.2f} s a study, so at most {hours:.2f} h for "
        f"{config.train.num_train_epochs:g} epochs; peak memory {_memory()}"
    )


def _memory() -> str:
    on_gpu = peak_gpu_memory_mib()
    return f"{peak_memory_mib():.0f} MiB" + (f", on the GPU {on_gpu:.0f} MiB" if on_gpu is not None else "")
