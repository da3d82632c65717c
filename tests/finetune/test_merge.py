"""Merged weights: an ordinary model folder that says what the adapter says, or no folder at all."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from finetune.adapter_card import read_card
from finetune.config import ModelConfig, RunConfig
from finetune.config_file import load_config, resolved_yaml
from finetune.console import Screen
from finetune.manifest import Case, read_records
from finetune.merge import merge_run
from finetune.models.loading import load_base
from finetune.serve.engine import Decoding
from finetune.serve.opening import Served, opened
from tests.finetune.conftest import quiet_screen
from xray.errors import ConfigError, ReproductionError
from xray.types import Turn


def merge(run: Path, out: Path, *, config: RunConfig | None = None, dtype: str = "auto") -> None:
    merge_run(run, out, config=config or config_of(run), dtype=dtype, samples=1, screen=quiet_screen())


def config_of(run: Path, *overrides: str) -> RunConfig:
    return load_config(run / "config.resolved.yaml", overrides)


@pytest.fixture(scope="module")
def strong_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose adapter changes much: no merge without it could pass."""
    copy = shutil.copytree(finished_run, tmp_path_factory.mktemp("strong") / finished_run.name)
    path = copy / "adapter" / "adapter_model.safetensors"
    weights = load_file(path)
    for number, name in enumerate(sorted(weights)):
        if "lora_B" in name:
            weights[name].normal_(std=0.1, generator=torch.Generator().manual_seed(number))
    save_file(weights, path)
    return copy


@pytest.fixture(scope="module")
def merged(strong_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The merged folder, and what was printed."""
    out = tmp_path_factory.mktemp("merged") / "model"
    console = Console(record=True, width=200)
    merge_run(strong_run, out, config=config_of(strong_run), dtype="auto", samples=2, screen=Screen(console))
    return out, " ".join(console.export_text().split())


def test_what_was_compared_is_told(merged: tuple[Path, str]) -> None:
    _, told = merged
    assert "Adapter and merged weights: logits differ by at most" in told
    assert "2 of 2 reports are equal (tolerance" in told
    assert "trained on a base in 4 bits. Against that: logits differ by at most" in told


def test_the_merged_folder_opens_as_any_model_and_expects_the_runs_films(
    merged: tuple[Path, str], strong_run: Path
) -> None:
    out, _ = merged
    assert {"config.json", "generation_config.json", "tokenizer.json", "preprocessor_config.json"} <= {
        path.name for path in out.iterdir()
    }
    assert read_card(out) == read_card(strong_run / "adapter")
    assert load_base(ModelConfig(model_name_or_path=str(out))).parts.language_model
    assert list(out.parent.iterdir()) == [out]


def test_the_merged_model_answers_as_the_adapter_on_a_whole_base(merged: tuple[Path, str], strong_run: Path) -> None:
    case = read_records(strong_run / "references.jsonl", Case)[0]

    def answered(served: Served) -> str:
        films = [served.films.read(strong_run / name) for name in case.images]
        prompt = served.engine.prepare([Turn(role="user", text=served.question)], films=films)
        answer = served.engine.answer(prompt, decoding=Decoding(max_new_tokens=12))
        return "".join(answer)

    whole = shutil.copytree(strong_run, strong_run.with_name("whole"))
    settings = config_of(whole, "model.quantization_bit=null")
    (whole / "config.resolved.yaml").write_text(resolved_yaml(settings), encoding="utf-8")
    with opened(str(whole)) as tuned, opened(str(merged[0])) as one:
        assert one.engine.encoder.image_size == 64
        assert answered(one) == answered(tuned)


def test_weights_that_lost_the_adapter_are_told_from_it_and_not_kept(
    strong_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peft.PeftModel.merge_and_unload", lambda model, **_: model.unload(), raising=False)
    with pytest.raises(ReproductionError, match="tolerance"):
        merge(strong_run, tmp_path / "out", dtype="float32")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_and_a_full_disk_are_refused_before_any_work(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    with pytest.raises(ConfigError, match="used is in use"):
        merge(finished_run, tmp_path / "used")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(ConfigError, match="GB left"):
        merge(finished_run, tmp_path / "new")


def test_a_base_that_has_changed_is_refused(finished_run: Path, tmp_path: Path, tiny_base: Path) -> None:
    other = shutil.copytree(tiny_base, tmp_path / "other")
    content = json.loads((other / "config.json").read_text(encoding="utf-8"))
    (other / "config.json").write_text(json.dumps({**content, "extra": 1}), encoding="utf-8")
    config = config_of(finished_run, f"model.model_name_or_path={other}")
    with pytest.raises(ConfigError, match="another base model"):
        merge(finished_run, tmp_path / "out", config=config)
