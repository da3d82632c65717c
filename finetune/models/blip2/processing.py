"""The processor of models whose films become a fixed number of query tokens: BLIP-2, MiniGPT-4, composed models."""

from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image
from transformers import AutoImageProcessor, AutoTokenizer, BatchFeature, Blip2Config, ProcessorMixin

IMAGE_MARK = "<image>"


class QueryProcessor(ProcessorMixin):
    """Puts `num_query_tokens` places into the text for each film.

    A film's place is where the text says `<image>`, and before everything else where it does not say so: there BLIP-2
    wants it, before the token that begins a text. The text between films is tokenised piece by piece, as MiniGPT-4's
    own code does, and its first piece gets the tokenizer's special tokens.
    """

    def __init__(
        self,
        image_processor: object,
        tokenizer: object,
        *,
        num_query_tokens: int,
        image_token_id: int,
        is_encoder_decoder: bool = False,
        chat_template: str | None = None,
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.num_query_tokens = num_query_tokens
        self.image_token_id = image_token_id
        self.is_encoder_decoder = is_encoder_decoder

    def __call__(
        self,
        images: Sequence[Image] | None = None,
        text: str | Sequence[str] = (),
        *,
        add_special_tokens: bool = True,
        return_tensors: str = "pt",
    ) -> BatchFeature:
        """Return `input_ids` and `attention_mask` [B, T], padded as the tokenizer pads; `pixel_values` [N, 3, H, W].

        Raises ValueError when the marks in the texts are not as many as the films.
        """
        films, lines = len(images or ()), [text] if isinstance(text, str) else text
        marked = [line if IMAGE_MARK in line else IMAGE_MARK * (films // len(lines)) + line for line in lines]
        marks = sum(line.count(IMAGE_MARK) for line in marked)
        if marks != films:
            raise ValueError(f"the text has {marks} places for {films} films")
        rows = [self._tokens(line, special=add_special_tokens) for line in marked]
        encoded = dict(self.tokenizer.pad({"input_ids": rows}, padding=len(rows) > 1, return_tensors=return_tensors))
        if images:
            encoded.update(self.image_processor(list(images), return_tensors=return_tensors))
        return BatchFeature(encoded)

    def _tokens(self, line: str, *, special: bool) -> list[int]:
        tokens: list[int] = []
        for number, piece in enumerate(line.split(IMAGE_MARK)):
            if number:
                tokens += [self.image_token_id] * self.num_query_tokens
            if piece:
                tokens += self.tokenizer(piece, add_special_tokens=special)["input_ids"]
                special = False
        return tokens


def load_query_processor(source: str | Path, *, config: Blip2Config, revision: str | None) -> QueryProcessor:
    """Load the processor of a BLIP-2 folder or hub id; its own class writes the places of one film only."""
    where = {"revision": revision, "trust_remote_code": False}
    saved, _ = ProcessorMixin.get_processor_dict(source, **where)
    return QueryProcessor(
        AutoImageProcessor.from_pretrained(source, backend="pil", **where),
        AutoTokenizer.from_pretrained(source, **where),
        num_query_tokens=config.num_query_tokens,
        image_token_id=config.image_token_index,
        is_encoder_decoder=config.is_encoder_decoder,
        chat_template=saved.get("chat_template"),
    )
