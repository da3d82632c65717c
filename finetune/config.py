"""What a run is: every setting, with its default and its range.

Key names are those that users of LLaMA-Factory and ms-swift know. Paths are relative to the folder the command is
started in. `finetune.config_file` reads the YAML.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from xray.augment import AugmentSettings, check_laterality_safe
from xray.data.sources.columns import TableColumns
from xray.data.split_settings import SplitSettings
from xray.data.store import DEFAULT_QUESTION
from xray.dicom.render import RenderSettings
from xray.dicom.site_profile import read_site_profile
from xray.metrics.sums import METRICS
from xray.types import SourceKind

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


class Section(BaseModel):
    """Base of every section: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Section):
    """Which films and reports, and how they are shown to the model."""

    source: SourceKind | None = None
    """Kind of reports; None: told from their place. `table`: a CSV, workbook or JSONL. `xrayglm`: {"annotations":
    [{image_id, caption}]}. `openi`: XML reports. `mimic`: the tree of MIMIC-CXR. `conversations`: questions and
    answers, as LLaVA and ShareGPT write them."""
    card: Path | None = None
    """Data card, such as data_cards/demo.yaml: what may be done with the data. Not below `root`."""
    root: Path = Path()
    """Folder that the other paths of this section are relative to."""
    films: Path = Path("films")
    """Folder or zip of DICOM, PNG or JPEG films, at any depth."""
    reports: Path = Path("reports.csv")
    """Table of reports (.csv, .xlsx, .jsonl), a JSON of captions or conversations, or a folder of reports."""
    index: Path | None = None
    """XrayGLM, OpenI: CSV that maps film file names to image ids or views, where the names do not say them."""
    captions: Path | None = None
    """OpenI only: JSON of translated captions."""
    columns: TableColumns = TableColumns()
    """Names of a table's columns, where they are not the usual ones."""
    sheet: str | None = None
    """Sheet of a workbook, where several could be meant."""
    language: Literal["zh", "en"] | None = None
    """Language of the texts; None: what the kind usually has (zh; en for OpenI without captions and for MIMIC)."""
    profile: Literal["standard", "mt"] = "standard"
    """Lexicon of the scores: `standard` for native reports, `mt` for machine-translated ones."""
    question: str = DEFAULT_QUESTION
    """What the model is asked, after the films."""
    system: str | None = None
    """System prompt, if the base model's chat template has a place for one."""
    views: tuple[Literal["frontal", "lateral", "unknown"], ...] = ("frontal", "lateral", "unknown")
    """Views that are shown to the model; a study without any of them is left out and counted."""
    max_images: int = Field(2, ge=1, le=8)
    """Films per study at most, frontal first."""
    image_size: int = Field(1024, ge=64, le=4096)
    """Long side, in pixels, of the prepared films."""
    square: bool = True
    """Pad the prepared films with black to a square, so that no model's own resizing distorts the heart."""
    render_profile: Literal["viewer", "mimic_jpg"] = "viewer"
    """`viewer`: as a workstation shows them. `mimic_jpg`: equalised, for encoders pre-trained on MIMIC-CXR-JPG."""
    site_profile: Path | None = None
    """YAML of what the site knows of its devices, where a film contradicts itself."""
    keep_16_bit: bool = False
    """Keep 16 bits of each film too, from which `augment.window_*` draws other windows. Three times the disk."""
    repair_terms: bool = False
    """Repair the terms of machine-translated reports (巩固 -> 实变), each change recorded."""
    splits: Path | None = None
    """Table that declares the split of each study or image: columns `id` and `split`."""
    split: SplitSettings = SplitSettings()
    """Shares of patients held out, both above 0. Splits are by patient, never by image."""
    store_dir: Path = Path("stores")
    """Folder of prepared data. Can be deleted: it is made again from the films."""
    max_refused_fraction: float = Field(0.2, ge=0, le=1)
    """Stop when more than this share of the films is refused."""

    def render_settings(self) -> RenderSettings:
        """Return how the films are rendered; its digest travels with the data and the adapter."""
        site = None if self.site_profile is None else read_site_profile(self.root / self.site_profile)
        return RenderSettings(
            size=self.image_size,
            square=self.square,
            profile=self.render_profile,
            deep=self.keep_16_bit,
            site=site,
        )


