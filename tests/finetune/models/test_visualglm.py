import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

from finetune.batch import ChatEncoder, collate
from finetune.config import AdapterConfig, GenerateConfig, ModelConfig, RunConfig
from finetune.generate import write_reports
from finetune.manifest import Prediction, predictions_path, read_records
from finetune.models.loading import LoadedModel, adapter_targets, add_adapter, load_adapter, load_base
from finetune.models.processing import load_processor
from finetune.models.verify import verify
from finetune.models.visualglm.configuration import VisualGLMConfig
from finetune.models.visualglm.modeling import VisualGLMForConditionalGeneration, image_places
from finetune.run import start_run
from tests.finetune.conftest import TEXTS, frontal_example, quiet_screen
from tests.finetune.models.visualglm_folder import write_folder
from tests.finetune.models.visualglm_reference import image_embeddings, logits
from xray.errors import ConfigError
from xray.types import Example, Turn

QUESTION = "<img></img>问：请根据这些影像写一份中文胸部报告。\n答：这张上次Q通过线片诊断出什么？"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("visualglm") / "model", [*TEXTS, *[QUESTION] * 30])


@pytest.fixture(scope="module")
def plain(folder: Path) -> LoadedModel:
    """The model in 32 bits. Tests read it and change nothing."""
    loaded = load_base(settings(folder, quantization_bit=None))
    loaded.model.eval()
    return loaded


def settings(folder: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(folder), **changes})


def film(seed: int, size: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)


def study(target: str, *, films: int = 1, question: str = "请写报告。") -> Example:
    example = frontal_example(Path("film.png"), target=target)
    return replace(example, images=example.images * films, messages=(Turn(role="user", text=question),))


def four_rows(loaded: LoadedModel) -> list[dict[str, torch.Tensor]]:
    encoder = ChatEncoder(processor=loaded.processor)
    films = [[film(0)], [film(1), film(2)], [film(3)], [film(4), film(5)]]
    return [encoder.encode(study(text, films=len(seen)), seen) for text, seen in zip(TEXTS, films, strict=False)]


