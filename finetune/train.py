"""Training: the transformers Trainer with our data order, and a clinical score that chooses the best checkpoint.

A run killed at any moment and started again ends with the same adapter bytes as one that was never killed: the order of
the data and its augmentation come from (seed, epoch, example), dropout from a generator state that each checkpoint
holds, and a checkpoint counts only when its last file is whole.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from peft import PeftModel
from peft.optimizers import create_loraplus_optimizer
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Sampler
from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import EvalLoopOutput

from finetune.arguments import training_arguments
from finetune.batch import ChatEncoder
from finetune.checkpoints import had_ended, in_fixed_order, last_checkpoint, state_of
from finetune.config import RunConfig
from finetune.generate import write_reports
from finetune.loader import START_METHOD, EpochSampler, EvaluationSet, TrainingSet, plain_errors, use_one_thread
from finetune.models.loading import LoadedModel
from finetune.report_tokens import collate_for_loss, scores_some_tokens
from xray.augment import build as build_augmenter
from xray.errors import ConfigError, DataError
from xray.metrics import score
from xray.records import write_atomically
from xray.types import Example

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What training left behind."""

    steps: int
    best_step: int
    best_metric: float | None


def train(
    loaded: LoadedModel,
    *,
    config: RunConfig,
    train_examples: Sequence[Example],
    val_examples: Sequence[Example],
    folder: Path,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train the adapter of `loaded`, resuming from the last whole checkpoint in `folder`/checkpoints.

    Writes the best adapter to `folder`/adapter. Raises ConfigError when the loss is no longer a number.
    """
    checkpoints = folder / "checkpoints"
    last = last_checkpoint(checkpoints)
    patience = config.train.early_stopping_patience
    if last and had_ended(last, patience=patience):
        return _keep_best(state_of(last), folder=folder)
    callbacks: list[TrainerCallback] = [_EvaluateAtTheEnd()]
    if patience:
        callbacks.append(EarlyStoppingCallback(patience))
    if progress:
        callbacks.append(_Report(progress))
    trainer = _build_trainer(
        loaded,
        config=config,
        train_examples=train_examples,
        val_examples=val_examples,
        arguments=training_arguments(config, folder=checkpoints),
        callbacks=callbacks,
    )
    with plain_errors():
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    return _keep_best(trainer.state, folder=folder)


def rehearse(loaded: LoadedModel, *, config: RunConfig, examples: Sequence[Example], progress: Progress) -> float:
    """Take two optimiser steps on `examples` as training would, and return their mean loss.

    Nothing is evaluated and nothing is kept but the weights in memory. Raises ConfigError as `train` does.
    """
    with TemporaryDirectory() as scratch:
        arguments = training_arguments(
            config,
            folder=Path(scratch),
            max_steps=2,
            logging_steps=1,
            dataloader_num_workers=0,  # the start of loader processes would count as the time of a step
            eval_strategy="no",
            save_strategy="no",
            load_best_model_at_end=False,
        )
        trainer = _build_trainer(
            loaded,
            config=config,
            train_examples=examples,
            val_examples=examples[:1],
            arguments=arguments,
            callbacks=[_Report(progress)],
        )
        with plain_errors():
            return float(trainer.train().training_loss)


class ClinicalTrainer(Trainer):
    """Trainer that reads examples in our order and evaluates by writing reports and scoring them."""

    def __init__(
        self,
        *,
        loaded: LoadedModel,
        config: RunConfig,
        val_examples: Sequence[Example],
        encoder: ChatEncoder,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.loaded = loaded
        self.config = config
        self.val_examples = val_examples
        self.encoder = encoder

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the training examples in the order of each epoch."""
        return self._loader(self.train_dataset, EpochSampler(len(self.train_dataset), seed=self.config.seed))

    def get_eval_dataloader(self, eval_dataset: Dataset[Any] | None = None) -> DataLoader[Any]:
        """Return the validation examples in their own order."""
        return self._loader(eval_dataset or self.eval_dataset, None)

    def create_optimizer(self, model: PeftModel | None = None) -> Optimizer:
        """Return the optimiser; with LoRA+ its groups learn at two rates, which the scheduler scales alike."""
        ratio = self.config.adapter.loraplus_lr_ratio
        if ratio is None:
            optimizer: Optimizer = super().create_optimizer(model)
        else:
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            settings["loraplus_weight_decay"] = self.args.weight_decay
            optimizer = create_loraplus_optimizer(self.model, kind, loraplus_lr_ratio=ratio, **settings)
        self.optimizer = optimizer
        return optimizer

    def _loader(self, rows: Dataset[Any], order: Sampler[Any] | None) -> DataLoader[Any]:
        workers = self.args.dataloader_num_workers
        loader: DataLoader[Any] = self.accelerator.prepare(
            DataLoader(
                rows,
                sampler=order,
                batch_size=self.args.train_batch_size,
                collate_fn=self.data_collator,
                num_workers=workers,
                pin_memory=self.args.dataloader_pin_memory,
                worker_init_fn=use_one_thread,
                multiprocessing_context=START_METHOD if workers else None,
            )
        )
        return loader

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """Add to the loss on the validation split the scores of reports generated for it, as eval_*.

        A metric that is undefined (no positive finding on either side) counts as 0 for choosing a checkpoint. It is
        done here and not in `evaluate`, so that early stopping, which listens in between, sees the scores too.
        """
        output = super().evaluation_loop(*args, **kwargs)
        references = {example.example_id: example.target for example in self.val_examples}
        report = score(self._generate(), references, profile=self.config.data.profile, resamples=100)
        output.metrics.update({f"eval_{name}": estimate.value or 0.0 for name, estimate in report.metrics.items()})
        return output

    def _determine_best_metric(self, metrics: dict[str, float], trial: object) -> bool:
        """Prefer the lower loss between equal scores: a score that stays 0 would keep the least trained adapter."""
        state, name = self.state, f"eval_{self.config.train.metric_for_best_model}"
        if state.best_metric is not None and metrics[name] == state.best_metric:
            losses = {row["step"]: row["eval_loss"] for row in state.log_history if "eval_loss" in row}
            if metrics["eval_loss"] < losses[state.best_global_step]:
                state.best_global_step = state.global_step
                return True
        return bool(super()._determine_best_metric(metrics, trial))

    def _generate(self) -> dict[str, str]:
        settings = self.config.generate
        was_training = self.loaded.model.training
        self.loaded.model.eval()
        texts: dict[str, str] = {}
        for start in range(0, len(self.val_examples), settings.batch_size):
            batch = self.val_examples[start : start + settings.batch_size]
            reports = write_reports(batch, loaded=self.loaded, encoder=self.encoder, settings=settings)
            texts.update({example.example_id: report.text for example, report in zip(batch, reports, strict=True)})
        self.loaded.model.train(was_training)
        return texts


class _Report(TrainerCallback):
    """Tells the caller how far training is: step, all steps, and a word on the last loss or score."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.note = ""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs and "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise ConfigError(
                    f"the loss is no longer a number at step {state.global_step}. Lower train.learning_rate, or set "
                    "model.compute_dtype=bfloat16 (float32 on a GPU without it)."
                )
            self.note = f"loss {logs['loss']:.3f}"
        if logs and "eval_finding_f1" in logs:
            self.note = f"validation finding F1 {logs['eval_finding_f1']:.3f}"

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.progress(state.global_step, state.max_steps, self.note)


class _EvaluateAtTheEnd(TrainerCallback):
    """Scores and saves the last step too, whether or not it is a multiple of `eval_steps`."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = control.should_log = True
        return control


def _build_trainer(
    loaded: LoadedModel,
    *,
    config: RunConfig,
    train_examples: Sequence[Example],
    val_examples: Sequence[Example],
    arguments: TrainingArguments,
    callbacks: list[TrainerCallback],
) -> ClinicalTrainer:
    encoder = ChatEncoder(
        processor=loaded.processor, image_size=config.model.image_size, cutoff_len=config.train.cutoff_len
    )
    chosen = list(val_examples)[: config.train.max_eval_examples]
    trainer = ClinicalTrainer(
        loaded=loaded,
        config=config,
        val_examples=chosen,
        encoder=encoder,
        model=loaded.model,
        args=arguments,
        train_dataset=TrainingSet(
            train_examples, encoder=encoder, augmenter=build_augmenter(config.augment), seed=config.seed
        ),
        eval_dataset=EvaluationSet(chosen, encoder=encoder),
        data_collator=partial(
            collate_for_loss,
            pad_token_id=loaded.processor.tokenizer.pad_token_id,
            reports_only=scores_some_tokens(loaded.base),
        ),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # our own progress line replaces it
    return trainer


def _keep_best(state: TrainerState, *, folder: Path) -> TrainingResult:
    step = state.best_global_step or state.global_step  # not the stored path: the run folder may have been moved
    best = folder / "checkpoints" / f"checkpoint-{step}"
    if not (best / ADAPTER_WEIGHTS).is_file():
        raise DataError(f"{best}, the best checkpoint, is gone. Delete {best.parent} to train again.")
    (folder / "adapter").mkdir(exist_ok=True)
    shutil.copyfile(best / ADAPTER_WEIGHTS, folder / "adapter" / ADAPTER_WEIGHTS)
    write_atomically(folder / "adapter" / ADAPTER_CONFIG, in_fixed_order(best / ADAPTER_CONFIG))
    return TrainingResult(
        steps=state.global_step,
        best_step=step,
        best_metric=state.best_metric,
    )