class ModelConfig(Section):
    """The base model and how it is held in memory."""

    model_name_or_path: str = "demo"
    """A folder, a Hugging Face id, or `demo` for the small model in this package."""
    revision: str | None = None
    """Commit of a Hugging Face id, required for one: `main` moves."""
    image_size: int | None = Field(None, ge=32, le=4096)
    """Long side, in pixels, of what the model sees (None: the prepared size). Image size is memory."""
    quantization_bit: Literal[4, 8] | None = 4
    """4: the language model is held in 4 bits (QLoRA); 8: in LLM.int8. Vision tower, projector and lm_head never."""
    vision_tower_bit: Literal[8] | None = None
    """8: the weights of the vision tower's linear layers are held in 8 bits and computed in `compute_dtype`. Features
    differ by about 1 %. Only while the tower is frozen."""
    offload_embedding: bool = False
    """True: the word embeddings stay in host memory, and the rows of a batch go to the GPU. The numbers are the same.
    Not for a model whose output head shares them, nor while they learn."""
    quantization_type: Literal["nf4", "fp4"] = "nf4"
    """Of 4 bits."""
    double_quantization: bool = True
    compute_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: bfloat16 on a GPU that has it, float16 on an older one, float32 on a CPU."""
    attn_implementation: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    freeze_vision_tower: bool = True
    """False: the adapter also covers the linear layers of the vision tower."""
    freeze_multi_modal_projector: bool = True
    """False: the adapter also covers the linear layers between vision tower and language model."""
    freeze_language_model: bool = False

    @model_validator(mode="after")
    def _something_learns(self) -> "ModelConfig":
        if self.freeze_vision_tower and self.freeze_multi_modal_projector and self.freeze_language_model:
            raise ValueError("all three parts are frozen: set one freeze_* key to false")
        return self

    @model_validator(mode="after")
    def _what_learns_is_held_in_full(self) -> "ModelConfig":
        if self.vision_tower_bit and not self.freeze_vision_tower:
            raise ValueError(
                "a vision tower in 8 bits does not learn: set vision_tower_bit to null or freeze_vision_tower"
            )
        return self


class AdapterConfig(Section):
    """The LoRA adapter, and what learns in full beside it."""

    type: Literal["lora", "p_tuning"] = "lora"
    """`p_tuning`: not LoRA but a learnt prefix in each layer of the text model, as VisualGLM offers. For VisualGLM."""
    pre_seq_len: int = Field(8, ge=1)
    """p_tuning: tokens of the prefix. It wants a learning rate of about 1e-2."""
    lora_rank: int = Field(16, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    lora_target: Literal["all", "none"] | tuple[str, ...] = "all"
    """`all`: every linear layer of the parts that are not frozen, except lm_head. Or names such as [q_proj, v_proj].
    `none`: no LoRA, for a first stage in which `modules_to_save` learns alone."""
    modules_to_save: tuple[str, ...] = ()
    """Modules that learn in full and are saved whole in the adapter: [language_projection] of MiniGPT-4, [qformer,
    language_projection] of BLIP-2, [multi_modal_projector] of LLaVA. For a projector that starts from nothing."""
    lora_layers: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Layers of the language model that get an adapter, counted from 0 (None: all)."""
    use_rslora: bool = False
    use_dora: bool = False
    loraplus_lr_ratio: float | None = Field(None, ge=1)
    """LoRA+: the matrices B learn so many times as fast as `train.learning_rate`; 16 is usual. None: as fast as A."""

    @model_validator(mode="after")
    def _something_is_trained(self) -> "AdapterConfig":
        if self.lora_target == "none" and not self.modules_to_save:
            raise ValueError("lora_target is none: name what learns in modules_to_save, or set lora_target to all")
        return self


