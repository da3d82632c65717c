"""`finetune models`: the commands around base models."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from finetune.libraries import prepare_libraries
from xray.errors import ConfigError

app = typer.Typer(help="Base models.", no_args_is_help=True)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="golden folder: checkpoint/ and cases.safetensors")],
) -> None:
    """Compare a model with golden files of the original code: features, logits, loss, greedy tokens."""
    prepare_libraries()
    from finetune.models.verify import verify as replay

    failed = 0
    for check in replay(folder):
        failed += not check.passed
        seen = "tokens" if check.difference is None else f"{check.difference:.1e}"
        typer.echo(f"{'ok' if check.passed else 'DIFFERS':8}{check.name:36}{seen}")
    if failed:
        typer.echo(f"{failed} differ from the original.")
        raise typer.Exit(1)
    typer.echo("Equal to the original.")


@app.command("from-sat")
def from_sat(
    checkpoint: Annotated[Path, typer.Argument(help="folder with latest and mp_rank_00_model_states.pt, or that file")],
    base: Annotated[Path, typer.Argument(help="folder of VisualGLM-6B, for its configuration and tokenizer")],
    folder: Annotated[Path, typer.Argument(help="where the model goes")],
) -> None:
    """Turn a checkpoint of XrayGLM (SwissArmyTransformer) into a folder that runs read; its LoRA is merged."""
    prepare_libraries()
    from finetune.models.registry import register_families
    from finetune.models.visualglm.sat import convert_sat

    register_families()
    merged = convert_sat(checkpoint, base=base, folder=folder)
    typer.echo(f"{folder}: {len(merged)} layers with LoRA merged. Set model.model_name_or_path={folder}")


@app.command("list")
def list_models() -> None:
    """Show the models that this kit knows by their hub ids."""
    prepare_libraries()
    from finetune.models.show import catalogue_table

    typer.echo(catalogue_table())


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="model folder, or an id from `finetune models list`")],
    image_size: Annotated[int | None, typer.Option(min=32, help="side of a film in pixels")] = None,
) -> None:
    """Show a model's parts, LoRA targets, tokens of a film and prompt. Reads no weights."""
    prepare_libraries()
    from finetune.models.describe import describe
    from finetune.models.show import description_text

    typer.echo(description_text(describe(model, image_size=image_size)))


@app.command()
def estimate(
    model: Annotated[str, typer.Argument(help="model folder, or an id from `finetune models list`")],
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    cutoff_len: Annotated[int, typer.Option(min=64, help="tokens of the longest sequence")] = 2048,
    image_size: Annotated[int | None, typer.Option(min=32, help="side of a film in pixels")] = None,
    lora_rank: Annotated[int, typer.Option(min=1)] = 16,
) -> None:
    """Estimate the memory of a model on a GPU, for writing reports and for training. Reads no weights."""
    prepare_libraries()
    from finetune.models.describe import describe
    from finetune.models.show import estimate_text

    described = describe(model, image_size=image_size)
    typer.echo(estimate_text(described, batch_size=batch_size, cutoff_len=cutoff_len, lora_rank=lora_rank))


@app.command()
def align(
    config: Annotated[Path, typer.Argument(metavar="CFG", help="for example finetune/configs/bridge_align.yaml")],
    out: Annotated[Path, typer.Argument(help="where the Q-Former goes")],
    vision: Annotated[Path, typer.Option(help="Hugging Face folder of the vision encoder, which stays as it is")],
    text: Annotated[Path, typer.Option(help="folder of a BERT, from which the Q-Former starts: bert-base-chinese")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
) -> None:
    """Train a Q-Former on films and reports without a language model: contrast, matching, writing (BLIP-2, stage 1)."""
    from finetune.config_file import load_config

    settings = load_config(config, overrides or ())
    prepare_libraries()
    from finetune.align import align as train_bridge
    from finetune.console import Screen
    from finetune.models.loading import memory_guard

    with memory_guard():
        rows = train_bridge(settings, vision=vision, text=text, folder=out, screen=Screen())
    for row in rows:
        losses = f"contrast {row.contrast:.3f}, matching {row.matching:.3f}, writing {row.writing:.3f}"
        typer.echo(f"step {row.step}: {losses}")
    typer.echo(f"{out}: finetune models compose --bridge qformer --bridge-from {out}")


@app.command()
def compose(
    out: Annotated[Path, typer.Argument(help="where the joined model goes; a folder that is not there yet")],
    vision: Annotated[Path, typer.Option(help="Hugging Face folder of a vision encoder (CLIP, SigLIP, DINOv2, ViT)")],
    language: Annotated[Path, typer.Option(help="Hugging Face folder of a causal language model")],
    bridge: Annotated[
        Literal["qformer", "mlp"], typer.Option(help="BLIP-2's 32 queries, or LLaVA's two layers on every patch")
    ] = "qformer",
    bridge_from: Annotated[
        Path | None, typer.Option(help="Q-Former that has learnt: a folder of `finetune models align` or of a BLIP-2")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="draws the new bridge")] = 0,
) -> None:
    """Join a vision encoder and a language model by a new bridge into one base model, not yet trained."""
    if out.exists():
        raise ConfigError(f"{out} is there already. Name a new folder.")
    if bridge == "mlp" and bridge_from:
        raise ConfigError("--bridge-from is a Q-Former: leave it out, or use --bridge qformer.")
    prepare_libraries()
    from finetune.models.composed.compose import compose_mlp, compose_qformer, new_bridge, read_bridge, read_parts

    parts = read_parts(vision, language)
    if bridge == "mlp":
        compose_mlp(parts, folder=out, seed=seed)
    else:
        chosen = read_bridge(bridge_from) if bridge_from else new_bridge(parts)
        compose_qformer(parts, bridge=chosen, folder=out, seed=seed)
    typer.echo(f"{out}: train its bridge first, with finetune/configs/compose_align.yaml")


@app.command("export-projection")
def export_projection(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="run folder, or the adapter folder in it")],
    file: Annotated[Path, typer.Argument(help="for example pretrained_minigpt4.pth")],
) -> None:
    """Write the projection that a run of MiniGPT-4 trained, as its original code reads it."""
    prepare_libraries()
    from finetune.models.minigpt4.checkpoint import export_projection as export

    export(run / "adapter" if (run / "adapter").is_dir() else run, file)
    typer.echo(f"{file}: in the place of pretrained_minigpt4.pth it is the base of the next stage.")


@app.command("build-demo-base")
def build_demo_base(
    folder: Annotated[Path, typer.Argument(help="where the model goes")],
    films: Annotated[int, typer.Option(min=100, help="procedural studies to learn from")] = 12000,
    epochs: Annotated[int, typer.Option(min=1)] = 13,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Train the demo base model again, from nothing, on another hospital's procedural films."""
    prepare_libraries()
    from finetune.console import Screen
    from finetune.pretrain import pretrain

    pretrain(folder, films=films, epochs=epochs, seed=seed, screen=Screen())
