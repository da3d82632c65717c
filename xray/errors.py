"""Every error a user can cause, in one tree.

XrayError              exit code 1
├── ConfigError        exit code 2: a setting is wrong
├── DataError          exit code 3: a film, report or table is wrong
│   └── Rejected       exit code 3: one input refused, with a code that is counted
├── MemoryLimitError   exit code 4: the machine is too small for the request
└── ReproductionError  exit code 5: a run could not be reproduced

A message says what is wrong, where (a file or a study, never a patient's name) and what to do.
The command line prints it as one line and ends with the exit code; a stack trace is a defect of ours.
"""

from typing import Self


class XrayError(Exception):
    """Root of all errors that a user's input can cause."""

    exit_code = 1
    chinese: str = ""

    def in_chinese(self, sentence: str) -> Self:
        """Add the sentence that a page in Chinese shows in place of the English message; returns the error."""
        self.chinese = sentence
        return self


class ConfigError(XrayError):
    """A configuration that cannot be run."""

    exit_code = 2


class DataError(XrayError):
    """Films, reports or tables that cannot be used."""

    exit_code = 3


class Rejected(DataError):
    """One input refused by name.

    `code` is a stable snake_case word that is counted and listed; `why` is a sentence without patient data.
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why

    def __reduce__(self) -> tuple[type["Rejected"], tuple[str, str]]:
        """Keep both fields when a worker process hands the refusal to its parent."""
        return type(self), (self.code, self.why)


class MemoryLimitError(XrayError):
    """More memory is needed than there is."""

    exit_code = 4


class ReproductionError(XrayError):
    """A repeated run gave other results."""

    exit_code = 5
