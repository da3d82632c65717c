"""Train and measure the view check: `python bench/train_view_check.py VIEWS.csv ... --out xray/dicom/view_check.npz`.

VIEWS.csv has the columns `file` (DICOM, PNG or JPEG, relative to the table), `view` (frontal or lateral), `patient` and
`use`: `train`, or `test` for films that are only measured. Drawn films are added to them. It prints how often the model
is right on films of patients it was not trained on (five groups of patients), then trains on all and writes weights.
A site that has lateral films of its own should train with them: the model in the repository never saw a real one.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from view_samples import Grey, no_film, reduced, rough_lateral, varied

from xray.data.phantom import Style, draw, sample_studies
from xray.dicom.read import has_dicom_magic, read_dataset
from xray.dicom.render import RenderSettings, render_dataset
from xray.dicom.view_check import KINDS, view_features
from xray.types import View

# The confidence from which a kind is said. Real upright films reach 0.30 as lateral and 0.10 as turned when left out.
NEEDED = {"frontal": 0.6, "turned 90": 0.8, "turned 180": 0.8, "turned 270": 0.8, "lateral": 0.5, "other": 1.0}
STRENGTH = 0.01  # inverse regularisation; 0.003 to 0.03 give the same picture
DRAWN_STUDIES = 120  # for each of the two styles


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A film to make samples of. `group`: what is shown in the table; `held_out`: measured, never trained on."""

    film: Grey
    view: View
    patient: str
    group: str
    held_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the model learns from. `plain`: a film as it is or turned, not varied; only these are measured."""

    features: np.ndarray
    kind: str
    patient: str
    group: str
    plain: bool
    held_out: bool


def read_table(table: Path) -> Iterator[Source]:
    """Load the films of one table."""
    with table.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            film = reduced(read_film(table.parent / row["file"]))
            view: View = "lateral" if row["view"] == "lateral" else "frontal"
            yield Source(
                film=film,
                view=view,
                patient=f"{table.stem} {row['patient']}",
                group=f"{table.stem} {view}",
                held_out=row["use"] == "test",
            )


def read_film(path: Path) -> Grey:
    """Render a film without asking the view check."""
    with path.open("rb") as stream:
        is_dicom = has_dicom_magic(stream.read(132))
    if is_dicom:
        return render_dataset(read_dataset(path), settings=RenderSettings(size=512, square=False)).pixels
    film = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if film is None:
        raise SystemExit(f"{path} is no picture.")
    return np.asarray(film, np.uint8)


def drawn_films() -> Iterator[Source]:
    """Draw frontal and lateral films; they keep the model from taking everything that is drawn for lateral."""
    views: tuple[View, View] = ("frontal", "lateral")
    for style in Style:
        for study in sample_studies(DRAWN_STUDIES, seed=77, style=style):
            for view in views:
                film = np.rint(draw(study, view=view, style=style, size=256) * 255).astype(np.uint8)
                patient = f"{style} {study.patient_number}"
                yield Source(film=film, view=view, patient=patient, group=f"drawn {view}")


def samples_of(source: Source, *, textures: Sequence[Grey], rng: np.random.Generator) -> Iterator[Sample]:
    """Make the samples of one film: itself, turned, varied, and what no film looks like."""

    def sample(film: Grey, kind: str, *, plain: bool = False) -> Sample:
        features = view_features(np.ascontiguousarray(film))
        return Sample(
            features=features,
            kind=kind,
            patient=source.patient,
            group=source.group,
            plain=plain,
            held_out=source.held_out,
        )

    if source.view == "frontal":
        for quarter, kind in enumerate(KINDS[:4]):
            yield sample(np.rot90(source.film, -quarter), kind, plain=True)
            for _ in range(2):
                yield sample(np.rot90(varied(source.film, rng=rng), -quarter), kind)
        for _ in range(3):
            yield sample(no_film(varied(source.film, rng=rng), rng=rng), "other")
        return
    yield sample(source.film, "lateral", plain=True)
    drawn = source.group.startswith("drawn")
    rough: Callable[[], Grey] = (
        (lambda: rough_lateral(source.film, textures=textures, rng=rng)) if drawn else (lambda: source.film)
    )
    for _ in range(12):
        yield sample(varied(rough(), rng=rng), "lateral")
    for _ in range(4):
        yield sample(np.rot90(varied(rough(), rng=rng), -int(rng.integers(1, 4))), "other")


def fit(samples: Sequence[Sample]) -> LogisticRegression:
    """Train on all samples that are not held out."""
    used = [sample for sample in samples if not sample.held_out]
    kinds = [KINDS.index(sample.kind) for sample in used]
    return LogisticRegression(C=STRENGTH, max_iter=200).fit(np.array([sample.features for sample in used]), kinds)


def cross_validated(samples: Sequence[Sample]) -> np.ndarray:
    """Return the probabilities [samples, kinds] by models that saw no film of the same patient."""
    features = np.array([sample.features for sample in samples])
    odds = np.zeros((len(samples), len(KINDS)))
    folds = GroupKFold(5, shuffle=True, random_state=0)
    for train, test in folds.split(features, groups=[sample.patient for sample in samples]):
        odds[test] = fit([samples[i] for i in train]).predict_proba(features[test])
    return odds


def print_table(samples: Sequence[Sample], odds: np.ndarray) -> None:
    """Print one line for each group and kind of plain films."""
    rows = defaultdict(list)
    needed = np.array([NEEDED[kind] for kind in KINDS])
    for sample, row in zip(samples, odds, strict=True):
        if sample.plain:
            said = KINDS[int(row.argmax())] if row.max() >= needed[row.argmax()] else "unknown"
            rows[sample.group, sample.kind].append((said, row))
    print("| films | n | most likely is right | said and right | said and wrong | highest wrong |")
    print("|---|---|---|---|---|---|")
    for (group, kind), found in rows.items():
        true = KINDS.index(kind)
        likely = sum(int(row.argmax()) == true for _, row in found)
        right, unsure = (sum(said == word for said, _ in found) for word in (kind, "unknown"))
        wrong = max(np.delete(row[:-1], true).max() for _, row in found)
        share = f"{likely / len(found):.3f} | {right / len(found):.3f}"
        print(f"| {group}, {kind} | {len(found)} | {share} | {len(found) - right - unsure} | {wrong:.2f} |")


def main() -> None:
    """Measure, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="+", metavar="VIEWS.csv")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sources = [source for table in arguments.tables for source in read_table(table)] + list(drawn_films())
    textures = [source.film for source in sources if not source.held_out and not source.group.startswith("drawn")]
    rng = np.random.default_rng(3)
    samples = [sample for source in sources for sample in samples_of(source, textures=textures, rng=rng)]
    print_table(samples, cross_validated(samples))
    model = fit(samples)
    np.savez_compressed(
        arguments.out,
        weights=model.coef_.T.astype(np.float16),
        bias=model.intercept_.astype(np.float32),
        needed=np.array([NEEDED[kind] for kind in KINDS], np.float32),
    )


if __name__ == "__main__":
    main()
