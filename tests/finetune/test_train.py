import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from finetune.config import RunConfig
from finetune.dataset import prepare_data
from finetune.models.loading import add_adapter, load_base
from finetune.train import train


@pytest.mark.slow
def test_loader_processes_change_no_byte_of_the_adapter(make_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    def adapter(workers: int) -> bytes:
        config = make_config(tmp_path, f"train.dataloader_num_workers={workers}", "train.max_steps=3")
        return trained(config, tmp_path / str(workers))

    assert adapter(0) == adapter(2)


def trained(config: RunConfig, folder: Path) -> bytes:
    data = prepare_data(config.data)
    loaded = add_adapter(load_base(config.model), settings=config.model, adapter=config.adapter, seed=config.seed)
    folder.mkdir(exist_ok=True)
    train(loaded, config=config, train_examples=data.train, val_examples=data.val, folder=folder)
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_loraplus_trains_the_matrices_b_faster_and_a_resumed_run_to_the_same_bytes(
    make_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    plus = make_config(tmp_path, "adapter.loraplus_lr_ratio=16", "train.metric_for_best_model=loss")
    whole = trained(plus, tmp_path / "whole")
    rates = torch.load(tmp_path / "whole/checkpoints/checkpoint-4/optimizer.pt", weights_only=True)["param_groups"]
    base, faster = (group["initial_lr"] for group in rates if group["params"])
    assert (base, faster) == pytest.approx((1e-4, 16e-4))
    shutil.copytree(tmp_path / "whole/checkpoints/checkpoint-2", tmp_path / "resumed/checkpoints/checkpoint-2")
    assert trained(plus, tmp_path / "resumed") == whole
    plain = make_config(tmp_path, "train.metric_for_best_model=loss")
    assert trained(plain, tmp_path / "plain") != whole
