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
    """`project` is a run folder or a folder of runs, `store` the SQLite file of the reviews."""

    project: Path
    store: Path

    @classmethod
    def of(cls, project: Path, *, store: Path | None = None) -> "Settings":
        """Absolute paths; the store lies in the project folder unless placed elsewhere."""
        folder = project.expanduser().resolve()
        return cls(project=folder, store=(store.expanduser().resolve() if store else folder / STORE_NAME))

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `python -m app` has set. Raises ConfigError when the pages were started without it."""
        project, store = os.environ.get(PROJECT_VARIABLE), os.environ.get(STORE_VARIABLE)
        if not project:
            raise ConfigError("No run folder was given. Start the review with `finetune review RUN`.")
        return cls.of(Path(project), store=Path(store) if store else None)

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        return {PROJECT_VARIABLE: str(self.project), STORE_VARIABLE: str(self.store)}
