"""The card that lies beside an adapter: its base, the rendering and size of its films, and what it was asked.

An adapter used on another base, or on films of another rendering or size, writes fluent reports that mean nothing. So
whoever loads one compares first, and refuses with both values.
"""

from pathlib import Path
from typing import Literal

from finetune.config import ModelConfig, RunConfig
from finetune.manifest import CARD_FILE, BaseModelSummary, read_json
from xray.dicom.render import RenderSettings
from xray.dicom.site_profile import SiteProfile
from xray.errors import ConfigError, DataError
from xray.records import Record, write_record


class RenderRecord(Record):
    """How the films that an adapter learned from were rendered: the fields of `xray.dicom.render.RenderSettings`."""

    size: int | None
    square: bool
    profile: Literal["viewer", "mimic_jpg"]
    deep: bool
    site: SiteProfile | None
    digest: str


class AdapterCard(Record):
    """`adapter/adapter_card.json`, and the same beside merged weights: what the adapter expects of whoever uses it.

    `image_size` is the long side in px of what the model sees (None: the rendered size), `question` and `system` what
    it was asked in training, `max_new_tokens` how long its reports may become.
    """

    run_id: str
    base: BaseModelSummary
    image_size: int | None
    render: RenderRecord
    question: str
    system: str | None
    max_new_tokens: int


def write_card(folder: Path, *, run_id: str, config: RunConfig, base: BaseModelSummary) -> None:
    """Write the card of an adapter of `config` into the adapter's folder."""
    settings = config.data.render_settings()
    card = AdapterCard(
        run_id=run_id,
        base=base,
        image_size=config.model.image_size,
        render=RenderRecord(
            size=settings.size,
            square=settings.square,
            profile=settings.profile,
            deep=settings.deep,
            site=settings.site,
            digest=settings.digest(),
        ),
        question=config.data.question,
        system=config.data.system,
        max_new_tokens=config.generate.max_new_tokens,
    )
    write_record(folder / CARD_FILE, card)


def read_card(folder: Path) -> AdapterCard | None:
    """Return the card in the folder of an adapter or of merged weights; None where there is none."""
    path = folder / CARD_FILE
    return read_json(path, AdapterCard) if path.exists() else None


def card_of_run(folder: Path, *, config: RunConfig) -> AdapterCard:
    """Return the card of a run's adapter.

    Raises DataError when the run has no adapter yet, ConfigError when the run's settings now ask for films of another
    rendering.
    """
    card = read_card(folder / "adapter")
    if card is None:
        raise DataError(f"{folder} has no finished adapter. Run `finetune run` again to train it.")
    check_render(card, settings=config.data.render_settings())
    return card


def render_settings(card: AdapterCard) -> RenderSettings:
    """Return how films are rendered for this adapter.

    Raises ConfigError where this version of the kit would render them otherwise.
    """
    record = card.render
    settings = RenderSettings(
        size=record.size, square=record.square, profile=record.profile, deep=record.deep, site=record.site
    )
    check_render(card, settings=settings)
    return settings


def check_render(card: AdapterCard, *, settings: RenderSettings) -> None:
    """Raise ConfigError where films rendered with `settings` are not those that the adapter learned from."""
    learned = card.render
    if learned.digest == settings.digest():
        return
    shown = [
        f"image_size {one.size}, square {one.square}, render_profile {one.profile}, digest {digest[:8]}"
        for one, digest in ((learned, learned.digest), (settings, settings.digest()))
    ]
    raise ConfigError(
        f"the adapter of {card.run_id} learned from films rendered otherwise ({shown[0]}) than they are now "
        f"({shown[1]}). Set those values in the section `data`, or train a new adapter."
    )


def check_model(card: AdapterCard, *, settings: ModelConfig, base_sha256: str) -> None:
    """Raise ConfigError where the base, or the size of the films that it sees, is not what the adapter learned with."""
    if card.base.sha256 != base_sha256:
        raise ConfigError(
            f"the adapter of {card.run_id} was trained on another base model ({card.base.name_or_path!r}, sha256 "
            f"{card.base.sha256[:12]}) than {settings.model_name_or_path!r} is now (sha256 {base_sha256[:12]}). Bring "
            "its files back, or start a new run."
        )
    if card.image_size != settings.image_size:
        raise ConfigError(
            f"the adapter of {card.run_id} learned with model.image_size {card.image_size}, not {settings.image_size}. "
            "Set that value, or train a new adapter."
        )
