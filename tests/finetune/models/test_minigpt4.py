import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from transformers import LlamaConfig, LlamaForCausalLM

from finetune.batch import ChatEncoder
from finetune.config import AdapterConfig, ModelConfig, RunConfig
from finetune.dataset import prepare_data
from finetune.models.golden import Check
from finetune.models.loading import add_adapter, count_parameters, load_adapter, load_base
from finetune.models.minigpt4.checkpoint import export_projection, save_projection
from finetune.models.minigpt4.modeling import MiniGPT4ForConditionalGeneration
from finetune.models.source import weights_digest
from finetune.models.verify import verify
from finetune.train import train
from tests.finetune.models.minigpt4_folder import QUERIES, native_model, write_parts
from tests.finetune.models.path import LORA, four_examples, learn, logits_of, reports_of, walk
from xray.errors import ConfigError


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minigpt4")
    write_parts(native_model(), folder)
    return folder


def settings(folder: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(folder), "compute_dtype": "float32", **changes})


def test_the_published_parts_become_one_model_with_every_weight_in_its_place(parts: Path) -> None:
    loaded = load_base(settings(parts, quantization_bit=None)).model.state_dict()
    expected = native_model().state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())


def test_the_last_layernorm_of_the_tower_has_an_epsilon_of_its_own(parts: Path) -> None:
    tower = load_base(settings(parts, quantization_bit=None)).model.vision_model
    assert tower.post_layernorm.eps == 1e-5
    assert tower.encoder.layers[0].layer_norm1.eps == 1e-6


def test_minigpt4_learns_generates_saves_and_merges_in_four_bits(parts: Path, tmp_path: Path) -> None:
    tuned = walk(settings(parts), tmp_path)
    quantised = {name for name, module in tuned.model.named_modules() if isinstance(module, Linear4bit)}
    assert len(quantised) == len(tuned.parts.language_model)
    assert all(".language_model." in name and "lm_head" not in name for name in quantised)
    adapted = {name.split(".lora_")[0] for name, _ in tuned.model.named_parameters() if "lora_" in name}
    assert len(adapted) == len(tuned.parts.language_model)


def test_the_prompt_is_that_of_the_original_with_one_bos(parts: Path, tmp_path: Path) -> None:
    loaded = load_base(settings(parts))
    example = four_examples(tmp_path)[0]
    encoder, tokenizer = ChatEncoder(processor=loaded.processor), loaded.processor.tokenizer
    row = encoder.encode(example, encoder.load_pixels(example))
    pieces = ("###Human: <Img>", "</Img> 请写报告。###Assistant:", "lungs clear.###")
    before, after, report = (tokenizer(piece, add_special_tokens=False)["input_ids"] for piece in pieces)
    expected = [tokenizer.bos_token_id, *before, *[0] * QUERIES, *after, *report]
    assert row["input_ids"][0].tolist() == expected
    assert row["labels"][0].tolist() == [-100] * (len(expected) - len(report)) + report
    assert row["pixel_values"].shape == (1, 3, 28, 28)


def test_each_film_of_a_study_has_its_own_places(parts: Path, tmp_path: Path) -> None:
    encoder = ChatEncoder(processor=load_base(settings(parts)).processor)
    one, other, *_ = four_examples(tmp_path)
    both = replace(one, images=(*one.images, *other.images), views=("frontal", "lateral"))
    assert encoder.prompt(both).startswith("###Human: <Img><image></Img><Img><image></Img> ")
    row = encoder.encode(both, encoder.load_pixels(both))
    assert int((row["input_ids"] == 0).sum()) == 2 * QUERIES
    assert row["pixel_values"].shape[0] == 2


