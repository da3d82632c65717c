"""Load any Hugging Face image-text-to-text model, in 4 or 8 bits or not, and put an adapter on it."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.constants import DUMMY_TARGET_MODULES
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoModelForImageTextToText,
    BitsAndBytesConfig,
    PreTrainedModel,
    ProcessorMixin,
)

from finetune.adapter_card import check_model, read_card
from finetune.config import AdapterConfig, ModelConfig
from finetune.models.folder import check_adapter, check_folder, check_weights
from finetune.models.memory import refuse_too_little_memory
from finetune.models.parts import ModelParts, find_parts, in_layers, still_frozen_parts
from finetune.models.placement import plan_placement, reading, settle
from finetune.models.prefix import add_prefix
from finetune.models.processing import load_processor
from finetune.models.registry import read_config
from finetune.models.source import resolve_source, weights_digest
from finetune.models.whole_modules import cast_around, find_whole_modules, lies_in, load_in_full
from xray.errors import ConfigError, MemoryLimitError

# How torch and its libraries say that memory has run out where they do not raise torch.OutOfMemoryError.
_NO_MEMORY = ("DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED", "out of memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model with the processor that prepares its inputs, the names of its parts, and what it was loaded by."""

    model: PreTrainedModel | PeftModel
    processor: ProcessorMixin
    parts: ModelParts
    settings: ModelConfig

    @property
    def base(self) -> PreTrainedModel:
        """The model below the adapter."""
        return self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model


def load_base(settings: ModelConfig) -> LoadedModel:
    """Load the base model, frozen, with everything but the language model's linear layers in 16 or 32 bits.

    `settings` may ask for a vision tower in 8 bits, and for word embeddings that stay in host memory. Raises
    ConfigError when the files are not there, not whole or not an image-chat model, or the embeddings cannot stay, and
    MemoryLimitError when the weights do not fit into memory.
    """
    source = resolve_source(settings)
    dtype = compute_dtype(settings)
    if Path(source).is_dir():
        check_folder(Path(source))
    with _loading_errors(settings):
        config = read_config(source, revision=settings.revision)
        empty = build_on_meta(source, revision=settings.revision)
        parts = find_parts(empty)
        placement = plan_placement(empty, parts=parts, settings=settings)
        refuse_too_little_memory(empty, parts=parts, placement=placement, settings=settings, dtype=dtype)
        processor = load_processor(source, revision=settings.revision)
        with reading(placement):
            model, report = AutoModelForImageTextToText.from_pretrained(
                source,
                config=config,
                revision=settings.revision,
                trust_remote_code=False,
                dtype=dtype,
                attn_implementation=settings.attn_implementation,
                quantization_config=_quantization(settings, parts=parts, dtype=dtype),
                device_map={"": 0} if torch.cuda.is_available() else None,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are in the report, and refused with the missing ones
            )
    check_weights(model, report, name=settings.model_name_or_path)
    settle(model, placement)
    model.requires_grad_(False)
    _leave_films_out_of_the_graph(model)
    if config.is_encoder_decoder:  # T5 takes the Trainer's number of tokens and does not divide by it
        model.accepts_loss_kwargs = False
    _keep_weights_unpacked(model)
    return LoadedModel(model=model, processor=processor, parts=parts, settings=settings)


