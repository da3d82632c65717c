"""The texts of the report workbench, in Chinese and English."""

from collections.abc import Mapping
from types import MappingProxyType

from app.words.workbench.chinese import ZH
from app.words.workbench.english import EN
from app.words.workbench.texts import WorkbenchWords

__all__ = ["WORKBENCH_WORDS", "WorkbenchWords"]

WORKBENCH_WORDS: Mapping[str, WorkbenchWords] = MappingProxyType({"zh": ZH, "en": EN})
