"""The reports that a model writes for the test studies: untuned, tuned, and tuned but shown other patients' films."""

from collections.abc import Sequence
from pathlib import Path

from finetune.adapter_card import card_of_run, check_model
from finetune.batch import ChatEncoder
from finetune.cases import read_test_examples
from finetune.config import RunConfig
from finetune.console import Screen
from finetune.generate import PixelLoader, generate, shuffle_films
from finetune.manifest import (
    ADAPTER,
    GENERATED,
    MANIFEST_FILE,
    Prediction,
    predictions_path,
    read_records,
)
from finetune.models.loading import LoadedModel, load_adapter, load_base, set_threads
from finetune.models.source import weights_digest
from finetune.results import score_again
from xray.types import Example


def generate_again(folder: Path, *, config: RunConfig, screen: Screen) -> None:
    """Write the reports that a run folder lacks; a run that had ended is scored again with them."""
    generate_systems(folder, config=config, screen=screen)
    if (folder / MANIFEST_FILE).exists():
        with screen.stage("Scoring", key="score"):
            score_again(folder, config=config)


def generate_systems(folder: Path, *, config: RunConfig, screen: Screen) -> None:
    """Write the reports of the untuned base, of the adapter, and of the adapter on shuffled films.

    Raises DataError when the run has no adapter; ConfigError when its films are rendered in another way or size than
    its adapter's, or when the base model is not the one that the adapter belongs to.
    """
    card = card_of_run(folder, config=config)
    examples = read_test_examples(folder, config=config.data)
    if _all_written(folder, examples):
        screen.say("All reports are written.")
        return
    check_model(card, settings=config.model, base_sha256=weights_digest(config.model))  # before the base's reports
    set_threads(config.train.num_threads)
    base = load_base(config.model)
    encoder = ChatEncoder(processor=base.processor, image_size=config.model.image_size)

    def write(system: str, loaded: LoadedModel, load_pixels: PixelLoader | None = None) -> None:
        with screen.stage(f"Writing reports ({system})", key=f"generate_{system}") as tick:
            rows = generate(
                examples,
                predictions_path(folder, system),
                system=system,
                loaded=loaded,
                encoder=encoder,
                settings=config.generate,
                load_pixels=load_pixels,
                progress=tick,
            )
        cut = sum(row.finish_reason == "length" for row in rows)
        if cut:
            screen.say(f"  {cut} of {len(rows)} reports ({system}) did not end within generate.max_new_tokens")

    write("base", base)
    tuned = load_adapter(base, folder / ADAPTER)
    write(ADAPTER, tuned)
    shuffled = shuffle_films(examples, encoder=encoder, seed=config.seed)
    if shuffled.kept:
        screen.say(f"{shuffled.kept} of {len(examples)} test studies keep films of their own patient when shuffled")
    write("shuffled_images", tuned, shuffled.load)


def _all_written(folder: Path, examples: Sequence[Example]) -> bool:
    wanted = {example.example_id for example in examples}
    return all(
        wanted <= {row.id for row in read_records(predictions_path(folder, system), Prediction)} for system in GENERATED
    )
