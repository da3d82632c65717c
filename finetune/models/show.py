"""The texts of `finetune models list`, `show` and `estimate`."""

from collections.abc import Sequence
from dataclasses import replace

from finetune.models.architecture import Architecture
from finetune.models.catalogue import load_catalogue
from finetune.models.describe import Description
from finetune.models.estimate import GIB, Use, inference_bytes, model_bytes, training_bytes
from xray.errors import ConfigError

_UNKNOWN = "–"


def catalogue_table() -> str:
    """Return one line per model of the catalogue."""
    rows = [("model", "family", "parameters", "a film", "languages", "licence")]
    for entry in load_catalogue():
        film = f"{entry.image_tokens} at {entry.image_size} px" if entry.image_tokens else _UNKNOWN
        rows.append(
            (
                entry.hub_id,
                entry.family,
                _billions(entry.total_parameters),
                film,
                " ".join(entry.languages),
                entry.licence or _UNKNOWN,
            )
        )
    return "\n".join([*_columns(rows), "A film: its image tokens. Licences change: read the model's card."])


def description_text(described: Description) -> str:
    """Return what is known of one model, a line each."""
    entry, parts = described.entry, described.architecture
    lines = [("model", described.name)]
    if entry:
        lines += [("family", entry.family), ("licence", entry.licence or "not known here: read the model's card")]
        lines += [("languages", " ".join(entry.languages)), ("parameters", _billions(entry.total_parameters))]
    if parts:
        for name in ("vision_tower", "projector", "language_model", "head"):
            lines.append((name.replace("_", " "), _billions(getattr(parts, name))))
        share = parts.linear_weights / parts.parameters
        lines.append(("in 4 or 8 bits", f"{_billions(parts.linear_weights)} ({share:.0%})"))
        lines.append(("tower in 8 bits", f"{_billions(parts.tower_linear_weights)} with model.vision_tower_bit=8"))
        embedding = f"{_billions(parts.own_embedding)} with model.offload_embedding=true"
        lines.append(
            ("in host memory", embedding if parts.own_embedding else "nothing: the head shares the embeddings")
        )
    if described.targets:
        lines.append(("LoRA targets", " ".join(described.targets)))
    if described.image_tokens:
        marks = "" if entry else ", its marks among them"
        lines.append(("a film", f"{described.image_tokens} tokens at {described.image_size} px{marks}"))
    if entry and entry.notes:
        lines.append(("note", entry.notes))
    text = "\n".join(f"{name:16}{value}" for name, value in lines)
    return text if described.prompt is None else f"{text}\nprompt:\n{described.prompt}"


def estimate_text(described: Description, *, batch_size: int, cutoff_len: int, lora_rank: int) -> str:
    """Return the memory in GiB at 16, 8 and 4 bits, and at 4 bits with all that a small card needs.

    Raises ConfigError for a model of the catalogue whose widths are not known.
    """
    model = described.architecture
    if model is None:
        raise ConfigError(f"the widths of {described.name} are not known here. Download it and name its folder.")
    rows: list[tuple[str, ...]] = [("bits", "weights", "write reports", "train", "train, gradient checkpointing")]
    film_tokens = described.image_tokens or 0
    plain = Use(batch_size=batch_size, cutoff_len=cutoff_len, film_tokens=film_tokens, lora_rank=lora_rank)
    rows += [(str(bits), *_sizes(model, replace(plain, bits=bits))) for bits in (16, 8, 4)]
    rows.append(("4, small card", *_sizes(model, replace(plain, tower_bits=8, offload_embedding=True))))
    film = f"; a film is {film_tokens} of them" if film_tokens else ""
    offload = " model.offload_embedding=true" if model.own_embedding else ""
    return "\n".join(
        [
            *_columns(rows),
            f"4, small card: with model.vision_tower_bit=8{offload}.",
            f"GiB on a GPU in 16 bits, batches of {batch_size} x {cutoff_len} tokens{film}, LoRA rank {lora_rank}.",
            "The libraries take about half a GiB more. `finetune check` measures a step on your machine.",
        ]
    )


def _sizes(model: Architecture, use: Use) -> tuple[str, ...]:
    """Return the GiB of the columns of an estimate."""
    sizes = (
        model_bytes(model, use),
        inference_bytes(model, use),
        training_bytes(model, use),
        training_bytes(model, replace(use, gradient_checkpointing=True)),
    )
    return tuple(f"{size / GIB:.1f}" for size in sizes)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _billions(count: int | None) -> str:
    if count is None:
        return _UNKNOWN
    return f"{count / 1e9:.2f} B" if count >= 1e8 else f"{count / 1e6:.1f} M"