def batch_of(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    return collate(four_rows(loaded), pad_token_id=loaded.processor.tokenizer.pad_token_id)


def write_golden(folder: Path, golden: Path, *, suffix: list[int], answer: list[int]) -> dict[str, torch.Tensor]:
    """Make a golden folder of one film with the second computation of the model."""
    shutil.copytree(folder, golden / "checkpoint")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    images = torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    tower, seen = image_embeddings(weights, images, config=config)
    prompt = [20, 21, *[0] * 8, *suffix, config["gmask_token_id"], config["bos_token_id"]]
    ids = torch.tensor(prompt + answer)
    expected = logits(weights, ids.tolist(), seen, start=2, config=config)
    sequence = list(prompt)
    for _ in range(5):
        sequence.append(int(logits(weights, sequence, seen, start=2, config=config)[-1].argmax()))
    loss = torch.nn.functional.cross_entropy(expected[len(prompt) - 2 : -1], ids[len(prompt) - 1 :])
    return {
        "images": images,
        "vision_hidden_states": tower,
        "image_embeddings": seen,
        "forward0.input_ids": ids[None],
        "forward0.logits": expected[None],
        "forward0.loss": loss.reshape(1),
        "generate0.prompt_ids": torch.tensor([prompt]),
        "generate0.sequence": torch.tensor([sequence]),
    }


def test_the_model_equals_a_second_computation_from_the_published_weights(folder: Path, tmp_path: Path) -> None:
    cases = write_golden(folder, tmp_path, suffix=[30, 0, 31, 4, 32], answer=[33, 34, 7])
    save_file(cases, tmp_path / "cases.safetensors")
    checks = list(verify(tmp_path))
    assert [check.name for check in checks if not check.passed] == []
    assert len(checks) == 5
    cases["forward0.logits"][0, -1, 0] += 1e-3
    cases["generate0.sequence"][0, -1] += 1
    save_file(cases, tmp_path / "cases.safetensors")
    assert [check.name for check in verify(tmp_path) if not check.passed] == ["forward0.logits", "generate0.sequence"]


@pytest.mark.parametrize("kind", ["bin shards", "safetensors", "safetensors shards"])
def test_every_kind_of_checkpoint_loads_and_is_saved_with_the_published_names(
    folder: Path, plain: LoadedModel, tmp_path: Path, kind: str
) -> None:
    published = torch.load(folder / "pytorch_model.bin", weights_only=True)
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "pytorch_model.bin").unlink()
    if kind == "bin shards":
        names = sorted(published)
        shards = {f"pytorch_model-{n + 1:05}-of-00002.bin": names[n::2] for n in range(2)}
        for file, held in shards.items():
            torch.save({name: published[name] for name in held}, copy / file)
        index = {"metadata": {}, "weight_map": {name: file for file, held in shards.items() for name in held}}
        (copy / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    else:
        plain.model.save_pretrained(copy, max_shard_size="100KB" if "shards" in kind else "5GB")
        shutil.copy(folder / "config.json", copy)
    loaded = load_base(settings(copy, quantization_bit=None))
    loaded.model.save_pretrained(tmp_path / "again")
    again = load_file(tmp_path / "again" / "model.safetensors")
    assert again.keys() == {name for name in published if "inv_freq" not in name}
    assert all(torch.equal(again[name], published[name]) for name in again)


def test_the_saved_configuration_keeps_what_was_published(folder: Path, plain: LoadedModel, tmp_path: Path) -> None:
    plain.model.config.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    published = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert {name: saved[name] for name in published if name != "architectures"} == {
        name: value for name, value in published.items() if name != "architectures"
    }


def test_the_real_size_has_the_published_number_of_parameters() -> None:
    eva = {"num_layers": 39, "hidden_size": 1408, "num_attention_heads": 16, "inner_hidden_size": 6144}
    eva |= {"image_size": [224, 224], "patch_size": 14, "layernorm_epsilon": 1e-6}
    qformer = {"num_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "vocab_size": 32}
    qformer |= {"is_decoder": [True, False] * 6, "cross_attn_hidden_size": 1408, "layernorm_epsilon": 1e-12}
    with torch.device("meta"):
        model = VisualGLMForConditionalGeneration(VisualGLMConfig(eva_config=eva, qformer_config=qformer))
    unused_fusion = 2 * 4096  # the original carries it and never calls it
    assert sum(weight.numel() for weight in model.parameters()) == 7_802_201_600 - unused_fusion


def test_only_the_text_model_is_held_in_four_bits_and_gets_the_adapter(folder: Path) -> None:
    loaded = load_base(settings(folder))
    quantised = {name for name, module in loaded.model.named_modules() if isinstance(module, Linear4bit)}
    targets = adapter_targets(loaded.parts, settings=settings(folder), adapter=AdapterConfig())
    assert quantised == set(targets) == set(loaded.parts.language_model)
    assert {name.rsplit(".", 1)[-1] for name in targets} == {
        "query_key_value",
        "dense",
        "dense_h_to_4h",
        "dense_4h_to_h",
    }
    assert {name.split(".")[0] for name in loaded.parts.projector} == {"qformer", "projector"}


def test_twenty_steps_lower_the_loss_and_the_saved_adapter_gives_the_same_logits(folder: Path, tmp_path: Path) -> None:
    adapter = AdapterConfig(lora_rank=8, lora_dropout=0.0)
    tuned = add_adapter(load_base(settings(folder)), settings=settings(folder), adapter=adapter, seed=0)
    batch = batch_of(tuned)
    optimiser = torch.optim.AdamW([p for p in tuned.model.parameters() if p.requires_grad], lr=1e-2)
    tuned.model.train()
    losses = []
    for _ in range(20):
        loss = tuned.model(**batch).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    tuned.model.eval()
    tuned.model.save_pretrained(tmp_path)
    again = load_adapter(load_base(settings(folder)), tmp_path)
    again.model.eval()
    with torch.no_grad():
        assert torch.equal(again.model(**batch).logits, tuned.model(**batch).logits)


def test_a_merged_adapter_gives_the_same_logits_from_a_published_folder(
    folder: Path, plain: LoadedModel, tmp_path: Path
) -> None:
    in_full = settings(folder, quantization_bit=None)
    tuned = add_adapter(load_base(in_full), settings=in_full, adapter=AdapterConfig(lora_rank=2), seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in tuned.model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1, generator=generator)
    tuned.model.eval()
    batch = batch_of(tuned)
    with torch.no_grad():
        expected = tuned.model(**batch).logits
        assert not torch.allclose(expected, plain.model(**batch).logits, atol=1e-2)
    tuned.model.merge_and_unload().save_pretrained(tmp_path)
    tuned.processor.save_pretrained(tmp_path)
    merged = load_base(settings(tmp_path, quantization_bit=None))
    merged.model.eval()
    with torch.no_grad():
        assert torch.allclose(merged.model(**batch).logits, expected, atol=1e-4)
    assert merged.processor.chat_template == tuned.processor.chat_template
    assert "image_encoder.glm_proj.weight" in load_file(tmp_path / "model.safetensors")


def test_reports_written_in_a_batch_are_those_written_alone(plain: LoadedModel) -> None:
    encoder, wanted = ChatEncoder(processor=plain.processor), GenerateConfig(max_new_tokens=12)
    examples = [study("无", films=2), study("无", question="请根据这些影像写一份中文胸部报告。"), study("无")]

    def write(chosen: list[Example]) -> list[str]:
        def films(example: Example) -> list[np.ndarray]:
            return [film(examples.index(example) * 10 + number) for number in range(len(example.images))]

        texts = write_reports(chosen, loaded=plain, encoder=encoder, settings=wanted, load_pixels=films)
        return [text.text for text in texts]

    together = write(examples)
    assert together == [write([example])[0] for example in examples]
    assert len(set(together)) > 1


@pytest.mark.parametrize("choice", [{}, {"cache_implementation": "static"}, {"num_beams": 2}])
def test_the_tokens_do_not_depend_on_the_cache(plain: LoadedModel, choice: dict) -> None:
    encoder = ChatEncoder(processor=plain.processor)
    rows = [encoder.encode_prompt(study("无", films=films), [film(n) for n in range(films)]) for films in (1, 2)]
    inputs = collate(rows, pad_token_id=plain.processor.tokenizer.pad_token_id, side="left")
    wanted = {"do_sample": False, "max_new_tokens": 6, "num_beams": choice.pop("num_beams", 1)}
    expected = plain.model.generate(**inputs, **wanted, use_cache=False)
    assert torch.equal(plain.model.generate(**inputs, **wanted, **choice), expected)


def test_every_beam_sees_the_films_of_its_row_in_their_order(plain: LoadedModel) -> None:
    encoder = ChatEncoder(processor=plain.processor)
    rows = [encoder.encode_prompt(study("无", films=films), [film(n) for n in range(films)]) for films in (1, 2)]
    inputs = collate(rows, pad_token_id=plain.processor.tokenizer.pad_token_id, side="left")
    ids, expanded = plain.model._expand_inputs_for_generation(2, **inputs)
    one, first, second = inputs["pixel_values"]
    wanted = torch.stack([one, one, first, second, first, second])
    assert torch.equal(expanded["pixel_values"], wanted)
    assert ids is not None
    assert torch.equal(ids, inputs["input_ids"].repeat_interleave(2, dim=0))


def test_eager_attention_gives_the_same_logits(folder: Path, plain: LoadedModel) -> None:
    eager = load_base(settings(folder, quantization_bit=None, attn_implementation="eager"))
    eager.model.eval()
    batch = batch_of(plain)
    with torch.no_grad():
        ours, theirs = eager.model(**batch), plain.model(**batch)
    real = batch["attention_mask"].bool()
    assert torch.allclose(ours.logits[real], theirs.logits[real], atol=1e-4)
    assert eager.model.config._attn_implementation == eager.model.vision_model.config._attn_implementation == "eager"


def test_a_batch_padded_for_training_has_the_loss_of_its_rows(plain: LoadedModel) -> None:
    rows = four_rows(plain)
    with torch.no_grad():
        losses = [float(plain.model(**row).loss) for row in rows]
        together = float(plain.model(**batch_of(plain)).loss)
    counts = [int((row["labels"][:, 1:] != -100).sum()) for row in rows]
    assert together == pytest.approx(np.average(losses, weights=counts), abs=1e-5)


def test_recomputed_activations_change_no_gradient(folder: Path) -> None:
    gradients = []
    for recompute in (False, True):
        tuned = add_adapter(
            load_base(settings(folder)), settings=settings(folder), adapter=AdapterConfig(lora_dropout=0.0), seed=0
        )
        if recompute:
            tuned.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        tuned.model.train()
        tuned.model(**batch_of(tuned)).loss.backward()
        gradients.append({name: p.grad for name, p in tuned.model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.allclose(gradients[0][name], gradients[1][name], atol=1e-6) for name in gradients[0])
    assert any(gradient.abs().sum() > 0 for gradient in gradients[0].values())


def test_a_prefix_learns_and_is_there_in_every_step_of_generation(folder: Path, tmp_path: Path) -> None:
    adapter = AdapterConfig(type="p_tuning", pre_seq_len=4)
    tuned = add_adapter(load_base(settings(folder)), settings=settings(folder), adapter=adapter, seed=0)
    learning = [weight for weight in tuned.model.parameters() if weight.requires_grad]
    assert sum(weight.numel() for weight in learning) == 4 * 2 * 2 * 64  # tokens, layers, keys and values, width
    losses, optimiser = [], torch.optim.AdamW(learning, lr=0.3)
    batch = batch_of(tuned)
    tuned.model.train()
    for _ in range(10):
        loss = tuned.model(**batch).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]
    tuned.model.save_pretrained(tmp_path)
    again = load_adapter(load_base(settings(folder)), tmp_path)
    again.model.eval()
    rows = [
        ChatEncoder(processor=again.processor).encode_prompt(study("无", films=films), [film(n) for n in range(films)])
        for films in (1, 2)
    ]
    inputs = collate(rows, pad_token_id=3, side="left")
    written = again.model.generate(**inputs, do_sample=False, max_new_tokens=5)
    grown = dict(inputs)
    with torch.no_grad():
        for _ in range(5):
            chosen = again.model(**grown).logits[:, -1].argmax(-1, keepdim=True)
            grown["input_ids"] = torch.cat([grown["input_ids"], chosen], dim=1)
            grown["attention_mask"] = torch.cat([grown["attention_mask"], torch.ones_like(chosen)], dim=1)
    assert torch.equal(written, grown["input_ids"])


def test_a_prefix_is_refused_for_other_families_and_with_recomputed_activations(tiny_base: Path) -> None:
    with pytest.raises(ConfigError, match="p_tuning is for VisualGLM, not for a model of type 'qwen3_vl'"):
        add_adapter(
            load_base(settings(tiny_base)), settings=settings(tiny_base), adapter=AdapterConfig(type="p_tuning"), seed=0
        )
    with pytest.raises(ValueError, match="gradient_checkpointing"):
        RunConfig.model_validate(
            {"name": "x", "adapter": {"type": "p_tuning"}, "train": {"gradient_checkpointing": True}}
        )


@pytest.mark.parametrize("kind", ["lora", "p_tuning"])
def test_the_model_learns_and_writes_in_sixteen_bits(folder: Path, kind: str) -> None:
    half = settings(folder, compute_dtype="float16")
    tuned = add_adapter(load_base(half), settings=half, adapter=AdapterConfig(type=kind), seed=0)
    loss = tuned.model(**batch_of(tuned)).loss
    loss.backward()
    assert torch.isfinite(loss)
    assert {p.dtype for p in tuned.model.parameters() if p.requires_grad} == {torch.float32}
    encoder, wanted = ChatEncoder(processor=tuned.processor), GenerateConfig(max_new_tokens=3)
    texts = write_reports(
        [study("无")], loaded=tuned, encoder=encoder, settings=wanted, load_pixels=lambda example: [film(0)]
    )
    assert texts[0].num_tokens > 0


def test_a_conversation_is_written_with_its_films_first_and_the_answer_after_sop(plain: LoadedModel) -> None:
    turns = [
        {"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "有什么异常？"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "无。"}]},
        {"role": "user", "content": "心影如何？"},
    ]
    write = plain.processor.apply_chat_template
    prompt = "<img><unk></img><img><unk></img>问：有什么异常？\n答：无。\n问：心影如何？\n答：[gMASK]<sop>"
    assert write(turns, add_generation_prompt=True, tokenize=False) == prompt
    answered = [*turns, {"role": "assistant", "content": "正常。"}]
    assert write(answered, tokenize=False) == prompt + "正常。<eop>"


def test_an_example_ends_with_eop_and_a_system_turn_is_refused(plain: LoadedModel) -> None:
    encoder, example = ChatEncoder(processor=plain.processor), study("双肺野清晰。")
    tokenizer = plain.processor.tokenizer
    encoded = encoder.encode(example, [film(0)])
    prompt = encoder.encode_prompt(example, [film(0)])["input_ids"][0].tolist()
    assert prompt[-2:] == [tokenizer.gmask_token_id, tokenizer.bos_token_id]
    assert prompt.count(tokenizer.bos_token_id) == 1
    learnt = encoded["labels"][encoded["labels"] != -100].tolist()
    assert learnt[-1] == tokenizer.eos_token_id == encoder.closing_id(example)
    with pytest.raises(ConfigError, match=r"leave data\.system out"):
        encoder.prompt(replace(example, messages=(Turn(role="system", text="你是医生。"), *example.messages)))


def test_unknown_characters_are_not_taken_for_image_places(plain: LoadedModel) -> None:
    strange = "鑫 \t龘\n麤" * 12
    encoder = ChatEncoder(processor=plain.processor)
    ids = encoder.encode_prompt(study("无", question=strange), [film(0)])["input_ids"]
    places = image_places(ids, token_id=0, length=8)
    assert int((ids == 0).sum()) >= 8 + 24
    assert places.nonzero()[:, 1].tolist() == list(range(places[0].int().argmax(), places[0].int().argmax() + 8))
    with torch.no_grad():
        plain.model(**encoder.encode_prompt(study("无", question=strange), [film(0)]))


@pytest.mark.parametrize("question", ["<unk>", "看<img><unk></img>"])
def test_an_image_place_that_a_user_types_is_refused(plain: LoadedModel, question: str) -> None:
    with pytest.raises(ConfigError, match="cannot read study s0 with its 1 films"):
        ChatEncoder(processor=plain.processor).encode_prompt(study("无", question=question), [film(0)])


def test_films_that_do_not_fit_the_prompt_or_a_prompt_without_an_end_are_refused(plain: LoadedModel) -> None:
    row = ChatEncoder(processor=plain.processor).encode_prompt(study("无", films=2), [film(0), film(1)])
    with pytest.raises(ValueError, match="hold 16 image places, but 1 films need 8"):
        plain.model(**{**row, "pixel_values": row["pixel_values"][:1]})
    with pytest.raises(ValueError, match="does not end with"):
        plain.model(input_ids=row["input_ids"][:, :-1])


def test_films_are_scaled_by_pillow_with_clips_statistics(plain: LoadedModel) -> None:
    picture = Image.fromarray(film(3, size=50)).convert("RGB")
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    expected = (np.asarray(picture.resize((24, 24), Image.Resampling.BICUBIC)) / 255 - mean) / std
    seen = plain.processor.image_processor([picture], return_tensors="pt")["pixel_values"][0]
    assert np.abs(seen.numpy() - expected.transpose(2, 0, 1)).max() < 1e-6


def test_text_comes_back_with_its_lines_blanks_and_full_width_marks(plain: LoadedModel) -> None:
    tokenizer = plain.processor.tokenizer
    text = "双肺，未见异常：\n  \t心影正常。"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert {"<n>", "<|blank_2|>", "<|tab|>"} < set(tokenizer.convert_ids_to_tokens(ids))
    assert tokenizer.decode(ids) == "双肺,未见异常:\n  \t心影正常。"
    assert plain.processor.decode(ids) == text
    assert "⁇" in tokenizer.decode([*ids, len(tokenizer) + 1])  # the model has more ids than the vocabulary
    assert tokenizer("胸", "部")["input_ids"][-1] == tokenizer.eos_token_id


def test_the_processor_reaches_another_process_whole(plain: LoadedModel) -> None:
    copy = pickle.loads(pickle.dumps(plain.processor))
    row = ChatEncoder(processor=plain.processor).encode_prompt(study("无"), [film(0)])
    again = ChatEncoder(processor=copy).encode_prompt(study("无"), [film(0)])
    assert all(torch.equal(row[name], again[name]) for name in row)


def test_a_text_model_of_the_same_kind_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    del content["eva_config"], content["qformer_config"]
    (copy / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="ChatGLM model without VisualGLM's eva_config"):
        load_base(settings(copy))


def test_a_folder_without_its_vocabulary_says_which_file_is_missing(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "ice_text.model").unlink()
    with pytest.raises(ConfigError, match=r"no tokenizer .*\*\.model") as caught:
        load_base(settings(copy))
    assert "\n" not in str(caught.value)


def test_a_run_needs_no_more_than_the_models_place(
    folder: Path, tmp_path: Path, make_config: Callable[..., RunConfig]
) -> None:
    config = make_config(tmp_path, f"model.model_name_or_path={folder}", "train.max_steps=2")
    run = start_run(config, screen=quiet_screen(), command="finetune run tiny.yaml")
    assert len(read_records(predictions_path(run, "adapter"), Prediction)) > 1


def test_the_loader_of_transformers_finds_the_family(folder: Path) -> None:
    load_processor(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder, trust_remote_code=False)
    assert type(model) is VisualGLMForConditionalGeneration
