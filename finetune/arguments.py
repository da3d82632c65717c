"""A run's settings in the words of the transformers Trainer."""

from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from finetune.config import RunConfig
from finetune.models.loading import compute_dtype
from xray.errors import ConfigError
from xray.metrics.meanings import MEANINGS


def training_arguments(config: RunConfig, *, folder: Path, **changes: Any) -> TrainingArguments:
    """Return the library's settings for a run, with `changes` to them.

    Raises ConfigError when they do not fit each other or this machine.
    """
    try:
        arguments = TrainingArguments(**{**_values(config, folder=folder), **changes})
    except ValueError as error:
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(f"the section `train`, or model.compute_dtype, cannot be used here: {reason}") from error
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # one process drives one GPU; the library would double batch and loss for each further one
    return arguments


def _values(config: RunConfig, *, folder: Path) -> dict[str, Any]:
    settings, dtype = config.train, compute_dtype(config.model)
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "seed": config.seed,
        "data_seed": config.seed,
        "num_train_epochs": settings.num_train_epochs,
        "max_steps": settings.max_steps,
        "per_device_train_batch_size": settings.per_device_train_batch_size,
        "per_device_eval_batch_size": settings.per_device_train_batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation_steps,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.lr_scheduler_type,
        "warmup_steps": settings.warmup_steps,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": settings.optim,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False} if settings.gradient_checkpointing else None,
        "bf16": on_gpu and dtype == torch.bfloat16,
        "fp16": on_gpu and dtype == torch.float16,
        "logging_nan_inf_filter": False,
        "restore_callback_states_from_checkpoint": True,
        "use_cpu": not on_gpu,
        "eval_strategy": "steps",
        "eval_steps": settings.eval_steps,
        "save_strategy": "steps",
        "save_steps": settings.eval_steps,
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": settings.metric_for_best_model,
        "greater_is_better": settings.metric_for_best_model != "loss"
        and MEANINGS[settings.metric_for_best_model].higher,
        "logging_steps": settings.logging_steps,
        "dataloader_num_workers": settings.dataloader_num_workers,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "report_to": [],
        "disable_tqdm": True,
    }
