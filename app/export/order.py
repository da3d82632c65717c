"""An export as a person asks for it: what it would hold, then the folder, with an entry in the audit."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.export.contents import Contents, NothingLeftError
from app.export.folder import MANIFEST_FILE, Kind, contents_of, write
from app.export.gather import Choice, gather
from app.export.joining import FindOriginal
from app.export.records import Exclusion, ExportContext, ReviewedReport
from app.export.scored import scored_patients
from app.run import Run
from app.store import audit
from app.store.engine import Database
from xray.errors import ConfigError, DataError

PRODUCER = ExportContext().producer


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which reviews, as what, by whom and what for. `unreadable`: so many run folders of the project cannot be read.

    `pseudonymous`: structured reports may be made without the DICOM film that would name the patient. `reason` is kept
    in the audit and in the manifest, and must be given.
    """

    kind: Kind
    choice: Choice
    actor: str
    reason: str
    producer: str = PRODUCER
    institution: str = ""
    pseudonymous: bool = False
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an order would write: so many of the `records`, and why the other reviews stay out."""

    records: tuple[ReviewedReport, ...]
    context: ExportContext
    contents: Contents

    @property
    def excluded(self) -> tuple[Exclusion, ...]:
        """Every chosen review that is in no file, or not in one of them."""
        return (*self.context.left_out, *self.contents.excluded)

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many of the excluded there are of each reason, most first."""
        return dict(Counter(exclusion.reason for exclusion in self.excluded).most_common())


def plan(
    order: Order,
    *,
    database: Database,
    runs: Mapping[str, Run],
    originals: FindOriginal = lambda _run, _case, _index: None,
) -> Plan:
    """Return what `carry_out` would write, and write nothing but the audit's note of who looked behind a blinding.

    Raises NothingLeftError where no review is left, and DataError as the formats do.
    """
    gathered = gather(database, runs=runs, choice=order.choice, actor=order.actor, originals=originals)
    context = ExportContext(
        producer=order.producer.strip() or PRODUCER,
        institution=order.institution.strip(),
        seeds=gathered.seeds,
        audit_head=audit.head(database).hash,
        evaluation_patients=_scored(order, runs=runs),
        made_by=order.actor,
        reason=order.reason.strip(),
        left_out=gathered.left_out,
        others=gathered.others,
        original_films_only=not order.pseudonymous,
    )
    left_out = gathered.left_out
    if not gathered.records:
        raise NothingLeftError(
            _with("No review is left. Choose other runs, studies or statuses.", left_out), excluded=left_out
        )
    try:
        contents = contents_of(gathered.records, kind=order.kind, context=context)
    except NothingLeftError as error:
        raise NothingLeftError(_with(str(error), left_out), excluded=(*left_out, *error.excluded)) from None
    return Plan(records=gathered.records, context=context, contents=contents)


def carry_out(
    order: Order,
    *,
    database: Database,
    runs: Mapping[str, Run],
    folder: Path,
    originals: FindOriginal = lambda _run, _case, _index: None,
) -> Plan:
    """Write the export into a new `folder`, note it in the audit, and return what was written.

    Raises ConfigError without a reason, and otherwise as `plan` and `write` do.
    """
    if not order.reason.strip():
        raise ConfigError("An export needs a reason, which the audit keeps. Say what it is for.").in_chinese(
            "导出须写明原因，并记入审计日志。请填写导出原因。"
        )
    made = plan(order, database=database, runs=runs, originals=originals)
    manifest = write(made.records, kind=order.kind, folder=folder, context=made.context)[-1]
    details = {
        "kind": order.kind,
        "reason": order.reason.strip(),
        "written": made.contents.num_written,
        "left_out": made.counts,
        "retired_runs": sorted(order.choice.retired),
        "manifest_sha256": hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest(),
    }
    audit.record_event(
        database,
        actor=order.actor,
        action="export",
        subject=manifest.parent.name,
        details=json.dumps(details, ensure_ascii=False),
    )
    return made


def _with(message: str, left_out: Sequence[Exclusion]) -> str:
    """Add to a message what had been left out before the format had a word in it."""
    counts = Counter(exclusion.reason for exclusion in left_out)
    told = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    return f"{message} Left out before: {told}." if told else message


def _scored(order: Order, *, runs: Mapping[str, Run]) -> frozenset[str]:
    """Return the patients that no training pair may come from. Raises DataError where they are not all known."""
    if order.kind != "pairs":
        return frozenset()
    if order.choice.retired and order.unreadable:
        raise DataError(
            f"{order.unreadable} run folders of the project cannot be read, so their patients are not known. Bring "
            "them back: what a model is scored on must not be learned from."
        ).in_chinese(
            f"项目中有 {order.unreadable} 个运行目录无法读取，其患者未知。请先恢复：评测所用的患者不得用于训练。"
        )
    scored = scored_patients(run for run in runs.values() if run.id not in order.choice.retired)
    if order.choice.retired and scored.unknown:
        raise DataError(
            f"The validation patients of {', '.join(scored.unknown)} are not known, for the prepared data of that run "
            "is not where it was. Bring it back: what its model was chosen on must not be learned from."
        ).in_chinese(
            f"{'、'.join(scored.unknown)} 的验证集患者未知，因为准备好的数据已不在原处。"
            "请放回原处：选择模型所用的患者不得用于训练。"
        )
    return scored.keys
