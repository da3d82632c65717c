"""How long the sequences are, counted before training so that none is cut and none stops a run half-way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finetune.batch import ChatEncoder
from finetune.config import RunConfig
from xray.errors import DataError
from xray.types import Example, Turn

_Prompt = tuple[tuple[Turn, ...], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """Tokens of every study's whole sequence by example id, and of the longest report."""

    lengths: Mapping[str, int]
    longest_target: int

    @property
    def longest(self) -> int:
        """The tokens of the longest sequence."""
        return max(self.lengths.values())

    def longest_first(self, examples: Sequence[Example]) -> list[Example]:
        """Return `examples` with the longest sequences first."""
        return sorted(examples, key=lambda example: (-self.lengths[example.example_id], example.example_id))


def count_tokens(examples: Sequence[Example], *, encoder: ChatEncoder) -> TokenCounts:
    """Count every study. A prompt's length depends on its words and its films' sizes alone: each kind is encoded once.

    Raises DataError, naming the study, for one that is longer than the encoder's `cutoff_len` or lacks a film.
    """
    prompts: dict[_Prompt, int] = {}
    lengths: dict[str, int] = {}
    longest_target = 0
    for example in examples:
        sizes = encoder.film_sizes(example)
        kind = (example.messages, sizes)
        if kind not in prompts:
            blank = [np.zeros(size, dtype=np.uint8) for size in sizes]
            prompts[kind] = encoder.encode_prompt(example, blank)["input_ids"].shape[1]
        target = encoder.target_ids(example).shape[1]
        encoder.check_length(example, prompt=prompts[kind], target=target)
        lengths[example.example_id] = prompts[kind] + target
        longest_target = max(longest_target, target)
    return TokenCounts(lengths=lengths, longest_target=longest_target)


def refuse_short_limits(counts: TokenCounts, *, config: RunConfig) -> None:
    """Raise DataError when generated reports would be cut."""
    if counts.longest_target > config.generate.max_new_tokens:
        raise DataError(
            f"the longest report has {counts.longest_target} tokens, but generate.max_new_tokens is "
            f"{config.generate.max_new_tokens}: reports would be cut. Set it to {counts.longest_target} or more."
        )