class TrainConfig(Section):
    """The optimisation. Steps are optimiser steps."""

    num_train_epochs: float = Field(3, gt=0)
    max_steps: int = Field(-1, ge=-1)
    """Stop after so many steps; -1: after `num_train_epochs`."""
    per_device_train_batch_size: int = Field(8, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    lr_scheduler_type: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup_steps: float = Field(0.03, ge=0)
    """Below 1: a share of all steps."""
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, ge=0)
    optim: Literal["adamw_torch", "adamw_torch_fused", "adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit"] = (
        "adamw_torch"
    )
    gradient_checkpointing: bool = False
    """Recompute activations to save memory: about 1.5 times the work."""
    eval_steps: float = Field(0.34, gt=0)
    """Generate, score and save every so many steps. Below 1: a share of all steps."""
    max_eval_examples: int = Field(64, ge=1)
    """Validation studies that are generated and scored at each evaluation."""
    metric_for_best_model: str = "finding_f1"
    early_stopping_patience: int | None = Field(None, ge=1)
    """Stop after so many evaluations without a better score."""
    logging_steps: int = Field(10, ge=1)
    cutoff_len: int = Field(2048, ge=64)
    """Longest sequence in tokens. A longer study is refused, never cut."""
    dataloader_num_workers: int = Field(0, ge=0)
    num_threads: int | None = Field(None, ge=1)
    """CPU threads of torch (None: all). Recorded, since another number can change the last digits."""

    @field_validator("metric_for_best_model")
    @classmethod
    def _is_measured(cls, name: str) -> str:
        if name not in {*METRICS, "loss"}:
            raise ValueError(f"is not measured; choose one of {', '.join(METRICS)} or loss")
        return name

    @field_validator("eval_steps")
    @classmethod
    def _is_a_share_or_a_count(cls, steps: float) -> float:
        if steps > 1 and steps != int(steps):
            raise ValueError("must be a whole number of steps, or a share below 1")
        return steps

    @field_validator("max_steps")
    @classmethod
    def _is_some_work(cls, steps: int) -> int:
        if steps == 0:
            raise ValueError("0 would train nothing; -1 means all epochs")
        return steps


class GenerateConfig(Section):
    """How reports are written. Greedy: the same film gives the same report."""

    max_new_tokens: int = Field(256, ge=1)
    batch_size: int = Field(8, ge=1)
    num_beams: int = Field(1, ge=1)


class EvaluateConfig(Section):
    """How reports are scored."""

    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples of patients for the 95 % intervals."""


class RunConfig(Section):
    """One run. `<name>-<hash>-<seed>` becomes its folder."""

    name: str = Name
    seed: int = Field(0, ge=0)
    output_dir: Path = Path("runs")
    data: DataConfig = DataConfig()
    augment: AugmentSettings = AugmentSettings()
    model: ModelConfig = ModelConfig()
    adapter: AdapterConfig = AdapterConfig()
    train: TrainConfig = TrainConfig()
    generate: GenerateConfig = GenerateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    @field_validator("data")
    @classmethod
    def _holds_out_patients(cls, data: DataConfig) -> DataConfig:
        if not (data.split.val > 0 and data.split.test > 0):
            raise ValueError(
                "split.val and split.test must be above 0: a run is chosen and judged on held-out patients"
            )
        return data

    @field_validator("augment")
    @classmethod
    def _keeps_left_and_right(cls, augment: AugmentSettings) -> AugmentSettings:
        check_laterality_safe(augment)
        return augment

    @model_validator(mode="after")
    def _recomputes_no_prefix(self) -> "RunConfig":
        if self.adapter.type == "p_tuning" and self.train.gradient_checkpointing:
            raise ValueError("adapter.type p_tuning does not work with train.gradient_checkpointing: set it to false")
        return self

    def digest(self) -> str:
        """Return sha256 over every setting that can change the numbers: where things lie and how often is not."""
        content = self.model_dump(mode="json", exclude=_NOT_IDENTITY)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


_NOT_IDENTITY: Any = {
    "output_dir": True,
    "data": {"card", "root", "films", "reports", "index", "captions", "site_profile", "splits", "store_dir"},
    "model": {"offload_embedding"},
    "train": {"logging_steps", "dataloader_num_workers"},
}
