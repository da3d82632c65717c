"""`finetune models`: the commands around base models."""

from pathlib import Path
from typing import Annotated

import typer

from finetune.libraries import prepare_libraries

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
