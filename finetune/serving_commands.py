"""`finetune chat`, `merge` and `serve`: a trained model in use."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from finetune.libraries import prepare_libraries

_HOST = "127.0.0.1"


class WeightType(StrEnum):
    """Types of merged weights."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class WeightsOfBase(StrEnum):
    """What a merged adapter is added to; the values of `finetune.merge.BaseWeights`."""

    as_trained = "as-trained"
    original = "original"


class EngineName(StrEnum):
    """What writes the answers of a server."""

    transformers = "transformers"
    vllm = "vllm"


Source = Annotated[
    str,
    typer.Argument(
        metavar="RUN_OR_MODEL", help="a run folder, a model folder, merged weights, or a hub id with --revision"
    ),
]
Revision = Annotated[str | None, typer.Option(help="commit of a hub id")]
Bits = Annotated[
    int | None, typer.Option("--quantization-bit", metavar="4|8", help="hold a model (not a run) in so many bits")
]


def chat(
    source: Source,
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE]...", help="DICOM, PNG or JPEG films of one study")
    ] = None,
    revision: Revision = None,
    bits: Bits = None,
) -> None:
    """Talk with a model about films. Answers are greedy: the same film and questions give the same words."""
    prepare_libraries()
    from finetune.serve.chat import HELP, typed_lines
    from finetune.serve.chat import chat as hold_dialogue
    from finetune.serve.opening import opened

    with opened(source, revision=revision, quantization_bit=bits) as served:
        if sys.stdin.isatty():
            typer.echo(f"{served.name}. {HELP}")
        try:
            hold_dialogue(served, images=images or (), lines=typed_lines(), out=sys.stdout)
        except KeyboardInterrupt:
            typer.echo()


def merge(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run folder")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="the model folder to write")],
    weights: Annotated[
        WeightsOfBase,
        typer.Option(
            "--base",
            help="what an adapter of 4 or 8 bits is added to: the rounded weights it learned on, so that answers and "
            "scores stay the run's, or the base's original ones",
        ),
    ] = WeightsOfBase.as_trained,
    dtype: Annotated[WeightType, typer.Option(help="type of the weights; auto: the base's own")] = WeightType.auto,
    samples: Annotated[int, typer.Option(min=1, help="test studies to compare run and merged weights on")] = 4,
) -> None:
    """Merge a run's adapter into its base: an ordinary model folder, compared with the run before it is kept."""
    from finetune.config_file import load_run_config

    config = load_run_config(folder)
    prepare_libraries()
    from finetune.console import Screen
    from finetune.merge import BaseWeights, merge_run
    from finetune.models.loading import memory_guard

    screen = Screen()
    with memory_guard():
        merge_run(
            folder,
            out,
            config=config,
            weights=BaseWeights(weights.value),
            dtype=dtype.value,
            samples=samples,
            screen=screen,
        )
    screen.say(f"Merged model: {out}")


def serve(
    source: Source,
    host: Annotated[str, typer.Option(help="address to listen on; another than this machine's needs a key")] = _HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 8000,
    api_key_file: Annotated[Path | None, typer.Option(help="file with the key that clients must send")] = None,
    queue: Annotated[int, typer.Option(min=0, help="requests that may wait; further ones are told to come again")] = 8,
    engine: Annotated[
        EngineName, typer.Option(help="vllm: faster, for merged weights, if installed; it renders no films")
    ] = EngineName.transformers,
    revision: Revision = None,
    bits: Bits = None,
) -> None:
    """Answer over HTTP with OpenAI's interface: POST /v1/chat/completions, with films as data: URLs."""
    prepare_libraries()
    from finetune.serve.app import Limits
    from finetune.serve.opening import opened
    from finetune.serve.server import bind, read_key, run_server
    from finetune.serve.vllm import become_vllm

    key = read_key(api_key_file, host=host)
    if engine is EngineName.vllm:
        become_vllm(source, host=host, port=port, api_key=key)
    with bind(host, port) as listener, opened(source, revision=revision, quantization_bit=bits) as served:
        run_server(served, listener=listener, api_key=key, limits=Limits(queue=queue))
