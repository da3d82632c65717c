"""A model folder with something wrong is refused in one line that names it and says what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

from finetune.config import ModelConfig
from finetune.models.describe import describe
from finetune.models.loading import load_base
from tests.finetune.models.families import write_folder
from xray.errors import ConfigError, MemoryLimitError

WEIGHTS = "model.safetensors"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 123456\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "whole"
    write_folder(folder, "qwen3_vl")
    return folder


def split(folder: Path) -> list[Path]:
    """Write the weights in several files, as large models come."""
    model = AutoModelForImageTextToText.from_pretrained(folder)
    (folder / WEIGHTS).unlink()
    model.save_pretrained(folder, max_shard_size="200KB")
    return sorted(folder.glob("model-*.safetensors"))


def configure(folder: Path, **changes: object) -> None:
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**content, **changes}), encoding="utf-8")


def without_a_layer(folder: Path) -> None:
    kept = {name: tensor for name, tensor in load_file(folder / WEIGHTS).items() if "layers.1." not in name}
    save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})


def of_another_width(folder: Path) -> None:
    text = json.loads((folder / "config.json").read_text(encoding="utf-8"))["text_config"]
    configure(folder, text_config={**text, "intermediate_size": 128})


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda m: (m / "config.json").unlink(), r"no config\.json: it is no model folder"),
    "an adapter": (lambda m: (m / "config.json").rename(m / "adapter_config.json"), "Name the base model"),
    "half a config": (lambda m: (m / "config.json").write_text('{"model_ty'), r"config\.json is not whole"),
    "no weights": (lambda m: (m / WEIGHTS).unlink(), "holds no weights"),
    "a missing file of several": (lambda m: split(m)[1].unlink(), "lacks model-00002-of-0000.* Download the model"),
    "a truncated file": (lambda m: (m / WEIGHTS).write_bytes((m / WEIGHTS).read_bytes()[:-1]), "cut short"),
    "a truncated header": (lambda m: (m / WEIGHTS).write_bytes((m / WEIGHTS).read_bytes()[:50]), "cut short"),
    "an empty file": (lambda m: (m / WEIGHTS).write_bytes(b""), rf"{WEIGHTS} is not whole: it is empty"),
    "a pointer": (lambda m: (m / WEIGHTS).write_text(POINTER), "Git LFS pointer.*git lfs pull"),
    "a truncated .bin": (lambda m: (m / "pytorch_model.bin").write_bytes(b"PK\x03\x04" + bytes(99)), "cut short"),
    "no tokenizer": (lambda m: (m / "tokenizer.json").unlink(), "holds no tokenizer"),
    "a tokenizer that is a pointer": (lambda m: (m / "tokenizer.json").write_text(POINTER), r"tokenizer\.json is not"),
    "no preprocessor": (lambda m: (m / "preprocessor_config.json").unlink(), r"neither preprocessor_config\.json"),
    "an unknown architecture": (lambda m: configure(m, model_type="unheard"), "Upgrade transformers"),
    "a text model": (lambda m: configure(m, model_type="llama"), "reads no films"),
    "code of its own": (lambda m: configure(m, model_type="own", auto_map={}), "code of its own.*never executes"),
    "a layer that is missing": (without_a_layer, "no weights that fit .*layers.1.*Download the model again"),
    "another model's config": (of_another_width, "no weights that fit .*mlp"),
}


@pytest.mark.parametrize("bits", [4, None])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_is_refused_in_one_line(whole: Path, tmp_path: Path, name: str, bits: int | None) -> None:
    damage, said = DAMAGES[name]
    folder = shutil.copytree(whole, tmp_path / "model")
    damage(folder)
    with pytest.raises(ConfigError, match=said) as caught:
        load_base(ModelConfig(model_name_or_path=str(folder), quantization_bit=bits))
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_in_several_whole_files_are_loaded(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "model")
    assert len(split(folder)) > 2
    load_base(ModelConfig(model_name_or_path=str(folder)))


def test_a_damaged_folder_is_not_shown_either(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "model")
    (folder / WEIGHTS).write_text(POINTER)
    with pytest.raises(ConfigError, match="Git LFS pointer"):
        describe(str(folder))


@pytest.mark.parametrize(
    ("bits", "advice"), [(None, "quantization_bit=4, .* a smaller"), (4, "Choose model.vision_tower_bit=8, a smaller")]
)
def test_a_model_that_does_not_fit_is_refused_before_it_is_read(
    whole: Path, monkeypatch: pytest.MonkeyPatch, bits: int | None, advice: str
) -> None:
    monkeypatch.setattr("finetune.models.memory.free_bytes", lambda: 100_000)
    monkeypatch.setattr(AutoModelForImageTextToText, "from_pretrained", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(MemoryLimitError, match=advice) as caught:
        load_base(ModelConfig(model_name_or_path=str(whole), quantization_bit=bits))
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
