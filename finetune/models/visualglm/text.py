"""The ChatGLM-6B text model: a prefix that sees itself whole, 2-D rotary positions, and scaled residuals.

Letters in shapes: B rows, L tokens, H heads, D channels of a head.
"""

from dataclasses import dataclass

import torch
from torch import nn
from transformers import Cache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import eager_attention_forward

from finetune.models.visualglm.configuration import VisualGLMConfig

# The original scales by its default depth, whatever the real depth is.
_RESIDUAL_SCALE = (2 * 28) ** 0.5
_ROTARY_BASE = 10000.0

Rotation = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines, [B, 1, L, D] each: the first half of D follows the position, the second the block position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Where the prompts of a batch end; later tokens are placed by it.

    `anchor` [B]: position of the token that asks for the answer, [gMASK]. `start` [B]: place of `<sop>` in the cache.
    """

    anchor: torch.Tensor
    start: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Positions of tokens [2, B, L]: position, block position. `context` [B, L]: True before `<sop>`; None: nowhere."""

    positions: torch.Tensor
    context: torch.Tensor | None
    prompt: Prompt


def place_prompt(
    input_ids: torch.Tensor, *, attention_mask: torch.Tensor | None, config: VisualGLMConfig, past: int
) -> Places:
    """Place the tokens of prompts, and of answers that follow in the same call. `past`: tokens before these.

    Before `<sop>` the position is the index and the block position 0; from `<sop>` on the position stays that of
    [gMASK], or [MASK], and the block position counts 1, 2, 3 ... Padding on either side is not counted.
    Raises ValueError for a row without `<sop>`.
    """
    real = torch.ones_like(input_ids) if attention_mask is None else attention_mask[:, -input_ids.shape[1] :].long()
    index = (real.cumsum(-1) - 1).clamp(min=0)
    answer = (input_ids == config.bos_token_id).cumsum(-1) > 0
    if not bool(answer.any(-1).all()):
        raise ValueError("a prompt does not end with [gMASK] <sop>: write it with the chat template")
    asks = (input_ids == config.gmask_token_id).long()
    asks = torch.where(asks.any(-1, keepdim=True), asks, (input_ids == config.mask_token_id).long())
    anchor = index.gather(1, asks.argmax(-1, keepdim=True))
    positions = torch.stack([torch.where(answer, anchor, index), answer.long().cumsum(-1)])
    start = past + answer.long().argmax(-1)
    return Places(positions=positions, context=~answer, prompt=Prompt(anchor=anchor[:, 0], start=start))


def place_answer(prompt: Prompt, *, past: int, length: int) -> Places:
    """Place `length` more tokens of answers that have begun, after `past` tokens in the cache."""
    columns = past + torch.arange(length, device=prompt.start.device)
    block = columns - prompt.start[:, None] + 1
    positions = torch.stack([prompt.anchor[:, None].expand_as(block), block])
    return Places(positions=positions, context=None, prompt=prompt)


def rotation(positions: torch.Tensor, *, head_dim: int, dtype: torch.dtype) -> Rotation:
    """Return the rotation of `positions` [2, B, L]. The frequencies are rounded to float16, as the original's are."""
    half = head_dim // 2
    frequency = (1.0 / _ROTARY_BASE ** (torch.arange(0, half, 2, device="cpu").float() / half)).half().float()
    angles = positions[..., None].float() * frequency.to(positions.device)
    angles = torch.cat([angles[0], angles[0], angles[1], angles[1]], dim=-1)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _rotate(states: torch.Tensor, turn: Rotation) -> torch.Tensor:
    first, second, third, fourth = states.chunk(4, dim=-1)
    return states * turn[0] + torch.cat([-second, first, -fourth, third], dim=-1) * turn[1]


class ChatGLMAttention(nn.Module):
    """Self-attention with one linear layer for queries, keys and values, laid out head by head."""

    is_causal = True
    num_key_value_groups = 1

    def __init__(self, config: VisualGLMConfig, layer_idx: int) -> None:
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.hidden_size // config.num_attention_heads
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, states: torch.Tensor, turn: Rotation, mask: torch.Tensor | None, past_key_values: Cache | None
    ) -> torch.Tensor:
        """Return [B, L, width]."""
        joint = self.query_key_value(states).unflatten(-1, (-1, 3 * self.head_dim)).transpose(1, 2)
        query, key, value = joint.chunk(3, dim=-1)
        query, key = _rotate(query, turn), _rotate(key, turn)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        attended, _ = attend(self, query, key, value, mask, dropout=0.0, scaling=self.head_dim**-0.5)
        output: torch.Tensor = self.dense(attended.flatten(2))
        return output


class ChatGLMMLP(nn.Module):
    """Two linear layers with GELU (tanh) between."""

    def __init__(self, config: VisualGLMConfig) -> None:
        super().__init__()
        self.dense_h_to_4h = nn.Linear(config.hidden_size, config.inner_hidden_size)
        self.dense_4h_to_h = nn.Linear(config.inner_hidden_size, config.hidden_size)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return [B, L, width]."""
        widened = nn.functional.gelu(self.dense_h_to_4h(states), approximate="tanh")
        output: torch.Tensor = self.dense_4h_to_h(widened)
        return output


class ChatGLMBlock(GradientCheckpointingLayer):
    """One layer. What is added to each sublayer's output is its normalised and scaled input (DeepNorm)."""

    def __init__(self, config: VisualGLMConfig, layer_idx: int) -> None:
        super().__init__()
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)
        self.attention = ChatGLMAttention(config, layer_idx)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)
        self.mlp = ChatGLMMLP(config)

    def forward(
        self, states: torch.Tensor, turn: Rotation, mask: torch.Tensor | None, past_key_values: Cache | None = None
    ) -> torch.Tensor:
        """Return [B, L, width]."""
        states = self.input_layernorm(states)
        states = states * _RESIDUAL_SCALE + self.attention(states, turn, mask, past_key_values)
        states = self.post_attention_layernorm(states)
        output: torch.Tensor = states * _RESIDUAL_SCALE + self.mlp(states)
        return output


class ChatGLMModel(nn.Module):
    """Embeddings, layers and final norm; the names of its weights are the original's."""

    def __init__(self, config: VisualGLMConfig) -> None:
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([ChatGLMBlock(config, layer) for layer in range(config.num_layers)])
        self.final_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)

    def forward(
        self,
        states: torch.Tensor,
        *,
        places: Places,
        attention_mask: torch.Tensor | None,
        past_key_values: Cache | None,
    ) -> torch.Tensor:
        """Return the last layer's output [B, L, width] for the embeddings `states` [B, L, width]."""
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=states,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            block_sequence_ids=_blocks(places.context, past_key_values),
        )
        head_dim = self.config.hidden_size // self.config.num_attention_heads
        turn = rotation(places.positions, head_dim=head_dim, dtype=states.dtype)
        for layer in self.layers:
            states = layer(states, turn, mask, past_key_values=past_key_values)
        output: torch.Tensor = self.final_layernorm(states)
        return output


def _blocks(context: torch.Tensor | None, past_key_values: Cache | None) -> torch.Tensor | None:
    """Return 0 for the tokens that see each other in both directions and -1 for the rest, from the cache's start."""
    if context is None:
        return None
    past = 0 if past_key_values is None else int(past_key_values.get_seq_length())
    return nn.functional.pad(torch.where(context, 0, -1), (past, 0), value=-1)
