"""How long the sequences are, counted before training so that none is cut and none stops a run half-way."""

from collections.abc import Sequence
from dataclasses import dataclass

from finetune.batch import IGNORED, ChatEncoder
from finetune.config import RunConfig
from xray.errors import DataError
from xray.types import Example

_SAMPLED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """The longest sequence and the longest report, in tokens, among the studies that were encoded."""

    longest: int
    longest_target: int
    sampled: int


def count_tokens(examples: Sequence[Example], *, encoder: ChatEncoder) -> TokenCounts:
    """Encode the 50 studies with the longest reports and the 50 with the most films, and count.

    Raises DataError, naming the study, for one that is longer than the encoder's `cutoff_len`.
    """
    by_text = sorted(examples, key=lambda example: (-len(example.target), example.example_id))[:_SAMPLED]
    by_films = sorted(examples, key=lambda example: (-len(example.images), -len(example.target)))[:_SAMPLED]
    chosen = {example.example_id: example for example in (*by_text, *by_films)}
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in chosen.values()]
    return TokenCounts(
        longest=max(row["input_ids"].shape[1] for row in rows),
        longest_target=max(int((row["labels"] != IGNORED).sum()) for row in rows),
        sampled=len(rows),
    )


def refuse_short_limits(counts: TokenCounts, *, config: RunConfig) -> None:
    """Raise DataError when generated reports would be cut."""
    if counts.longest_target > config.generate.max_new_tokens:
        raise DataError(
            f"the longest report has {counts.longest_target} tokens, but generate.max_new_tokens is "
            f"{config.generate.max_new_tokens}: reports would be cut. Set it to {counts.longest_target} or more."
        )
