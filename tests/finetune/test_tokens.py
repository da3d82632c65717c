from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finetune.batch import IGNORED, ChatEncoder
from finetune.models.processing import load_processor
from finetune.tokens import count_tokens
from tests.finetune.conftest import frontal_example
from xray.errors import DataError
from xray.types import Example


@pytest.fixture(scope="module")
def encoder(tiny_base: Path) -> ChatEncoder:
    return ChatEncoder(processor=load_processor(tiny_base), image_size=96)


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Studies with one or two films of several sizes, and reports of several lengths."""
    films = []
    for name, size in (("square", (96, 96)), ("tall", (192, 80)), ("wide", (60, 96))):
        films.append(tmp_path / f"{name}.png")
        Image.fromarray(np.zeros(size, dtype=np.uint8)).save(films[-1])
    first = frontal_example(films[0], target="双肺野清晰。")
    second = replace(first, example_id="e1", images=(films[1],), target="左侧胸腔少量积液。")
    third = replace(first, example_id="e2", images=(films[0], films[2]))
    return [first, second, third, *(replace(first, example_id=f"f{number}") for number in range(120))]


def test_every_study_is_counted_as_it_will_be_encoded(examples: list[Example], encoder: ChatEncoder) -> None:
    counts = count_tokens(examples, encoder=encoder)
    rows = {example.example_id: encoder.encode(example, encoder.load_pixels(example)) for example in examples}
    assert counts.lengths == {key: row["input_ids"].shape[1] for key, row in rows.items()}
    assert counts.longest == max(counts.lengths.values())
    assert counts.longest_target == max(int((row["labels"] != IGNORED).sum()) for row in rows.values())


def test_the_longest_studies_come_first(examples: list[Example], encoder: ChatEncoder) -> None:
    counts = count_tokens(examples, encoder=encoder)
    lengths = [counts.lengths[example.example_id] for example in counts.longest_first(examples)]
    assert lengths == sorted(lengths, reverse=True)


def test_a_short_report_of_many_tokens_is_found_among_any_number_of_longer_ones(
    examples: list[Example], encoder: ChatEncoder
) -> None:
    rare = "氣腫龘" * 2  # fewer characters than its neighbours, but each of them several tokens
    assert len(rare) <= min(len(example.target) for example in examples)
    examples[50] = replace(examples[50], study_uid="s50", target=rare)
    counts = count_tokens(examples, encoder=encoder)
    assert counts.longest_target == encoder.target_ids(examples[50]).shape[1]
    limit = counts.lengths[examples[50].example_id] - 1
    short = ChatEncoder(processor=encoder.processor, image_size=96, cutoff_len=limit)
    alike = [example for example in examples if example.images == examples[50].images]
    with pytest.raises(DataError, match="study s50 needs"):
        count_tokens(alike, encoder=short)


def test_a_film_that_is_gone_is_found_before_training(examples: list[Example], encoder: ChatEncoder) -> None:
    examples[1].images[0].unlink()
    with pytest.raises(DataError, match=r"tall\.png is missing"):
        count_tokens(examples, encoder=encoder)
