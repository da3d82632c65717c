"""The report workbench: the one place where a reader judges reports, whatever protocol they are read by."""

from app.workbench.bench import Bench, ShownReport
from app.workbench.mount import mount

__all__ = ["Bench", "ShownReport", "mount"]
