"""Do two models say the same? Compared on the same studies, by logits and by reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from finetune.batch import IGNORED, ChatEncoder
from finetune.config import RunConfig
from finetune.generate import write_reports
from finetune.models.loading import LoadedModel
from xray.types import Example

TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Largest difference of a logit that rounding explains, as a share of the largest logit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a model says of the same studies: the logits of each reference report, float32 [T, V], and its own words."""

    logits: list[NDArray[np.float32]]
    texts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far two models are apart: the largest difference of a logit, the largest logit, and how many texts agree."""

    largest: float
    scale: float
    same_texts: int
    of: int

    def __str__(self) -> str:
        return f"logits differ by at most {self.largest:.2g}, {self.same_texts} of {self.of} reports are equal"


@torch.inference_mode()
def read_outputs(loaded: LoadedModel, *, examples: Sequence[Example], config: RunConfig) -> Outputs:
    """Return what a model says of `examples`, asked as in the run of `config`."""
    loaded.model.eval()
    encoder = ChatEncoder(processor=loaded.processor, image_size=config.model.image_size)
    logits, texts = [], []
    for example in examples:
        encoded = encoder.encode(example, encoder.load_pixels(example))
        told = int((encoded["labels"] != IGNORED).sum())
        inputs = {name: value.to(loaded.model.device) for name, value in encoded.items()}
        found = loaded.model(**inputs).logits[0, -told:]  # with labels: some models read the report in a decoder apart
        logits.append(found.float().cpu().numpy())
        (report,) = write_reports([example], loaded=loaded, encoder=encoder, settings=config.generate)
        texts.append(report.text)
    return Outputs(logits=logits, texts=texts)


def compare(first: Outputs, second: Outputs) -> Difference:
    """Compare two models' outputs on the same studies."""
    pairs = list(zip(first.logits, second.logits, strict=True))
    return Difference(
        largest=max(float(np.abs(a - b).max()) for a, b in pairs),
        scale=max(float(np.abs(a).max()) for a, _ in pairs),
        same_texts=sum(a == b for a, b in zip(first.texts, second.texts, strict=True)),
        of=len(pairs),
    )
