"""VisualGLM computed a second time, from the published weights' names and with nothing but tensors.

No cache, no masks of a library, one row at a time: what the native model gives is compared with this.
"""

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]


def image_embeddings(weights: Weights, film: torch.Tensor, *, config: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the tower's states [1, P + 1, D] and the text model's view of the film [1, Q, width]."""
    seen = _tower(weights, film, config=config["eva_config"])
    return seen, _linear(weights, "image_encoder.glm_proj", _qformer(weights, seen, config=config["qformer_config"]))


def logits(weights: Weights, ids: list[int], seen: torch.Tensor, *, start: int, config: dict) -> torch.Tensor:
    """Return logits [L, vocabulary]. `seen` [1, Q, width] takes the places from `start` on."""
    states = weights["transformer.word_embeddings.weight"][ids].clone()
    states[start : start + seen.shape[1]] = seen[0]
    sop, asks = ids.index(config["bos_token_id"]), ids.index(config["gmask_token_id"])
    places = [(i, 0) if i < sop else (asks, i - sop + 1) for i in range(len(ids))]
    visible = torch.tensor([[k < sop or k <= q for k in range(len(ids))] for q in range(len(ids))])
    scale, heads, eps = 56**0.5, config["num_attention_heads"], config["layernorm_epsilon"]
    for layer in range(config["num_layers"]):
        name = f"transformer.layers.{layer}."
        states = _norm(weights, name + "input_layernorm", states, eps)
        joint = _linear(weights, name + "attention.query_key_value", states)
        parts = joint.view(len(ids), heads, 3, -1).permute(2, 1, 0, 3)  # (3, H, L, D)
        query, key = (
            torch.stack([_turned(part[:, i], place) for i, place in enumerate(places)], 1) for part in parts[:2]
        )
        weight = (query @ key.mT / key.shape[-1] ** 0.5).masked_fill(~visible, -torch.inf).softmax(-1)
        attended = (weight @ parts[2]).transpose(0, 1).flatten(1)
        states = scale * states + _linear(weights, name + "attention.dense", attended)
        states = _norm(weights, name + "post_attention_layernorm", states, eps)
        states = scale * states + _mlp(weights, name, states, approximate="tanh")
    return _norm(weights, "transformer.final_layernorm", states, eps) @ weights["lm_head.weight"].T


def _turned(states: torch.Tensor, place: tuple[int, int]) -> torch.Tensor:
    """Rotate [H, D] at one place: pairs (c, c + D/4) of the first half by the position, of the second by the block."""
    quarter = states.shape[-1] // 4
    turned = states.clone()
    for half, position in enumerate(place):
        for channel in range(quarter):
            rate = (1 / torch.tensor(10000.0) ** (channel / quarter)).half().float()
            sine, cosine = (rate * position).sin(), (rate * position).cos()
            first, second = 2 * half * quarter + channel, (2 * half + 1) * quarter + channel
            turned[:, first] = states[:, first] * cosine - states[:, second] * sine
            turned[:, second] = states[:, second] * cosine + states[:, first] * sine
    return turned


def _tower(weights: Weights, film: torch.Tensor, *, config: dict) -> torch.Tensor:
    name, heads, eps = "image_encoder.vit.transformer.", config["num_attention_heads"], config["layernorm_epsilon"]
    patch = "image_encoder.vit.mixins.patch_embedding.proj."
    patches = functional.conv2d(film, weights[patch + "weight"], weights[patch + "bias"], stride=config["patch_size"])
    states = torch.cat([weights[name + "word_embeddings.weight"][None], patches.flatten(2).mT], 1)
    states = states + weights[name + "position_embeddings.weight"]
    for layer in range(config["num_layers"]):
        at = f"{name}layers.{layer}."
        query, key, value = _linear(
            weights, at + "attention.query_key_value", _norm(weights, at + "input_layernorm", states, eps)
        ).chunk(3, -1)
        states = states + _linear(weights, at + "attention.dense", _attend(query, key, value, heads))
        states = states + _mlp(weights, at, _norm(weights, at + "post_attention_layernorm", states, eps))
    return _norm(weights, "image_encoder.vit.mixins.cls.ln_vision", states, 1e-5)


def _qformer(weights: Weights, seen: torch.Tensor, *, config: dict) -> torch.Tensor:
    name, heads, eps = "image_encoder.qformer.transformer.", config["num_attention_heads"], config["layernorm_epsilon"]
    states = weights[name + "word_embeddings.weight"][None]
    for layer, looks in enumerate(config["is_decoder"]):
        at = f"{name}layers.{layer}."
        states = _norm(weights, at + "input_layernorm", states, eps)
        parts = _linear(weights, at + "attention.query_key_value", states).chunk(3, -1)
        states = states + _linear(weights, at + "attention.dense", _attend(*parts, heads))
        states = _norm(weights, at + "post_attention_layernorm", states, eps)
        if looks:
            query = _linear(weights, at + "cross_attention.query", states)
            parts = _linear(weights, at + "cross_attention.key_value", seen).chunk(2, -1)
            states = states + _linear(weights, at + "cross_attention.dense", _attend(query, *parts, heads))
            states = _norm(weights, at + "post_cross_attention_layernorm", states, eps)
        states = states + _mlp(weights, at, states)
    return _norm(weights, name + "final_layernorm", states, eps)


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    query, key, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return ((query @ key.mT / key.shape[-1] ** 0.5).softmax(-1) @ value).transpose(1, 2).flatten(2)


def _mlp(weights: Weights, name: str, states: torch.Tensor, *, approximate: str = "none") -> torch.Tensor:
    widened = functional.gelu(_linear(weights, name + "mlp.dense_h_to_4h", states), approximate=approximate)
    return _linear(weights, name + "mlp.dense_4h_to_h", widened)


def _linear(weights: Weights, name: str, states: torch.Tensor) -> torch.Tensor:
    return functional.linear(states, weights[name + ".weight"], weights[name + ".bias"])


def _norm(weights: Weights, name: str, states: torch.Tensor, eps: float) -> torch.Tensor:
    return functional.layer_norm(states, states.shape[-1:], weights[name + ".weight"], weights[name + ".bias"], eps)
