"""Pictures of a run: loss and score over the steps, and every system's headline with its interval."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.console import system_name
from finetune.manifest import ADAPTER, HEADLINE, HistoryRow, ScoresFile

_BLUE, _GREY, _RED = "#1f5fa8", "#8a8f98", "#b3392f"


def draw_curves(history: Sequence[HistoryRow], path: Path) -> None:
    """Draw training loss, validation loss and validation finding F1 over the optimiser steps."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")  # without pyplot: no window, no global state
    left, right = figure.subplots(1, 2)
    _line(left, history, "loss", label="training", colour=_GREY)
    _line(left, history, "eval_loss", label="validation", colour=_BLUE, marker="o")
    left.set(title="Loss on the report tokens", xlabel="step", yscale="log")
    left.legend(frameon=False)
    _line(right, history, f"eval_{HEADLINE}", label="finding F1", colour=_BLUE, marker="o")
    _line(right, history, "eval_side_accuracy", label="side right", colour=_RED, marker="s")
    right.set(title="Reports written for the validation split", xlabel="step", ylim=(-0.02, 1.02))
    right.legend(frameon=False, loc="lower right")
    _save(figure, path)


def draw_systems(scores: ScoresFile, path: Path) -> None:
    """Draw each system's finding F1 and 95 % interval as a row."""
    figure = Figure(figsize=(8, 0.5 * len(scores.systems) + 1.2), layout="constrained")
    axes = figure.subplots()
    for row, (system, metrics) in enumerate(reversed(scores.systems.items())):
        estimate = metrics[HEADLINE]
        if estimate.value is None:
            continue
        colour = _BLUE if system == ADAPTER else _GREY
        if estimate.low is not None and estimate.high is not None:
            axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([estimate.value], [row], marker="o", color=colour, markersize=8)
        axes.annotate(f"{estimate.value:.3f}", (estimate.value, row), (0, 8), textcoords="offset points", ha="center")
    axes.set_yticks(range(len(scores.systems)), [system_name(system) for system in reversed(scores.systems)])
    axes.set(
        xlim=(-0.03, 1.03), ylim=(-0.6, len(scores.systems) - 0.3), title="Finding F1 on the test split, 95 % interval"
    )
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def _line(axes: Axes, history: Sequence[HistoryRow], key: str, *, label: str, colour: str, marker: str = "") -> None:
    points = sorted({(row.step, row.values[key]) for row in history if key in row.values})
    if points:
        axes.plot(*zip(*points, strict=True), label=label, color=colour, marker=marker)


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    temporary = path.with_name(path.name + ".part")
    figure.savefig(temporary, dpi=130, format="png")
    temporary.replace(path)
