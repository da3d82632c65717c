"""The base models that this kit knows by their hub ids."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from finetune.config import Section
from finetune.models.architecture import Architecture

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")


class CatalogueEntry(Section):
    """One published model. What is None is not known here."""

    hub_id: str
    family: str
    model_type: str
    """What its config.json says."""
    licence: str | None = None
    languages: tuple[str, ...]
    """Languages that it writes well, `zh` or `en`."""
    image_size: int | None = None
    """Side in px of the square film that `image_tokens` belongs to: the model's own size, where it has one."""
    image_tokens: int | None = None
    token_px: int | None = None
    """Side in px of the square that one token covers, for models that take films of any size."""
    parameters: int | None = None
    """As published, where `architecture` is not known."""
    notes: str | None = None
    architecture: Architecture | None = None

    @property
    def total_parameters(self) -> int | None:
        """All parameters, counted where the architecture is known."""
        return self.architecture.parameters if self.architecture else self.parameters

    def tokens_at(self, image_size: int) -> int | None:
        """Return the tokens of a square film of this side in px; None where it is not known."""
        if self.token_px:
            return max(1, round(image_size / self.token_px)) ** 2
        return self.image_tokens


@cache
def load_catalogue() -> tuple[CatalogueEntry, ...]:
    """Return every model of the catalogue, in its order."""
    content = yaml.safe_load(CATALOGUE_FILE.read_text(encoding="utf-8"))
    return TypeAdapter(tuple[CatalogueEntry, ...]).validate_python(content)


def find_entry(hub_id: str) -> CatalogueEntry | None:
    """Return the model of this hub id, in any case of letters; None when the catalogue does not have it."""
    return next((entry for entry in load_catalogue() if entry.hub_id.lower() == hub_id.lower()), None)
