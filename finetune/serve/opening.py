"""What a user names, a run or a model, opened with everything that belongs to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from finetune.adapter_card import AdapterCard, card_of_run, read_card, render_settings
from finetune.batch import ChatEncoder
from finetune.config import DataConfig, GenerateConfig, ModelConfig
from finetune.config_file import load_run_config
from finetune.manifest import ADAPTER, CONFIG_FILE
from finetune.models.loading import load_adapter, load_base, set_threads
from finetune.serve.engine import Engine
from finetune.serve.films import FilmReader
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError
from xray.types import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model that answers, with the reader of its films and what it was asked in training.

    `name` is the run's, or the model folder's. `system` opens every dialogue that has no such turn of its own.
    """

    name: str
    engine: Engine
    films: FilmReader
    question: str
    system: str | None
    max_new_tokens: int

    def opening(self) -> tuple[Turn, ...]:
        """Return the turns that come before the first question."""
        return (Turn(role="system", text=self.system),) if self.system else ()


@contextmanager
def opened(name: str, *, revision: str | None = None, quantization_bit: int | None = None) -> Iterator[Served]:
    """Open a run folder, a model folder, merged weights with their card, or a hub id with its commit.

    A run's model is held as in training. `quantization_bit` is for the others: 16 or 32 bits without it. Raises
    ConfigError as `load_base` and `load_adapter` do, and DataError for a run without an adapter.
    """
    is_run = (Path(name) / CONFIG_FILE).is_file()
    if is_run and (revision or quantization_bit):
        raise ConfigError(f"{name} is a run, whose base model and bits are settled. Leave those options out.")
    with _run(Path(name)) if is_run else _model(name, revision=revision, bits=quantization_bit) as served:
        yield served


@contextmanager
def _run(folder: Path) -> Iterator[Served]:
    config = load_run_config(folder)
    card = card_of_run(folder, config=config)
    set_threads(config.train.num_threads)
    loaded = load_adapter(load_base(config.model), folder / ADAPTER)
    engine = Engine(loaded, encoder=ChatEncoder(processor=loaded.processor, image_size=card.image_size))
    with FilmReader(render_settings(card)) as films:
        yield _served(card, name=folder.resolve().name, engine=engine, films=films)


@contextmanager
def _model(name: str, *, revision: str | None, bits: int | None) -> Iterator[Served]:
    try:
        settings = ModelConfig(model_name_or_path=name, revision=revision, quantization_bit=bits)
    except ValidationError:
        raise ConfigError(f"a model is not held in {bits} bits. Use 4 or 8, or leave it out for 16 or 32.") from None
    card = read_card(Path(name)) if Path(name).is_dir() else None
    loaded = load_base(settings)
    size = card.image_size if card else None
    engine = Engine(loaded, encoder=ChatEncoder(processor=loaded.processor, image_size=size))
    with FilmReader(render_settings(card) if card else RenderSettings()) as films:
        yield _served(card, name=Path(name).name, engine=engine, films=films)


def _served(card: AdapterCard | None, *, name: str, engine: Engine, films: FilmReader) -> Served:
    plain = DataConfig()
    return Served(
        name=name,
        engine=engine,
        films=films,
        question=card.question if card else plain.question,
        system=card.system if card else plain.system,
        max_new_tokens=card.max_new_tokens if card else GenerateConfig().max_new_tokens,
    )
