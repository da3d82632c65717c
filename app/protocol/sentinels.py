"""Sentinel cases: reports whose answer is known, by which a study tells that its readers were attentive."""

import random
from dataclasses import dataclass

from xray.text.frames import find
from xray.text.lexicon import Profile
from xray.text.planting import PLANTED, plant
from xray.types import Finding

KNOWN_GOOD = "known_good"
"""The system of a sentinel whose report is right."""
PLANTED_PREFIX = "planted:"
"""What the system of a sentinel with a planted error begins with; the kind of error follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelText:
    """A text and the name it has in the place of a system: `known_good`, or `planted:` and the kind of error."""

    text: str
    system: str


def sentinel_texts(
    reference: str, *, count: int, good: bool, profile: Profile, rng: random.Random
) -> tuple[SentinelText, ...] | None:
    """Return `count` different texts made of a reference: itself if `good`, the others with one planted error each.

    None where the reference states nothing, or has no place for so many errors that its reading would show.
    """
    stated = _meaning(reference, profile=profile)
    if not stated:
        return None
    made = [SentinelText(text=reference, system=KNOWN_GOOD)] if good else []
    for kind in rng.sample(PLANTED, len(PLANTED)):
        if len(made) == count:
            break
        text = plant(reference, kind=kind, rng=rng, profile=profile)
        is_other = text and all(text != earlier.text for earlier in made)
        if text and is_other and _meaning(text, profile=profile) != stated:
            made.append(SentinelText(text=text, system=f"{PLANTED_PREFIX}{kind}"))
    return tuple(made) if len(made) == count else None


def _meaning(text: str, *, profile: Profile) -> list[tuple[object, ...]]:
    return sorted((_told(finding) for finding in find(text, profile=profile)), key=repr)


def _told(finding: Finding) -> tuple[object, ...]:
    return finding.concept, finding.assertion, finding.laterality, finding.severity
