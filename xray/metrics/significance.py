"""What a finding weighs, and which findings answer for one another: the table `significance.yaml`."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from xray.types import Severity

Relation = Literal["same", "synonym", "family"]
_LIGHTEST = 0.1


class _Table(BaseModel):
    """The file, checked; its head explains the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: dict[str, float] = Field(min_length=1)
    by_degree: dict[str, dict[Severity, float]]
    synonyms: tuple[frozenset[str], ...]
    families: tuple[frozenset[str], ...]
    evidence: dict[str, frozenset[str]]


def weight_of(concept: str, *, severity: Severity | None) -> float:
    """Return the clinical significance of a finding, in (0, 1]; 0.1 for a concept that the table does not know."""
    by_degree = _table().by_degree.get(concept, {})
    if severity is not None and severity in by_degree:
        return by_degree[severity]
    return _table().weights.get(concept, _LIGHTEST)


def relation_of(concept: str, other: str) -> Relation | None:
    """Tell how two concepts are related; None where one cannot stand for the other."""
    if concept == other:
        return "same"
    pair = {concept, other}
    if any(pair <= group for group in _table().synonyms):
        return "synonym"
    return "family" if any(pair <= group for group in _table().families) else None


def is_evidence(concept: str, *, of: str) -> bool:
    """Tell whether a report may name `concept` as the sign from which it concludes `of`."""
    return concept in _table().evidence.get(of, frozenset())


def known_concepts() -> frozenset[str]:
    """Return every concept that the table names, to be compared with the lexicon's."""
    table = _table()
    groups = (*table.synonyms, *table.families, *table.evidence.values())
    return frozenset((*table.weights, *table.by_degree, *table.evidence)).union(*groups)


@cache
def table_sha256() -> str:
    """Return the sha256 of the table (hex): part of the signature of every score that uses it."""
    return hashlib.sha256(_content()).hexdigest()


@cache
def _table() -> _Table:
    return _Table.model_validate(yaml.safe_load(_content()))


def _content() -> bytes:
    return (files(__package__) / "significance.yaml").read_bytes()