def test_a_report_ends_at_the_mark_of_the_next_turn(parts: Path, tmp_path: Path) -> None:
    loaded = load_base(settings(parts, quantization_bit=None))
    spoken = loaded.processor.tokenizer("no effusion.###Human: more", add_special_tokens=False)["input_ids"]
    head = loaded.model.language_model.lm_head
    said = iter([*spoken, *spoken])

    def speak(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.full(output.shape[:-1], next(said)), output.shape[-1]).float()

    head.register_forward_hook(speak)
    assert reports_of(loaded, four_examples(tmp_path)[:1], batch_size=1) == ["no effusion."]
    assert len(list(said)) == 2 * len(spoken) - len("▁no effusion.###")


def in_torch_shards(folder: Path) -> None:
    state = LlamaForCausalLM.from_pretrained(folder).state_dict()
    files = {name: f"pytorch_model-{number % 2 + 1:05}-of-00002.bin" for number, name in enumerate(state)}
    for file in set(files.values()):
        torch.save({name: state[name] for name in state if files[name] == file}, folder / file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}), encoding="utf-8")
    (folder / "model.safetensors").unlink()


def test_vicuna_in_shards_of_torch_opens_to_the_same_weights(parts: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(parts, tmp_path / "copy")
    in_torch_shards(copy / "vicuna")
    one, other = (load_base(settings(folder)).model.state_dict() for folder in (parts, copy))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def lose_a_shard(folder: Path) -> None:
    in_torch_shards(folder / "vicuna")
    (folder / "vicuna" / "pytorch_model-00002-of-00002.bin").unlink()


def lose_a_block(folder: Path) -> None:
    tower = torch.load(folder / "eva_vit_g.pth", weights_only=True)
    kept = {name: tensor for name, tensor in tower.items() if not name.startswith("blocks.1.mlp")}
    torch.save(kept, folder / "eva_vit_g.pth")


def cut_the_tower(folder: Path) -> None:
    (folder / "eva_vit_g.pth").write_bytes((folder / "eva_vit_g.pth").read_bytes()[:2000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_a_shard, "lacks pytorch_model-00002-of-00002.bin"),
        (lose_a_block, "no weights that fit vision_model.encoder.layers.1.mlp"),
        (cut_the_tower, "eva_vit_g.pth is not whole"),
        (lambda folder: (folder / "eva_vit_g.pth").unlink(), "has no eva_vit_g.pth"),
        (lambda folder: (folder / "vicuna" / "model.safetensors").unlink(), "has no weights"),
        (lambda folder: (folder / "vicuna" / "config.json").unlink(), "no Hugging Face folder"),
        (lambda folder: (folder / "vicuna" / "tokenizer.json").unlink(), "has no tokenizer"),
    ],
)
def test_parts_that_are_missing_or_cut_short_are_one_clear_error(
    damage: Callable[[Path], None], message: str, parts: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(parts, tmp_path / "copy")
    damage(copy)
    with pytest.raises(ConfigError, match=message) as caught:
        load_base(settings(copy))
    assert "\n" not in str(caught.value)


def test_the_projection_goes_back_into_the_file_the_original_reads(parts: Path, tmp_path: Path) -> None:
    layer = load_base(settings(parts)).model.language_projection
    save_projection(layer.state_dict(), tmp_path / "shared.pth")
    ours = torch.load(tmp_path / "shared.pth", weights_only=True)["model"]
    published = torch.load(parts / "pretrained_minigpt4.pth", weights_only=True)["model"]
    assert ours.keys() == published.keys() == {"llama_proj.weight", "llama_proj.bias"}
    assert all(torch.equal(ours[name], published[name]) for name in published)


def test_another_projection_or_vicuna_is_another_base(parts: Path, tmp_path: Path) -> None:
    digests = {weights_digest(settings(parts))}
    for number, name in enumerate(("pretrained_minigpt4.pth", "vicuna/model.safetensors")):
        copy = shutil.copytree(parts, tmp_path / str(number))
        (copy / name).write_bytes((copy / name).read_bytes() + b" ")
        digests.add(weights_digest(settings(copy)))
    assert len(digests) == 3


def golden_checks(model: MiniGPT4ForConditionalGeneration, folder: Path) -> list[Check]:
    """Write golden files by joining the model's parts by hand, without its own forward, and replay them."""
    from safetensors.torch import save_file

    (folder / "checkpoint").mkdir()
    write_parts(model, folder / "checkpoint")
    prefix, suffix = torch.tensor([[1, 5, 0], [1, 5, 0]]), torch.tensor([[7, 8], [7, 9]])
    images = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        seen = model.vision_model(images).last_hidden_state
        asked = model.qformer(query_embeds=model.query_tokens.expand(2, -1, -1), encoder_hidden_states=seen)
        places = model.language_projection(asked.last_hidden_state)
        words = model.language_model.get_input_embeddings()
        prompt = torch.cat([words(prefix), places, words(suffix)], dim=1)
        logits = model.language_model(inputs_embeds=prompt).logits
        spoken = [torch.ones(2, dtype=torch.int64)]
        for _ in range(4):
            spoken.append(model.language_model(inputs_embeds=prompt, use_cache=False).logits[:, -1].argmax(-1))
            prompt = torch.cat([prompt, words(spoken[-1])[:, None]], dim=1)
    cases = {"images": images, "vision_hidden_states": seen, "image_embeddings": places}
    cases |= {"forward.prefix_ids": prefix, "forward.suffix_ids": suffix, "forward.logits": logits}
    save_file({**cases, "generate.new_ids": torch.stack(spoken, dim=1)}, folder / "cases.safetensors")
    return list(verify(folder))


def test_golden_files_are_replayed_without_a_tokenizer(tmp_path: Path) -> None:
    checks = golden_checks(native_model(), tmp_path)
    assert [check.name for check in checks if not check.passed] == []
    assert len(checks) == 5


def test_golden_files_of_another_projection_differ(tmp_path: Path) -> None:
    model = native_model()
    golden_checks(model, tmp_path)
    other = model.language_projection.requires_grad_(False)
    other.bias += 0.1
    save_projection(other.state_dict(), tmp_path / "checkpoint" / "pretrained_minigpt4.pth")
    failed = [check.name for check in verify(tmp_path) if not check.passed]
    assert "vision_hidden_states" not in failed
    assert {"image_embeddings", "forward.logits"} <= set(failed)


WHOLE = AdapterConfig(lora_target="none", modules_to_save=("language_projection",))


def test_the_projection_alone_learns_in_full_and_is_saved_loaded_and_merged(parts: Path, tmp_path: Path) -> None:
    tuned = walk(settings(parts), tmp_path, adapter=WHOLE, steps=40)
    learning = {name for name, parameter in tuned.model.named_parameters() if parameter.requires_grad}
    stem = "base_model.model.language_projection.modules_to_save.default"
    assert learning == {f"{stem}.weight", f"{stem}.bias"}
    export_projection(tmp_path / "adapter", tmp_path / "shared.pth")
    shared = torch.load(tmp_path / "shared.pth", weights_only=True)["model"]
    merged = load_base(settings(tmp_path / "merged")).model.language_projection.state_dict()
    published = torch.load(parts / "pretrained_minigpt4.pth", weights_only=True)["model"]
    assert all(torch.equal(shared[f"llama_proj.{name}"], tensor) for name, tensor in merged.items())
    assert not torch.equal(shared["llama_proj.weight"], published["llama_proj.weight"])


def test_a_module_that_learns_in_full_gets_no_lora_of_its_own(parts: Path) -> None:
    adapter = LORA.model_copy(update={"modules_to_save": ("language_projection",)})
    opened = settings(parts, freeze_multi_modal_projector=False)
    tuned = add_adapter(load_base(opened), settings=opened, adapter=adapter, seed=0)
    learning = [name for name, parameter in tuned.model.named_parameters() if parameter.requires_grad]
    assert not any("language_projection" in name and "lora_" in name for name in learning)
    assert sum("modules_to_save" in name for name in learning) == 2
    assert any("qformer" in name and "lora_" in name for name in learning)


def test_a_projection_that_learns_in_32_bits_works_in_a_model_of_16(parts: Path, tmp_path: Path) -> None:
    half = settings(parts, compute_dtype="bfloat16")
    tuned = add_adapter(load_base(half), settings=half, adapter=WHOLE, seed=0)
    losses = learn(tuned, four_examples(tmp_path))
    assert tuned.model.base_model.model.language_projection.weight.dtype == torch.float32
    assert losses[-1] < losses[0]
    tuned.model.save_pretrained(tmp_path / "adapter")
    again = load_adapter(load_base(half), tmp_path / "adapter")
    learned = tuned.model.get_submodule("base_model.model.language_projection.modules_to_save.default")
    read = again.model.get_submodule("base_model.model.language_projection.modules_to_save.default")
    assert torch.equal(read.weight, learned.weight)
    assert torch.equal(*(logits_of(loaded, four_examples(tmp_path)[0]) for loaded in (tuned, again)))
    assert reports_of(again, four_examples(tmp_path), batch_size=2)


@pytest.mark.parametrize(
    ("name", "message"), [("mm_projector", "language_projection, .*qformer"), ("language_model", "held in 4 bits")]
)
def test_a_module_that_cannot_learn_in_full_is_refused(name: str, message: str, parts: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        add_adapter(
            load_base(settings(parts)),
            settings=settings(parts),
            adapter=AdapterConfig(lora_target="none", modules_to_save=(name,)),
            seed=0,
        )


def test_an_adapter_without_a_projection_has_none_to_export(parts: Path, tmp_path: Path) -> None:
    tuned = add_adapter(load_base(settings(parts)), settings=settings(parts), adapter=LORA, seed=0)
    tuned.model.save_pretrained(tmp_path)
    for folder, message in ((tmp_path, "has no projection"), (parts, "is no adapter")):
        with pytest.raises(ConfigError, match=message):
            export_projection(folder, tmp_path / "shared.pth")


def test_without_sizes_the_parts_are_the_published_ones(tmp_path: Path) -> None:
    (tmp_path / "prerained_minigpt4_7b.pth").touch()  # the published spelling
    text = LlamaConfig(vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32)
    text.save_pretrained(tmp_path / "vicuna")

    def linear(inputs: int, outputs: int) -> int:
        return (inputs + 1) * outputs

    def feed_forward(width: int, inner: int) -> int:
        return linear(width, inner) + linear(inner, width)

    eva = 39 * (linear(1408, 3 * 1408) + linear(1408, 1408) + feed_forward(1408, 6144) + 4 * 1408)
    eva += (257 + 1) * 1408 + linear(3 * 14 * 14, 1408) + 2 * 1408
    qformer = 12 * (4 * linear(768, 768) + feed_forward(768, 3072) + 4 * 768)
    qformer += 6 * (2 * linear(768, 768) + 2 * linear(1408, 768) + 2 * 768) + 2 * 768
    vicuna = 6_738_415_616
    assert count_parameters(settings(tmp_path)) == eva + qformer + 32 * 768 + linear(768, 4096) + vicuna


def test_a_killed_first_stage_ends_with_the_same_adapter(
    parts: Path, tmp_path: Path, make_config: Callable[..., RunConfig]
) -> None:
    brief = ("train.max_steps=2", "train.eval_steps=1", "generate.max_new_tokens=4", "train.max_eval_examples=1")
    chosen = (f"model.model_name_or_path={parts}", "model.image_size=32", "data.question=''")
    whole = ("adapter.lora_target=none", "adapter.modules_to_save=[language_projection]")
    config = make_config(tmp_path, *chosen, *whole, *brief)
    data = prepare_data(config.data)

    def adapter() -> bytes:
        loaded = add_adapter(load_base(config.model), settings=config.model, adapter=config.adapter, seed=config.seed)
        train(loaded, config=config, train_examples=data.train, val_examples=data.val, folder=tmp_path)
        return (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()

    expected = adapter()
    shutil.rmtree(tmp_path / "checkpoints" / "checkpoint-2")
    assert adapter() == expected
