"""Example -> token ids, labels and pixels -> batch.

An example becomes one conversation in the model's own chat template: the films and the question are the prompt, the
report and the token that ends it are the target. Only the target counts in the loss: prompt and image tokens carry the
label -100. Sequences are never cut; one that is too long is an error that names the study.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from jinja2 import TemplateError
from numpy.typing import NDArray
from PIL import Image
from transformers import ProcessorMixin

from xray.data.stored_films import film_size, read_deep, read_film
from xray.errors import ConfigError, DataError
from xray.types import Example

Depth = TypeVar("Depth", np.uint8, np.uint16)

IGNORED = -100
# What has one entry per token and is padded; every other tensor is per image and is concatenated.
_PER_TOKEN = ("input_ids", "attention_mask", "labels", "token_type_ids", "mm_token_type_ids")
# Inputs that hold the tiles of films in their second dimension, by their number of dimensions when they do.
_BY_TILES = {"pixel_values": 5, "pixel_attention_mask": 4}
_ANY_REPORT = "双肺野清晰。"
_OTHER_BASE = "choose another model.model_name_or_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEncoder:
    """Turns examples into model inputs.

    `image_size`: long side in pixels of what the model sees, None for the prepared size. `cutoff_len`: tokens.
    """

    processor: ProcessorMixin
    image_size: int | None = None
    cutoff_len: int = 1 << 20

    @property
    def has_decoder(self) -> bool:
        """True for a model that reads the prompt with an encoder and writes the report with a decoder of its own."""
        return getattr(self.processor, "is_encoder_decoder", False)

    def prompt(self, example: Example) -> str:
        """Return the conversation up to the place where the report begins."""
        return self._render(_conversation(example), open_turn=True)

    def target(self, example: Example) -> str:
        """Return the report with what the chat template puts after it.

        Raises ConfigError when the template changes the prompt once it is answered.
        """
        answer = {"role": "assistant", "content": [{"type": "text", "text": example.target}]}
        prompt, whole = self.prompt(example), self._render([*_conversation(example), answer], open_turn=False)
        if not whole.startswith(prompt):
            raise ConfigError(
                f"{self._model}: the chat template rewrites the prompt when it is answered; {_OTHER_BASE}"
            )
        return whole[len(prompt) :].rstrip()

    def target_ids(self, example: Example) -> torch.Tensor:
        """Return the target as ids [1, T]: the template's, closed with the tokenizer's end token if by nothing at all.

        Raises DataError for a study without a report, and ConfigError for a tokenizer that knows less than half of it.
        A target without an end would never teach a model to stop.
        """
        if not example.target.strip():
            raise DataError(f"study {example.study_uid} has an empty report. Leave it out of the table.")
        tokenizer = self.processor.tokenizer
        target = self.target(example)
        tokens: list[int] = tokenizer(target, add_special_tokens=False)["input_ids"]
        kept = tokenizer.decode(tokens, skip_special_tokens=True)
        if tokenizer.unk_token_id in tokens and 2 * len(kept) < len(target):
            raise ConfigError(f"{self._model} has no letters for {example.language} reports; {_OTHER_BASE}")
        if not self._after(example.target, target):
            tokens = [*tokens, tokenizer.eos_token_id]
        return torch.tensor([tokens])

    def closing_id(self, example: Example) -> int | None:
        """Return the token that the chat template closes an answer with; None when it writes none."""
        answered = self.target(replace(example, target=_ANY_REPORT))
        return next(iter(self._control_ids(self._after(_ANY_REPORT, answered))), None)

    def closing_text(self, example: Example) -> str | None:
        """Return the words that the chat template closes an answer with in place of a token, such as ###."""
        closing = self._after(_ANY_REPORT, self.target(replace(example, target=_ANY_REPORT)))
        return None if self._control_ids(closing) else closing or None

    def encode_prompt(self, example: Example, pixels: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """Return the inputs of a prompt: per token [1, T], per image [N, ...]. `pixels`: uint8 [H, W] per film.

        Raises ConfigError when the model's processor cannot take the films, or they do not reach the prompt.
        """
        images = [Image.fromarray(film).convert("RGB") for film in pixels] or None
        prompt, bos = self.prompt(example), self.processor.tokenizer.bos_token
        written = {"add_special_tokens": False} if bos and prompt.startswith(bos) else {}  # the template wrote it
        with self._refusals(f"cannot read study {example.study_uid} with its {len(pixels)} films", _OTHER_BASE):
            inputs = dict(self.processor(text=[prompt], images=images, return_tensors="pt", **written))
        self._check(inputs, films=len(pixels))
        return inputs

    def encode(self, example: Example, pixels: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """Return the inputs and labels of an example for training.

        Raises DataError when the sequence is longer than `cutoff_len`.
        """
        inputs, tokens = self.encode_prompt(example, pixels), self.target_ids(example)
        target_length = tokens.shape[1]
        self.check_length(example, prompt=inputs["input_ids"].shape[1], target=target_length)
        if self.has_decoder:  # it makes its own input from the labels
            return {**inputs, "labels": tokens}
        labels = torch.full_like(inputs["input_ids"], IGNORED)
        inputs["labels"] = torch.cat([labels, tokens], dim=1)
        inputs["input_ids"] = torch.cat([inputs["input_ids"], tokens], dim=1)
        for name, fill in (("attention_mask", 1), ("token_type_ids", 0), ("mm_token_type_ids", 0)):
            if name in inputs:
                inputs[name] = torch.nn.functional.pad(inputs[name], (0, target_length), value=fill)
        return inputs

    def check_length(self, example: Example, *, prompt: int, target: int) -> None:
        """Raise DataError when so many tokens are more than `cutoff_len`."""
        if prompt + target > self.cutoff_len:
            raise DataError(
                f"study {example.study_uid} needs {prompt} + {target} tokens, more than train.cutoff_len "
                f"{self.cutoff_len}. Raise train.cutoff_len, or lower model.image_size."
            )

    def load_pixels(self, example: Example) -> list[NDArray[np.uint8]]:
        """Read the example's prepared films and shrink them to the model's size. uint8 [H, W] each, 0 = black."""
        return [self.shrink(read_film(place)) for place in example.images]

    def load_deep(self, example: Example) -> list[NDArray[np.uint16] | None]:
        """Read the 16-bit masters of the films in the same size; None for each that has none."""
        masters = (read_deep(place) for place in example.images)
        return [None if master is None else self.shrink(master) for master in masters]

    def film_sizes(self, example: Example) -> tuple[tuple[int, int], ...]:
        """Return (rows, columns) of each film as the model sees it, without reading the pixels."""
        return tuple(self._seen_size(*film_size(place)) for place in example.images)

    def _seen_size(self, rows: int, columns: int) -> tuple[int, int]:
        long_side = max(rows, columns)
        if self.image_size is None or long_side <= self.image_size:
            return rows, columns
        scale = self.image_size / long_side
        return max(1, round(rows * scale)), max(1, round(columns * scale))

    def shrink(self, pixels: NDArray[Depth]) -> NDArray[Depth]:
        """Bring a rendered film, [H, W], to the size that the model sees; a smaller one is never enlarged."""
        rows, columns = self._seen_size(pixels.shape[0], pixels.shape[1])
        if (rows, columns) == pixels.shape:
            return pixels
        return np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), dtype=pixels.dtype)

    def _render(self, messages: list[dict[str, Any]], *, open_turn: bool) -> str:
        with self._refusals("cannot write the conversation", f"leave data.system out, or {_OTHER_BASE}"):
            return str(self.processor.apply_chat_template(messages, add_generation_prompt=open_turn, tokenize=False))

    @property
    def _model(self) -> str:
        return f"the model {self.processor.tokenizer.name_or_path}"

    @contextmanager
    def _refusals(self, what: str, remedy: str) -> Iterator[None]:
        """Turn what a processor or a chat template raises into one line that names the model."""
        try:
            yield
        except (TemplateError, ValueError, TypeError, AttributeError) as error:
            reason = str(error).strip().split("\n")[0].removesuffix(".")
            raise ConfigError(f"{self._model} {what} ({reason}); {remedy}") from error

    def _check(self, inputs: dict[str, Any], *, films: int) -> None:
        """Refuse a model whose inputs this kit cannot lengthen and batch, and films that left no token behind."""
        length = inputs["input_ids"].shape[1]
        for name, value in inputs.items():
            if not isinstance(value, torch.Tensor) or (name not in _PER_TOKEN and value.shape[:2] == (1, length)):
                raise ConfigError(f"{self._model} needs `{name}`, which this kit cannot batch; {_OTHER_BASE}")
        token = getattr(self.processor, "image_token_id", None)
        found = 0 if token is None else int((inputs["input_ids"] == token).sum())
        if found < films:
            raise ConfigError(
                f"{self._model} gets {found} image tokens for {films} films: its chat template or its processor leaves "
                f"them out; {_OTHER_BASE}"
            )

    def _after(self, report: str, target: str) -> str:
        _, found, closing = target.rpartition(report.strip())
        if not found:
            raise ConfigError(f"{self._model}: the chat template rewrites the report; {_OTHER_BASE}")
        return closing

    def _control_ids(self, text: str) -> list[int]:
        """Return the ids in `text` that are tokens of their own, not pieces of words."""
        tokenizer = self.processor.tokenizer
        control = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
        return [token for token in tokenizer(text, add_special_tokens=False)["input_ids"] if token in control]


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
            batch[name] = torch.cat(tensors, dim=0)
        else:
            batch[name] = _join_films(tensors, name=name, packed="target_sizes" in rows[0])
    return batch


