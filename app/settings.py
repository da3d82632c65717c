"""What the starter hands to the pages: where the runs are, and where reviews are kept."""

import os
from dataclasses import dataclass
from pathlib import Path

from xray.errors import ConfigError

PROJECT_VARIABLE = "XRAY_REVIEW_PROJECT"
STORE_VARIABLE = "XRAY_REVIEW_STORE"
STORE_NAME = "reviews.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`project` is a run folder or a folder of runs; `reviews` is one SQLite file for all its runs, None by default."""

    project: Path
    reviews: Path | None = None

    @classmethod
    def of(cls, project: Path, *, reviews: Path | None = None) -> "Settings":
        """Make all paths absolute."""
        return cls(project=project.expanduser().resolve(), reviews=reviews.expanduser().resolve() if reviews else None)

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `python -m app` has set. Raises ConfigError when the pages were started without it."""
        project, reviews = os.environ.get(PROJECT_VARIABLE), os.environ.get(STORE_VARIABLE)
        if not project:
            raise ConfigError("No run folder was given. Start the review with `finetune review RUN`.")
        return cls.of(Path(project), reviews=Path(reviews) if reviews else None)

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        return {PROJECT_VARIABLE: str(self.project), STORE_VARIABLE: str(self.reviews or "")}

    def store_of(self, run: Path) -> Path:
        """Return the SQLite file of a run's reviews.

        It lies in the run's own folder, so that the run shows the same reviews alone and among others.
        """
        return self.reviews or run / STORE_NAME
