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
