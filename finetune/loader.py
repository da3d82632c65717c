"""What the loader reads: examples with or without augmentation, in an order that depends on seed and epoch alone.

The number of loader processes changes nothing but the speed. They are started anew (`spawn`) and not forked: a process
that has used OpenCV holds threads and locks, and its fork can hang.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from finetune.batch import ChatEncoder
from xray.augment import Augmenter
from xray.errors import XrayError
from xray.types import Example

START_METHOD = "spawn"
Key = tuple[int, int]
"""(epoch, index): what a sampler hands to the data set, so that augmentation depends on nothing else."""


class TrainingSet(Dataset[dict[str, torch.Tensor]]):
    """Training examples, augmented. Indexed by (epoch, index), so worker count and resume change nothing."""

    def __init__(self, examples: Sequence[Example], *, encoder: ChatEncoder, augmenter: Augmenter, seed: int) -> None:
        self.examples = examples
        self.encoder = encoder
        self.augmenter = augmenter
        self.seed = seed

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, key: Key) -> dict[str, torch.Tensor]:
        """Return the encoded example `index` as augmented in `epoch`."""
        epoch, index = key
        example = self.examples[index]
        films = self.encoder.load_pixels(example)
        masters = self.encoder.load_deep(example) if self.augmenter.draws_windows else [None] * len(films)
        changed = [
            self.augmenter.apply(
                film, seed=self.seed, epoch=epoch, example_id=example.example_id, image_index=number, deep=master
            )
            for number, (film, master) in enumerate(zip(films, masters, strict=True))
        ]
        return self.encoder.encode(example, changed)


class EvaluationSet(Dataset[dict[str, torch.Tensor]]):
    """Examples as they are, for the loss on the validation split."""

    def __init__(self, examples: Sequence[Example], *, encoder: ChatEncoder) -> None:
        self.examples = examples
        self.encoder = encoder

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return the encoded example `index`."""
        example = self.examples[index]
        return self.encoder.encode(example, self.encoder.load_pixels(example))


class EpochSampler(Sampler[Key]):
    """The order of an epoch: a permutation drawn from (seed, epoch) and from nothing else."""

    def __init__(self, length: int, *, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; called by the training loop."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Key]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        return iter([(self.epoch, int(index)) for index in order])


def use_one_thread(worker_id: int) -> None:
    """Prepare a loader process: OpenCV's own threads would only compete with the other loaders'."""
    cv2.setNumThreads(1)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Take the message of an error of ours out of the stack trace in which a loader process hands it over."""
    try:
        yield
    except XrayError as error:
        kind = type(error)
        _, handed_over, message = str(error).strip().rpartition(f"{kind.__module__}.{kind.__name__}: ")
        if not handed_over:
            raise
        raise kind(message) from None
