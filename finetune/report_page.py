"""`report.html`: the results of a run on one page without any other file, script or request."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader
from PIL import Image

from finetune.console import NO_VALUE, TABLE_METRICS, show_estimate, system_name
from finetune.manifest import ADAPTER, HEADLINE, Case, Prediction, RunManifest, ScoresFile, read_records
from finetune.notice import AI_NOTICE
from xray.errors import DataError
from xray.metrics.marks import Segment, mark_reports
from xray.records import write_atomically
from xray.text.frames import Profile

_THUMBNAIL_PX = 256
_CASES_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """One test study on the page."""

    case_id: str
    films: tuple[str, ...]
    generated: tuple[Segment, ...]
    reference: tuple[Segment, ...]
    errors: tuple[str, ...]
    finding_f1: str


def write_report_page(folder: Path, *, manifest: RunManifest, scores: ScoresFile) -> None:
    """Write `report.html`: the table, the curves, the worst cases with their findings marked, and how it was made."""
    cases = read_records(folder / "references.jsonl", Case)
    texts = {row.id: row.text for row in read_records(folder / "predictions.jsonl", Prediction)}
    per_report = scores.per_report[ADAPTER]
    f1 = {case.id: per_report.get(case.id, {}).get(HEADLINE) for case in cases}
    chosen = sorted(cases, key=lambda case: (_or_best(f1[case.id]), case.id))[:_CASES_SHOWN]
    template = Environment(loader=PackageLoader("finetune", "templates"), autoescape=True).get_template(
        "report.html.j2"
    )
    page = template.render(
        manifest=manifest,
        notice=AI_NOTICE,
        heads=TABLE_METRICS,
        rows=[
            (system_name(s), [show_estimate(m.get(name)) for name in TABLE_METRICS]) for s, m in scores.systems.items()
        ],
        scores=scores,
        curves=_data_uri(folder / "curves.png"),
        systems=_data_uri(folder / "systems.png"),
        cases=[_show(case, texts[case.id], folder=folder, manifest=manifest, f1=f1[case.id]) for case in chosen],
        total=len(cases),
    )
    write_atomically(folder / "report.html", page)


def _show(case: Case, generated: str, *, folder: Path, manifest: RunManifest, f1: float | None) -> ShownCase:
    profile: Profile = "mt" if manifest.profile == "mt" else "standard"
    marked = mark_reports(generated, reference=case.text, profile=profile)
    return ShownCase(
        case_id=case.id,
        films=tuple(_thumbnail(folder / name) for name in case.images),
        generated=marked.generated,
        reference=marked.reference,
        errors=tuple(reason.text for reason in marked.reasons),
        finding_f1=NO_VALUE if f1 is None else f"{f1:.2f}",
    )


def _or_best(f1: float | None) -> float:
    """Sort a study where no finding stands on either side behind those that can be wrong."""
    return 1.0 if f1 is None else f1


def _thumbnail(path: Path) -> str:
    try:
        with Image.open(path) as film:
            small = film.convert("L")
            small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    except OSError:
        raise DataError(
            f"{path} is missing or damaged. Delete it if it is there, and run `finetune run` again: it brings it back."
        ) from None
    stream = io.BytesIO()
    small.save(stream, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
