"""One model that answers: a dialogue and its films go in, text comes out token by token, and can be stopped."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from finetune.batch import ChatEncoder
from finetune.generate import GREEDY, end_tokens
from finetune.models.loading import LoadedModel, memory_guard
from xray.errors import DataError
from xray.types import Example, Turn, View

# Characters that the next token may still change: half of a character, and punctuation that some tokenizers turn
# full-width once a Chinese character follows.
_UNSETTLED = " \n\t\ufffd,.!?:;"
_NO_LIMIT = 1 << 20
_NO_PLACE = Path()
_MARK = re.compile(r"<\S+>|\[[A-Z_]+\]")  # some vocabularies also add plain words and runs of blanks
_CHARACTERS_PER_TOKEN = 16


class DialogueError(DataError):
    """A dialogue that the model cannot answer, for a reason that whoever asked may know."""


class TooLongError(DialogueError):
    """A dialogue that leaves no room for an answer."""


_COLDEST = 0.01  # below it the likeliest token is drawn anyway, and logits over it are infinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How an answer is chosen. `temperature` 0: the likeliest token each time. `stop`: texts that end the answer."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the settings in the words of `generate`."""
        chosen: dict[str, Any] = dict(GREEDY)
        if self.temperature >= _COLDEST:
            chosen |= {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
            chosen |= {"remove_invalid_values": True}  # drawing from what is no number ends CUDA for the whole process
        return {**chosen, "num_beams": 1, "max_new_tokens": self.max_new_tokens}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A dialogue as model inputs: `length` in tokens, image tokens included.

    An answer ends with one of the ids `ends`, or with the text `closing` where the chat template has no token for it.
    """

    inputs: dict[str, torch.Tensor]
    length: int
    ends: tuple[int, ...]
    closing: str | None = None


class Engine:
    """A loaded model behind one door for the terminal and the server. It writes one answer at a time."""

    def __init__(self, loaded: LoadedModel, *, encoder: ChatEncoder) -> None:
        self.loaded = loaded
        self.encoder = encoder
        self._marks = _marks(loaded)
        loaded.model.eval()

    @property
    def context(self) -> int:
        """Number of tokens that prompt and answer may have together."""
        text_config = self.loaded.model.config.get_text_config()
        limits = (
            getattr(text_config, "max_position_embeddings", None),
            self.loaded.processor.tokenizer.model_max_length,
        )
        return min([int(limit) for limit in limits if limit and limit < _NO_LIMIT], default=_NO_LIMIT)

    def prepare(self, turns: Sequence[Turn], *, films: Sequence[NDArray[np.uint8]]) -> Prompt:
        """Return the inputs of a dialogue that ends with a question; the films, uint8 [H, W], go with its first one.

        Raises TooLongError, DialogueError for words that the model reads as a film or as the end of a turn, and
        ConfigError where it cannot take so many films or such turns.
        """
        if sum(len(turn.text) for turn in turns) > self.context * _CHARACTERS_PER_TOKEN:
            raise TooLongError(f"the dialogue is longer than the {self.context} tokens that this model reads")
        if mark := next((mark for mark in self._marks for turn in turns if mark in turn.text), None):
            raise DialogueError(f"{mark} is a mark of this model's own and cannot stand in a question")
        example = _as_example(turns, films=len(films))
        inputs = self.encoder.encode_prompt(example, [self.encoder.shrink(film) for film in films])
        length = inputs["input_ids"].shape[1]
        if length >= self.context:
            raise TooLongError(f"the dialogue has {length} tokens; this model reads fewer than {self.context}")
        ends = end_tokens(self.loaded, closing=self.encoder.closing_id(example))
        return Prompt(inputs=inputs, length=length, ends=tuple(ends), closing=self.encoder.closing_text(example))

    def room(self, prompt: Prompt) -> int:
        """Return how many tokens an answer to this prompt can have."""
        return self.context - prompt.length

    def answer(self, prompt: Prompt, *, decoding: Decoding) -> "Answer":
        """Begin to write an answer. Read it to its end or close it before another one begins."""
        return Answer(self.loaded, prompt=prompt, decoding=decoding)


class Answer(BaseStreamer, StoppingCriteria):  # type: ignore[misc]  # the library comes without types
    """An answer that is being written in a thread of its own: iterate over its pieces, then read what became of it.

    `text` is all of it, `num_tokens` its length without the token that ends it, `finish_reason` why it ended: `stop`,
    or `length` where it reached its limit or was closed.
    """

    def __init__(self, loaded: LoadedModel, *, prompt: Prompt, decoding: Decoding) -> None:
        self.text = ""
        self.num_tokens = 0
        self.finish_reason: Literal["stop", "length"] = "length"
        self._loaded = loaded
        self._prompt = prompt
        self._decoding = decoding
        self._stops = (*decoding.stop, prompt.closing) if prompt.closing else decoding.stop
        self._tokens: SimpleQueue[int | BaseException | None] = SimpleQueue()
        self._closed = threading.Event()
        self._prompt_seen = False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it grows. Raises what went wrong in the model, MemoryLimitError for a lack of memory."""
        tokens: list[int] = []
        sent = 0
        while (token := self._tokens.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            if token in self._prompt.ends:
                self.finish_reason = "stop"
                continue
            tokens.append(token)
            self._decode(tokens)
            if self.finish_reason == "stop":
                self.close()
                break
            settled = self.text[: len(self.text) - self._held_back()].rstrip(_UNSETTLED)
            if len(settled) > sent:
                yield settled[sent:]
                sent = len(settled)
        self.text = self.text.rstrip()
        if len(self.text) > sent:
            yield self.text[sent:]

    def close(self) -> None:
        """Stop writing, and wait until the model has let go."""
        self._closed.set()
        self._thread.join()

    def put(self, value: torch.Tensor) -> None:
        """Take what the model has written; it hands over the prompt first."""
        if self._prompt_seen:
            for token in value.flatten().tolist():
                self._tokens.put(token)
        self._prompt_seen = True

    def end(self) -> None:
        """Take note of the end, which `_write` tells."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        """Tell the model whether to stop, [B]."""
        return torch.full((input_ids.shape[0],), self._closed.is_set(), device=input_ids.device, dtype=torch.bool)

    def _write(self) -> None:
        outcome: BaseException | None = None
        try:
            model = self._loaded.model
            with torch.inference_mode(), memory_guard():
                if self._decoding.seed is not None:
                    torch.manual_seed(self._decoding.seed)
                model.generate(
                    **{name: tensor.to(model.device) for name, tensor in self._prompt.inputs.items()},
                    **self._decoding.arguments(),
                    eos_token_id=list(self._prompt.ends),
                    pad_token_id=self._loaded.processor.tokenizer.pad_token_id,
                    streamer=self,
                    stopping_criteria=StoppingCriteriaList([self]),
                )
        except BaseException as error:  # raised again where the answer is read
            outcome = error
        self._tokens.put(outcome)

    def _decode(self, tokens: list[int]) -> None:
        """Bring `text` up to date, cut before the first text that ends it."""
        self.num_tokens = len(tokens)
        self.text = self._loaded.processor.decode(tokens, skip_special_tokens=True).lstrip()
        places = [place for stop in self._stops if (place := self.text.find(stop)) >= 0]
        if places:
            self.text = self.text[: min(places)]
            self.finish_reason = "stop"

    def _held_back(self) -> int:
        """Return how many characters at the end may be the beginning of a text that ends the answer."""
        longest = max((len(stop) for stop in self._stops), default=0)
        ends = (self.text[-number:] for number in range(1, min(longest, len(self.text) + 1)))
        return max((len(end) for end in ends if any(stop.startswith(end) for stop in self._stops)), default=0)


def _marks(loaded: LoadedModel) -> tuple[str, ...]:
    """Return the texts that stand for films and for the ends of turns in what the model reads.

    Other added tokens are words of a dialogue: an answer may hold <think> or the regions of Qwen-VL.
    """
    tokenizer = loaded.processor.tokenizer
    added = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
    known = [*tokenizer.all_special_tokens, *added]
    image = getattr(loaded.processor, "image_token", None)
    return tuple(sorted({text for text in [*known, image, "<img>"] if text and _MARK.fullmatch(text)}))


def _as_example(turns: Sequence[Turn], *, films: int) -> Example:
    """Return the dialogue as training knows it. The pixels travel beside it: its films are only counted."""
    unknown: View = "unknown"
    return Example(
        example_id="dialogue",
        study_uid="of this dialogue",
        patient_key="",
        images=(_NO_PLACE,) * films,
        views=(unknown,) * films,
        messages=tuple(turns),
        target="",
        language="zh",
        origin="model",
        split="test",
    )
