"""The tokenizer, from `qwen.tiktoken` as published, or from the `tokenizer.json` that a saved folder has."""

from pathlib import Path

from tokenizers import AddedToken, normalizers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.utils import cached_file

from xray.errors import ConfigError

VOCABULARY_FILE = "qwen.tiktoken"
IMAGE_START, IMAGE_END, IMAGE_PLACE = "<img>", "</img>", "<imgpad>"
END_OF_TEXT, TURN_END = "<|endoftext|>", "<|im_end|>"
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
# Their ids follow the vocabulary's in this order. What marks regions stays in a decoded answer: it is part of it.
_CONTROL = (END_OF_TEXT, "<|im_start|>", TURN_END, *(f"<|extra_{number}|>" for number in range(205)))
_REGIONS = ("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>")
_IMAGE = (IMAGE_START, IMAGE_END, IMAGE_PLACE)


def load_tokenizer(
    source: str | Path, *, revision: str | None = None, end: str = TURN_END, max_length: int = 8192
) -> PreTrainedTokenizerFast:
    """Load the tokenizer of a folder or a hub id. `end`: the token that ends an answer; `max_length`: tokens.

    Raises ConfigError when the vocabulary is not there or cannot be read.
    """
    if cached_file(source, "tokenizer.json", revision=revision, _raise_exceptions_for_missing_entries=False):
        return PreTrainedTokenizerFast.from_pretrained(source, revision=revision)
    vocabulary = cached_file(source, VOCABULARY_FILE, revision=revision, _raise_exceptions_for_missing_entries=False)
    if vocabulary is None:
        raise ConfigError(
            f"{source} has no {VOCABULARY_FILE} and no tokenizer.json. Download the folder's files again."
        )
    try:
        backend = TikTokenConverter(vocabulary, pattern=_PATTERN).converted()
    except (ValueError, OSError) as error:
        raise ConfigError(f"{vocabulary} is no tiktoken vocabulary ({error}). Download it again.") from error
    backend.normalizer = normalizers.NFC()
    for tokens, special in ((_CONTROL, True), (_REGIONS, False), (_IMAGE, True)):
        backend.add_tokens([AddedToken(token, normalized=False, special=special) for token in tokens])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=end,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=max_length,
    )
