"""The tokenizer of ChatGLM-6B: SentencePiece, with pieces of its own for line breaks, tabs and runs of spaces."""

import re
from typing import Any

from transformers import SentencePieceBackend

_LINE_BREAK, _TAB = "<n>", "<|tab|>"
_BLANKS = re.compile(r" {2,80}")
_BLANK_PIECE = re.compile(r"<\|blank_(\d+)\|>")


class ChatGLMTokenizer(SentencePieceBackend):
    """Reads `ice_text.model`. The ids of the special tokens are those of its pieces.

    The name is the one that published folders give, so that what is saved opens with the original too.
    """

    vocab_files_names = {"vocab_file": "ice_text.model"}  # noqa: RUF012 (the base class reads it as it is)
    model_input_names = ("input_ids", "attention_mask")
    padding_side = "left"

    def __init__(
        self,
        vocab_file: str | None = None,
        bos_token: str = "<sop>",
        eos_token: str = "<eop>",
        unk_token: str = "<unk>",
        pad_token: str = "<pad>",
        mask_token: str = "[MASK]",
        model_specific_special_tokens: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        if vocab_file is None:
            raise ValueError("ice_text.model, the tokenizer's vocabulary, is missing; add it to the folder")
        super().__init__(
            vocab_file=vocab_file,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            model_specific_special_tokens={"gmask_token": "[gMASK]", **(model_specific_special_tokens or {})},
            **kwargs,
        )

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return a prompt with [gMASK] <sop> after it, and with an answer that answer and <eop> too."""
        prompt = [*token_ids_0, self.gmask_token_id, self.bos_token_id]
        return prompt if token_ids_1 is None else [*prompt, *token_ids_1, self.eos_token_id]

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        text = text.replace("\n", _LINE_BREAK).replace("\t", _TAB)
        text = _BLANKS.sub(lambda blanks: f"<|blank_{len(blanks[0])}|>", text)
        pieces: list[str] = self.sp_model.encode(text, out_type=str)
        return pieces

    def _convert_id_to_token(self, index: int) -> str:
        """Return the piece; the unknown token for the ids that the model has beyond the vocabulary."""
        known = index < self.sp_model.get_piece_size()
        return str(self.sp_model.id_to_piece(index) if known else self.unk_token)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Return the text of `tokens`."""
        text: str = self.sp_model.decode_pieces(tokens)
        text = text.replace(_LINE_BREAK, "\n").replace(_TAB, "\t")
        return _BLANK_PIECE.sub(lambda blank: " " * int(blank[1]), text)
