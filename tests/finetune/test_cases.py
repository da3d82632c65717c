"""The test studies inside a run folder: who wrote the report that a reader compares with."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finetune.cases import read_test_examples, write_cases
from finetune.config import DataConfig
from finetune.dataset import prepare_data
from finetune.manifest import Case, read_records
from xray.data.split_settings import SplitSettings
from xray.types import Turn


@pytest.fixture
def captioned(tmp_path: Path) -> DataConfig:
    """Eight pictures with XrayGLM captions."""
    (tmp_path / "films").mkdir()
    for study in range(8):
        pixels = np.random.default_rng(study).integers(0, 256, (72, 72), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "films" / f"{study}_1.png")
    captions = [{"image_id": f"{study}_1", "caption": f"心影不大，第{study}例。"} for study in range(8)]
    (tmp_path / "captions.json").write_text(json.dumps({"annotations": captions}), encoding="utf-8")
    return DataConfig(
        source="xrayglm",
        root=tmp_path,
        reports=Path("captions.json"),
        image_size=64,
        split=SplitSettings(val=0.3, test=0.3),
        store_dir=tmp_path / "stores",
    )


def test_a_machine_translated_reference_says_so_in_the_run_folder(captioned: DataConfig, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_cases(run, prepare_data(captioned).test, question=captioned.question)
    assert {case.origin for case in read_records(run / "references.jsonl", Case)} == {"machine_translation"}
    assert {example.origin for example in read_test_examples(run, config=captioned)} == {"machine_translation"}


def test_a_table_of_reports_holds_radiologists_words(finished_run: Path) -> None:
    assert {case.origin for case in read_records(finished_run / "references.jsonl", Case)} == {"radiologist"}


def test_a_question_of_the_data_sets_own_is_asked_again_from_the_run_folder(
    captioned: DataConfig, tmp_path: Path
) -> None:
    asked, *others = prepare_data(captioned).test
    turns = (
        Turn(role="user", text="有积液吗？"),
        Turn(role="assistant", text="没有。"),
        Turn(role="user", text="心影呢？"),
    )
    run = tmp_path / "asked"
    run.mkdir()
    write_cases(run, [replace(asked, messages=turns), *others], question=captioned.question)
    first, *rest = read_test_examples(run, config=captioned)
    assert first.messages == turns
    assert all(example.messages == asked.messages for example in rest)


def test_a_run_knows_the_source_files_of_its_films_and_the_order_of_a_patients_studies(
    captioned: DataConfig, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    dated = [replace(example, day=day) for day, example in enumerate(prepare_data(captioned).test)]
    write_cases(run, dated, question=captioned.question)
    cases = read_records(run / "references.jsonl", Case)
    sources = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "films").iterdir()}
    assert all(len(case.film_sha256) == len(case.images) and sources.issuperset(case.film_sha256) for case in cases)
    assert [case.day for case in cases] == list(range(len(cases)))


def test_a_run_of_before_films_had_digests_can_be_read(captioned: DataConfig, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_cases(run, prepare_data(captioned).test, question=captioned.question)
    lines = [json.loads(line) for line in (run / "references.jsonl").read_text(encoding="utf-8").splitlines()]
    old = [json.dumps({key: line[key] for key in line if key not in ("film_sha256", "day")}) for line in lines]
    (run / "references.jsonl").write_text("\n".join(old) + "\n", encoding="utf-8")
    cases = read_records(run / "references.jsonl", Case)
    assert [(case.film_sha256, case.day) for case in cases] == [((), None)] * len(lines)
