"""Every text of the interface, in Chinese and English. A missing one is a type error, not an empty label."""

from collections.abc import Mapping
from types import MappingProxyType

from app.words.chinese import ZH
from app.words.english import EN
from app.words.texts import Words

__all__ = ["EN", "LANGUAGES", "ZH", "Words"]

LANGUAGES: Mapping[str, Words] = MappingProxyType({"zh": ZH, "en": EN})
