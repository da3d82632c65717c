"""Writing the reports of a run folder again."""

import shutil
from pathlib import Path

import pytest

from finetune.config_file import load_config
from finetune.systems import generate_again
from tests.finetune.conftest import quiet_screen
from xray.errors import ConfigError


def test_a_base_model_whose_files_changed_writes_nothing_into_the_run(
    finished_run: Path, tiny_base: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(tiny_base, tmp_path / "other")
    (other / "config.json").write_text((other / "config.json").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    run = shutil.copytree(finished_run, tmp_path / finished_run.name)
    (run / "predictions.base.jsonl").unlink()
    config = load_config(run / "config.resolved.yaml", [f"model.model_name_or_path={other}"])
    with pytest.raises(ConfigError, match="another base model"):
        generate_again(run, config=config, screen=quiet_screen())
    assert not (run / "predictions.base.jsonl").exists()
