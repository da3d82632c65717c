"""The texts of `finetune models list`, `show` and `estimate`."""

from collections.abc import Sequence

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
    """Return the memory in GiB at 16, 8 and 4 bits.

    Raises ConfigError for a model of the catalogue whose widths are not known.
    """
    model = described.architecture
    if model is None:
        raise ConfigError(f"the widths of {described.name} are not known here. Download it and name its folder.")
    rows: list[tuple[str, ...]] = [("bits", "weights", "write reports", "train", "train, gradient checkpointing")]
    for bits in (16, 8, 4):
        use = Use(bits=bits, batch_size=batch_size, cutoff_len=cutoff_len, lora_rank=lora_rank)
        lean = Use(
            bits=bits, batch_size=batch_size, cutoff_len=cutoff_len, lora_rank=lora_rank, gradient_checkpointing=True
        )
        sizes = (
            model_bytes(model, use),
            inference_bytes(model, use),
            training_bytes(model, use),
            training_bytes(model, lean),
        )
        rows.append((str(bits), *(f"{size / GIB:.1f}" for size in sizes)))
    film = f"; a film is {described.image_tokens} of them" if described.image_tokens else ""
    return "\n".join(
        [
            *_columns(rows),
            f"GiB on a GPU in 16 bits, batches of {batch_size} x {cutoff_len} tokens{film}, LoRA rank {lora_rank}.",
            "The libraries take about half a GiB more. `finetune check` measures a step on your machine.",
        ]
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _billions(count: int | None) -> str:
    if count is None:
        return _UNKNOWN
    return f"{count / 1e9:.2f} B" if count >= 1e8 else f"{count / 1e6:.1f} M"
