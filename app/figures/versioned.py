"""Content with the version that stands for it, so that costly figures are kept until what they are made of changes."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioned(Generic[Content]):
    """Two of the same version are equal, whatever they hold: `version` must change with the content."""

    version: Hashable
    content: Content = field(compare=False, repr=False)
