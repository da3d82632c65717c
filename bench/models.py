"""Memory and speed of base models at their real size on a GPU, with random weights: nothing is downloaded.

    python -m bench.models --folder DISK [--families visualglm qwen2_5_vl] [--out bench/results]

Writes each model's folder once (16 bits, about 16 GB), then measures in a process of its own: `generate` in 4 bits (128
tokens, batch 1); `qlora`, steps at batch 1 as this kit takes them, activations recomputed; and `plain`, the same steps
of a Trainer on a model that peft's prepare_model_for_kbit_training has prepared. The kit is set to small cards:
quantization_bit 4, vision_tower_bit 8, offload_embedding. Peaks hold the loading too.
`--scale tiny` tries the script on a CPU; its numbers mean nothing.
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.model_folders import FAMILIES, make_once
from bench.model_measures import MEASURES, Measured
from finetune.models.loading import free_memory, silence_libraries

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")


def main() -> None:
    """Make the folders, measure, print a table; with `--out` it is kept. One measure for a child process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the models go, about 16 GB each")
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--scale", choices=("full", "tiny"), default="full")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", choices=list(MEASURES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    silence_libraries()
    if options.scale == "full" and not torch.cuda.is_available():
        print("skipped: there is no GPU here, and the full size is measured on one. Try --scale tiny.")
        return
    folders = {name: options.folder / f"{name}-{options.scale}" for name in options.families}
    if options.measure:
        name = options.families[0]
        print(json.dumps(asdict(MEASURES[options.measure](folders[name], FAMILIES[name]))))
        return
    found: dict[tuple[str, str], Measured] = {}
    for name, folder in folders.items():
        make_once(FAMILIES[name], folder, full=options.scale == "full")
        free_memory()
        for measure in MEASURES:
            found[name, measure] = _in_a_process(name, measure=measure, folder=options.folder, scale=options.scale)
            print(_row(name, measure, found[name, measure]), flush=True)
    page = _page(found, scale=options.scale)
    print("\n" + page)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"models-{datetime.now(UTC):%Y-%m-%d}.md").write_text(page, encoding="utf-8")


def _in_a_process(name: str, *, measure: str, folder: Path, scale: str) -> Measured:
    command = [sys.executable, "-m", "bench.models", "--folder", str(folder), "--families", name, "--scale", scale]
    done = subprocess.run([*command, "--measure", measure], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return Measured(error=(done.stderr.strip().splitlines() or [f"ended by {done.returncode}"])[-1])
    return Measured(**json.loads(done.stdout.strip().splitlines()[-1]))


def _row(name: str, measure: str, found: Measured) -> str:
    tokens = FAMILIES[name].prompt_tokens if measure == "generate" else FAMILIES[name].row_tokens
    memory = f"{found.loading_gb:.2f} | {found.peak_gb:.2f} | {found.reserved_gb:.2f}"
    cells = f"– ({found.error}) | | |" if found.error else f"{memory} | {found.tokens_per_second:.1f}"
    return f"| {name} | {measure} | {tokens} | {cells} |"


def _page(found: dict[tuple[str, str], Measured], *, scale: str) -> str:
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    lines = [f"# Base models of {scale} size, random weights, {datetime.now(UTC):%Y-%m-%d}", ""]
    lines += [
        f"{device}; {versions}. GB are 1e9 bytes. Tokens: the prompt's for generate, the whole row's otherwise.",
        "",
    ]
    lines += ["| model | measure | tokens | GB to load | peak GB | reserved GB | tokens per second |", "|---" * 7 + "|"]
    return "\n".join(lines + [_row(*key, measured) for key, measured in found.items()]) + "\n"


if __name__ == "__main__":
    main()
