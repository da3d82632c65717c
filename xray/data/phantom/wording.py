"""What a hospital's language is made of: data for `report`, no logic. The two hospitals have a file each.

Placeholders: {side} 左 右 双, {zone} 上 中 下, {amount} 少量 中等量 大量, {degree} 轻度 明显, {mm} and {cm} a diameter,
{rib} a rib's number, {percent} how far a lung has collapsed. A sentence states its finding and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Variants of one normal statement. It is written with probability `share`, and only without any of `unless`."""

    variants: tuple[str, ...]
    unless: frozenset[str]
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One hospital's language. `order` lists concepts and names of normal statements as its reports are built."""

    opening: tuple[str, ...]
    present: Mapping[str, tuple[str, ...]]
    normal: Mapping[str, Normal]
    order: tuple[str, ...]
    impression: Mapping[str, str]
    impression_opening: str
    impression_normal: tuple[str, ...]


LUNG_CONCEPTS = frozenset({"opacity", "consolidation", "nodule", "mass", "atelectasis", "edema", "pneumothorax"})
PLEURAL_CONCEPTS = frozenset({"pleural_effusion", "pleural_thickening"})
DEVICE_CONCEPTS = frozenset({"pacemaker", "endotracheal_tube", "central_line"})
DISPLACING_CONCEPTS = frozenset({"atelectasis", "pleural_effusion"})
