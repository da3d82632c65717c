"""A finished run of thousands of studies, every report its own: built from a seed within seconds, without films."""

import random
from collections.abc import Sequence
from pathlib import Path

from finetune.manifest import Case, Estimate, Prediction, ScoresFile
from tests.app.conftest import manifest
from xray.metrics.corpus import split_hash
from xray.records import write_lines, write_record

SIDES = ("左", "右", "双")
DEGREES = ("少量", "中等量", "大量")
ZONES = ("上", "中", "下")
METRICS = ("finding_f1", "frame_f1", "side_accuracy", "bleu4_char", "rouge_l_char")


def sentences(rng: random.Random) -> list[str]:
    """One report's sentences; sizes and places differ, so that hardly two reports are the same."""
    side, zone, degree = rng.choice(SIDES), rng.choice(ZONES), rng.choice(DEGREES)
    said = [
        f"{side}肺{zone}野见斑片状密度增高影，范围约{rng.randint(8, 60)}mm×{rng.randint(5, 50)}mm。",
        f"{side}侧胸腔{degree}积液，液面约平第{rng.randint(4, 9)}前肋。",
        f"心影增大，心胸比约0.{rng.randint(50, 69)}。",
        f"右肺{zone}野见一结节影，直径约{rng.randint(4, 29)}mm。",
        f"{side}侧气胸，肺组织压缩约{rng.randint(5, 70)}%。",
        f"左侧第{rng.randint(3, 10)}后肋骨折。",
        "主动脉迂曲，管壁钙化。",
    ]
    return [*rng.sample(said, rng.randint(0, 4)), "气管居中。", rng.choice(("双侧肋膈角锐利。", "双膈面光整。"))]


def reports(number: int) -> tuple[str, str]:
    """The reference and the generated report of one study: the latter drops, moves and adds a sentence at times."""
    rng = random.Random(number)
    reference = sentences(rng)
    generated = [sentence for sentence in reference if rng.random() > 0.2]
    if rng.random() < 0.3:
        generated = [sentence.replace("左", "右", 1) for sentence in generated]
    if rng.random() < 0.3:
        generated.insert(0, sentences(rng)[0])
    return "".join(reference), "".join(generated)


def write_large_run(folder: Path, *, num_cases: int = 5000, run_id: str = "large", shift: int = 0) -> Path:
    """Write a run; `shift` makes another model's reports on the same studies and patients (two studies a patient)."""
    cases, predictions = [], []
    for number in range(num_cases):
        identity = f"study-{number:05d}"
        reference, _ = reports(number)
        generated = reports(number)[1] if not shift else reports(number + shift * num_cases)[1]
        cases.append(
            Case(
                id=identity,
                text=reference,
                study_uid=f"1.2.{number}",
                patient_key=f"p{number // 2}",
                images=(),
                views=(),
                language="zh",
                origin="synthetic",
            )
        )
        predictions.append(Prediction(id=identity, text=generated, system="adapter", finish_reason="eos"))
    write_lines(folder / "references.jsonl", cases)
    write_lines(folder / "predictions.jsonl", predictions)
    write_record(folder / "scores.json", large_scores(cases, level=0.6 - 0.1 * shift))
    write_record(folder / "manifest.json", manifest(run_id, num_cases=num_cases))
    return folder


def large_scores(cases: Sequence[Case], *, level: float) -> ScoresFile:
    def values(number: int, best: float) -> dict[str, float | None]:
        rng = random.Random(number)
        return {
            name: None if name == "side_accuracy" and number % 3 else round(min(1.0, best * 2 * rng.random()), 4)
            for name in METRICS
        }

    levels = {"adapter": level, "base": 0.2, "constant_normal": 0.1, "random_report": 0.15, "nearest_neighbour": 0.3}
    return ScoresFile(
        profile="standard",
        signature="test",
        lexicon="l" * 64,
        split=split_hash([case.id for case in cases], {case.id: case.patient_key for case in cases}),
        bootstrap="patients, 100 resamples",
        systems={
            system: {name: Estimate(value=best, low=best - 0.02, high=best + 0.02, n=len(cases)) for name in METRICS}
            for system, best in levels.items()
        },
        per_report={
            system: {case.id: values(number, levels[system]) for number, case in enumerate(cases)}
            for system in ("adapter", "base")
        },
    )
