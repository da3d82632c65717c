"""Qwen-VL: the vision tower's tokens take the places between `<img>` and `</img>` in the prompt of a Qwen2."""

from typing import Any, ClassVar

import torch
from torch import nn
from transformers import Cache, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from finetune.models.qwen_vl.configuration import QwenVLConfig
from finetune.models.qwen_vl.text import QwenVLTextModel
from finetune.models.qwen_vl.vision import VisionTower, init_vision_weights
from xray.errors import DataError


class QwenVLForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Reads films and text, writes text."""

    config_class = QwenVLConfig
    base_model_prefix = ""
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["Qwen2DecoderLayer", "VisionBlock"]
    _skip_keys_device_placement: ClassVar[list[str]] = ["past_key_values"]
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True

    def __init__(self, config: QwenVLConfig) -> None:
        super().__init__(config)
        self.visual = VisionTower(config)
        self.language_model = QwenVLTextModel(config.text_settings())
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embeddings."""
        return self.language_model.embed_tokens  # type: ignore[no-any-return]

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embeddings."""
        self.language_model.embed_tokens = value

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Films [N, 3, H, W] -> their tokens [N, Q, width]."""
        features: torch.Tensor = self.visual(pixel_values)
        return features

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        logits_to_keep: int = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits [B, L, vocabulary], and the loss where `labels` are given.

        `pixel_values`: the films of all rows in their order. Raises DataError when the prompts have other places for
        them.
        """
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None and input_ids is not None:
            places = self._film_places(input_ids, films=len(pixel_values))
            features = self.get_image_features(pixel_values).to(inputs_embeds.device, inputs_embeds.dtype)
            inputs_embeds = inputs_embeds.masked_scatter(places[..., None], features)
        if position_ids is None and past_key_values is None and attention_mask is not None:
            position_ids = (attention_mask.cumsum(dim=-1) - 1).clamp(min=0)  # padding is no part of a row's length
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **kwargs,
        )
        hidden = outputs.last_hidden_state
        logits = self.lm_head(hidden[:, -logits_to_keep:] if logits_to_keep else hidden)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def _film_places(self, input_ids: torch.Tensor, *, films: int) -> torch.Tensor:
        """Return bool [B, L]: the places after each start of a film, whatever ids fill them."""
        start, count = self.config.visual["image_start_id"], self.config.num_image_tokens
        rows, columns = torch.where(input_ids == start)
        ends = columns + count + 1
        whole = bool((ends < input_ids.shape[1]).all()) and bool((input_ids[rows, ends] == start + 1).all())
        if len(rows) != films or not whole:
            raise DataError(
                f"{films} films do not fit a prompt with {len(rows)} film starts of {count} places each. Take `<img>` "
                "out of the text, or write the prompt with the model's own chat template."
            )
        places = torch.zeros_like(input_ids, dtype=torch.bool)
        places[rows[:, None], columns[:, None] + torch.arange(1, count + 1, device=input_ids.device)] = True
        return places

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: torch.Tensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[torch.Tensor | None, dict[str, Any]]:
        """Repeat each row's films as a group for its beams: two films of one row must keep their order."""
        pixels = model_kwargs.pop("pixel_values", None)
        if expand_size > 1 and pixels is not None and input_ids is not None:
            counts = (input_ids == self.config.visual["image_start_id"]).sum(dim=1).tolist()
            pixels = torch.cat([group.repeat(expand_size, 1, 1, 1) for group in pixels.split(counts)])
        input_ids, model_kwargs = super()._expand_inputs_for_generation(
            expand_size, is_encoder_decoder, input_ids, **model_kwargs
        )
        return input_ids, {**model_kwargs, "pixel_values": pixels}

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        init_vision_weights(module)
