import json
import shutil
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from torch import nn

from finetune.config import AdapterConfig, ModelConfig
from finetune.models.loading import (
    LoadedModel,
    adapter_targets,
    add_adapter,
    compute_dtype,
    load_adapter,
    load_base,
    memory_guard,
)
from finetune.models.parts import find_parts
from finetune.models.source import resolve_source, weights_digest
from xray.errors import ConfigError, MemoryLimitError


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


def test_a_models_own_code_is_never_run(tiny_base: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_base, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    code = {"AutoConfig": "own.Config", "AutoModelForImageTextToText": "own.Model"}
    (copy / "config.json").write_text(json.dumps({**content, "model_type": "own", "auto_map": code}), encoding="utf-8")
    (copy / "own.py").write_text("raise SystemExit('ran')\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="never executes"):
        load_base(settings(copy))


@pytest.mark.parametrize("name", ["./model", "../model", "/nowhere/model", "~/nowhere", "a/b/c", "models/", "a b/c"])
def test_a_folder_that_is_not_there_is_never_looked_for_on_a_hub(name: str) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        resolve_source(ModelConfig(model_name_or_path=name, revision="0123456789abcdef"))


@pytest.mark.parametrize("revision", [None, "main", ""])
def test_a_hub_id_needs_its_commit(revision: str | None) -> None:
    with pytest.raises(ConfigError, match=r"name its commit \(model\.revision"):
        resolve_source(ModelConfig(model_name_or_path="owner/model", revision=revision))


def test_a_hub_id_with_its_commit_stays_as_it_is() -> None:
    named = ModelConfig(model_name_or_path="Qwen/Qwen3-VL-4B-Instruct", revision="0" * 40)
    assert resolve_source(named) == "Qwen/Qwen3-VL-4B-Instruct"


def test_a_local_model_is_known_by_its_absolute_path(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copytree(tiny_base, tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    assert resolve_source(ModelConfig(model_name_or_path="models/tiny")) == str(tmp_path.resolve() / "models" / "tiny")


@pytest.mark.parametrize(
    ("on_gpu", "has_bfloat16", "expected"),
    [(False, False, torch.float32), (True, True, torch.bfloat16), (True, False, torch.float16)],
)
def test_the_computation_is_in_what_the_device_computes_fast(
    monkeypatch: pytest.MonkeyPatch, on_gpu: bool, has_bfloat16: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: on_gpu)
    # An older GPU says yes when asked about its imitation of bfloat16.
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_bfloat16 or including_emulation
    )
    assert compute_dtype(ModelConfig()) == expected
    assert compute_dtype(ModelConfig(compute_dtype="float32")) == torch.float32


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_a_machine_that_is_too_small_ends_with_4_and_says_what_to_lower(error: RuntimeError) -> None:
    with pytest.raises(MemoryLimitError, match="per_device_train_batch_size") as caught, memory_guard():
        raise error
    assert caught.value.exit_code == 4


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_guard():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_a_text_model_is_refused_as_no_image_chat_model() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1, vocab_size=32
    )
    with pytest.raises(ConfigError, match="vision tower"):
        find_parts(LlamaForCausalLM(config))


def test_the_digest_of_a_model_folder_changes_with_its_weights(tiny_base: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_base, tmp_path / "copy")
    assert weights_digest(settings(copy)) == weights_digest(settings(tiny_base))
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert weights_digest(settings(copy)) != weights_digest(settings(tiny_base))
