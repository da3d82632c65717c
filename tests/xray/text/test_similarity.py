"""Texts of which one was made from the other are found, and others are not."""

import itertools
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.text.similarity import LEAST_JACCARD, content, near_texts

CHARACTERS = "双肺纹理清晰心影不大膈面光整肋膈角锐利未见异常左右上中下野斑片结节胸腔积液气骨折主动脉硬化"


def report(seed: int, *, length: int = 90) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(CHARACTERS) for _ in range(length))


def jaccard(one: str, other: str) -> float:
    first, second = ({text[at : at + 3] for at in range(len(text) - 2)} for text in (one, other))
    return len(first & second) / len(first | second)


def connected(texts: set[str], pairs: list[tuple[str, str]]) -> set[frozenset[str]]:
    sets = {text: frozenset([text]) for text in texts}
    for one, other in pairs:
        joined = sets[one] | sets[other]
        sets.update(dict.fromkeys(joined, joined))
    return {group for group in sets.values() if len(group) > 1}


def edited(text: str, *, seed: int, edits: int) -> str:
    rng = random.Random(seed)
    letters = list(text)
    for _ in range(edits):
        letters[rng.randrange(len(letters))] = rng.choice(CHARACTERS)
    return "".join(letters)


@given(edits=st.lists(st.integers(0, 12), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_clusters_are_those_of_a_comparison_of_all_pairs(edits: list[int], seed: int) -> None:
    texts = {report(seed + n) for n in range(3)}
    texts |= {edited(report(seed + n % 3), seed=n, edits=number) for n, number in enumerate(edits)}
    every = [(a, b) for a, b in itertools.combinations(sorted(texts), 2) if jaccard(a, b) >= LEAST_JACCARD]
    assert connected(texts, near_texts(texts)) == connected(texts, every)


def test_pairs_are_as_alike_as_they_must_be_and_the_order_does_not_matter() -> None:
    texts = [edited(report(n % 5), seed=n, edits=n % 7) for n in range(60)]
    pairs = near_texts(texts)
    assert pairs == near_texts(reversed(texts))
    assert pairs
    assert all(jaccard(one, other) >= LEAST_JACCARD for one, other in pairs)


def test_a_template_with_a_thousand_variants_costs_no_half_million_pairs() -> None:
    texts = [report(0) + f"第{n}肋" for n in range(1000)]
    start = time.process_time()
    pairs = near_texts(texts)
    assert connected(set(texts), pairs) == {frozenset(texts)}
    assert len(pairs) < 100_000
    assert time.process_time() - start < 20


@pytest.mark.parametrize("texts", [[], ["双肺"], ["", "a", "ab"], ["相同的文字"] * 3])
def test_too_little_text_is_no_pair(texts: list[str]) -> None:
    assert near_texts(texts) == []


def test_content_leaves_out_punctuation_and_spelling_that_mean_nothing() -> None:
    assert content("双肺　清晰。\nＣＲ片，3.5cm！") == content("双肺清晰CR片 3.5 CM") == "双肺清晰cr片35cm"
    assert content("\ud83d 双肺") == content("双肺")
