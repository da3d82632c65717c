"""`finetune`: run, check, generate, evaluate, review, chat, merge, serve, demo, models.

Errors of the user's making end in one line and an exit code: 2 configuration, 3 data, 4 memory, 5 reproduction, 1 else.
Nothing heavy is imported before a command needs it, so that `--help` is quick and a wrong key is told at once.
"""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finetune.libraries import prepare_libraries
from finetune.model_commands import app as models_app
from finetune.serving_commands import chat, merge, serve
from xray.command_line import guard
from xray.errors import ConfigError, DataError

if TYPE_CHECKING:
    from finetune.config import RunConfig

app = typer.Typer(
    help="Fine-tune image-chat models to write Chinese chest X-ray reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")
for command in (chat, merge, serve):
    app.command()(command)

ConfigFile = Annotated[Path, typer.Argument(metavar="CFG", help="YAML file, for example finetune/configs/demo.yaml")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="for example train.learning_rate=1e-4")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="a run folder, for example runs/demo-1a2b3c4d-0")]

CONFIGS = Path(__file__).parent / "configs"


@app.command()
def run(config: ConfigFile, overrides: Overrides = None) -> None:
    """Prepare, train, generate and score; run it again after a stop and it takes up where it was."""
    from finetune.config_file import load_config

    _start(load_config(config, overrides or ()))


@app.command()
def check(config: ConfigFile, overrides: Overrides = None) -> None:
    """Do everything short of training: data, splits, tokens, one step, memory, time."""
    from finetune.config_file import load_config

    settings = load_config(config, overrides or ())
    prepare_libraries()
    from finetune.check import check_run
    from finetune.console import Screen
    from finetune.models.loading import memory_guard

    with memory_guard():
        check_run(settings, screen=Screen())


@app.command()
def generate(
    folder: RunFolder,
    remote: Annotated[
        str | None,
        typer.Option(metavar="URL", help="ask somebody else's model instead, for comparison: https://host/v1"),
    ] = None,
    remote_model: Annotated[str, typer.Option(metavar="MODEL", help="its name there")] = "",
    name: Annotated[str, typer.Option(help="what its reports are called: predictions.NAME.jsonl")] = "remote",
    requests_per_minute: Annotated[float, typer.Option(min=0.1, help="no faster than this")] = 30,
    allow_third_party: Annotated[
        bool, typer.Option("--allow-third-party", help="films may leave this machine; the data card must say so too")
    ] = False,
) -> None:
    """Write the reports of a run's test studies that are not written yet; a finished run is then scored again."""
    from finetune.config_file import load_run_config

    settings = load_run_config(folder)
    if remote and not remote_model:
        raise typer.BadParameter("--remote needs --remote-model, the name of the model there.")
    prepare_libraries()
    from finetune.console import Screen
    from finetune.models.loading import memory_guard
    from finetune.remote import Endpoint, generate_remote
    from finetune.systems import generate_again
    from xray.lock import locked

    with memory_guard(), locked(folder):
        if remote is None:
            generate_again(folder, config=settings, screen=Screen())
            return
        endpoint = Endpoint(url=remote, model=remote_model, requests_per_minute=requests_per_minute)
        generate_remote(
            folder, name=name, endpoint=endpoint, config=settings, allowed=allow_third_party, screen=Screen()
        )


@app.command()
def evaluate(folder: RunFolder) -> None:
    """Score a run's predictions again and print the table."""
    from finetune.config_file import load_run_config

    settings = load_run_config(folder)
    prepare_libraries()
    from finetune.console import Screen
    from finetune.results import score_again
    from xray.lock import locked

    screen = Screen()
    with locked(folder), screen.stage("Scoring", key="score"):
        scores = score_again(folder, config=settings)
    screen.show_scores(scores)


