"""What prepares a conversation with films for Qwen-VL: `Picture 1: <img>`, 256 places, `</img>`, then the question."""

import json
from pathlib import Path
from typing import Any, Self

from transformers import AutoConfig, PreTrainedTokenizerFast, ProcessorMixin
from transformers.image_utils import PILImageResampling
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.utils import cached_file

from finetune.models.qwen_vl.tokenization import END_OF_TEXT, IMAGE_PLACE, TURN_END, load_tokenizer

_CONTENT = (
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}{% set films.count = films.count + 1 %}"
    "Picture {{ films.count }}: <img><imgpad></img>\n"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}"
)
CHAT_TEMPLATE = (
    "{% set films = namespace(count=0) %}"
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n" + _CONTENT + "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Qwen-VL without Chat was never shown turns: it continues a plain text, which ends with <|endoftext|>.
PLAIN_TEMPLATE = (
    "{% set films = namespace(count=0) %}"
    "{% for message in messages %}"
    + _CONTENT
    + "{% if message.role == 'assistant' %}<|endoftext|>{% endif %}{{ '\n' }}"
    "{% endfor %}"
)


class QwenVLProcessor(ProcessorMixin):
    """Films and text -> `input_ids`, `attention_mask` and `pixel_values` [N, 3, size, size]."""

    def __init__(
        self,
        image_processor: CLIPImageProcessorPil,
        tokenizer: PreTrainedTokenizerFast,
        chat_template: str | None = None,
        num_image_tokens: int = 256,
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.num_image_tokens = num_image_tokens
        self.image_token = IMAGE_PLACE
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_PLACE)

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None, **kwargs: Any) -> Self:
        """Load from a folder that this class saved, or build from a folder or hub id as published.

        Raises ConfigError when the tokenizer's files are not there.
        """
        if cached_file(source, "processor_config.json", revision=revision, _raise_exceptions_for_missing_entries=False):
            return super().from_pretrained(source, revision=revision, **kwargs)  # type: ignore[no-any-return]
        config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
        chats = _chats(source, revision=revision)
        size = config.visual["image_size"]
        images = CLIPImageProcessorPil(
            size={"height": size, "width": size}, resample=PILImageResampling.BICUBIC, do_center_crop=False
        )
        tokenizer = load_tokenizer(
            source,
            revision=revision,
            end=TURN_END if chats else END_OF_TEXT,
            max_length=config.max_position_embeddings,
        )
        template = CHAT_TEMPLATE if chats else PLAIN_TEMPLATE
        return cls(images, tokenizer, chat_template=template, num_image_tokens=config.num_image_tokens)

    def replace_image_token(self, image_inputs: object, image_idx: int, **_: object) -> str:
        """Widen the place of a film to its tokens."""
        return self.image_token * self.num_image_tokens


def _chats(source: str | Path, *, revision: str | None) -> bool:
    """Return whether the model was trained on turns: the published generation_config.json of the base says `raw`."""
    path = cached_file(source, "generation_config.json", revision=revision, _raise_exceptions_for_missing_entries=False)
    if path is None:
        return True
    return bool(json.loads(Path(path).read_text(encoding="utf-8")).get("chat_format") != "raw")
