from collections.abc import Callable
from pathlib import Path

import pytest

from finetune.config import RunConfig
from finetune.dataset import prepare_data
from finetune.models.loading import add_adapter, load_base
from finetune.train import train


@pytest.mark.slow
def test_loader_processes_change_no_byte_of_the_adapter(make_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    def adapter(workers: int) -> bytes:
        config = make_config(tmp_path, f"train.dataloader_num_workers={workers}", "train.max_steps=3")
        data = prepare_data(config.data)
        loaded = add_adapter(load_base(config.model), settings=config.model, adapter=config.adapter, seed=config.seed)
        folder = tmp_path / str(workers)
        folder.mkdir()
        train(loaded, config=config, train_examples=data.train, val_examples=data.val, folder=folder)
        return (folder / "adapter" / "adapter_model.safetensors").read_bytes()

    assert adapter(0) == adapter(2)
