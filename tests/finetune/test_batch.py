from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from finetune.batch import IGNORED, ChatEncoder, EpochSampler, TrainingSet, collate
from finetune.config import ModelConfig
from finetune.models.loading import LoadedModel, load_base
from xray.augment import AugmentSettings, build
from xray.errors import DataError
from xray.types import Example, Turn


@pytest.fixture(scope="module")
def loaded(tiny_base: Path) -> LoadedModel:
    return load_base(ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=None))


@pytest.fixture(scope="module")
def encoder(loaded: LoadedModel) -> ChatEncoder:
    return ChatEncoder(processor=loaded.processor, image_size=64)


@pytest.fixture
def example(tmp_path: Path) -> Example:
    paths = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (96, 96), dtype=np.uint8)
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return Example(
        example_id="e1",
        study_uid="s1",
        patient_key="p1",
        images=tuple(paths),
        views=("frontal", "lateral"),
        messages=(Turn(role="system", text="你是放射科医生。"), Turn(role="user", text="请写报告。")),
        target="左侧胸腔少量积液。",
        language="zh",
        split="train",
    )


def test_only_the_report_and_its_end_count_in_the_loss(encoder: ChatEncoder, example: Example) -> None:
    row = encoder.encode(example, encoder.load_pixels(example))
    counted = row["input_ids"][row["labels"] != IGNORED]
    assert encoder.processor.tokenizer.decode(counted) == "左侧胸腔少量积液。<|im_end|>"
    assert torch.equal(row["labels"][row["labels"] != IGNORED], counted)


def test_each_film_of_a_study_becomes_its_own_image_tokens(encoder: ChatEncoder, example: Example) -> None:
    both = encoder.encode(example, encoder.load_pixels(example))
    one = replace(example, images=example.images[:1], views=("frontal",))
    single = encoder.encode(one, encoder.load_pixels(one))
    token = encoder.processor.image_token_id
    assert int((both["input_ids"] == token).sum()) == 2 * int((single["input_ids"] == token).sum()) > 0
    assert both["image_grid_thw"].shape[0] == 2


def test_the_films_stand_before_the_question(encoder: ChatEncoder, example: Example) -> None:
    prompt = encoder.prompt(example)
    assert prompt.index("你是放射科医生") < prompt.index("<|image_pad|>") < prompt.index("请写报告")
    assert prompt.count("<|image_pad|>") == 2


def test_a_study_that_is_too_long_is_refused_by_name_and_never_cut(encoder: ChatEncoder, example: Example) -> None:
    short = ChatEncoder(processor=encoder.processor, image_size=64, cutoff_len=20)
    with pytest.raises(DataError, match=r"study s1 .* train\.cutoff_len"):
        short.encode(example, short.load_pixels(example))


def test_a_missing_film_is_an_error_and_never_a_blank_image(encoder: ChatEncoder, example: Example) -> None:
    example.images[0].unlink()
    with pytest.raises(DataError, match=r"0\.png is missing"):
        encoder.load_pixels(example)


def test_films_are_shrunk_by_area_averaging_to_the_models_size(encoder: ChatEncoder, example: Example) -> None:
    checkerboard = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(checkerboard).save(example.images[0])
    shrunk = encoder.load_pixels(example)[0]
    assert shrunk.shape == (64, 64)
    assert set(np.unique(shrunk)) <= {127, 128}  # any sampling without averaging would leave 0 and 255


def test_padding_is_on_the_right_for_training_and_on_the_left_for_generation(
    encoder: ChatEncoder, example: Example
) -> None:
    long = encoder.encode(example, encoder.load_pixels(example))
    brief = replace(example, target="正常。")
    short = encoder.encode(brief, encoder.load_pixels(brief))
    right = collate([long, short], pad_token_id=0)
    left = collate([long, short], pad_token_id=0, side="left")
    assert right["attention_mask"][1].tolist() == sorted(right["attention_mask"][1].tolist(), reverse=True)
    assert left["attention_mask"][1].tolist() == sorted(left["attention_mask"][1].tolist())
    assert (right["labels"][1][right["attention_mask"][1] == 0] == IGNORED).all()


def test_a_batch_gives_the_same_loss_as_its_examples_one_by_one(
    loaded: LoadedModel, encoder: ChatEncoder, example: Example
) -> None:
    brief = replace(example, target="正常。", images=example.images[:1], views=("frontal",))
    rows = [encoder.encode(one, encoder.load_pixels(one)) for one in (example, brief)]
    pad = loaded.processor.tokenizer.pad_token_id
    loaded.model.eval()
    with torch.no_grad():
        together = loaded.model(**collate(rows, pad_token_id=pad)).loss
        alone = [loaded.model(**row).loss for row in rows]
    tokens = [int((row["labels"][:, 1:] != IGNORED).sum()) for row in rows]
    expected = sum(loss * count for loss, count in zip(alone, tokens, strict=True)) / sum(tokens)
    assert together.item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone() -> None:
    sampler = EpochSampler(20, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert [index for _, index in second] != [index for _, index in first]
    assert sorted(index for _, index in second) == list(range(20))
    assert [index for _, index in EpochSampler(20, seed=2)] != [index for _, index in first]


@pytest.fixture
def training_set(encoder: ChatEncoder, example: Example) -> Callable[[], TrainingSet]:
    examples = [replace(example, example_id=f"e{number}") for number in range(4)]
    return lambda: TrainingSet(examples, encoder=encoder, augmenter=build(AugmentSettings()), seed=7)


def test_the_number_of_loader_processes_changes_nothing(training_set: Callable[[], TrainingSet]) -> None:
    def pixels(workers: int) -> list[torch.Tensor]:
        loader = DataLoader(training_set(), sampler=EpochSampler(4, seed=7), batch_size=None, num_workers=workers)
        return [row["pixel_values"] for row in loader]

    for alone, shared in zip(pixels(0), pixels(2), strict=True):
        assert torch.equal(alone, shared)


def test_the_same_example_is_augmented_anew_in_each_epoch(training_set: Callable[[], TrainingSet]) -> None:
    rows = training_set()
    assert not torch.equal(rows[(0, 0)]["pixel_values"], rows[(1, 0)]["pixel_values"])
    assert torch.equal(rows[(1, 0)]["pixel_values"], rows[(1, 0)]["pixel_values"])