@app.command()
def review(
    folder: RunFolder,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="port of the page on this machine; the first free one without it"),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="SQLite file or URL of PostgreSQL for all reviews, instead of reviews.sqlite in the folder"),
    ] = None,
    films: Annotated[
        Path | None,
        typer.Option(help="folder of the original films, unpacked: pages show them with all their bits"),
    ] = None,
    serve: Annotated[
        str | None, typer.Option(metavar="URL", help="address of `finetune serve` for live generation on the page")
    ] = None,
    pacs: Annotated[
        str | None, typer.Option(metavar="URL", help="DICOMweb root that signed reports may be sent to from the page")
    ] = None,
    headless: Annotated[bool, typer.Option(help="do not open a browser")] = False,
) -> None:
    """Open the review page of a run, or of a folder of runs."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Name a run folder such as runs/demo-1a2b3c4d-0.")
    if find_spec("streamlit") is None:
        raise ConfigError("the review page is not installed. Install the kit with its extra `review`.")
    # -P: an app.py in the user's folder is not our page.
    command = [sys.executable, "-P", "-m", "app", "--project", str(folder)]
    command += ["--port", str(port)] if port is not None else []
    chosen = (("--database", database), ("--films", films), ("--serve", serve), ("--pacs", pacs))
    for name, value in chosen:
        command += [name, str(value)] if value is not None else []
    command += ["--headless"] * headless
    os.execv(sys.executable, command)  # the page takes this process's place, so that what ends the one ends the other


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="where the demo films go")] = Path("demo"),
    studies: Annotated[int, typer.Option(min=20, help="studies to draw")] = 1000,
) -> None:
    """Draw a data set of procedural chest films, fine-tune the demo base on it, score it, and show the table."""
    from finetune.config_file import load_config
    from finetune.console import Screen
    from xray.data.phantom import Style, write_dataset

    with Screen().stage(f"Drawing {studies} studies into {folder}", key="films") as tick:
        write_dataset(folder, studies=studies, seed=0, style=Style.DEMO, progress=lambda done: tick(done, studies))
    settings = load_config(CONFIGS / "demo.yaml")
    _start(settings.model_copy(update={"data": settings.data.model_copy(update={"root": folder})}))


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="where films and runs go")] = Path("sample"),
    studies: Annotated[int, typer.Option(min=20, help="studies to draw; about half of them are to be reviewed")] = 100,
) -> None:
    """Write two runs without a model, on drawn films and with planted errors: to try `finetune review` on."""
    from dataclasses import replace

    from finetune.config_file import load_config
    from finetune.console import Screen
    from finetune.sample import write_sample
    from xray.data.phantom import Style, write_dataset

    screen, films = Screen(), folder / "data"
    with screen.stage(f"Drawing {studies} studies into {films}", key="films") as tick:
        write_dataset(films, studies=studies, seed=0, style=Style.DEMO, progress=lambda done: tick(done, studies))
    settings = load_config(CONFIGS / "demo.yaml")
    changes = {"root": films, "store_dir": folder / "stores", "image_size": 512}
    here = settings.data.model_copy(update={**changes, "split": replace(settings.data.split, test=0.5)})
    command = shlex.join(["finetune", *sys.argv[1:]])
    write_sample(folder, config=settings.model_copy(update={"data": here}), screen=screen, command=command)
    screen.say(f"Review:  {shlex.join([*_as_typed(), 'review', str(folder)])}")


def main() -> None:
    """Run the command line."""
    guard(app)


def _start(settings: "RunConfig") -> None:
    prepare_libraries()
    from finetune.console import Screen
    from finetune.models.loading import memory_guard
    from finetune.run import start_run

    screen = Screen()
    with memory_guard():
        folder = start_run(settings, screen=screen, command=shlex.join(["finetune", *sys.argv[1:]]))
    screen.say(f"Results: {folder / 'report.html'}")
    screen.say(f"Review:  {shlex.join([*_as_typed(), 'review', str(folder)])}")


def _as_typed() -> list[str]:
    """Return what to type for this command: `finetune` where the PATH leads to this very script, else its path."""
    script, on_path = Path(sys.argv[0]), shutil.which("finetune")
    if script == Path(__file__):
        return ["python", "-m", __spec__.name]
    if not script.is_file() or (on_path and script.samefile(on_path)):
        return ["finetune"]
    return [sys.argv[0]]


if __name__ == "__main__":
    main()
