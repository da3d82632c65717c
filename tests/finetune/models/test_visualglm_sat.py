import json
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from finetune.cli import main
from finetune.config import ModelConfig
from finetune.models.loading import load_base
from finetune.models.visualglm.sat import convert_sat
from tests.finetune.conftest import TEXTS
from tests.finetune.models.visualglm_folder import write_folder
from xray.errors import ConfigError

ATTENTION = "transformer.layers.1.attention"
RANK, HEADS, WIDTH = 2, 4, 64


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("sat") / "base", TEXTS)


def published(base: Path) -> dict[str, torch.Tensor]:
    return torch.load(base / "pytorch_model.bin", weights_only=True)


def write_sat(folder: Path, weights: dict[str, torch.Tensor], *, lora: bool) -> Path:
    """Write weights as SwissArmyTransformer does after a training; return the checkpoint's folder."""
    state = {}
    for name, weight in weights.items():
        name = name.replace("image_encoder.", "mixins.eva.model.").replace("lm_head.", "mixins.chatglm-final.lm_head.")
        layer, _, leaf = name.rpartition(".")
        adapted = lora and layer in {f"{ATTENTION}.query_key_value", f"{ATTENTION}.dense"}
        state[f"{layer}.original.{leaf}" if adapted else name] = weight
    state["transformer.position_embeddings.weight"] = torch.zeros(2, WIDTH)
    if lora:
        torch.manual_seed(5)
        for side, shape in (("A", (RANK, WIDTH)), ("B", (WIDTH, RANK))):
            state[f"{ATTENTION}.dense.matrix_{side}"] = torch.randn(shape)
            for part in range(3):
                state[f"{ATTENTION}.query_key_value.matrix_{side}.{part}"] = torch.randn(shape)
    (folder / "300").mkdir(parents=True)
    (folder / "latest").write_text("300", encoding="utf-8")
    (folder / "model_config.json").write_text(json.dumps({"model_class": "VisualGLMModel"}), encoding="utf-8")
    left = {"args": Namespace(lr=1e-4), "np_rng_state": np.random.RandomState(0).get_state(), "iteration": 300}
    torch.save({"module": state, **left}, folder / "300" / "mp_rank_00_model_states.pt")
    return folder


def test_a_checkpoint_without_an_adapter_becomes_the_published_folder(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sat = write_sat(tmp_path / "sat", published(base), lora=False)
    monkeypatch.setattr("sys.argv", ["finetune", "models", "from-sat", str(sat), str(base), str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "0 layers with LoRA merged" in capsys.readouterr().out
    made = load_file(tmp_path / "out" / "model.safetensors")
    expected = {name: weight for name, weight in published(base).items() if "inv_freq" not in name}
    assert made.keys() == expected.keys()
    assert all(torch.equal(made[name], expected[name]) for name in made)
    loaded = load_base(ModelConfig(model_name_or_path=str(tmp_path / "out"), quantization_bit=None))
    assert torch.equal(loaded.model.lm_head.weight, expected["lm_head.weight"])


def test_an_adapter_of_the_original_is_merged_head_by_head(base: Path, tmp_path: Path) -> None:
    sat = write_sat(tmp_path / "sat", published(base), lora=True)
    state = torch.load(sat / "300" / "mp_rank_00_model_states.pt", weights_only=False)["module"]
    merged = convert_sat(sat, base=base, folder=tmp_path / "out")
    assert merged == [f"{ATTENTION}.dense", f"{ATTENTION}.query_key_value"]
    loaded = load_base(ModelConfig(model_name_or_path=str(tmp_path / "out"), quantization_bit=None)).model
    seen = torch.randn(3, WIDTH)

    def adapted(name: str) -> torch.Tensor:
        """The output of a layer as the original computes it: three changes, each shaped by heads, joined per head."""
        layer = f"{ATTENTION}.{name}"
        output = torch.nn.functional.linear(seen, state[f"{layer}.original.weight"], state[f"{layer}.original.bias"])
        if name == "dense":
            return output + seen @ state[f"{layer}.matrix_A"].T @ state[f"{layer}.matrix_B"].T / RANK
        changes = [seen @ state[f"{layer}.matrix_A.{i}"].T @ state[f"{layer}.matrix_B.{i}"].T / RANK for i in range(3)]
        return output + torch.cat([change.view(3, HEADS, -1) for change in changes], -1).view(3, -1)

    for name in ("dense", "query_key_value"):
        layer = loaded.get_submodule(f"{ATTENTION}.{name}")
        assert torch.allclose(layer(seen), adapted(name), atol=1e-4)


def test_a_run_on_such_a_checkpoint_is_told_to_convert_it(base: Path, tmp_path: Path) -> None:
    sat = write_sat(tmp_path / "sat", published(base), lora=False)
    with pytest.raises(ConfigError, match="finetune models from-sat"):
        load_base(ModelConfig(model_name_or_path=str(sat)))


@pytest.mark.parametrize(
    ("name", "told"),
    [("mixins.ptuning.prefix", "holds mixins.ptuning.prefix"), (None, "lm_head.weight and 0 more weights are missing")],
)
def test_what_cannot_be_converted_is_refused_by_name(base: Path, tmp_path: Path, name: str | None, told: str) -> None:
    weights = published(base)
    if name:
        weights[name] = torch.zeros(1)
    else:
        del weights["lm_head.weight"]
    with pytest.raises(ConfigError, match=told):
        convert_sat(write_sat(tmp_path / "sat", weights, lora=False), base=base, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_of_something_else_and_a_base_of_something_else_are_refused(base: Path, tmp_path: Path) -> None:
    sat = write_sat(tmp_path / "sat", published(base), lora=False)
    other = shutil.copytree(base, tmp_path / "other")
    (other / "ice_text.model").unlink()
    with pytest.raises(ConfigError, match=r"has no ice_text\.model"):
        convert_sat(sat, base=other, folder=tmp_path / "out")
    with pytest.raises(ConfigError, match="cannot be read as weights"):
        convert_sat(base / "config.json", base=base, folder=tmp_path / "out")
    with pytest.raises(ConfigError, match="holds 0 files"):
        convert_sat(base, base=base, folder=tmp_path / "out")
    with pytest.raises(ConfigError, match="is not empty"):
        convert_sat(sat, base=base, folder=other)
