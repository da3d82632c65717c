from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from finetune.batch import ChatEncoder
from finetune.loader import START_METHOD, EpochSampler, TrainingSet, plain_errors, use_one_thread
from finetune.models.processing import load_processor
from tests.finetune.conftest import frontal_example
from tests.xray.data.test_workspace import film as film_row
from xray.augment import AugmentSettings, build
from xray.data.shards import write_shard
from xray.errors import DataError
from xray.types import Example, StoredFilm


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Four studies with one large film each: small ones never wake OpenCV's threads."""
    films = []
    for number in range(4):
        films.append(tmp_path / f"{number}.png")
        pixels = np.random.default_rng(number).integers(0, 255, (1600, 1500), dtype=np.uint8)
        Image.fromarray(pixels).save(films[-1])
    first = frontal_example(films[0], target="左侧胸腔少量积液。")
    return [replace(first, example_id=f"e{number}", images=(film,)) for number, film in enumerate(films)]


@pytest.fixture
def rows(tiny_base: Path, examples: list[Example]) -> TrainingSet:
    encoder = ChatEncoder(processor=load_processor(tiny_base))
    return TrainingSet(examples, encoder=encoder, augmenter=build(AugmentSettings(probability=1.0)), seed=7)


def load(rows: TrainingSet, *, workers: int) -> list[dict[str, torch.Tensor]]:
    loader: DataLoader[dict[str, torch.Tensor]] = DataLoader(
        rows,
        sampler=EpochSampler(4, seed=7),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=use_one_thread,
        multiprocessing_context=START_METHOD if workers else None,
    )
    with plain_errors():
        return list(loader)


def test_the_number_of_loader_processes_changes_nothing(rows: TrainingSet) -> None:
    alone = load(rows, workers=0)  # and with it OpenCV's threads run here before the loaders start
    for one, other in zip(alone, load(rows, workers=2), strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_film_that_a_loader_process_misses_is_told_in_one_line(rows: TrainingSet, examples: list[Example]) -> None:
    examples[2].images[0].unlink()
    with pytest.raises(DataError) as caught:
        load(rows, workers=2)
    assert str(caught.value).startswith(f"prepared film {examples[2].images[0]} is missing")
    assert "\n" not in str(caught.value)


def test_a_loader_process_leaves_opencv_one_thread() -> None:
    before = cv2.getNumThreads()
    try:
        use_one_thread(0)
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_the_same_example_is_augmented_anew_in_each_epoch(rows: TrainingSet) -> None:
    assert not torch.equal(rows[(0, 0)]["pixel_values"], rows[(1, 0)]["pixel_values"])
    assert torch.equal(rows[(1, 0)]["pixel_values"], rows[(1, 0)]["pixel_values"])


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


def test_another_window_is_drawn_from_the_sixteen_bit_master_where_the_store_has_one(
    rows: TrainingSet, examples: list[Example], tmp_path: Path
) -> None:
    shard = write_shard(tmp_path, [film_row(1, deep=True), film_row(1)])
    with_master, without = (replace(examples[0], images=(StoredFilm(shard=shard, row=row, key="k"),)) for row in (0, 1))
    jitter = AugmentSettings(probability=1.0, window_center=0.05, window_width=0.1)
    for settings, differ in ((jitter, True), (AugmentSettings(), False)):
        training = TrainingSet([with_master, without], encoder=rows.encoder, augmenter=build(settings), seed=7)
        first, second = training[0, 0], training[0, 1]
        assert torch.equal(first["pixel_values"], second["pixel_values"]) is not differ
