"""The processor of a folder of MiniGPT-4's published parts."""

from pathlib import Path

from transformers import AutoTokenizer, Blip2Config
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from finetune.models.blip2.processing import QueryProcessor
from finetune.models.minigpt4.checkpoint import LANGUAGE
from xray.errors import ConfigError


def load_parts_processor(folder: Path, *, config: Blip2Config) -> QueryProcessor:
    """Join Vicuna's tokenizer to the vision tower's image processor. Raises ConfigError where there is no tokenizer."""
    language = folder / LANGUAGE
    if not any((language / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        raise ConfigError(f"{language} has no tokenizer: put Vicuna's tokenizer.model and tokenizer_config.json there")
    side = config.vision_config.image_size
    return QueryProcessor(
        BlipImageProcessorPil(size={"height": side, "width": side}),  # bicubic, CLIP's mean and deviation
        AutoTokenizer.from_pretrained(language, trust_remote_code=False),
        num_query_tokens=config.num_query_tokens,
        image_token_id=config.image_token_index,
    )
