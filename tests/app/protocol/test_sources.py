"""Which reports a study can draw on, and which cases have them all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.protocol.assignment import REFERENCE, Source
from app.protocol.sources import choose, pool, sources_of
from app.run import Run, load_run
from finetune.manifest import Case, Prediction, read_records
from tests.app.conftest import REPORTS
from xray.errors import ConfigError
from xray.records import write_lines


@pytest.fixture
def runs(tmp_path: Path, make_run: Callable[..., Path]) -> list[Run]:
    """Two runs of the same ten cases; the first also has the reports of its untuned base."""
    folders = [make_run(tmp_path / name, num_cases=10, run_id=name) for name in ("one", "two")]
    rows = [
        row.model_copy(update={"system": "base"}) for row in read_records(folders[0] / "predictions.jsonl", Prediction)
    ]
    write_lines(folders[0] / "predictions.base.jsonl", rows)
    return [load_run(folder) for folder in folders]


def test_every_system_with_a_file_is_a_source_and_so_is_the_reference(runs: list[Run]):
    assert [(source.run_id, source.system) for source in sources_of(runs)] == [
        ("one", "adapter"),
        ("one", "base"),
        ("two", "adapter"),
        ("one", REFERENCE),
    ]


def test_a_case_is_in_the_pool_where_all_sources_report_on_the_same_examination(runs: list[Run]):
    first, second = (run.folder for run in runs)
    rows = read_records(second / "predictions.jsonl", Prediction)
    write_lines(second / "predictions.jsonl", rows[1:])  # no report on the first case
    cases = read_records(second / "references.jsonl", Case)
    write_lines(second / "references.jsonl", [*cases[:1], cases[1].model_copy(update={"study_uid": "9"}), *cases[2:]])
    again = [load_run(first), load_run(second)]
    found = pool(again, sources_of(again))
    assert [case.case_id for case in found.cases] == [case.id for case in again[0].cases[2:]]
    assert found.left_out == 2
    assert found.cases[0].texts[-1] == found.cases[0].reference == REPORTS[2][0]


def test_a_source_of_a_run_that_is_not_chosen_is_refused(runs: list[Run]):
    with pytest.raises(ConfigError, match="Choose the run"):
        pool(runs[:1], [Source(run_id="two", system="adapter")])


def test_cases_are_drawn_by_the_seed_and_by_what_their_reference_states(runs: list[Run]):
    cases = pool(runs, sources_of(runs)).cases
    some = choose(cases, number=4, mix="any", seed=1, profile="standard")
    assert some == choose(cases, number=4, mix="any", seed=1, profile="standard")
    assert some != choose(cases, number=4, mix="any", seed=2, profile="standard")
    half = choose(cases, number=6, mix="half", seed=1, profile="standard")
    assert sorted(case.stratum for case in half) == ["abnormal"] * 3 + ["normal"] * 3
    sick = choose(cases, number=100, mix="abnormal", seed=1, profile="standard")
    assert {case.reference for case in sick} == {REPORTS[number][0] for number in (1, 2, 4)}
