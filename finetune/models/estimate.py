"""How much memory a model needs, before it is loaded.

With b bytes for a value of the computation (2 in 16 bits, 4 in 32), r the rank, T the tokens of a batch:

    weights       linear layers of the language model at 16, 8 or 4 bits (NF4 with double quantisation: 0.516 bytes),
                  every other parameter at b bytes; with `vision_tower_bit` the linear layers of the vision tower at 8
                  bits, and with `offload_embedding` no word embeddings
    adapter       16 bytes a parameter, r * (inputs + outputs) of them: weight, gradient and two moments in 32 bits
    key-value cache   2 * layers * width of the keys * T * b
    activations   T * (12 * hidden size * layers + inputs * (b + m) + outputs * b), where m holds the mask of the
                  adapter's dropout: 1 byte on a GPU, 4 on a CPU. With gradient checkpointing one layer of this, and the
                  hidden state before each layer: T * hidden size * layers * b
    logits        R * vocabulary * (12 + b where b is 2): the scores, their copy in 32 bits, log-softmax and gradient,
                  of the R tokens that are not a film's

Left out: what the vision tower holds while it looks at a film, the one layer that is in 16 bits while it is used (0.1
GiB at 7 B), the libraries themselves (about half a GiB on a GPU), and activations of a vision tower or projector that
learns.
"""

from dataclasses import dataclass

from finetune.models.architecture import Architecture

GIB = 1 << 30
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4 bits; a byte per block of 64; 32 bits per 256 of those bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a model is held for.

    `bits`: of the language model's linear layers, `tower_bits`: of the vision tower's, `value_bytes`: of everything
    else. `film_tokens`: of a sequence, at least; they are not scored in training.
    """

    bits: int | None = 4
    tower_bits: int | None = None
    offload_embedding: bool = False
    value_bytes: int = 2
    batch_size: int = 8
    cutoff_len: int = 2048
    film_tokens: int = 0
    lora_rank: int = 16
    gradient_checkpointing: bool = False
    on_gpu: bool = True


def weight_bytes(linear_weights: int, *, others: int, bits: int | None, value_bytes: int) -> int:
    """Return the bytes of the language model's linear layers in `bits` and of all `others` parameters."""
    each = {None: float(value_bytes), 16: 2.0, 8: 1.0, 4: NF4_BYTES}[bits]
    return round(linear_weights * each) + others * value_bytes


def model_bytes(model: Architecture, use: Use) -> int:
    """Return the bytes of the weights alone."""
    offloaded = model.own_embedding if use.offload_embedding else 0
    in_int8 = model.tower_linear_weights if use.tower_bits == 8 else 0
    others = model.parameters - model.linear_weights - in_int8 - offloaded
    return in_int8 + weight_bytes(model.linear_weights, others=others, bits=use.bits, value_bytes=use.value_bytes)


def inference_bytes(model: Architecture, use: Use) -> int:
    """Return the bytes of writing reports in batches: weights and key-value cache."""
    cache = 2 * model.layers * model.key_value_width * use.batch_size * use.cutoff_len * use.value_bytes
    return model_bytes(model, use) + cache


def training_bytes(model: Architecture, use: Use) -> int:
    """Return the bytes of training an adapter: weights, adapter with optimiser, activations, logits."""
    return model_bytes(model, use) + 16 * model.adapter_parameters(use.lora_rank) + activation_bytes(model, use)


def activation_bytes(model: Architecture, use: Use) -> int:
    """Return the bytes that a step keeps for its backward pass, where all sequences are `cutoff_len` long."""
    tokens, value = use.batch_size * use.cutoff_len, use.value_bytes
    mask = 1 if use.on_gpu else 4
    kept = 12 * model.hidden_size * model.layers
    kept += model.linear_inputs * (value + mask) + model.linear_outputs * value
    if use.gradient_checkpointing:
        kept = kept // model.layers + model.hidden_size * model.layers * value
    scored = use.batch_size * max(use.cutoff_len - use.film_tokens, 1)
    return tokens * kept + scored * model.vocab_size * (12 + (value if value < 4 else 0))
