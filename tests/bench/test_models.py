"""The benchmark of base models: its models have the published sizes, its rows the lengths that are asked for."""

import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText

from bench import models
from bench.model_folders import FAMILIES, make_once, qwen2_5_vl_config, visualglm_config
from bench.model_measures import encoded
from finetune.batch import IGNORED
from finetune.models.architecture import measure
from finetune.models.catalogue import find_entry
from finetune.models.processing import load_processor
from finetune.models.registry import register_families
from finetune.models.tiny import build_tokenizer


@pytest.mark.parametrize("hub_id", ["THUDM/visualglm-6b", "Qwen/Qwen2.5-VL-7B-Instruct"])
def test_the_full_size_is_that_of_the_published_model(hub_id: str) -> None:
    register_families()
    is_qwen = hub_id.startswith("Qwen")
    config = qwen2_5_vl_config(build_tokenizer(["。"]), full=True) if is_qwen else visualglm_config(full=True)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    entry = find_entry(hub_id)
    assert entry is not None
    assert measure(model) == entry.architecture


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_prompt_and_a_row_have_exactly_the_tokens_that_are_measured(name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    make_once(family, tmp_path / name, full=False)
    processor = load_processor(tmp_path / name)
    assert encoded(processor, family, target=False)["input_ids"].shape == (1, family.prompt_tokens)
    row = encoded(processor, family, target=True)
    assert row["input_ids"].shape == row["labels"].shape == (1, family.row_tokens)
    assert int((row["labels"] != IGNORED).sum()) == family.row_tokens - family.prompt_tokens


def test_a_folder_whose_writing_was_cut_short_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "model.unfinished").mkdir()
    (tmp_path / "model.unfinished" / "config.json").write_text("{", encoding="utf-8")
    make_once(FAMILIES["visualglm"], tmp_path / "model", full=False)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert load_processor(tmp_path / "model").image_token == "<unk>"


def test_without_a_gpu_the_full_size_is_skipped_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["models", "--folder", str(tmp_path / "models")])
    models.main()
    assert capsys.readouterr().out.startswith("skipped: there is no GPU here")
    assert not (tmp_path / "models").exists()
