from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from torch import nn

from finetune.config import AdapterConfig, ModelConfig
from finetune.models.loading import LoadedModel, adapter_targets, add_adapter, load_adapter, load_base, weights_digest
from finetune.models.parts import find_parts
from xray.errors import ConfigError


def settings(base: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(base), **changes})


def inputs_of(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    text = "<|im_start|>user\n请写报告。<|im_end|>\n<|im_start|>assistant\n双肺野清晰。<|im_end|>"
    row = dict(loaded.processor.tokenizer([text], return_tensors="pt", return_token_type_ids=False))
    return {**row, "labels": row["input_ids"].clone()}


def test_only_the_language_model_is_held_in_four_bits(tiny_base: Path) -> None:
    loaded = load_base(settings(tiny_base))
    quantised = {name for name, module in loaded.model.named_modules() if isinstance(module, Linear4bit)}
    assert quantised == set(loaded.parts.language_model)
    assert not quantised & set(loaded.parts.outside_language_model)
    assert type(loaded.model.get_output_embeddings()) is nn.Linear


def test_four_bits_are_nf4_with_double_quantisation(tiny_base: Path) -> None:
    loaded = load_base(settings(tiny_base))
    state = loaded.model.get_submodule(loaded.parts.language_model[0]).weight.quant_state
    assert state.quant_type == "nf4"
    assert state.nested


def test_an_evaluation_in_the_middle_changes_no_training_loss(tiny_base: Path) -> None:
    loaded = load_base(settings(tiny_base))
    inputs = inputs_of(loaded)
    loaded.model.train()
    before = loaded.model(**inputs).loss.item()
    loaded.model.eval()
    with torch.no_grad():
        evaluated = loaded.model(**inputs).loss.item()
    loaded.model.train()
    assert loaded.model(**inputs).loss.item() == before == evaluated


def test_gradients_reach_every_adapter_weight_and_no_base_weight(tiny_base: Path) -> None:
    base = load_base(settings(tiny_base))
    tuned = add_adapter(base, settings=settings(tiny_base), adapter=AdapterConfig(lora_dropout=0.0), seed=0)
    tuned.model.eval()
    with torch.no_grad():
        tuned.model(**inputs_of(tuned))
    tuned.model.train()
    tuned.model(**inputs_of(tuned)).loss.backward()
    learning = {name: p for name, p in tuned.model.named_parameters() if p.requires_grad}
    assert all("lora_" in name for name in learning)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for name, p in learning.items() if "lora_B" in name)
    assert all(p.grad is None for p in tuned.model.parameters() if not p.requires_grad)


def test_the_adapter_covers_the_language_model_alone_unless_other_parts_are_opened(tiny_base: Path) -> None:
    parts = load_base(settings(tiny_base)).parts
    adapter = AdapterConfig()
    assert adapter_targets(parts, settings=settings(tiny_base), adapter=adapter) == sorted(parts.language_model)
    opened = settings(tiny_base, freeze_vision_tower=False, freeze_multi_modal_projector=False)
    everything = {*parts.language_model, *parts.projector, *parts.vision_tower}
    assert set(adapter_targets(parts, settings=opened, adapter=adapter)) == everything


def test_a_target_that_no_layer_has_is_refused_with_the_names_there_are(tiny_base: Path) -> None:
    parts = load_base(settings(tiny_base)).parts
    with pytest.raises(ConfigError, match="q_proj"):
        adapter_targets(parts, settings=settings(tiny_base), adapter=AdapterConfig(lora_target=("query_key_value",)))


def test_a_new_adapter_changes_nothing_and_depends_on_the_seed(tiny_base: Path) -> None:
    plain = load_base(settings(tiny_base))
    inputs = inputs_of(plain)
    before = plain.model(**inputs).logits
    weights = []
    for seed in (0, 0, 1):
        tuned = add_adapter(
            load_base(settings(tiny_base)), settings=settings(tiny_base), adapter=AdapterConfig(), seed=seed
        )
        tuned.model.eval()
        assert torch.equal(tuned.model(**inputs).logits, before)
        weights.append(torch.cat([p.flatten() for name, p in tuned.model.named_parameters() if "lora_A" in name]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_saved_adapter_loads_back_to_the_same_outputs(tiny_base: Path, tmp_path: Path) -> None:
    tuned = add_adapter(load_base(settings(tiny_base)), settings=settings(tiny_base), adapter=AdapterConfig(), seed=0)
    with torch.no_grad():
        for name, parameter in tuned.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(1))
    tuned.model.eval()
    expected = tuned.model(**inputs_of(tuned)).logits
    tuned.model.save_pretrained(tmp_path)
    again = load_adapter(load_base(settings(tiny_base)), tmp_path)
    again.model.eval()
    assert torch.equal(again.model(**inputs_of(again)).logits, expected)


@pytest.mark.parametrize("name", ["/nowhere/model", "."])
def test_a_model_that_cannot_be_loaded_is_one_clear_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="model_name_or_path") as caught:
        load_base(ModelConfig(model_name_or_path=name))
    assert "\n" not in str(caught.value)


def test_a_text_model_is_refused_as_no_image_chat_model() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1, vocab_size=32
    )
    with pytest.raises(ConfigError, match="vision tower"):
        find_parts(LlamaForCausalLM(config))


def test_the_digest_of_a_model_folder_changes_with_its_weights(tiny_base: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(tiny_base, tmp_path / "copy")
    assert weights_digest(settings(copy)) == weights_digest(settings(tiny_base))
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert weights_digest(settings(copy)) != weights_digest(settings(tiny_base))
