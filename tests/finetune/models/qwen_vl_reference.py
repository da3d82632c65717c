"""Qwen-VL once more, plainly: what its published code computes from its published weights, one row at a time."""

import math

import torch
from torch.nn import functional as F

Weights = dict[str, torch.Tensor]


def film_tokens(weights: Weights, films: torch.Tensor, *, visual: dict[str, int]) -> torch.Tensor:
    """Films [B, 3, H, W] -> [B, Q, width]."""
    own = {name.removeprefix("transformer.visual."): tensor for name, tensor in weights.items() if "visual" in name}

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], own[f"{name}.weight"], own[f"{name}.bias"], eps=1e-6)

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, own[f"{name}.weight"], own[f"{name}.bias"])

    x = F.conv2d(films, own["conv1.weight"], stride=visual["patch_size"]).flatten(2).transpose(1, 2)
    x = norm(x + _resized(own["positional_embedding"], x.shape[1]), "ln_pre")
    size = visual["width"] // visual["heads"]
    for number in range(visual["layers"]):
        block = f"transformer.resblocks.{number}"
        packed = linear(norm(x, f"{block}.ln_1"), f"{block}.attn.in_proj")
        mixed = []
        for head in packed.split(3 * size, dim=-1):
            query, key, value = head.split(size, dim=-1)
            mixed.append(torch.softmax(query @ key.mT / math.sqrt(size), dim=-1) @ value)
        x = x + linear(torch.cat(mixed, dim=-1), f"{block}.attn.out_proj")
        hidden = F.gelu(linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc"))
        x = x + linear(hidden, f"{block}.mlp.c_proj")
    width = visual["output_dim"]
    pool = torch.nn.MultiheadAttention(width, width // 128, batch_first=True)
    pool.load_state_dict({name.removeprefix("attn_pool.attn."): t for name, t in own.items() if "pool.attn." in name})
    x = norm(F.linear(x, own["attn_pool.kv_proj.weight"]), "attn_pool.ln_kv")
    places = own["attn_pool.pos_embed"]
    query = (norm(own["attn_pool.query"], "attn_pool.ln_q") + places).expand(len(x), -1, -1)
    return norm(pool(query, x + _resized(places, x.shape[1]), x)[0], "ln_post") @ own["proj"]


def row_logits(weights: Weights, ids: list[int], tokens: torch.Tensor, *, config: object, prompt: int) -> torch.Tensor:
    """One row of ids with the tokens of its films [N, Q, width] -> logits [L, vocabulary]. `prompt`: its length."""
    x = weights["transformer.wte.weight"][ids]
    starts = [place for place, token in enumerate(ids) if token == config.visual["image_start_id"]]
    for start, film in zip(starts, tokens, strict=True):
        x[start + 1 : start + 1 + len(film)] = film
    heads, size = config.num_attention_heads, config.kv_channels
    alpha = max(2 ** math.ceil(math.log2(prompt / config.seq_length) + 1) - 1, 1)
    base = 10000 * alpha ** (size / (size - 2))
    angles = torch.outer(torch.arange(len(ids)), 1 / base ** (torch.arange(0, size, 2) / size)).repeat(1, 2)
    grown = [max(1.0, math.log(place, config.seq_length)) for place in range(1, len(ids) + 1)]
    causal = torch.full((len(ids), len(ids)), -math.inf).triu(1)

    def turn(z: torch.Tensor) -> torch.Tensor:
        first, second = z.chunk(2, dim=-1)
        return z * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()

    for number in range(config.num_hidden_layers):
        own = {name.removeprefix(f"transformer.h.{number}."): tensor for name, tensor in weights.items()}
        packed = F.linear(_rms(x, own["ln_1.weight"]), own["attn.c_attn.weight"], own["attn.c_attn.bias"])
        query, key, value = (part.view(len(ids), heads, size).transpose(0, 1) for part in packed.chunk(3, dim=-1))
        query = turn(query) * torch.tensor(grown)[:, None]
        mixed = torch.softmax(query @ turn(key).mT / math.sqrt(size) + causal, dim=-1) @ value
        x = x + mixed.transpose(0, 1).flatten(1) @ own["attn.c_proj.weight"].T
        y = _rms(x, own["ln_2.weight"])
        hidden = (y @ own["mlp.w1.weight"].T) * F.silu(y @ own["mlp.w2.weight"].T)
        x = x + hidden @ own["mlp.c_proj.weight"].T
    return _rms(x, weights["transformer.ln_f.weight"]) @ weights["lm_head.weight"].T


def greedy(weights: Weights, prompt: list[int], tokens: torch.Tensor, *, config: object, new: int) -> list[int]:
    """Continue a prompt by `new` tokens, computing everything again for each."""
    ids = list(prompt)
    for _ in range(new):
        ids.append(int(row_logits(weights, ids, tokens, config=config, prompt=len(prompt))[-1].argmax()))
    return ids


def _rms(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x / (x.pow(2).mean(dim=-1, keepdim=True) + 1e-6).sqrt() * weight


def _resized(places: torch.Tensor, count: int) -> torch.Tensor:
    side, target = round(len(places) ** 0.5), round(count**0.5)
    grid = places.view(1, side, side, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(target, target), mode="bicubic", align_corners=False) if side != target else grid
    return grid.permute(0, 2, 3, 1).flatten(0, 2)
