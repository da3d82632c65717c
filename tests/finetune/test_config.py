import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finetune.config import RunConfig
from finetune.config_file import load_config, resolved_yaml
from xray.errors import ConfigError

CONFIGS = sorted((Path(__file__).parents[2] / "finetune" / "configs").glob("*.yaml"))


def written(folder: Path, text: str) -> Path:
    path = folder / "cfg.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_recipe_that_is_shipped_is_valid(path: Path) -> None:
    assert load_config(path).name


def test_the_demo_recipe_is_qlora_with_double_quantisation() -> None:
    demo = load_config(Path(__file__).parents[2] / "finetune/configs/demo.yaml")
    assert (demo.model.quantization_bit, demo.model.quantization_type, demo.model.double_quantization) == (
        4,
        "nf4",
        True,
    )


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("train.learning_rat", "train.learning_rate"),
        ("trian.learning_rate", "train"),
        ("model.lora_rank", "adapter.lora_rank"),
        ("data.split.tset", "data.split.test"),
        ("augment.rotate", "augment.rotate_degrees"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_valid_one(tmp_path: Path, key: str, nearest: str) -> None:
    path = written(tmp_path, "name: a\n")
    with pytest.raises(ConfigError, match=f"`{nearest}`") as caught:
        load_config(path, [f"{key}=1"])
    assert f"`{key.split('.')[0]}" in str(caught.value)


def test_an_unknown_key_in_the_file_is_an_error_too(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a\ntrain: {epochs: 3}\n")
    with pytest.raises(ConfigError, match=r"unknown key `train\.epochs`"):
        load_config(path)


def test_a_dotted_override_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a\ntrain: {learning_rate: 0.1}\n")
    assert load_config(path, ["train.learning_rate=1e-4"]).train.learning_rate == 1e-4


def test_a_dotted_override_reaches_a_section_the_file_does_not_have(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a\n")
    assert load_config(path, ["data.split.test=0.3"]).data.split.test == 0.3


@pytest.mark.parametrize(
    "override", ["train.learning_rate", "=3", "name.x=1", "train.learning_rate=[", "train.max_steps=many"]
)
def test_an_override_that_makes_no_sense_is_one_clear_error(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "name: a\n"), [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n", "name: [\n", "name: a\ndata: 3\n", "name: ../a\n", "seed: 1\n"])
def test_a_file_that_is_no_configuration_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"cfg\.yaml"):
        load_config(written(tmp_path, text))


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist"):
        load_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("name", ["HorizontalFlip", "VerticalFlip", "Transpose", "D4", "RandomRotate90"])
def test_a_mirroring_transform_is_refused_when_the_configuration_loads(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f"name: a\naugment:\n  transforms:\n    - {{name: {name}}}\n")
    with pytest.raises(ConfigError, match=name):
        load_config(path)


def test_a_mirroring_transform_is_found_inside_a_choice_of_transforms(tmp_path: Path) -> None:
    nested = "{name: OneOf, transforms: [{name: GaussianBlur}, {name: HorizontalFlip}]}"
    with pytest.raises(ConfigError, match="HorizontalFlip"):
        load_config(written(tmp_path, f"name: a\naugment: {{transforms: [{nested}]}}\n"))


def test_freezing_every_part_is_refused_because_nothing_would_learn(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="frozen"):
        load_config(written(tmp_path, "name: a\nmodel: {freeze_language_model: true}\n"))


def test_the_resolved_configuration_reads_back_as_itself(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "name: a\nseed: 4\ntrain: {max_steps: 7}\n"))
    again = load_config(written(tmp_path, resolved_yaml(config)))
    assert again == config
    assert again.digest() == config.digest()


def test_the_identity_of_a_run_leaves_out_where_things_lie(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a\n")
    moved = load_config(path, ["data.root=/elsewhere", "output_dir=/other", "train.logging_steps=3"])
    assert moved.digest() == load_config(path).digest()


@pytest.mark.parametrize(
    "override", ["seed=1", "train.learning_rate=0.5", "data.question=看图", "augment.noise_std=0.0"]
)
def test_the_identity_of_a_run_changes_with_whatever_can_change_its_numbers(tmp_path: Path, override: str) -> None:
    path = written(tmp_path, "name: a\n")
    assert load_config(path, [override]).digest() != load_config(path).digest()


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["name", "data", "train", "model", "seed", "x"]), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_any_yaml_is_either_loaded_or_refused_as_a_configuration_error(content: object) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = written(Path(folder), yaml.safe_dump(content, allow_unicode=True))
        with contextlib.suppress(ConfigError):
            assert isinstance(load_config(path), RunConfig)
