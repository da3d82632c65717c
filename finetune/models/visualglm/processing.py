"""Conversations and films as VisualGLM reads them."""

import re
from typing import Any

from transformers import AutoConfig, AutoTokenizer, BatchFeature, ProcessorMixin
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.processing_utils import ProcessingKwargs

from finetune.models.visualglm.tokenization import ChatGLMTokenizer

# Films come first, whichever turn names them; then question and answer by turns. Only the last answer, the one to be
# written or learnt, stands after [gMASK] <sop>: what is before is seen as a whole.
CHAT_TEMPLATE = (
    "{% for message in messages if message.content is not string %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<img>{{ unk_token }}</img>{% endif %}{% endfor %}{% endfor %}"
    "{% for message in messages %}{% set text %}"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endset %}"
    "{% if message.role == 'user' %}问：{{ text }}\n答："
    "{% if loop.last and add_generation_prompt %}{{ gmask_token }}{{ bos_token }}{% endif %}"
    "{% elif message.role != 'assistant' %}"
    "{{ raise_exception('VisualGLM has no place for a ' + message.role + ' turn') }}"
    "{% elif loop.last %}{{ gmask_token }}{{ bos_token }}{{ text }}{{ eos_token }}"
    "{% else %}{{ text }}\n{% endif %}{% endfor %}"
)
_FULL_WIDTH = {",": "，", "!": "！", ":": "：", ";": "；", "?": "？"}
_HALF_WIDTH_MARK = re.compile(r"(?<=[\u4e00-\u9fff])[,!:;?]|[,!:;?](?=[\u4e00-\u9fff])")


class VisualGLMProcessorKwargs(ProcessingKwargs, total=False):  # type: ignore[call-arg]
    """The chat template writes the special tokens, so the tokenizer does not add them."""

    _defaults = {"text_kwargs": {"add_special_tokens": False}}  # noqa: RUF012 (the base class reads it as it is)


class VisualGLMProcessor(ProcessorMixin):
    """Widens the place of each film in the text to the places that the model fills, and scales the film.

    Published folders hold no settings of the image processor: the size comes from `config.json`.
    """

    valid_processor_kwargs = VisualGLMProcessorKwargs

    def __init__(
        self,
        image_processor: BlipImageProcessorPil,
        tokenizer: ChatGLMTokenizer,
        image_length: int = 32,
        chat_template: str | None = None,
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template or CHAT_TEMPLATE)
        self.image_length = image_length
        self.image_token = tokenizer.unk_token
        self.image_token_id = tokenizer.unk_token_id

    @classmethod
    def _get_arguments_from_pretrained(cls, source: str, processor_dict: dict[str, Any], **kwargs: Any) -> list[Any]:
        where = {"revision": kwargs.get("revision"), "trust_remote_code": False}
        config = AutoConfig.from_pretrained(source, **where)
        processor_dict["image_length"] = config.image_length
        size = {"height": config.image_size, "width": config.image_size}
        return [BlipImageProcessorPil(size=size), AutoTokenizer.from_pretrained(source, **where)]

    def replace_image_token(self, image_inputs: dict[str, Any], image_idx: int, **_: Any) -> str:
        """Return the places of a film."""
        return str(self.image_token) * self.image_length

    def _check_special_mm_tokens(self, text: list[str], text_inputs: BatchFeature, modalities: list[str]) -> None:
        """Count no tokens: an unknown character of the text has the id of an image place."""

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """Return the text of a list of ids, with full-width punctuation beside Chinese characters.

        The tokenizer reads full-width marks as half-width ones, so the model can only write those.
        """
        text: str = self.tokenizer.decode(*args, **kwargs)
        return _HALF_WIDTH_MARK.sub(lambda mark: _FULL_WIDTH[mark[0]], text)
