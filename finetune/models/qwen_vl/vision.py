"""The vision tower: OpenCLIP's ViT-bigG/14 without a class token, and the resampler that makes a film a few tokens.

Parameters bear the published names. In the shapes B is films, P patches, Q queries.
"""

import math
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.functional import interpolate, scaled_dot_product_attention
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from finetune.models.qwen_vl.configuration import QwenVLConfig

_EPSILON = 1e-6
_POSITIONS = 256  # of the tower, in a square, whatever the size of the films
_RESAMPLER_HEAD = 128  # channels


class VisionAttention(nn.Module):
    """Self-attention whose one input layer holds query, key and value of each head side by side."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """[B, P, width] -> [B, P, width]."""
        films, count, width = patches.shape
        packed = self.in_proj(patches).view(films, count, self.heads, -1).transpose(1, 2)
        mixed = scaled_dot_product_attention(*packed.chunk(3, dim=-1))
        projected: torch.Tensor = self.out_proj(mixed.transpose(1, 2).reshape(films, count, width))
        return projected


class VisionBlock(GradientCheckpointingLayer):
    """One layer of the tower: attention and MLP, each after its norm."""

    def __init__(self, width: int, *, heads: int, mlp_width: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=_EPSILON)
        self.ln_2 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = VisionAttention(width, heads=heads)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, mlp_width), gelu=nn.GELU(), c_proj=nn.Linear(mlp_width, width))
        )

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """[B, P, width] -> [B, P, width]."""
        patches = patches + self.attn(self.ln_1(patches))
        mixed: torch.Tensor = patches + self.mlp(self.ln_2(patches))
        return mixed


class CrossAttention(nn.Module):
    """Multi-head attention of queries to keys, four linear layers."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """[B, Q, width], [B, P, width] twice -> [B, Q, width]."""
        heads = (
            layer(tensor).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, tensor in ((self.q_proj, queries), (self.k_proj, keys), (self.v_proj, values))
        )
        mixed: torch.Tensor = self.out_proj(scaled_dot_product_attention(*heads).transpose(1, 2).flatten(-2))
        return mixed


class Resampler(nn.Module):
    """Learned queries that read the patches and know their places: any number of patches becomes Q tokens."""

    def __init__(self, *, num_queries: int, width: int, patch_width: int) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.empty(num_queries, width), requires_grad=False)
        self.query = nn.Parameter(torch.empty(num_queries, width))
        self.kv_proj = nn.Identity() if patch_width == width else nn.Linear(patch_width, width, bias=False)
        self.attn = CrossAttention(width, heads=width // _RESAMPLER_HEAD)
        self.ln_q = nn.LayerNorm(width, eps=_EPSILON)
        self.ln_kv = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """[B, P, patch_width] -> [B, Q, width]."""
        values = self.ln_kv(self.kv_proj(patches))
        keys = values + resize_positions(self.pos_embed, patches.shape[1])
        queries = self.ln_q(self.query) + self.pos_embed
        mixed: torch.Tensor = self.attn(queries.expand(len(patches), -1, -1), keys, values)
        return mixed


class VisionTower(nn.Module):
    """Films -> image tokens in the language model's width."""

    def __init__(self, config: QwenVLConfig) -> None:
        super().__init__()
        visual = config.visual or {}
        width, output, patch = visual["width"], visual["output_dim"], visual["patch_size"]
        self.conv1 = nn.Conv2d(3, width, kernel_size=patch, stride=patch, bias=False)
        self.positional_embedding = nn.Parameter(torch.empty(_POSITIONS, width))
        self.ln_pre = nn.LayerNorm(width, eps=_EPSILON)
        self.blocks = nn.ModuleList(
            VisionBlock(width, heads=visual["heads"], mlp_width=int(width * visual["mlp_ratio"]))
            for _ in range(visual["layers"])
        )
        self.resampler = Resampler(num_queries=config.num_image_tokens, width=output, patch_width=width)
        self.ln_post = nn.LayerNorm(output, eps=_EPSILON)
        self.proj = nn.Parameter(torch.empty(output, output))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Films [B, 3, H, W], CLIP's mean and deviation taken out -> [B, Q, output_dim]."""
        patches = self.conv1(films.to(self.conv1.weight.dtype)).flatten(2).transpose(1, 2)
        patches = self.ln_pre(patches + resize_positions(self.positional_embedding, patches.shape[1]))
        for block in self.blocks:
            patches = block(patches)
        tokens: torch.Tensor = self.ln_post(self.resampler(patches)) @ self.proj
        return tokens


def resize_positions(positions: torch.Tensor, count: int) -> torch.Tensor:
    """Resample a square grid of positions [N, width] to `count` places, bicubically, as the original does."""
    side, target = math.isqrt(len(positions)), math.isqrt(count)
    if side == target:
        return positions
    grid = positions.float().view(1, side, side, -1).permute(0, 3, 1, 2)
    resized = interpolate(grid, size=(target, target), mode="bicubic", align_corners=False)
    return resized.permute(0, 2, 3, 1).flatten(0, 2).to(positions.dtype)


def sincos_positions(count: int, *, width: int) -> torch.Tensor:
    """Return float32 [count, width]: sines and cosines of the column, then of the row, on a square grid."""
    side = math.isqrt(count)
    frequencies = 10000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    angles = torch.arange(side, dtype=torch.float64)[:, None] * frequencies
    along = torch.cat([angles.sin(), angles.cos()], dim=1)
    column, row = along.repeat(side, 1), along.repeat_interleave(side, dim=0)
    return torch.cat([column, row], dim=1).float()


def init_vision_weights(module: nn.Module) -> None:
    """Fill the parameters that are no layer's of a new tower."""
    if isinstance(module, Resampler):
        initialization.trunc_normal_(module.query, std=0.02)
        initialization.copy_(module.pos_embed, sincos_positions(len(module.query), width=module.query.shape[1]))
    elif isinstance(module, VisionTower):
        for parameter in (module.positional_embedding, module.proj):
            initialization.normal_(parameter, std=parameter.shape[1] ** -0.5)
