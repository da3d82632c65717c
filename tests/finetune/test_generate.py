from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finetune.batch import ChatEncoder
from finetune.cases import read_test_examples
from finetune.config import GenerateConfig, RunConfig
from finetune.generate import _derangement, end_tokens, generate, shuffle_films, write_reports
from finetune.manifest import Prediction, read_records
from finetune.models.loading import LoadedModel, load_base
from xray.types import Example

SETTINGS = GenerateConfig(max_new_tokens=6, batch_size=3)


@pytest.fixture(scope="module")
def config(
    finished_run: Path, make_config: Callable[..., RunConfig], tmp_path_factory: pytest.TempPathFactory
) -> RunConfig:
    return make_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def loaded(config: RunConfig) -> LoadedModel:
    return load_base(config.model)


@pytest.fixture(scope="module")
def encoder(loaded: LoadedModel) -> ChatEncoder:
    return ChatEncoder(processor=loaded.processor, image_size=64)


@pytest.fixture(scope="module")
def examples(finished_run: Path, config: RunConfig) -> list[Example]:
    return read_test_examples(finished_run, config=config.data)


def test_every_example_gets_one_prediction_in_order(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, tmp_path: Path
) -> None:
    rows = generate(examples, tmp_path / "p.jsonl", system="base", loaded=loaded, encoder=encoder, settings=SETTINGS)
    assert [row.id for row in rows] == [example.example_id for example in examples]
    assert read_records(tmp_path / "p.jsonl", Prediction) == rows
    assert all(0 < row.num_tokens <= 6 for row in rows)


def test_a_stopped_generation_goes_on_without_making_a_report_twice(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    kept = Prediction(id=examples[1].example_id, text="已有的报告", system="base", finish_reason="eos")
    path.write_text(kept.model_dump_json() + '\n{"id": "cut of', encoding="utf-8")
    made: list[str] = []

    def note(example: Example) -> list[np.ndarray]:
        made.append(example.example_id)
        return encoder.load_pixels(example)

    rows = generate(examples, path, system="base", loaded=loaded, encoder=encoder, settings=SETTINGS, load_pixels=note)
    assert rows[1] == kept
    assert sorted(made) == sorted(example.example_id for example in examples if example.example_id != kept.id)
    assert sorted(row.id for row in read_records(path, Prediction)) == sorted(
        example.example_id for example in examples
    )


def test_the_batch_a_study_is_in_does_not_change_its_report(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, tmp_path: Path
) -> None:
    def texts(batch_size: int) -> list[str]:
        settings = GenerateConfig(max_new_tokens=6, batch_size=batch_size)
        path = tmp_path / f"{batch_size}.jsonl"
        rows = generate(examples, path, system="base", loaded=loaded, encoder=encoder, settings=settings)
        return [row.text for row in rows]

    assert texts(1) == texts(4)


def test_a_report_that_never_ends_says_so(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, tmp_path: Path
) -> None:
    settings = GenerateConfig(max_new_tokens=1, batch_size=2)
    rows = generate(
        examples[:2], tmp_path / "p.jsonl", system="base", loaded=loaded, encoder=encoder, settings=settings
    )
    ends = end_tokens(loaded, closing=None)
    assert all((row.finish_reason == "length") == (row.num_tokens == 1) for row in rows)
    assert loaded.processor.tokenizer.eos_token_id in ends


def test_a_report_ends_where_the_chat_template_closes_the_turn(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = loaded.processor.tokenizer
    text, closing = tokenizer.encode("双肺野清晰。"), tokenizer.convert_tokens_to_ids("<|vision_end|>")
    asked: list[list[int]] = []

    def answer(*, input_ids: torch.Tensor, eos_token_id: list[int], **_: object) -> torch.Tensor:
        asked.append(eos_token_id)
        return torch.cat([input_ids, torch.tensor([[*text, closing, *text]])], dim=1)

    monkeypatch.setattr(loaded.model, "generate", answer)
    monkeypatch.setattr(ChatEncoder, "closing_id", lambda self, example: closing)
    (report,) = write_reports(examples[:1], loaded=loaded, encoder=encoder, settings=SETTINGS)
    assert (report.text, report.ended, report.num_tokens) == ("双肺野清晰。", True, len(text))
    assert asked == [sorted({tokenizer.eos_token_id, closing})]


def test_shuffling_lends_other_patients_films_and_counts_where_it_cannot(
    examples: list[Example], encoder: ChatEncoder
) -> None:
    shuffled = shuffle_films(examples, encoder=encoder, seed=0)
    patients = [example.patient_key for example in examples]
    most = max(patients.count(patient) for patient in patients)
    assert shuffled.kept == max(0, 2 * most - len(patients))  # a patient with more than half of the studies
    same = 0
    for example in examples:
        own, lent = encoder.load_pixels(example), shuffled.load(example)
        assert len(lent) == len(own)
        same += np.array_equal(own[0], lent[0])
    assert same <= shuffled.kept


@given(patients=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30), seed=st.integers(0, 100))
def test_shuffling_is_a_permutation_that_keeps_no_patients_films_where_it_can(patients: list[str], seed: int) -> None:
    order = _derangement(patients, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(patients)))
    most = max(patients.count(patient) for patient in patients)
    if most * 2 <= len(patients):
        assert all(patients[other] != patient for patient, other in zip(patients, order, strict=True))


def test_generation_consumes_no_randomness(
    examples: list[Example], loaded: LoadedModel, encoder: ChatEncoder, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one = [replace(examples[0], example_id="x")]
    generate(one, tmp_path / "p.jsonl", system="base", loaded=loaded, encoder=encoder, settings=SETTINGS)
    assert torch.equal(torch.random.get_rng_state(), before)