def add_adapter(base: LoadedModel, *, settings: ModelConfig, adapter: AdapterConfig, seed: int) -> LoadedModel:
    """Put a new LoRA adapter on the parts that are not frozen, or a prefix; `modules_to_save` learns in full.

    Raises ConfigError for settings that fit no layer, and for DoRA in 8 bits on a CPU, where peft loses the scales.
    """
    if adapter.type == "p_tuning":
        return replace(base, model=add_prefix(base.model, length=adapter.pre_seq_len, seed=seed))
    if adapter.use_dora and settings.quantization_bit == 8 and not torch.cuda.is_available():
        raise ConfigError("adapter.use_dora does not work in 8 bits on a CPU. Set model.quantization_bit to 4 or null.")
    targets: list[str] | str = DUMMY_TARGET_MODULES
    whole = find_whole_modules(base.model, adapter.modules_to_save)
    if adapter.lora_target != "none":
        named = adapter_targets(base.parts, settings=settings, adapter=adapter)
        targets = [name for name in named if not lies_in(name, whole)] or DUMMY_TARGET_MODULES
    config = LoraConfig(
        r=adapter.lora_rank,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=targets,
        modules_to_save=whole or None,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        bias="none",
    )
    torch.manual_seed(seed)
    model = get_peft_model(base.model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:  # adapter weights learn in 32 bits whatever the base is held in
            parameter.data = parameter.data.float()
    cast_around(model)
    tuned = replace(base, model=model)
    still_frozen_parts(tuned.base)
    return tuned


def load_adapter(base: LoadedModel, folder: Path) -> LoadedModel:
    """Put a trained adapter on the base, for generation.

    Raises ConfigError when its card names another base, or another size of films, and when its files are not whole.
    """
    if card := read_card(folder):
        check_model(card, settings=base.settings, base_sha256=weights_digest(base.settings))
    check_adapter(folder)
    model = PeftModel.from_pretrained(base.model, folder, is_trainable=False)
    load_in_full(model, folder)
    cast_around(model)
    return replace(base, model=model)


def adapter_targets(parts: ModelParts, *, settings: ModelConfig, adapter: AdapterConfig) -> list[str]:
    """Return the full names of the layers that get an adapter, sorted.

    Raises ConfigError when no layer fits `lora_target` or `lora_layers`, with the names or the number that exist.
    """
    open_parts = (
        (settings.freeze_language_model, in_layers(parts.language_model, layers=adapter.lora_layers)),
        (settings.freeze_multi_modal_projector, parts.projector),
        (settings.freeze_vision_tower, parts.vision_tower),
    )
    candidates = [name for frozen, names in open_parts if not frozen for name in names]
    wanted = [name for name in candidates if adapter.lora_target == "all" or _leaf(name) in adapter.lora_target]
    if not wanted:
        names = ", ".join(sorted({_leaf(name) for name in candidates}))
        raise ConfigError(f"adapter.lora_target {adapter.lora_target} fits no layer; this model has: {names}")
    return sorted(wanted)


def compute_dtype(settings: ModelConfig) -> torch.dtype:
    """Return the type of the computation: the one the settings name, else what the device computes fast.

    That is float32 on a CPU, bfloat16 on a GPU that has it, and float16 on an older one (T4, V100), which would only
    imitate bfloat16.
    """
    if settings.compute_dtype != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[settings.compute_dtype]
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def build_on_meta(source: str, *, revision: str | None = None) -> PreTrainedModel:
    """Build the model of a folder or hub id without weights, to know its parts before any weight is read."""
    config = read_config(source, revision=revision)
    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(config, trust_remote_code=False)


def count_parameters(settings: ModelConfig) -> int:
    """Return the number of parameters of the base model, counted without reading its weights."""
    model = build_on_meta(resolve_source(settings), revision=settings.revision)
    return sum(parameter.numel() for parameter in model.parameters())


@contextmanager
def _loading_errors(settings: ModelConfig) -> Iterator[None]:
    """Turn what the libraries raise for files that they cannot use into one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, AttributeError, TypeError, SafetensorError) as error:
        raise ConfigError(
            f"model_name_or_path {settings.model_name_or_path!r} cannot be loaded: {_first_line(error)}"
        ) from error


def _quantization(settings: ModelConfig, *, parts: ModelParts, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    if settings.quantization_bit is None:
        return None
    return BitsAndBytesConfig(
        load_in_4bit=settings.quantization_bit == 4,
        load_in_8bit=settings.quantization_bit == 8,
        bnb_4bit_quant_type=settings.quantization_type,
        bnb_4bit_use_double_quant=settings.double_quantization,
        bnb_4bit_compute_dtype=dtype,
        # This list replaces the library's own, so the output head must be named again.
        llm_int8_skip_modules=[*parts.outside_language_model, "lm_head"],
    )


def _keep_weights_unpacked(model: nn.Module) -> None:
    """Stop bitsandbytes from repacking 4-bit weights in place on CPUs with AVX512-BF16.

    It does so at the first forward in evaluation mode, and the state stays: an evaluation in the middle would change
    the training after it, and the layer's input would get no gradient.
    """
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def _leave_films_out_of_the_graph(model: PreTrainedModel) -> None:
    """Let no embedding, of text or of film patches, claim a gradient when activations are recomputed.

    transformers makes them claim one where `gradient_checkpointing_enable` is called, for reentrant recomputation. This
    kit's is not reentrant; the claim would only send every step back through a vision tower that does not learn.
    """
    model.enable_input_require_grads = lambda: None


def _leaf(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


@contextmanager
def memory_guard() -> Iterator[None]:
    """Turn a device that is too small into a MemoryLimitError that says which settings to lower."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in _NO_MEMORY):
            raise
        raise MemoryLimitError(
            "the device has too little memory. Lower train.per_device_train_batch_size (and raise "
            "train.gradient_accumulation_steps), generate.batch_size or model.image_size, or set "
            "train.gradient_checkpointing=true, model.vision_tower_bit=8 or model.offload_embedding=true."
        ) from None


def free_memory() -> None:
    """Let go of models that nothing names any more, whatever cycle holds them."""
    gc.collect()
    torch.cuda.empty_cache()


def set_threads(number: int | None) -> None:
    """Use so many CPU threads in training and generation alike; None leaves torch's own choice."""
    if number:
        torch.set_num_threads(number)


def silence_libraries() -> None:
    """Keep the libraries' progress bars and notices off the terminal; their errors still come through."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", module=r"(transformers|peft|torch|bitsandbytes|accelerate)(\..*)?")
