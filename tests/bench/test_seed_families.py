"""The benchmark of seed families: one valid recipe, and tokenizers that know the letters of the reports."""

from pathlib import Path

import pytest

from bench.seed_families import recipe_text, reports
from bench.seed_folders import SEED_FAMILIES, write_once
from finetune.config_file import load_config
from finetune.models.processing import load_processor


def test_the_recipe_is_valid_and_takes_the_name_of_a_base(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(recipe_text(tmp_path, epochs=5), encoding="utf-8")
    for name in SEED_FAMILIES:
        config = load_config(path, [f"model.model_name_or_path={tmp_path / name}"])
        assert (config.train.num_train_epochs, config.model.model_name_or_path) == (5, str(tmp_path / name))


@pytest.mark.parametrize("name", ["visualglm", "qwen_vl", "minigpt4", "blip2_flan_t5"])
def test_a_tokenizer_knows_the_letters_of_the_reports(name: str, tmp_path: Path) -> None:
    texts = reports()
    write_once(name, tmp_path / name, texts=texts)
    tokenizer = load_processor(tmp_path / name).tokenizer
    tokens = [token for text in texts for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
    assert tokens.count(tokenizer.unk_token_id) < 0.001 * len(tokens)
    assert len(tokens) < 1.2 * sum(map(len, texts))  # not spelled in bytes
