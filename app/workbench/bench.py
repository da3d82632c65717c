"""What a page puts on the workbench: the reports of one case, and the protocol that says what is shown and asked."""

from dataclasses import dataclass

from app.document import sha256
from app.protocol.model import Protocol
from xray.text.lexicon import Profile

Badge = tuple[str, str]
"""A class of `style.css` (`ai`, `warn`, `plain`) and a text in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """A report as the reader sees it.

    `label` is the neutral letter of one among several, "" for a report that is judged alone and for the reference.
    `text` is None where there is no report. Badges name what the reader may know of it; that a report is generated is
    not among them: the workbench says so itself, and never in a way that tells one of several reports from the others.
    """

    text: str | None
    heading: str = ""
    label: str = ""
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A case on the workbench.

    Give all that the page knows: the workbench tells the browser only what the protocol shows at this moment. `task` is
    the assignment's id, "" outside of studies; with a task the browser is told neither run nor case. `reference` is the
    report to compare with (not one `among` the reports). `read_only` is for a study that is closed.

    Raises ValueError where the reports do not fit the protocol, and for a hidden source outside of studies: only a task
    can stand for the name of the run.
    """

    protocol: Protocol
    run_id: str
    case_id: str
    reports: tuple[ShownReport, ...]
    reference: ShownReport | None = None
    task: str = ""
    profile: Profile = "standard"
    read_only: bool = False

    def __post_init__(self) -> None:
        if len(self.reports) != self.protocol.reports:
            raise ValueError(f"the protocol {self.protocol.name} shows {self.protocol.reports} reports")
        if len(self.reports) > 1 and len({report.label for report in self.reports}) < len(self.reports):
            raise ValueError("reports that are shown together need labels of their own")
        if not self.task and not self.protocol.source_named:
            raise ValueError("a hidden source needs a task")

    @property
    def judged_sha256(self) -> str:
        """Hash of the text that is judged, or of all texts in the order of their labels."""
        return judged_sha256([report.text for report in sorted(self.reports, key=lambda report: report.label)])


def judged_sha256(texts: list[str | None]) -> str:
    r"""Return the hash by which a review names what it judged: of the text, or of several joined by `\0`."""
    return sha256("\0".join(text or "" for text in texts))
