"""Example -> token ids, labels and pixels -> batch.

An example becomes one conversation in the model's own chat template: the films and the question are the prompt, the
report and the end-of-turn token are the target. Only the target counts in the loss: prompt and image tokens carry the
label -100. Sequences are never cut; one that is too long is an error that names the study.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset, Sampler
from transformers import ProcessorMixin

from xray.augment import Augmenter
from xray.errors import ConfigError, DataError
from xray.types import Example

IGNORED = -100
# What has one entry per token and is padded; every other tensor is per image and is concatenated.
_PER_TOKEN = ("input_ids", "attention_mask", "labels", "token_type_ids", "mm_token_type_ids")

Key = tuple[int, int]
"""(epoch, index): what a sampler hands to the data set, so that augmentation depends on nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEncoder:
    """Turns examples into model inputs.

    `image_size`: long side in pixels of what the model sees, None for the prepared size. `cutoff_len`: tokens.
    """

    processor: ProcessorMixin
    image_size: int | None = None
    cutoff_len: int = 1 << 20

    def prompt(self, example: Example) -> str:
        """Return the conversation up to the place where the report begins."""
        return self._render(_conversation(example), open_turn=True)

    def target(self, example: Example) -> str:
        """Return the report with what the chat template puts after it, the end-of-turn token included.

        Raises ConfigError when the template changes the prompt once it is answered.
        """
        answer = {"role": "assistant", "content": [{"type": "text", "text": example.target}]}
        prompt, whole = self.prompt(example), self._render([*_conversation(example), answer], open_turn=False)
        if not whole.startswith(prompt):
            raise ConfigError(
                "the model's chat template rewrites the prompt when it is answered; it cannot be trained on"
            )
        return whole[len(prompt) :].rstrip()

    def encode_prompt(self, example: Example, pixels: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """Return the inputs of a prompt: per token [1, T], per image [N, ...]. `pixels`: uint8 [H, W] per film."""
        images = [Image.fromarray(film).convert("RGB") for film in pixels] or None
        prompt, bos = self.prompt(example), self.processor.tokenizer.bos_token
        written = {"add_special_tokens": False} if bos and prompt.startswith(bos) else {}  # the template wrote it
        return dict(self.processor(text=[prompt], images=images, return_tensors="pt", **written))

    def encode(self, example: Example, pixels: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """Return the inputs and labels of an example for training.

        Raises DataError when the sequence is longer than `cutoff_len`.
        """
        inputs = self.encode_prompt(example, pixels)
        tokens = self.processor.tokenizer(self.target(example), add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ]
        prompt_length, target_length = inputs["input_ids"].shape[1], tokens.shape[1]
        if prompt_length + target_length > self.cutoff_len:
            raise DataError(
                f"study {example.study_uid} needs {prompt_length} + {target_length} tokens, more than train.cutoff_len "
                f"{self.cutoff_len}. Raise train.cutoff_len, or lower model.image_size."
            )
        labels = torch.full_like(inputs["input_ids"], IGNORED)
        inputs["labels"] = torch.cat([labels, tokens], dim=1)
        inputs["input_ids"] = torch.cat([inputs["input_ids"], tokens], dim=1)
        for name, fill in (("attention_mask", 1), ("token_type_ids", 0), ("mm_token_type_ids", 0)):
            if name in inputs:
                inputs[name] = torch.nn.functional.pad(inputs[name], (0, target_length), value=fill)
        return inputs

    def _target_tokens(self, example: Example) -> torch.Tensor:
        """Return the target's ids [1, T], always with an end token: without one a model never learns to stop."""
        tokenizer = self.processor.tokenizer
        tokens: torch.Tensor = tokenizer(self.target(example), add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ]
        if int(tokens[0, -1]) in tokenizer.all_special_ids:
            return tokens
        return torch.cat([tokens, torch.tensor([[tokenizer.eos_token_id]])], dim=1)

    def load_pixels(self, example: Example) -> list[NDArray[np.uint8]]:
        """Read the example's prepared films and shrink them to the model's size. uint8 [H, W] each, 0 = black."""
        return [self._shrink(read_film(path)) for path in example.images]

    def _shrink(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        long_side = max(pixels.shape)
        if self.image_size is None or long_side <= self.image_size:
            return pixels
        scale = self.image_size / long_side
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def _render(self, messages: list[dict[str, Any]], *, open_turn: bool) -> str:
        return str(self.processor.apply_chat_template(messages, add_generation_prompt=open_turn, tokenize=False))


def _conversation(example: Example) -> list[dict[str, Any]]:
    """Return the turns before the report, in the form chat templates read; the films come with the first question."""
    messages: list[dict[str, Any]] = []
    films = [{"type": "image"} for _ in example.images]
    for turn in example.messages:
        content: list[dict[str, str]] = [{"type": "text", "text": turn.text}]
        if turn.role == "user" and films:
            content, films = [*films, *content], []
        messages.append({"role": turn.role, "content": content})
    return messages


def read_film(path: Path) -> NDArray[np.uint8]:
    """Read a prepared film: uint8 [H, W], 0 = black. Raises DataError when it is missing or damaged."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except (OSError, ValueError):
        raise DataError(f"prepared film {path} is missing or damaged. Delete its store folder and run again.") from None


class TrainingSet(Dataset[dict[str, torch.Tensor]]):
    """Training examples, augmented. Indexed by (epoch, index), so worker count and resume change nothing."""

    def __init__(self, examples: Sequence[Example], *, encoder: ChatEncoder, augmenter: Augmenter, seed: int) -> None:
        self.examples = examples
        self.encoder = encoder
        self.augmenter = augmenter
        self.seed = seed

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, key: Key) -> dict[str, torch.Tensor]:
        """Return the encoded example `index` as augmented in `epoch`."""
        epoch, index = key
        example = self.examples[index]
        films = [
            self.augmenter.apply(film, seed=self.seed, epoch=epoch, example_id=example.example_id, image_index=number)
            for number, film in enumerate(self.encoder.load_pixels(example))
        ]
        return self.encoder.encode(example, films)


class EvaluationSet(Dataset[dict[str, torch.Tensor]]):
    """Examples as they are, for the loss on the validation split."""

    def __init__(self, examples: Sequence[Example], *, encoder: ChatEncoder) -> None:
        self.examples = examples
        self.encoder = encoder

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return the encoded example `index`."""
        example = self.examples[index]
        return self.encoder.encode(example, self.encoder.load_pixels(example))


class EpochSampler(Sampler[Key]):
    """The order of an epoch: a permutation drawn from (seed, epoch) and from nothing else."""

    def __init__(self, length: int, *, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; called by the training loop."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Key]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        return iter([(self.epoch, int(index)) for index in order])


def collate(
    rows: Sequence[dict[str, torch.Tensor]], *, pad_token_id: int, side: str = "right"
) -> dict[str, torch.Tensor]:
    """Join encoded examples into one batch, padded on the right for training and on the left for generation."""
    fill = {"input_ids": pad_token_id, "labels": IGNORED}
    batch: dict[str, torch.Tensor] = {}
    for name in rows[0]:
        tensors = [row[name] for row in rows]
        if name in _PER_TOKEN:
            longest = max(tensor.shape[1] for tensor in tensors)
            tensors = [_pad(tensor, longest, value=fill.get(name, 0), side=side) for tensor in tensors]
        elif len({tensor.shape[1:] for tensor in tensors}) > 1:
            raise ConfigError(
                f"this model packs a study into `{name}`: studies with different numbers of films cannot share "
                "a batch. Set data.max_images=1, or batch sizes of 1."
            )
        batch[name] = torch.cat(tensors, dim=0)
    return batch


def _pad(tensor: torch.Tensor, length: int, *, value: int, side: str) -> torch.Tensor:
    missing = length - tensor.shape[1]
    return torch.nn.functional.pad(tensor, (missing, 0) if side == "left" else (0, missing), value=value)
