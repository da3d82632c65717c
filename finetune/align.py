"""`finetune models align`: train a Q-Former on films and reports, for `finetune models compose --bridge-from`.

The data, their order and their augmentation are those of `finetune run`. It is one pass without resuming: the frozen
tower does most of the work, and a stage of a few epochs takes hours, not days.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, BertModel, PreTrainedModel, PreTrainedTokenizerBase, get_scheduler

from finetune.batch import ChatEncoder, collate
from finetune.config import RunConfig
from finetune.console import Screen
from finetune.dataset import prepare_data
from finetune.loader import START_METHOD, EpochSampler, EvaluationSet, TrainingSet, plain_errors, use_one_thread
from finetune.manifest import HISTORY_FILE
from finetune.models.composed.compose import load_image_processor, load_tower
from finetune.models.composed.first_stage import FirstStage, Losses, Reports
from finetune.models.folder import check_part
from finetune.models.loading import set_threads
from xray.augment import build as build_augmenter
from xray.errors import ConfigError
from xray.records import Record, write_atomically, write_lines
from xray.types import Example

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEncoder(ChatEncoder):
    """Turns an example into its first film and its report. `processor` is the tower's image processor."""

    tokenizer: PreTrainedTokenizerBase
    longest: int = 512

    def encode(self, example: Example, pixels: Sequence[NDArray[np.uint8]]) -> Batch:
        """Return the film [1, 3, H, W], the report's ids and mask [1, T], and who and what they are, int64 [1]."""
        film = Image.fromarray(pixels[0]).convert("RGB")
        words = self.tokenizer(example.target, truncation=True, max_length=self.longest)
        return {
            "pixel_values": self.processor([film], return_tensors="pt")["pixel_values"],
            "input_ids": torch.tensor([words["input_ids"]]),
            "attention_mask": torch.tensor([words["attention_mask"]]),
            "patient": torch.tensor([_number(example.patient_key)]),
            "text": torch.tensor([_number(example.target.strip())]),
        }


class AlignRow(Record):
    """Mean losses on the validation split, in nats."""

    step: int
    contrast: float
    matching: float
    writing: float

    @property
    def total(self) -> float:
        """Their sum, by which the best Q-Former is chosen."""
        return self.contrast + self.matching + self.writing


