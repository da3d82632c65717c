"""The language model: Qwen2, and the two things that Qwen does beyond the length it was trained at.

Past `seq_length` tokens the rotary base grows with the prompt (dynamic NTK) and the queries are scaled by the logarithm
of their position (log-n). Neither acts in training, nor on a shorter sequence.
"""

import math
from typing import Any

import torch
from transformers import Cache, Qwen2Config, Qwen2Model
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.qwen2.modeling_qwen2 import (
    Qwen2Attention,
    Qwen2RotaryEmbedding,
    apply_rotary_pos_emb,
    eager_attention_forward,
)


class DynamicRotaryEmbedding(Qwen2RotaryEmbedding):
    """Rotary angles on a base that the length of each row's prompt decides."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self._alpha = torch.ones(1)

    @torch.no_grad()
    def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions [B, L] -> cosines and sines [B, L, head_dim]. A row's prompt is what starts at position 0."""
        if self.training:
            return super().forward(x, position_ids)  # type: ignore[no-any-return]
        if int(position_ids.min()) == 0:
            self._alpha = ntk_alpha(position_ids.amax(dim=-1) + 1, trained=self.config.seq_length)
        half = len(self.inv_freq)
        # base * alpha^(d / (d - 2)), taken to -2i/d, is the old frequency times alpha^(-i / (d/2 - 1))
        steps = torch.arange(half, device=x.device, dtype=torch.float) / max(half - 1, 1)
        frequencies = self.inv_freq.float() * self._alpha.to(x.device)[:, None] ** -steps
        angles = position_ids[..., None].float() * frequencies[:, None]
        angles = torch.cat([angles, angles], dim=-1)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


class LogNAttention(Qwen2Attention):
    """Qwen2's attention with queries that grow with the logarithm of their position."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None,
        past_key_values: Cache | None = None,
        *,
        position_ids: torch.Tensor,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """[B, L, width] -> the same, with the attention weights where the implementation gives them."""
        query, key, value = (
            layer(hidden_states).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        if not self.training:
            query = query * log_n(position_ids, trained=self.config.seq_length)[:, None, :, None].to(query.dtype)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        mixed, weights = attend(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.attention_dropout if self.training else 0.0,
            scaling=self.scaling,
            position_ids=position_ids,
            **kwargs,
        )
        return self.o_proj(mixed.flatten(-2)), weights


class QwenVLTextModel(Qwen2Model):
    """Qwen2 with the parts above where the settings ask for them."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        if config.use_dynamic_ntk:
            self.rotary_emb = DynamicRotaryEmbedding(config)
        if config.use_logn_attn:
            for number, layer in enumerate(self.layers):
                layer.self_attn = LogNAttention(config, number)


def ntk_alpha(lengths: torch.Tensor, *, trained: int) -> torch.Tensor:
    """Return the factor of the rotary base for prompts of so many tokens: 1, and 3, 7, 15 ... per doubling beyond."""
    doublings = (torch.log2(lengths.double() / trained) + 1).ceil()
    return (2**doublings - 1).clamp(min=1).float()


def log_n(positions: torch.Tensor, *, trained: int) -> torch.Tensor:
    """Return the factor of the query at each position: the logarithm to the base `trained` of its number, from 1 on."""
    return ((positions + 1).float().log() / math.log(trained)).clamp(min=1)
