"""Which token id holds the places of a film, where an older BLIP-2 folder does not say."""

from pathlib import Path

from transformers import AutoTokenizer, Blip2Config, PreTrainedConfig

from finetune.models.blip2.processing import IMAGE_MARK


def with_image_place(config: PreTrainedConfig, *, source: str | Path, revision: str | None) -> PreTrainedConfig:
    """Return `config`, completed if it is an older BLIP-2's: the place is the first id after the tokenizer's own."""
    if isinstance(config, Blip2Config) and config.image_token_index is None:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
        config.image_token_index = tokenizer.get_vocab().get(IMAGE_MARK, len(tokenizer))
    return config
