"""Load any Hugging Face image-text-to-text model, in 4 bits or not, and put an adapter on it."""

import gc
import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, BitsAndBytesConfig, PreTrainedModel, ProcessorMixin

from finetune.adapter_card import check_model, read_card
from finetune.config import AdapterConfig, ModelConfig
from finetune.models.parts import ModelParts, find_parts
from finetune.models.processing import load_processor
from finetune.models.registry import register_families
from xray.errors import ConfigError, MemoryLimitError

DEMO_BASE = Path(__file__).parent / "demo_base"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
# How torch and its libraries say that memory has run out where they do not raise torch.OutOfMemoryError.
_NO_MEMORY = ("DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED", "out of memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model with the processor that prepares its inputs, the names of its parts, and what it was loaded by."""

    model: PreTrainedModel | PeftModel
    processor: ProcessorMixin
    parts: ModelParts
    settings: ModelConfig


def resolve_source(settings: ModelConfig) -> str:
    """Return the folder, as an absolute path, or the hub id that `model_name_or_path` means.

    Raises ConfigError for a folder that is not there, which no hub is asked for, and for a hub id without its commit.
    """
    name = settings.model_name_or_path
    folder = DEMO_BASE if name == "demo" else Path(name).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if not _HUB_ID.fullmatch(name):
        raise ConfigError(
            f"model_name_or_path {name!r} is no folder. Name one that is there, or a Hugging Face id such as "
            "Qwen/Qwen3-VL-4B-Instruct."
        )
    if not _COMMIT.fullmatch(settings.revision or ""):
        raise ConfigError(
            f"model_name_or_path {name!r} is no folder here. If it is a Hugging Face id, name its commit in "
            "model.revision: a branch moves, and a run taken up again would train on other weights."
        )
    return name


def load_base(settings: ModelConfig) -> LoadedModel:
    """Load the base model, frozen, with everything but the language model's linear layers in 16 or 32 bits.

    Raises ConfigError when the files are not there or are not an image-chat model.
    """
    source = resolve_source(settings)
    dtype = compute_dtype(settings)
    try:
        parts = find_parts(_on_meta(source, revision=settings.revision))
        model = AutoModelForImageTextToText.from_pretrained(
            source,
            revision=settings.revision,
            trust_remote_code=False,
            dtype=dtype,
            attn_implementation=settings.attn_implementation,
            quantization_config=_quantization(settings, parts=parts, dtype=dtype),
            device_map={"": 0} if torch.cuda.is_available() else None,
        )
        processor = load_processor(source, revision=settings.revision)
    except (OSError, ValueError, KeyError, ImportError, AttributeError, TypeError, SafetensorError) as error:
        raise ConfigError(
            f"model_name_or_path {settings.model_name_or_path!r} cannot be loaded: {_first_line(error)}"
        ) from error
    model.requires_grad_(False)
    _keep_weights_unpacked(model)
    return LoadedModel(model=model, processor=processor, parts=parts, settings=settings)


def add_adapter(base: LoadedModel, *, settings: ModelConfig, adapter: AdapterConfig, seed: int) -> LoadedModel:
    """Put a new LoRA adapter on the parts that are not frozen. Only its weights learn."""
    targets = adapter_targets(base.parts, settings=settings, adapter=adapter)
    config = LoraConfig(
        r=adapter.lora_rank,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=targets,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        bias="none",
    )
    torch.manual_seed(seed)
    model = get_peft_model(base.model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:  # adapter weights learn in 32 bits whatever the base is held in
            parameter.data = parameter.data.float()
    return replace(base, model=model)


def load_adapter(base: LoadedModel, folder: Path) -> LoadedModel:
    """Put a trained adapter on the base, for generation.

    Raises ConfigError when its card names another base, or another size of films.
    """
    if card := read_card(folder):
        check_model(card, settings=base.settings, base_sha256=weights_digest(base.settings))
    return replace(base, model=PeftModel.from_pretrained(base.model, folder, is_trainable=False))


def adapter_targets(parts: ModelParts, *, settings: ModelConfig, adapter: AdapterConfig) -> list[str]:
    """Return the full names of the layers that get an adapter, sorted.

    Raises ConfigError when no layer fits `lora_target`, with the names that exist.
    """
    open_parts = (
        (settings.freeze_language_model, parts.language_model),
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


def weights_digest(settings: ModelConfig) -> str:
    """Return sha256 over the files of a model folder; for a hub id, over the id and its revision."""
    folder = Path(resolve_source(settings))
    digest = hashlib.sha256()
    if not folder.is_dir():
        digest.update(f"{settings.model_name_or_path}@{settings.revision}".encode())
        return digest.hexdigest()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in {".json", ".safetensors", ".bin", ".model", ".jinja", ".txt", ".tiktoken"}:
            digest.update(path.name.encode())
            stamp = path.stat()
            digest.update(_file_digest(path, stamp.st_size, stamp.st_mtime_ns))
    return digest.hexdigest()


@cache
def _file_digest(path: Path, size: int, mtime_ns: int) -> bytes:
    """Return sha256 of a file, once for each of its states: several stages of a run ask, and weights take seconds."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def count_parameters(settings: ModelConfig) -> int:
    """Return the number of parameters of the base model, counted without reading its weights."""
    model = _on_meta(resolve_source(settings), revision=settings.revision)
    return sum(parameter.numel() for parameter in model.parameters())


def _on_meta(source: str, *, revision: str | None) -> PreTrainedModel:
    """Build the model without weights: what stays out of 4 bits must be known before any weight is read."""
    register_families()
    config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(config, trust_remote_code=False)


def _quantization(settings: ModelConfig, *, parts: ModelParts, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    if settings.quantization_bit is None:
        return None
    return BitsAndBytesConfig(
        load_in_4bit=True,
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
            "train.gradient_checkpointing=true."
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
