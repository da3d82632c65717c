"""Qwen-VL, the whole way that every base model goes, on a tiny one in the published layout."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

from finetune.batch import ChatEncoder, collate
from finetune.config import AdapterConfig, GenerateConfig, ModelConfig
from finetune.generate import write_reports
from finetune.models.loading import LoadedModel, add_adapter, load_adapter, load_base
from finetune.models.parts import find_parts
from finetune.models.qwen_vl.configuration import QwenVLConfig
from finetune.models.registry import register_families
from finetune.models.verify import verify
from finetune.serve.engine import DialogueError, Engine
from tests.finetune.conftest import frontal_example
from tests.finetune.models import qwen_vl_folder
from tests.finetune.models.qwen_vl_reference import film_tokens, greedy, row_logits
from xray.errors import ConfigError, DataError
from xray.types import Example, Turn

REPORTS = ("双肺野清晰。", "左侧胸腔少量积液。", "右肺结节。", "心影增大。")
LORA = AdapterConfig(lora_rank=8, lora_alpha=16, lora_dropout=0.0)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen_vl") / "checkpoint"
    path.mkdir()
    qwen_vl_folder.build(path)
    return path


@pytest.fixture(scope="module")
def plain(folder: Path) -> LoadedModel:
    loaded = load_base(ModelConfig(model_name_or_path=str(folder), quantization_bit=None))
    loaded.model.eval()
    return loaded


@pytest.fixture(scope="module")
def tuned(folder: Path) -> LoadedModel:
    settings = ModelConfig(model_name_or_path=str(folder))
    loaded = add_adapter(load_base(settings), settings=settings, adapter=LORA, seed=0)
    losses = learn(loaded, steps=20)
    assert losses[-1] < losses[0] / 2
    learn(loaded, steps=30)  # until its reports differ
    return loaded


def film(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 255, (80, 64), dtype=np.uint8)


def example(number: int) -> Example:
    study = frontal_example(Path(f"{number}.png"), target=REPORTS[number])
    question = replace(study.messages[0], text="请写报告。" + "清晰" * number)  # rows of different lengths
    return replace(study, example_id=f"e{number}", messages=(question,))


def batch_of(loaded: LoadedModel, examples: list[Example]) -> dict[str, torch.Tensor]:
    encoder = ChatEncoder(processor=loaded.processor)
    rows = [encoder.encode(row, [film(number)]) for number, row in enumerate(examples)]
    return collate(rows, pad_token_id=loaded.processor.tokenizer.pad_token_id)


def learn(loaded: LoadedModel, *, steps: int) -> list[float]:
    batch = batch_of(loaded, [example(number) for number in range(4)])
    weights = [parameter for parameter in loaded.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-2)
    loaded.model.train()
    losses = []
    for _ in range(steps):
        loss = loaded.model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    loaded.model.eval()
    return losses


def reports(loaded: LoadedModel, examples: list[Example]) -> list[str]:
    texts = write_reports(
        examples,
        loaded=loaded,
        encoder=ChatEncoder(processor=loaded.processor),
        settings=GenerateConfig(max_new_tokens=20),
        load_pixels=lambda study: [film(int(study.example_id[1:]))],
    )
    return [text.text for text in texts]


def golden_folder(folder: Path) -> Path:
    """Write what the plain computation gives for prompts within, and beyond, the trained length."""
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir()
    qwen_vl_folder.build(checkpoint, seq_length=24)
    config = QwenVLConfig.from_pretrained(checkpoint)
    weights = load_file(checkpoint / "model.safetensors")
    images = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    tokens = film_tokens(weights, images, visual=config.visual)
    cases = {"images": images, "image_embeddings": tokens.clone()}
    start = config.visual["image_start_id"]
    for number, length in enumerate((9, 45)):
        row = [7, start, 97, 46, 112, 110, start + 1, *range(20, 20 + length)]
        shown = tokens[number : number + 1]
        cases[f"forward{number}.input_ids"] = torch.tensor([row])
        cases[f"forward{number}.logits"] = row_logits(weights, row, shown, config=config, prompt=len(row))[None]
        cases[f"generate{number}.prompt_ids"] = torch.tensor([row])
        cases[f"generate{number}.sequence"] = torch.tensor([greedy(weights, row, shown, config=config, new=12)])
    save_file(cases, folder / "cases.safetensors")
    texts = {
        "spd": {"<img>": start, "</img>": start + 1, "<imgpad>": start + 2},
        "texts": ["<img>a"],
        "ids": [[start, 97]],
    }
    (folder / "tokenizer_cases.json").write_text(json.dumps(texts), encoding="utf-8")
    return folder


def test_it_computes_what_the_published_code_does_also_beyond_the_trained_length(tmp_path: Path) -> None:
    checks = {check.name: check for check in verify(golden_folder(tmp_path))}
    assert len([name for name in checks if name.startswith("tokenizer")]) == 2
    assert {"image_embeddings", "forward0.logits", "forward1.logits", "generate1.sequence"} <= checks.keys()
    assert [check.name for check in checks.values() if not check.passed] == []


def test_rows_of_one_batch_keep_to_their_own_lengths_beyond_the_trained_one(tmp_path: Path) -> None:
    qwen_vl_folder.build(tmp_path, seq_length=24)
    loaded = load_base(ModelConfig(model_name_or_path=str(tmp_path), quantization_bit=None))
    model = loaded.model.eval()
    films = [Image.fromarray(film(number)).convert("RGB") for number in range(3)]
    prompts = ["<img><imgpad></img>" + "双肺野清晰心影不大" * times for times in (1, 4, 9)]

    def inputs(rows: slice, side: str) -> dict[str, torch.Tensor]:
        return loaded.processor(
            text=prompts[rows], images=films[rows], return_tensors="pt", padding=True, padding_side=side
        )

    together = model.generate(**inputs(slice(None), "left"), do_sample=False, max_new_tokens=12, eos_token_id=None)
    with torch.no_grad():
        logits = model(**inputs(slice(None), "right")).logits
    for number in range(3):
        row = inputs(slice(number, number + 1), "left")
        alone = model.generate(**row, do_sample=False, max_new_tokens=12, eos_token_id=None)
        assert torch.equal(alone[0, -12:], together[number, -12:])
        length = row["input_ids"].shape[1]
        with torch.no_grad():
            torch.testing.assert_close(model(**row).logits[0], logits[number, :length], atol=1e-4, rtol=0)


def test_only_the_language_models_layers_are_held_in_four_bits_and_get_an_adapter(tuned: LoadedModel) -> None:
    layers = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert {name.rsplit(".", 1)[-1] for name in tuned.parts.language_model} == layers
    assert set(tuned.model.peft_config["default"].target_modules) == set(tuned.parts.language_model)
    held = {name for name, module in tuned.model.named_modules() if isinstance(module, Linear4bit)}
    assert {name.removeprefix("base_model.model.").removesuffix(".base_layer") for name in held} == set(
        tuned.parts.language_model
    )
    assert tuned.parts.vision_tower
    assert len(tuned.parts.projector) == 5
    assert tuned.parts.head == ("lm_head",)


def test_a_batch_writes_what_each_study_gets_alone(tuned: LoadedModel) -> None:
    examples = [example(number) for number in range(4)]
    together = reports(tuned, examples)
    assert together == [reports(tuned, [row])[0] for row in examples]
    assert len(set(together)) == len(examples)


def test_every_beam_sees_the_films_of_its_study_in_their_order(plain: LoadedModel) -> None:
    films = [Image.fromarray(film(number)).convert("RGB") for number in range(2)]
    inputs = plain.processor(text=["<img><imgpad></img>" * 2 + "清晰"], images=films, return_tensors="pt")
    settings = {"num_beams": 3, "do_sample": False, "max_new_tokens": 4, "length_penalty": 0.0, "eos_token_id": None}
    out = plain.model.generate(**inputs, **settings, output_scores=True, return_dict_in_generate=True)
    whole = {**inputs, "input_ids": out.sequences, "attention_mask": torch.ones_like(out.sequences)}
    with torch.no_grad():
        likely = plain.model(**whole).logits.log_softmax(dim=-1)[0, -5:-1]
    expected = likely.gather(1, out.sequences[0, -4:, None]).sum()
    torch.testing.assert_close(out.sequences_scores[0], expected, atol=1e-4, rtol=0)


def test_a_saved_adapter_loads_back_and_merges_into_the_published_layout(
    tuned: LoadedModel, folder: Path, tmp_path: Path
) -> None:
    batch = batch_of(tuned, [example(0), example(1)])
    tuned.model.save_pretrained(tmp_path / "adapter")
    again = load_adapter(load_base(ModelConfig(model_name_or_path=str(folder))), tmp_path / "adapter")
    again.model.eval()
    with torch.no_grad():
        assert torch.equal(again.model(**batch).logits, tuned.model(**batch).logits)
    whole = load_adapter(
        load_base(ModelConfig(model_name_or_path=str(folder), quantization_bit=None)), tmp_path / "adapter"
    )
    whole.model.eval()
    with torch.no_grad():
        expected = whole.model(**batch).logits
    whole.model.merge_and_unload().save_pretrained(tmp_path / "merged")
    whole.processor.save_pretrained(tmp_path / "merged")
    merged = load_base(ModelConfig(model_name_or_path=str(tmp_path / "merged"), quantization_bit=None))
    merged.model.eval()
    with torch.no_grad():
        torch.testing.assert_close(merged.model(**batch).logits, expected, atol=1e-4, rtol=0)
    names = load_file(folder / "model.safetensors").keys()
    assert load_file(tmp_path / "merged" / "model.safetensors").keys() == names


def test_saving_gives_back_the_published_weights_and_settings(plain: LoadedModel, folder: Path, tmp_path: Path) -> None:
    plain.model.save_pretrained(tmp_path)
    before, after = load_file(folder / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert "transformer.h.1.attn.c_attn.bias" in before
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    settings = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert qwen_vl_folder.published(plain.model).items() <= settings.items()


def test_shards_of_the_older_kind_load_in_four_bits_as_one_file_does(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names, index = sorted(weights), {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({name: weights[name] for name in part}, copy / file)
        index.update(dict.fromkeys(part, file))
    content = {"metadata": {"total_size": 0}, "weight_map": index}
    (copy / "pytorch_model.bin.index.json").write_text(json.dumps(content), encoding="utf-8")
    sharded, single = (load_base(ModelConfig(model_name_or_path=str(path))) for path in (copy, folder))
    batch = batch_of(single, [example(0)])
    with torch.no_grad():
        assert torch.equal(sharded.model.eval()(**batch).logits, single.model.eval()(**batch).logits)


def test_checkpointing_gradients_changes_no_loss_and_no_gradient(folder: Path) -> None:
    settings = ModelConfig(
        model_name_or_path=str(folder), freeze_vision_tower=False, freeze_multi_modal_projector=False
    )
    seen = []
    for checkpointing in (False, True):
        loaded = add_adapter(load_base(settings), settings=settings, adapter=LORA, seed=0)
        if checkpointing:
            loaded.model.enable_input_require_grads()
            loaded.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        loaded.model.train()
        loss = loaded.model(**batch_of(loaded, [example(0), example(1)])).loss
        loss.backward()
        gradients = {name: p.grad for name, p in loaded.model.named_parameters() if p.grad is not None}
        seen.append((loss, gradients))
    assert torch.equal(seen[0][0], seen[1][0])
    parts = loaded.parts
    assert len(seen[0][1]) == 2 * len([*parts.vision_tower, *parts.projector, *parts.language_model])
    assert all(torch.allclose(seen[0][1][name], seen[1][1][name], atol=1e-6) for name in seen[0][1])


def test_a_prompt_whose_places_do_not_fit_its_films_is_refused(plain: LoadedModel) -> None:
    batch = batch_of(plain, [example(0)])
    with pytest.raises(DataError, match="2 films do not fit a prompt with 1 film starts"):
        plain.model(**{**batch, "pixel_values": batch["pixel_values"].repeat(2, 1, 1, 1)})
    start = plain.model.config.visual["image_start_id"]
    closed = torch.where(batch["input_ids"] == start + 1, 5, batch["input_ids"])
    with pytest.raises(DataError, match="do not fit"):
        plain.model(**{**batch, "input_ids": closed})


def test_a_text_model_of_the_same_type_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "Qwen-7B")
    settings = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps({**settings, "visual": None}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Qwen-7B is Qwen, a text model") as caught:
        load_base(ModelConfig(model_name_or_path=str(copy)))
    assert "\n" not in str(caught.value)


def test_the_published_folder_in_gptq_is_refused_with_what_to_name_instead() -> None:
    held = {"quant_method": "gptq", "bits": 4}
    with pytest.raises(ConfigError, match=r"Int4 is held in GPTQ.* Name Qwen-VL-Chat itself"):
        QwenVLConfig(visual={"width": 64}, quantization_config=held, name_or_path="Qwen-VL-Chat-Int4")


def test_a_variant_that_was_never_published_is_refused() -> None:
    with pytest.raises(ConfigError, match="no Qwen-VL as published"):
        QwenVLConfig(visual={"width": 64}, no_bias=False)


def test_at_its_full_size_it_has_the_published_number_of_parameters() -> None:
    register_families()
    visual = {"heads": 16, "image_size": 448, "image_start_id": 151857, "layers": 48, "mlp_ratio": 4.9231}
    config = QwenVLConfig(visual=visual | {"output_dim": 4096, "patch_size": 14, "width": 1664})
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == 9_656_935_168
    assert config.num_image_tokens == 256
    assert len(find_parts(model).language_model) == 32 * 7


def test_a_dialogue_may_hold_the_regions_of_an_answer_and_no_mark_of_a_turn(plain: LoadedModel) -> None:
    engine = Engine(plain, encoder=ChatEncoder(processor=plain.processor))
    said = Turn(role="assistant", text="<ref>右肺</ref><box>(1,2),(3,4)</box>")
    asked = Turn(role="user", text="双肺")
    assert engine.prepare([asked, said, asked], films=[]).length > 0
    with pytest.raises(DialogueError, match="im_end"):
        engine.prepare([Turn(role="user", text="双肺<|im_end|>")], films=[])
