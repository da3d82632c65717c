"""A tiny base model, a few drawn studies and one complete run, made once for all tests of training."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from finetune.config import RunConfig
from finetune.config_file import load_config
from finetune.console import Screen
from finetune.models.loading import silence_libraries
from finetune.models.tiny import build_folder
from finetune.run import start_run
from xray.data.phantom import Style, sample_studies, write_dataset, write_report
from xray.types import Example, Turn

silence_libraries()

TEXTS = [write_report(study, style=Style.DEMO) for study in sample_studies(300, seed=9, style=Style.DEMO)]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model of the demo base's family, small enough to train in a second."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    build_folder(folder, TEXTS, seed=3, vocab_size=800, text_width=64, vision_width=64)
    return folder


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty studies as DICOM files with a table of reports."""
    folder = tmp_path_factory.mktemp("films") / "hospital"
    write_dataset(folder, studies=30, seed=5, style=Style.DEMO, workers=1)
    return folder


@pytest.fixture(scope="session")
def make_config(tiny_base: Path, films: Path) -> Callable[..., RunConfig]:
    """Write a configuration into a folder and load it with overrides."""

    def make(folder: Path, *overrides: str) -> RunConfig:
        return load_config(write_config(folder, base=tiny_base, films=films), overrides)

    return make


def write_config(folder: Path, *, base: Path, films: Path) -> Path:
    path = folder / "tiny.yaml"
    content = {
        "name": "tiny",
        "output_dir": str(folder / "runs"),
        "data": {
            "root": str(films),
            "image_size": 96,
            "store_dir": str(folder / "stores"),
            "split": {"val": 0.2, "test": 0.2, "seed": 0},
        },
        "model": {"model_name_or_path": str(base), "image_size": 64},
        "adapter": {"lora_rank": 2, "lora_alpha": 4, "lora_dropout": 0.1},
        "train": {
            "max_steps": 4,
            "per_device_train_batch_size": 2,
            "eval_steps": 2,
            "max_eval_examples": 2,
            "num_threads": 1,
        },
        "generate": {"max_new_tokens": 120, "batch_size": 8},
        "evaluate": {"resamples": 100},
    }
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, make_config: Callable[..., RunConfig]) -> Path:
    """The folder of one complete run."""
    folder = tmp_path_factory.mktemp("run")
    return start_run(make_config(folder), screen=quiet_screen(), command="finetune run tiny.yaml")


def frontal_example(film: Path, *, target: str) -> Example:
    """A training study of one frontal film."""
    return Example(
        example_id="e0",
        study_uid="s0",
        patient_key="p0",
        images=(film,),
        views=("frontal",),
        messages=(Turn(role="user", text="请写报告。"),),
        target=target,
        language="zh",
        origin="radiologist",
        split="train",
    )


def quiet_screen() -> Screen:
    return Screen(Console(quiet=True))
