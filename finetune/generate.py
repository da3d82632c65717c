"""Examples -> predictions: greedy, batched, appended to a JSONL file as they come, resumable after a kill."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from numpy.typing import NDArray

from finetune.batch import ChatEncoder, collate
from finetune.config import GenerateConfig
from finetune.manifest import Prediction, read_records
from finetune.models.loading import LoadedModel
from xray.records import write_lines
from xray.types import Example

Progress = Callable[[int, int], None]
PixelLoader = Callable[[Example], list[NDArray[np.uint8]]]
GREEDY = {
    "do_sample": False,
    "temperature": None,
    "top_p": None,
    "top_k": None,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
}
"""The likeliest token each time, whatever a model's own generation config says: one film, one report."""


def generate(
    examples: Sequence[Example],
    path: Path,
    *,
    system: str,
    loaded: LoadedModel,
    encoder: ChatEncoder,
    settings: GenerateConfig,
    load_pixels: PixelLoader | None = None,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Write one prediction per example to `path` and return them in the examples' order.

    Predictions already in the file are kept and not made again. `load_pixels` replaces the films that the model sees
    (the shuffled control); by default each example's own.
    """

    def write(batch: Sequence[Example]) -> list[GeneratedText]:
        return write_reports(batch, loaded=loaded, encoder=encoder, settings=settings, load_pixels=load_pixels)

    return write_missing(examples, path, system=system, batch_size=settings.batch_size, write=write, progress=progress)


def write_missing(
    examples: Sequence[Example],
    path: Path,
    *,
    system: str,
    batch_size: int,
    write: "Callable[[Sequence[Example]], list[GeneratedText]]",
    progress: Progress | None = None,
) -> list[Prediction]:
    """Append to `path` what `write` makes of the examples that are not in it yet, batch by batch; return all."""
    done = {prediction.id: prediction for prediction in read_records(path, Prediction)}
    write_lines(path, done.values())  # drops a line that a kill cut off
    missing = [example for example in examples if example.example_id not in done]
    with path.open("a", encoding="utf-8") as stream:
        for start in range(0, len(missing), batch_size):
            batch = missing[start : start + batch_size]
            texts = zip(batch, write(batch), strict=True)
            rows = [text.as_prediction(example.example_id, system) for example, text in texts]
            _append(stream, rows)
            done.update({row.id: row for row in rows})
            if progress:
                progress(len(done), len(examples))
    return [done[example.example_id] for example in examples]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedText:
    """One report as it left the model. `ended`: it closed its turn before the limit of new tokens."""

    text: str
    num_tokens: int
    ended: bool
    seconds: float

    def as_prediction(self, example_id: str, system: str) -> Prediction:
        """Return the record that goes into the run folder."""
        return Prediction(
            id=example_id,
            text=self.text,
            system=system,
            finish_reason="eos" if self.ended else "length",
            num_tokens=self.num_tokens,
            seconds=round(self.seconds, 4),
        )


@torch.inference_mode()
def write_reports(
    examples: Sequence[Example],
    *,
    loaded: LoadedModel,
    encoder: ChatEncoder,
    settings: GenerateConfig,
    load_pixels: PixelLoader | None = None,
) -> list[GeneratedText]:
    """Generate one report per example, in one batch."""
    started = time.perf_counter()
    tokenizer = loaded.processor.tokenizer
    look = load_pixels or encoder.load_pixels
    rows = [encoder.encode_prompt(example, look(example)) for example in examples]
    inputs = collate(rows, pad_token_id=tokenizer.pad_token_id, side="left")
    inputs = {name: tensor.to(loaded.model.device) for name, tensor in inputs.items()}
    ends = end_tokens(loaded, closing=encoder.closing_id(examples[0]))
    closing = encoder.closing_text(examples[0])
    sequences = loaded.model.generate(
        **inputs,
        **GREEDY,
        num_beams=settings.num_beams,
        max_new_tokens=settings.max_new_tokens,
        eos_token_id=ends,
        pad_token_id=tokenizer.pad_token_id,
        **({"stop_strings": closing, "tokenizer": tokenizer} if closing else {}),
    )
    # A decoder of its own begins with its start token, not with the prompt.
    prompt_length = 1 if loaded.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    new_tokens = sequences[:, prompt_length:].tolist()
    seconds = (time.perf_counter() - started) / len(examples)
    return [
        _finish(
            tokens,
            ends=ends,
            closing=closing,
            decode=partial(loaded.processor.decode, skip_special_tokens=True),
            seconds=seconds,
        )
        for tokens in new_tokens
    ]


def end_tokens(loaded: LoadedModel, *, closing: int | None) -> list[int]:
    """Return the ids that end a report: the generation config's, the tokenizer's, and the chat template's `closing`."""
    configured = loaded.model.generation_config.eos_token_id
    ends = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in [*ends, loaded.processor.tokenizer.eos_token_id, closing] if token is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShuffledFilms:
    """A loader that shows other patients' films. `kept`: studies for which there was none to borrow."""

    load: PixelLoader
    kept: int


def shuffle_films(examples: Sequence[Example], *, encoder: ChatEncoder, seed: int) -> ShuffledFilms:
    """Give every example another patient's films, drawn once from `seed`.

    Reports made this way show what a model writes without looking: its score must fall to chance.
    """
    patients = [example.patient_key for example in examples]
    order = _derangement(patients, np.random.default_rng(seed))
    lender = {example.example_id: examples[other] for example, other in zip(examples, order, strict=True)}

    def load(example: Example) -> list[NDArray[np.uint8]]:
        films = encoder.load_pixels(lender[example.example_id])
        return [films[number % len(films)] for number in range(len(example.images))]

    kept = sum(patients[other] == patient for patient, other in zip(patients, order, strict=True))
    return ShuffledFilms(load=load, kept=kept)


def _derangement(patients: Sequence[str], rng: np.random.Generator) -> list[int]:
    """Return a permutation that gives nobody a film of the same patient, wherever one exists."""
    order: list[int] = rng.permutation(len(patients)).tolist()
    for place in range(len(order)):
        if patients[order[place]] == patients[place]:
            for other in range(len(order)):
                fits_here = patients[order[other]] != patients[place]
                fits_there = patients[order[place]] != patients[other]
                if fits_here and fits_there:
                    order[place], order[other] = order[other], order[place]
                    break
    return order


def _finish(
    tokens: list[int], *, ends: list[int], closing: str | None, decode: Callable[[list[int]], str], seconds: float
) -> GeneratedText:
    stop = next((place for place, token in enumerate(tokens) if token in ends), None)
    kept = tokens if stop is None else tokens[:stop]
    text, closed, _ = decode(kept).partition(closing) if closing else (decode(kept), "", "")
    ended = stop is not None or bool(closed)
    return GeneratedText(text=text.strip(), num_tokens=len(kept), ended=ended, seconds=seconds)


def _append(stream: TextIO, rows: Sequence[Prediction]) -> None:
    for row in rows:
        stream.write(row.model_dump_json() + "\n")
    stream.flush()
    os.fsync(stream.fileno())
