"""`xray`: render, prepare, deidentify, lint, label, score, phantom. Each command is a module of `xray.commands`."""

import typer

from xray.command_line import guard
from xray.commands.deidentify import deidentify
from xray.commands.label import label
from xray.commands.lint import lint
from xray.commands.phantom import phantom
from xray.commands.prepare import prepare
from xray.commands.render import render
from xray.commands.score import score

app = typer.Typer(
    help="Chest films and Chinese reports: render, prepare, deidentify, lint, label, score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (render, prepare, deidentify, lint, label, score, phantom):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    guard(app)


if __name__ == "__main__":
    main()
