"""The catalogue, and what `finetune models list`, `show` and `estimate` say."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText, Qwen3VLConfig
from typer.testing import CliRunner

from finetune.batch import ChatEncoder
from finetune.model_commands import app
from finetune.models.architecture import measure
from finetune.models.catalogue import find_entry, load_catalogue
from finetune.models.describe import describe
from finetune.models.processing import load_processor
from finetune.models.templates import DEFAULT_TEMPLATES
from tests.finetune.models.families import FAMILIES, write_folder


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_every_model_has_a_hub_id_once_and_numbers_that_fit_each_other() -> None:
    entries = load_catalogue()
    assert len({entry.hub_id for entry in entries}) == len(entries) > 20
    for entry in entries:
        assert entry.hub_id.count("/") == 1
        assert (entry.image_size is None) == (entry.image_tokens is None)
        if entry.token_px and entry.image_size:
            assert entry.tokens_at(entry.image_size) == entry.image_tokens
        if entry.architecture:
            assert entry.parameters is None
            assert entry.architecture.linear_weights < entry.architecture.language_model


def test_the_numbers_of_an_entry_are_those_of_its_configuration() -> None:
    text = {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "out_hidden_size": 2560,
        "deepstack_visual_indexes": [5, 11, 17],
    }
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    entry = find_entry("qwen/qwen3-vl-4b-instruct")
    assert entry is not None
    assert measure(model) == entry.architecture


def test_visualglm_has_the_parameters_that_were_published() -> None:
    entry = find_entry("THUDM/visualglm-6b")
    assert entry is not None
    assert entry.total_parameters == 7_802_201_600 - 2 * 4096  # without a fusion that nothing uses


def test_the_list_names_every_model_with_its_size_and_licence() -> None:
    text = said("list")
    assert all(entry.hub_id in text for entry in load_catalogue())
    line = next(line for line in text.splitlines() if "Qwen3-VL-8B" in line)
    assert "8.77 B" in line
    assert "Apache-2.0" in line


def test_a_folder_is_shown_with_its_parts_its_targets_and_its_prompt(tmp_path: Path) -> None:
    write_folder(tmp_path, "internvl")
    text = said("show", str(tmp_path), "--image-size", "32")
    assert "LoRA targets    down_proj gate_proj k_proj o_proj q_proj up_proj v_proj" in text
    assert "a film          7 tokens at 32 px" in text  # four, their two marks, and the line break after them
    assert "详细描述这张胸部X光片的诊断结果<|im_end|>" in text


def test_a_model_that_is_not_here_is_shown_from_the_catalogue() -> None:
    text = said("show", "Qwen/Qwen2.5-VL-7B-Instruct", "--image-size", "896")
    assert "8.29 B" in text
    assert "a film          1024 tokens at 896 px" in text
    assert "<|vision_start|><|image_pad|><|vision_end|>详细描述" in text


def test_an_estimate_tells_the_memory_at_three_widths() -> None:
    lines = said("estimate", "Qwen/Qwen3-VL-8B-Instruct", "--batch-size", "1", "--cutoff-len", "1024").splitlines()
    assert [line.split("  ")[0] for line in lines[1:5]] == ["16", "8", "4", "4, small card"]
    assert [line.split()[-4] for line in lines[1:5]] == ["16.3", "9.9", "6.7", "5.2"]
    assert lines[5] == "4, small card: with model.vision_tower_bit=8 model.offload_embedding=true."
    tied = said("estimate", "Qwen/Qwen3-VL-4B-Instruct")
    assert "with model.vision_tower_bit=8.\n" in tied  # its head shares the embeddings


@pytest.mark.parametrize("arguments", [("show", "no/such"), ("estimate", "Qwen/Qwen3.5-9B")])
def test_a_model_of_which_nothing_is_known_is_one_line_that_says_what_to_do(arguments: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert "\n" not in str(done.exception)
    assert "folder" in str(done.exception)


@pytest.mark.parametrize("name", sorted(DEFAULT_TEMPLATES.keys() & FAMILIES.keys()))
def test_a_folder_without_a_chat_template_gets_its_familys(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path, name)
    (tmp_path / "chat_template.jinja").unlink()
    described = describe(str(tmp_path), image_size=32)
    assert described.prompt is not None
    assert described.prompt.count("详细描述这张胸部X光片的诊断结果") == 1
    assert described.image_tokens is not None
    assert described.image_tokens >= 4
    assert ChatEncoder(processor=load_processor(tmp_path)).processor.chat_template == DEFAULT_TEMPLATES[name]
