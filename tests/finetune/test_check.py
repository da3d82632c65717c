import io
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from finetune import arguments, check
from finetune.arguments import training_arguments
from finetune.check import check_run, count_steps
from finetune.config import RunConfig, TrainConfig
from finetune.console import Screen
from finetune.train import rehearse
from xray.errors import ConfigError
from xray.types import Example


def checked(config: RunConfig) -> str:
    output = io.StringIO()
    check_run(config, screen=Screen(Console(file=output, soft_wrap=True)))
    return output.getvalue()


def test_the_step_is_taken_on_the_longest_studies_at_the_configured_batch_size(
    make_config: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Example]] = []

    def note(*args: object, examples: list[Example], **kwargs: object) -> float:
        seen.append(examples)
        return rehearse(*args, examples=examples, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(check, "rehearse", note)
    text = checked(make_config(tmp_path, "train.per_device_train_batch_size=3", "train.gradient_accumulation_steps=2"))
    assert "Two steps on the 6 longest studies" in text
    assert len(seen[0]) == 12
    assert re.search(r"\b(\d+) of \1 lora_B tensors with a gradient", text)


def test_the_estimate_honours_max_steps_and_names_what_it_leaves_out(
    make_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    text = checked(make_config(tmp_path))
    assert "Training: 4 steps, at most" in text
    assert "The evaluations, which write up to 2 reports each" in text


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"num_train_epochs": 3, "per_device_train_batch_size": 8}, 39),
        ({"num_train_epochs": 3, "per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}, 12),
        ({"num_train_epochs": 0.5, "per_device_train_batch_size": 8}, 7),
        ({"num_train_epochs": 3, "max_steps": 5}, 5),
    ],
)
def test_the_steps_of_a_training_are_counted_as_the_trainer_counts_them(settings: dict[str, float], steps: int) -> None:
    assert count_steps(TrainConfig.model_validate(settings), studies=100) == steps


def test_settings_that_the_trainer_refuses_are_seen_before_the_data_are_read(
    make_config: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ValueError("Your setup doesn't support bf16/gpu.\nMore.")

    monkeypatch.setattr(arguments, "TrainingArguments", refuse)
    with pytest.raises(ConfigError, match="Your setup doesn't support bf16/gpu") as caught:
        checked(make_config(tmp_path, f"data.root={tmp_path / 'nowhere'}"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("has_bfloat16", "flags"), [(True, (True, False)), (False, (False, True))])
def test_the_trainer_computes_in_the_type_that_the_model_is_loaded_in(
    make_config: Callable[..., RunConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_bfloat16: bool,
    flags: tuple[bool, bool],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_bfloat16)
    monkeypatch.setattr(arguments, "TrainingArguments", lambda **values: SimpleNamespace(n_gpu=1, **values))
    given = training_arguments(make_config(tmp_path), folder=tmp_path)
    assert (given.bf16, given.fp16) == flags


def test_studies_that_cannot_share_a_batch_are_seen_before_training(
    make_config: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(rows: list[dict[str, torch.Tensor]], **_: object) -> None:
        assert len({int(row["image_grid_thw"].shape[0]) for row in rows}) == len(rows) > 1
        raise ConfigError("cannot share a batch")

    monkeypatch.setattr(check, "collate", refuse)
    with pytest.raises(ConfigError, match="cannot share a batch"):
        checked(make_config(tmp_path))
    alone = make_config(tmp_path, "train.per_device_train_batch_size=1", "generate.batch_size=1")
    assert "Ready." in checked(alone)
