"""Kinds of adapters on a base held in 4, 8 and 32 bits."""

from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from torch import nn

from finetune.config import AdapterConfig, ModelConfig
from finetune.models.loading import LoadedModel, adapter_targets, add_adapter, load_adapter, load_base
from xray.errors import ConfigError

TEXT = "<|im_start|>user\n请写报告。<|im_end|>\n<|im_start|>assistant\n双肺野清晰。<|im_end|>"


def inputs_of(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    row = dict(loaded.processor.tokenizer([TEXT], return_tensors="pt", return_token_type_ids=False))
    return {**row, "labels": row["input_ids"].clone()}


@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        (4, {}),
        (8, {}),
        (4, {"use_dora": True}),
        (None, {"use_dora": True}),
        (4, {"use_rslora": True}),
        (8, {"use_rslora": True}),
    ],
)
def test_an_adapter_learns_and_comes_back_the_same(
    tiny_base: Path, tmp_path: Path, bits: int | None, kind: dict[str, bool]
) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=bits)
    base = load_base(settings)
    inputs = inputs_of(base)
    plain = base.model(**inputs).loss.item()
    adapter = AdapterConfig(lora_rank=4, lora_alpha=8, lora_dropout=0.0, **kind)
    tuned = add_adapter(base, settings=settings, adapter=adapter, seed=0)
    learning = [parameter for parameter in tuned.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-2)
    losses = []
    for _ in range(6):
        loss = tuned.model(**inputs).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(plain, rel=1e-4)
    assert losses[-1] < 0.95 * losses[0]
    tuned.model.save_pretrained(tmp_path)
    again = load_adapter(load_base(settings), tmp_path)
    for model in (tuned.model, again.model):
        model.eval()
    with torch.no_grad():
        assert torch.equal(again.model(**inputs).logits, tuned.model(**inputs).logits)


def test_dora_learns_a_magnitude_and_rslora_divides_by_the_root_of_the_rank(tiny_base: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base))
    dora = add_adapter(load_base(settings), settings=settings, adapter=AdapterConfig(use_dora=True), seed=0)
    assert any("lora_magnitude_vector" in name for name, p in dora.model.named_parameters() if p.requires_grad)
    adapter = AdapterConfig(lora_rank=16, lora_alpha=32, use_rslora=True)
    scaled = add_adapter(load_base(settings), settings=settings, adapter=adapter, seed=0)
    layers = [module for module in scaled.model.modules() if hasattr(module, "lora_A")]
    assert {layer.scaling["default"] for layer in layers} == {8.0}


def test_dora_in_eight_bits_is_refused_on_a_cpu_with_what_to_set(tiny_base: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=8)
    with pytest.raises(ConfigError, match=r"quantization_bit to 4 or null"):
        add_adapter(load_base(settings), settings=settings, adapter=AdapterConfig(use_dora=True), seed=0)


def test_in_eight_bits_too_only_the_language_model_is_held(tiny_base: Path) -> None:
    loaded = load_base(ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=8))
    kinds = {name: type(m) for name, m in loaded.model.named_modules() if isinstance(m, nn.Linear)}
    assert {name for name, kind in kinds.items() if kind is Linear8bitLt} == set(loaded.parts.language_model)
    assert {kinds[name] for name in loaded.parts.outside_language_model if name in kinds} == {nn.Linear}
    assert Linear4bit not in kinds.values()


def test_eight_bits_are_nearer_to_the_base_than_four(tiny_base: Path) -> None:
    logits = {}
    for bits in (None, 8, 4):
        loaded = load_base(ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=bits))
        loaded.model.eval()
        with torch.no_grad():
            logits[bits] = loaded.model(**inputs_of(loaded)).logits
    distance = {bits: float((logits[bits] - logits[None]).abs().mean()) for bits in (8, 4)}
    assert 0 < distance[8] < 0.5 * distance[4]


def test_an_adapter_can_cover_chosen_layers_alone(tiny_base: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base), freeze_vision_tower=False)
    parts = load_base(settings).parts
    targets = adapter_targets(parts, settings=settings, adapter=AdapterConfig(lora_layers=(0, 2)))
    covered = {name for name in targets if name in parts.language_model}
    assert covered == {name for name in parts.language_model if ".layers.0." in name or ".layers.2." in name}
    assert set(parts.vision_tower) <= set(targets)


def test_a_layer_that_is_not_there_is_refused_with_the_layers_there_are(tiny_base: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base))
    parts = load_base(settings).parts
    with pytest.raises(ConfigError, match=r"lora_layers \[0, 14\] .* layers 0 to 2"):
        adapter_targets(parts, settings=settings, adapter=AdapterConfig(lora_layers=(0, 14)))


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_an_adapter_that_is_not_whole_is_refused_with_what_to_do(tiny_base: Path, tmp_path: Path, name: str) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=None)
    add_adapter(load_base(settings), settings=settings, adapter=AdapterConfig(), seed=0).model.save_pretrained(tmp_path)
    path = tmp_path / name
    if name.endswith(".safetensors"):
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(ConfigError, match=r"is not whole.*finetune run"):
            load_adapter(load_base(settings), tmp_path)
    path.unlink()
    with pytest.raises(ConfigError, match=rf"lacks {name}.*finetune run"):
        load_adapter(load_base(settings), tmp_path)
