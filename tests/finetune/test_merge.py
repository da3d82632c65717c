"""Merged weights: an ordinary model folder that says what the adapter says, or no folder at all."""

import json
import re
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file
from transformers.integrations.bitsandbytes import dequantize_bnb_weight

from finetune.adapter_card import read_card, write_card
from finetune.config import ModelConfig, RunConfig
from finetune.config_file import load_config, resolved_yaml
from finetune.console import Screen
from finetune.manifest import Case, read_records
from finetune.merge import BaseWeights, merge_run
from finetune.models.loading import add_adapter, load_base
from finetune.models.rounding import quantised_layers, round_weights
from finetune.models.source import weights_digest
from finetune.serve.engine import Decoding
from finetune.serve.opening import Served, opened
from tests.finetune.conftest import TEXTS
from tests.finetune.models.minigpt4_folder import native_model, write_parts
from tests.finetune.models.visualglm_folder import write_folder
from xray.errors import ConfigError, ReproductionError
from xray.types import Turn


def merge(
    run: Path,
    out: Path,
    *,
    config: RunConfig | None = None,
    weights: BaseWeights = BaseWeights.as_trained,
    dtype: str = "auto",
) -> str:
    """Merge, and return what was printed."""
    console = Console(record=True, width=200)
    chosen = config or config_of(run)
    merge_run(run, out, config=chosen, weights=weights, dtype=dtype, samples=2, screen=Screen(console))
    return " ".join(console.export_text().split())


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
    return out, merge(strong_run, out)


def differences(told: str, what: str) -> list[float]:
    """Return the largest difference of a logit that `told` names for `what`, and the tolerance where there is one."""
    line = re.search(rf"{what} and merged weights: .*? at most (\S+), .*?equal(?: \(tolerance (\S+)\))?\.", told)
    assert line, told
    return [float(number) for number in line.groups() if number]


def test_merged_weights_are_compared_with_the_run_as_it_was_trained(merged: tuple[Path, str]) -> None:
    difference, tolerance = differences(merged[1], "Run as trained")
    assert difference <= tolerance
    assert "2 of 2 reports are equal" in merged[1]


def test_merged_into_the_original_base_the_distance_from_the_run_is_told(strong_run: Path, tmp_path: Path) -> None:
    told = merge(strong_run, tmp_path / "out", weights=BaseWeights.original)
    own, tolerance = differences(told, "Adapter on the base that it was merged into")
    (from_run,) = differences(told, r"Run as trained \(base in 4 bits\)")
    assert own <= tolerance < from_run


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rounded_weights_are_those_of_a_quantised_model(bits: int, dtype: str, tiny_base: Path) -> None:
    settings = ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=bits, compute_dtype=dtype)
    held = load_base(settings).model
    layers = quantised_layers(held)
    model = load_base(settings.model_copy(update={"quantization_bit": None})).model
    before = {layer.name: model.get_parameter(f"{layer.name}.weight").clone() for layer in layers}
    round_weights(model, layers=layers, settings=settings)
    for name, weight in before.items():
        layer = held.get_submodule(name)
        expected = dequantize_bnb_weight(layer.weight, getattr(layer, "state", None)).to(weight.dtype)
        assert torch.equal(model.get_parameter(f"{name}.weight"), expected)
        assert not torch.equal(weight, expected)


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


def test_the_merged_model_answers_as_the_run(merged: tuple[Path, str], strong_run: Path) -> None:
    case = read_records(strong_run / "references.jsonl", Case)[0]

    def answered(served: Served) -> str:
        films = [served.films.read(strong_run / name) for name in case.images]
        prompt = served.engine.prepare([Turn(role="user", text=served.question)], films=films)
        answer = served.engine.answer(prompt, decoding=Decoding(max_new_tokens=12))
        return "".join(answer)

    with opened(str(strong_run)) as run, opened(str(merged[0])) as one:
        assert one.engine.encoder.image_size == 64
        assert answered(one) == answered(run)


def run_on(base: Path, folder: Path, *, like: Path) -> Path:
    """Return a run folder with an adapter on `base` that has learnt nothing, and the test studies of the run `like`."""
    run = shutil.copytree(like, folder / "run", ignore=shutil.ignore_patterns("adapter", "checkpoints"))
    config = config_of(like, f"model.model_name_or_path={base}", "generate.max_new_tokens=4")
    (run / "config.resolved.yaml").write_text(resolved_yaml(config), encoding="utf-8")
    tuned = add_adapter(load_base(config.model), settings=config.model, adapter=config.adapter, seed=0)
    for name, weight in tuned.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tuned.model.save_pretrained(run / "adapter")
    card = read_card(like / "adapter")
    assert card
    summary = card.base.model_copy(update={"sha256": weights_digest(config.model)})
    write_card(run / "adapter", run_id="run", config=config, base=summary)
    return run


def write_visualglm(folder: Path) -> None:
    write_folder(folder, [*TEXTS, *["<img></img>问：答："] * 30])  # the words of its prompts


def write_minigpt4(folder: Path) -> None:
    folder.mkdir()
    write_parts(native_model(), folder)


@pytest.mark.parametrize("write", [write_visualglm, write_minigpt4])
def test_a_base_in_the_layout_it_was_published_in_becomes_an_ordinary_folder(
    write: Callable[[Path], None], finished_run: Path, tmp_path: Path
) -> None:
    write(tmp_path / "base")
    told = merge(run_on(tmp_path / "base", tmp_path, like=finished_run), tmp_path / "out")
    assert "2 of 2 reports are equal" in told
    assert load_base(ModelConfig(model_name_or_path=str(tmp_path / "out"))).processor.tokenizer.vocab_size


def test_a_prefix_is_no_change_of_weights_and_refused(finished_run: Path, tmp_path: Path) -> None:
    config = config_of(finished_run, "adapter.type=p_tuning")
    with pytest.raises(ConfigError, match=r"trained a prefix .* nothing to merge"):
        merge(finished_run, tmp_path / "out", config=config)
    assert list(tmp_path.iterdir()) == []


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