def _join_films(tensors: Sequence[torch.Tensor], *, name: str, packed: bool) -> torch.Tensor:
    """Join what the rows hold of their films: patches [N, D], films or tiles [N, ...], or films of tiles [N, T, ...].

    `packed` (MiniCPM-V): all patches of a batch lie in one row [1, C, P, N]. LLaVA-NeXT and SmolVLM count the tiles of
    a film, so that empty ones at the end are never looked at.
    """
    if packed and name == "pixel_values":
        return torch.cat(list(tensors), dim=-1)
    if name in _BY_TILES and tensors[0].ndim == _BY_TILES[name]:
        most = max(tensor.shape[1] for tensor in tensors)
        tensors = [_pad_tiles(tensor, most) for tensor in tensors]
    if len({tensor.shape[1:] for tensor in tensors}) > 1:
        raise ConfigError(
            f"this model packs a study into `{name}`: studies with different numbers of films cannot share "
            "a batch. Set data.max_images=1, or batch sizes of 1."
        )
    return torch.cat(list(tensors), dim=0)


def _pad_tiles(tensor: torch.Tensor, number: int) -> torch.Tensor:
    missing = number - tensor.shape[1]
    return torch.cat([tensor, tensor.new_zeros(tensor.shape[0], missing, *tensor.shape[2:])], dim=1)


def _pad(tensor: torch.Tensor, length: int, *, value: int, side: str) -> torch.Tensor:
    missing = length - tensor.shape[1]
    return torch.nn.functional.pad(tensor, (missing, 0) if side == "left" else (0, missing), value=value)
