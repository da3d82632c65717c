"""The memory that is estimated is the memory that is used."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from finetune.config import AdapterConfig, ModelConfig
from finetune.models.describe import describe
from finetune.models.estimate import Use, activation_bytes, inference_bytes, model_bytes, training_bytes
from finetune.models.int8_linear import Int8Linear
from finetune.models.loading import add_adapter, load_base
from finetune.models.tiny import build_folder
from tests.finetune.models.families import REPORTS


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model wide enough for its matrices to weigh more than anything else."""
    folder = tmp_path_factory.mktemp("models") / "medium"
    build_folder(folder, REPORTS * 20, seed=0, vocab_size=330, text_width=512, vision_width=64)
    return folder


def held_bytes(model: nn.Module) -> int:
    """Bytes of a model's weights, with the scales of quantised ones."""
    total = 0
    for parameter in model.parameters():
        total += parameter.numel() * parameter.element_size()
        state = getattr(parameter, "quant_state", None)
        tensors = [state.absmax, state.state2.absmax] if state else []
        tensors += [scales] if (scales := getattr(parameter, "SCB", None)) is not None else []
        total += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return total


@pytest.mark.parametrize("bits", [None, 8, 4])
@pytest.mark.parametrize(("dtype", "value_bytes"), [("bfloat16", 2), ("float32", 4)])
def test_weights_weigh_what_is_estimated(medium: Path, bits: int | None, dtype: str, value_bytes: int) -> None:
    model = describe(str(medium), image_size=64).architecture
    assert model is not None
    loaded = load_base(ModelConfig(model_name_or_path=str(medium), quantization_bit=bits, compute_dtype=dtype))
    estimated = model_bytes(model, Use(bits=bits, value_bytes=value_bytes))
    assert estimated == pytest.approx(held_bytes(loaded.model), rel=0.01)


def test_a_tower_in_eight_bits_weighs_what_is_estimated(medium: Path) -> None:
    model = describe(str(medium), image_size=64).architecture
    assert model is not None
    loaded = load_base(ModelConfig(model_name_or_path=str(medium), vision_tower_bit=8, compute_dtype="bfloat16"))
    in_int8 = [module for module in loaded.model.modules() if isinstance(module, Int8Linear)]
    held = sum(tensor.numel() * tensor.element_size() for module in in_int8 for tensor in module.buffers())
    assert model_bytes(model, Use(tower_bits=8)) == pytest.approx(held_bytes(loaded.model) + held, rel=0.01)
    assert model_bytes(model, Use()) - model_bytes(model, Use(tower_bits=8)) == model.tower_linear_weights
    assert model.own_embedding == 0  # its head shares them
    untied = model.model_copy(update={"head": model.vocab_size * model.hidden_size})
    saved = model_bytes(untied, Use()) - model_bytes(untied, Use(offload_embedding=True))
    assert saved == 2 * model.vocab_size * model.hidden_size


def test_a_step_keeps_what_is_estimated_for_its_backward_pass(medium: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(medium), compute_dtype="float32")
    base = load_base(settings)
    tuned = add_adapter(base, settings=settings, adapter=AdapterConfig(lora_rank=16, lora_dropout=0.05), seed=0)
    tuned.model.train()
    model = describe(str(medium), image_size=64).architecture
    assert model is not None
    use = Use(value_bytes=4, batch_size=2, cutoff_len=256, on_gpu=False)
    kept = bytes_kept(tuned.model, batch_size=2, length=256)
    assert kept == pytest.approx(activation_bytes(model, use), rel=0.15)
    tuned.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    checkpointed = activation_bytes(model, replace(use, gradient_checkpointing=True))
    hidden_states = 2 * 256 * model.hidden_size * model.layers * 4
    assert hidden_states < bytes_kept(tuned.model, batch_size=2, length=256) < checkpointed < 0.6 * kept


def bytes_kept(model: nn.Module, *, batch_size: int, length: int) -> int:
    """Bytes that a forward pass saves for its backward pass, each storage once, weights left out."""
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.randint(5, 300, (batch_size, length), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def test_what_makes_memory_small_makes_the_estimate_small(medium: Path) -> None:
    model = describe(str(medium), image_size=64).architecture
    assert model is not None
    plain = training_bytes(model, Use())
    assert training_bytes(model, Use(gradient_checkpointing=True)) < plain
    assert training_bytes(model, Use(batch_size=1)) < plain
    assert training_bytes(model, Use(cutoff_len=512)) < plain
    assert training_bytes(model, Use(film_tokens=256)) < plain
    assert training_bytes(model, Use(bits=8)) > plain
    assert inference_bytes(model, Use()) < plain
    assert inference_bytes(model, Use(batch_size=1)) < inference_bytes(model, Use())
