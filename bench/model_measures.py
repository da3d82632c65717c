"""What is measured of a base model: writing a report, and training steps as this kit and as a plain script take them.

Each measure is made in a process of its own, whose whole peak counts, loading included. On a GPU that is what torch
allocated (`peak_gb`) and what it took from the card for it (`reserved_gb`, of which the CUDA libraries' own half GB is
no part); on a CPU the resident memory of the process.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    AutoModelForImageTextToText,
    BitsAndBytesConfig,
    ProcessorMixin,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from bench.model_folders import Family
from finetune.arguments import training_arguments
from finetune.batch import ChatEncoder
from finetune.config import AdapterConfig, ModelConfig, RunConfig, TrainConfig
from finetune.generate import GREEDY
from finetune.models.loading import add_adapter, build_on_meta, compute_dtype, load_base
from finetune.models.parts import find_parts
from finetune.models.processing import load_processor
from finetune.report_tokens import collate_for_loss, scores_some_tokens
from xray.types import Example, Turn

_NEW_TOKENS = 128
_WARMING_UP, _STEPS = 3, 10
_FILLER = "。"  # a token of its own in every tokenizer here

Row = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Memory in GB (1e9 bytes). `loading_gb`: the peak before the work began. `error`: why there is none."""

    loading_gb: float = 0.0
    peak_gb: float = 0.0
    reserved_gb: float = 0.0
    tokens_per_second: float = 0.0
    error: str = ""


def measure_generate(folder: Path, family: Family) -> Measured:
    """Write tokens after a prompt, one film at a time, in 4 bits. The prompt is read within the time."""
    loaded = load_base(small_card(folder))
    loading = _peak_gb()
    row = encoded(loaded.processor, family, target=False)
    inputs = {name: tensor.to(loaded.model.device) for name, tensor in row.items()}

    def write(count: int) -> float:
        started = time.perf_counter()
        settings = {"min_new_tokens": count, "max_new_tokens": count, **GREEDY}
        written = loaded.model.generate(**inputs, **settings, pad_token_id=loaded.processor.tokenizer.pad_token_id)
        tokens = written[0].tolist()  # waits for the GPU
        assert len(tokens) == family.prompt_tokens + count
        return time.perf_counter() - started

    with torch.inference_mode():
        write(_WARMING_UP)
        return _measured(_NEW_TOKENS / write(_NEW_TOKENS), loading_gb=loading)


def measure_qlora(folder: Path, family: Family) -> Measured:
    """Take steps of QLoRA at batch 1 as this kit does on a small card."""
    train = TrainConfig(per_device_train_batch_size=1, gradient_checkpointing=True)
    config = RunConfig(name="bench", model=small_card(folder), train=train)
    base = load_base(config.model)
    tuned = add_adapter(base, settings=config.model, adapter=config.adapter, seed=config.seed)
    changes = {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
    arguments = partial(training_arguments, config, **changes)
    row = encoded(base.processor, family, target=True)
    return _train(tuned.model, row=row, arguments=arguments, reports_only=scores_some_tokens(tuned.base))


def small_card(folder: Path) -> ModelConfig:
    """Return the settings for little memory: language model in 4 bits, vision tower in 8, embeddings on the host."""
    return ModelConfig(model_name_or_path=str(folder), quantization_bit=4, vision_tower_bit=8, offload_embedding=True)


def measure_plain(folder: Path, family: Family) -> Measured:
    """Take the same steps as peft's documentation does: what the libraries quantise in 4 bits, the rest in 32.

    Adapter, optimiser and recomputed activations are those of the kit.
    """
    processor = load_processor(folder)  # makes our own families known, too
    dtype, adapter = compute_dtype(ModelConfig()), AdapterConfig()
    model = AutoModelForImageTextToText.from_pretrained(
        folder,
        dtype=dtype,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        ),
        device_map={"": 0} if torch.cuda.is_available() else None,
    )
    model = prepare_model_for_kbit_training(model, gradient_checkpointing_kwargs={"use_reentrant": False})
    lora = LoraConfig(
        r=adapter.lora_rank,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=list(find_parts(build_on_meta(str(folder))).language_model),
    )
    arguments = partial(
        _plain_arguments,
        bf16=torch.cuda.is_available() and dtype == torch.bfloat16,
        fp16=torch.cuda.is_available() and dtype == torch.float16,
    )
    return _train(get_peft_model(model, lora), row=encoded(processor, family, target=True), arguments=arguments)