class Aligner:
    """A frozen tower, a Q-Former that learns, and the optimiser between them."""

    def __init__(self, *, config: RunConfig, vision: Path, text: Path, num_query_tokens: int = 32) -> None:
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tower: PreTrainedModel = load_tower(vision).to(self.device).requires_grad_(False).eval()
        bert, self.tokenizer = _load_bert(text)
        stage = FirstStage(
            bert,
            encoder_width=self.tower.config.hidden_size,
            num_query_tokens=num_query_tokens,
            seed=config.seed,
        )
        self.stage = stage.to(self.device)
        self.encoder = PairEncoder(
            processor=load_image_processor(vision),
            tokenizer=self.tokenizer,
            image_size=config.model.image_size,
            longest=min(config.train.cutoff_len, bert.config.max_position_embeddings),
        )

    def losses(self, batch: Batch, *, generator: torch.Generator) -> Losses:
        """Return the three losses of a batch."""
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        with torch.no_grad():
            seen = self.tower(pixel_values=batch["pixel_values"].to(self.tower.dtype)).last_hidden_state.float()
        writer = self.stage.config.vocab_size - 1
        reports = Reports(ids=batch["input_ids"], mask=batch["attention_mask"], writer=writer)
        same = _pairs(batch["patient"]) | _pairs(batch["text"])
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            return self.stage.losses(seen, reports, rivals=~same, generator=generator)

    def train(self, examples: Sequence[Example], *, progress: Callable[[int, int, str], None]) -> Iterator[int]:
        """Train on `examples`, and yield the steps that are done after each epoch and at the end."""
        settings = self.config.train
        augmenter = build_augmenter(self.config.augment)
        rows = TrainingSet(examples, encoder=self.encoder, augmenter=augmenter, seed=self.config.seed)
        sampler = EpochSampler(len(examples), seed=self.config.seed)
        loader = self._loader(rows, sampler)
        total = settings.max_steps if settings.max_steps > 0 else round(settings.num_train_epochs * len(loader)) or 1
        warmup = settings.warmup_steps * total if settings.warmup_steps < 1 else settings.warmup_steps
        optimizer = torch.optim.AdamW(
            self.stage.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = get_scheduler(settings.lr_scheduler_type, optimizer, round(warmup), total)
        generator = torch.Generator().manual_seed(self.config.seed)
        step = 0
        while step < total:
            self.stage.train()
            for batch in islice(loader, total - step):
                loss = self.losses(batch, generator=generator).total
                if not torch.isfinite(loss):
                    raise ConfigError("the loss is no longer a number: lower train.learning_rate")
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(self.stage.parameters(), settings.max_grad_norm)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                step += 1
                progress(step, total, f"loss {loss.item():.3f}")
            sampler.set_epoch(sampler.epoch + 1)
            yield step

    @torch.inference_mode()
    def judge(self, examples: Sequence[Example], *, step: int) -> AlignRow:
        """Return the mean losses on `examples`. The same wrong answers are drawn each time."""
        self.stage.eval()
        generator = torch.Generator().manual_seed(self.config.seed)
        found = [self.losses(batch, generator=generator) for batch in self._loader(self._validation(examples), None)]
        means = [
            sum(float(getattr(losses, name)) for losses in found) / len(found)
            for name in ("contrast", "matching", "writing")
        ]
        return AlignRow(step=step, contrast=means[0], matching=means[1], writing=means[2])

    def save(self, folder: Path) -> None:
        """Write the Q-Former as `finetune models compose --bridge-from` reads it; the heads are not part of it."""
        folder.mkdir(parents=True, exist_ok=True)
        state = self.stage.state_dict()
        kept = {name: state[name].contiguous() for name in state if name.startswith(("qformer.", "query_tokens"))}
        save_file(kept, folder / "model.safetensors")
        content = {"qformer_config": self.stage.config.to_dict()}
        write_atomically(folder / "config.json", json.dumps(content, indent=2) + "\n")

    def _validation(self, examples: Sequence[Example]) -> EvaluationSet:
        return EvaluationSet(examples, encoder=self.encoder)

    def _loader(self, rows: TrainingSet | EvaluationSet, order: EpochSampler | None) -> DataLoader[Batch]:
        workers = self.config.train.dataloader_num_workers
        return DataLoader(
            rows,
            sampler=order,
            batch_size=self.config.train.per_device_train_batch_size,
            collate_fn=partial(collate, pad_token_id=self.tokenizer.pad_token_id),
            num_workers=workers,
            worker_init_fn=use_one_thread,
            multiprocessing_context=START_METHOD if workers else None,
        )


def align(config: RunConfig, *, vision: Path, text: Path, folder: Path, screen: Screen) -> list[AlignRow]:
    """Train a Q-Former on the data of `config` and write the best one to `folder`; return the validation losses.

    Raises ConfigError for a folder that is in use, for a tower or a BERT that cannot be loaded, and for a loss that is
    no longer a number.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is in use. Name a folder that is not there yet.")
    set_threads(config.train.num_threads)
    aligner = Aligner(config=config, vision=vision, text=text)
    with screen.stage("Preparing films", key="prepare") as tick:
        data = prepare_data(config.data, progress=tick)
    rows: list[AlignRow] = []
    with screen.stage("Training", key="train") as tick, plain_errors():
        for step in aligner.train(data.train, progress=tick):
            rows.append(aligner.judge(data.val, step=step))
            if len(rows) == 1 and rows[0].contrast == rows[0].matching == 0:
                screen.say(
                    "Warning: no two patients in a batch of the validation split: contrast and matching say nothing."
                )
            if rows[-1].total == min(row.total for row in rows):
                aligner.save(folder)
            write_lines(folder / HISTORY_FILE, rows)
    return rows


def _load_bert(folder: Path) -> tuple[BertModel, PreTrainedTokenizerBase]:
    kind = check_part(folder, tokenizer=True)
    if kind != "bert":
        raise ConfigError(f"{folder} is no BERT, such as bert-base-chinese: its model_type is {kind!r}")
    try:
        bert = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        line = str(error).strip().split("\n")[0]
        raise ConfigError(f"{folder} is no BERT, such as bert-base-chinese: {line}") from error
    return bert, tokenizer


def _number(text: str) -> int:
    """Return a number that stands for a text, for comparison within a batch."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7])


def _pairs(values: torch.Tensor) -> torch.Tensor:
    """Return which rows hold the same value, bool [B, B]."""
    return values[:, None] == values[None, :]
