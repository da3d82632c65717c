"""What shares of the patients are held out."""

import math
from dataclasses import dataclass

from xray.errors import ConfigError
from xray.types import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """Shares of the patients, in [0, 1). The rest is for training. `seed` chooses another assignment."""

    val: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ConfigError for shares that leave nothing to train on."""
        for name, share in (("val", self.val), ("test", self.test)):
            if not (math.isfinite(share) and 0 <= share < 1):
                raise ConfigError(f"split.{name} is {share}, but a share is at least 0 and below 1.")
        if self.val + self.test >= 1:
            raise ConfigError(f"split.val + split.test is {self.val + self.test:g}: nothing is left to train on.")

    def asked(self) -> list[Split]:
        """Return the splits that get a share."""
        shares: dict[Split, float] = {"test": self.test, "val": self.val}
        return ["train", *(split for split, share in shares.items() if share > 0)]

    def by_position(self, position: float) -> Split:
        """Return the split of a patient at a position in [0, 1)."""
        if position < self.test:
            return "test"
        return "val" if position < self.test + self.val else "train"

    def distance(self, position: float, *, split: Split) -> float:
        """Return how far a position is outside the range of a split."""
        border = self.test + self.val
        low, high = {"test": (0.0, self.test), "val": (self.test, border), "train": (border, 1.0)}[split]
        return max(low - position, position - high)