def _plain_arguments(*, folder: Path, **settings: Any) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        learning_rate=1e-4,
        optim="adamw_torch",
        gradient_checkpointing=True,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to=[],
        remove_unused_columns=False,
        disable_tqdm=True,
        **settings,
    )


def encoded(processor: ProcessorMixin, family: Family, *, target: bool) -> Row:
    """Return a prompt of exactly `prompt_tokens`, or with `target` a training row of exactly `row_tokens`."""
    encoder = ChatEncoder(processor=processor)
    films = [np.random.default_rng(0).integers(0, 256, (family.film_px, family.film_px), dtype=np.uint8)]
    blank = Example(
        example_id="bench",
        study_uid="bench",
        patient_key="bench",
        images=(Path("drawn.png"),),
        views=("frontal",),
        messages=(Turn(role="user", text=""),),
        target=_FILLER,
        language="zh",
        origin="synthetic",
        split="train",
    )

    def asked(text: str) -> Example:
        return replace(blank, messages=(Turn(role="user", text=text),))

    question = _filled(lambda text: _length(encoder.encode_prompt(asked(text), films)), family.prompt_tokens)
    if not target:
        return encoder.encode_prompt(asked(question), films)
    example = asked(question)
    room = family.row_tokens - family.prompt_tokens
    report = _filled(lambda text: encoder.target_ids(replace(example, target=_FILLER + text)).shape[1], room)
    return encoder.encode(replace(example, target=_FILLER + report), films)


def _filled(count: Callable[[str], int], tokens: int) -> str:
    """Return a text that `count` finds `tokens` in."""
    text = _FILLER * (tokens - count(""))
    assert count(text) == tokens
    return text


def _length(row: Row) -> int:
    return row["input_ids"].shape[1]


def _train(
    model: PeftModel, *, row: Row, arguments: Callable[..., TrainingArguments], reports_only: bool = False
) -> Measured:
    """Take steps on a batch of one row, the same each time; with `reports_only` its prompt is not scored."""
    clock, loading = _Clock(), _peak_gb()
    with TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=arguments(folder=Path(scratch), max_steps=_WARMING_UP + _STEPS),
            train_dataset=[row] * (_WARMING_UP + _STEPS),
            data_collator=partial(
                collate_for_loss, pad_token_id=0, reports_only=reports_only
            ),  # one row: nothing is padded
            callbacks=[clock],
        )
        trainer.train()
    seconds = statistics.median(end - start for start, end in pairwise(clock.ends[_WARMING_UP - 1 :]))
    return _measured(_length(row) / seconds, loading_gb=loading)


class _Clock(TrainerCallback):
    """Notes when each step has ended, on the GPU too."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())


def _measured(tokens_per_second: float, *, loading_gb: float) -> Measured:
    peak = _peak_gb()
    reserved = torch.cuda.max_memory_reserved() / 1e9 if torch.cuda.is_available() else peak
    return Measured(loading_gb=loading_gb, peak_gb=peak, reserved_gb=reserved, tokens_per_second=tokens_per_second)


def _peak_gb() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    status = Path("/proc/self/status").read_text(encoding="ascii")  # `ru_maxrss` would start with the parent's
    return next(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e9


MEASURES = {"generate": measure_generate, "qlora": measure_qlora, "plain": measure_plain}
