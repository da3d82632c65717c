"""The dashboards: their pages with an empty, a small and a large project, and their figures against known values."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import access
from app.document import ReviewDocument
from app.figures.agreement import between_readers, scores_and_readers, within_readers
from app.figures.differences import differences, obstacle
from app.figures.findings import Case, finding_scores
from app.figures.plots import Bar, Row, bar_plot, interval_plot
from app.figures.progress import by_day, outcome, quartiles
from app.figures.ratings import Item, count_errors, items_of, ratings, readings_of
from app.figures.table import Interval, Table
from app.protocol.model import Protocol
from app.run import Run, load_run
from app.store import arms, people, studies
from app.store.engine import Database
from app.store.ledger import Ledger
from finetune.manifest import ScoresFile, read_json
from tests.app.large_run import write_large_run
from tests.app.page import assert_no_error, html_of
from tests.app.reader_study import PROTOCOL, READERS, Look, add_readers, add_study, submit
from xray.records import write_record

Opener = Callable[..., AppTest]
VERDICT = Item(topic="verdict", scale="nominal")


@pytest.fixture
def project(run_folder: Path) -> Iterator[tuple[Database, Run]]:
    """The small run with its database, where a study of three readers can be made."""
    with closing(Database(run_folder / "reviews.sqlite")) as database:
        add_readers(database)
        yield database, load_run(run_folder)


def open_dashboard(open_page: Opener, folder: Path, path: str, *, run: str | None = None) -> AppTest:
    """Open a page in a new session on the project. AppTest itself only switches to pages that are files."""
    page = open_page(folder, run=run)
    page._page_hash = calc_hash(path)
    return page.run()


def shown_words(page: AppTest) -> str:
    return "\n".join((html_of(page), *(part.value for part in (*page.info, *page.caption))))


def downloads(page: AppTest) -> list[str]:
    return [part.proto.id.rsplit("download_", 1)[-1] for part in page.get("download_button")]


def study_readings(database: Database, study_id: str = "study"):
    return readings_of(studies.given_in(database, study_id), tasks=arms.tasks(database, study_id=study_id))


def test_agreement_on_verdicts_is_that_of_a_table_worked_out_by_hand(project: tuple[Database, Run]):
    # Two readers, five cases: accept/accept, accept/accept, edit/edit, reject/reject, accept/edit.
    # Observed 4/5; by chance 3/5*2/5 + 1/5*2/5 + 1/5*1/5 = 0.36; kappa = 0.44 / 0.64.
    database, run = project
    said = ("accept", "accept"), ("accept", "accept"), ("edit", "edit"), ("reject", "reject"), ("accept", "edit")
    looks = [
        Look(reader=reader, case_id=case.id, said={"verdict": verdict})
        for case, pair in zip(run.cases, said, strict=True)
        for reader, verdict in zip(READERS[:2], pair, strict=True)
    ]
    add_study(database, run, looks)
    (found,) = between_readers([VERDICT], study_readings(database))
    assert (found.units, found.readers, found.raw) == (5, 2, 0.8)
    kappa = found.coefficients["cohen"]
    assert kappa is not None
    assert kappa.value == pytest.approx(0.44 / 0.64)
    assert kappa.low is not None
    assert kappa.low < kappa.value
    assert found.coefficients["icc"] is None


def test_readers_who_all_say_the_same_have_no_kappa_but_a_raw_agreement(project: tuple[Database, Run]):
    database, run = project
    looks = [Look(reader=who, case_id=case.id, said={"verdict": "accept"}) for case in run.cases for who in READERS]
    add_study(database, run, looks)
    (found,) = between_readers([VERDICT], study_readings(database))
    fleiss = found.coefficients["fleiss"]
    assert found.raw == 1.0
    assert fleiss is not None
    assert (fleiss.value, fleiss.reason) == (None, "one_category")


def test_readers_agree_on_the_report_they_prefer_whatever_its_label(project: tuple[Database, Run]):
    database, run = project
    ours, theirs = {"A": "adapter", "B": "base"}, {"A": "base", "B": "adapter"}
    looks = [
        Look(reader=who, case_id=case.id, said={"preference": {"choice": choice}}, systems=systems)
        for case in run.cases
        for who, systems, choice in (("chen", ours, "A"), ("li", theirs, "B"))
    ]
    add_study(database, run, looks)
    found = ratings(Item(topic="preference", scale="nominal"), study_readings(database))
    assert len({unit for unit, _, _ in found.rows}) == len(run.cases)
    assert len({value for _, _, value in found.rows}) == 1


def test_a_second_look_is_compared_with_the_same_readers_first_and_with_nobody_elses(project: tuple[Database, Run]):
    database, run = project
    first, second = run.cases[:2]
    looks = [
        Look(reader="chen", case_id=first.id, said={"verdict": "accept"}),
        Look(reader="chen", case_id=second.id, said={"verdict": "reject"}),
        Look(reader="chen", case_id=first.id, said={"verdict": "accept"}, purpose="repeat"),
        Look(reader="chen", case_id=second.id, said={"verdict": "edit"}, purpose="repeat"),
        Look(reader="li", case_id=first.id, said={"verdict": "reject"}),
    ]
    add_study(database, run, looks)
    readings = study_readings(database)
    (own,) = within_readers([VERDICT], readings)
    assert (own.first, own.kappa.units, own.kappa.raw) == ("chen", 2, 0.5)
    (found,) = between_readers([VERDICT], readings)
    assert (found.units, found.raw) == (1, 0.0)


def test_errors_are_counted_by_sentence_and_as_the_form_counts_them():
    document = ReviewDocument.model_validate(
        {
            "sentences": [
                {"sentence": 0, "decision": "reject", "category": "false", "significant": True},
                {"sentence": 1, "decision": "edit", "category": "location", "significant": False},
                {"sentence": 2, "decision": "accept"},
            ],
            "answers": [
                {"question": "omission.significant", "value": 2},
                {"question": "severity.insignificant", "value": 3},
                {"question": "quality", "value": 5},
            ],
        }
    )
    assert count_errors(document, significant_only=True) == 3
    assert count_errors(document, significant_only=False) == 7


def test_scores_that_rank_reports_as_readers_do_have_a_tau_of_one(project: tuple[Database, Run]):
    database, run = project
    ordered = sorted(run.cases, key=lambda case: case.score("finding_f1") or 0)
    looks = [
        Look(reader="chen", case_id=case.id, said={"answers": [{"question": "quality", "value": number + 1}]})
        for number, case in enumerate(ordered)
    ]
    add_study(database, run, looks)
    scale = [item for item in items_of(Protocol.model_validate_json(PROTOCOL)) if item.question]
    (found,) = scores_and_readers(scale, study_readings(database), runs={run.id: run}, metrics=["finding_f1"])
    assert found.tau.units == 5
    assert found.tau.value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("systems", "said", "expected"),
    [
        ({"A": "planted:side"}, {"verdict": "edit"}, "found"),
        ({"A": "planted:side"}, {"verdict": "accept"}, "missed"),
        ({"A": "planted:side"}, {"comment": "看过"}, "untold"),
        ({"A": "planted:side"}, {"answers": [{"question": "location.significant", "value": 1}]}, "found"),
        ({"A": "planted:side"}, {"answers": [{"question": "location.significant", "value": 0}]}, "missed"),
        ({"A": "known_good"}, {"verdict": "accept"}, "passed"),
        ({"A": "known_good"}, {"sentences": [{"sentence": 0, "decision": "reject"}]}, "false_alarm"),
        ({"A": "planted:side", "B": "known_good"}, {"preference": {"choice": "B"}}, "found"),
        ({"A": "planted:side", "B": "known_good"}, {"preference": {"choice": "neither"}}, "missed"),
    ],
)
def test_what_became_of_a_sentinel(systems: dict[str, str], said: dict[str, object], expected: str):
    origins = {label: arms.Origin(run_id="", system=system) for label, system in systems.items()}
    task = arms.Task(id="t", study_id="s", reader="chen", run_id="r", case_id="c", purpose="sentinel", origins=origins)
    assert outcome(ReviewDocument.model_validate(said), task=task) == expected


def test_the_table_of_findings_counts_pairs_once_and_a_wrong_side_as_found():
    rows = [
        Case(patient="1", findings=(("agree", "effusion"), ("false", "nodule"))),
        Case(patient="2", findings=(("side", "effusion"),)),
        Case(patient="3", findings=(("omitted", "effusion"),)),
    ]
    effusion, nodule = finding_scores(rows)
    assert (effusion.stated, effusion.generated, effusion.matched) == (3, 2, 2)
    assert (effusion.precision, effusion.recall) == (1.0, 2 / 3)
    assert effusion.f1.value == pytest.approx(0.8)
    assert (nodule.precision, nodule.recall, nodule.f1.value) == (0.0, None, 0.0)


def test_two_runs_differ_by_the_mean_over_the_reports_that_both_scored(tmp_path: Path):
    first = load_run(write_large_run(tmp_path / "1", num_cases=40, run_id="first"))
    second = load_run(write_large_run(tmp_path / "2", num_cases=40, run_id="second", shift=1))
    assert obstacle(first, second) is None
    found = {one.metric: one for one in differences(first, second)}
    pairs = [
        (a.score("side_accuracy"), b.score("side_accuracy")) for a, b in zip(first.cases, second.cases, strict=True)
    ]
    known = [b - a for a, b in pairs if a is not None and b is not None]
    side = found["side_accuracy"]
    assert (side.reports, side.patients) == (len(known), 14)
    assert side.difference.value == pytest.approx(sum(known) / len(known))
    assert side.difference.low is not None
    assert side.difference.low <= sum(known) / len(known) <= (side.difference.high or 0)


def test_a_run_compared_with_a_copy_of_itself_differs_by_nothing(tmp_path: Path):
    first = load_run(write_large_run(tmp_path / "1", num_cases=20, run_id="first"))
    copy = load_run(write_large_run(tmp_path / "2", num_cases=20, run_id="copy"))
    for one in differences(first, copy):
        assert (one.difference.value, one.difference.low, one.difference.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"split": ""}, "unknown_split"), ({"split": "x"}, "other_split"), ({"lexicon": "other"}, "other_words")],
)
def test_runs_that_do_not_compare_say_why(tmp_path: Path, change: dict[str, str], why: str):
    first = load_run(write_large_run(tmp_path / "1", num_cases=6, run_id="first"))
    folder = write_large_run(tmp_path / "2", num_cases=6, run_id="second", shift=1)
    scores = read_json(folder / "scores.json", ScoresFile)
    write_record(folder / "scores.json", scores.model_copy(update=change))
    assert obstacle(first, load_run(folder)) == why


def test_quartiles_and_days_are_those_worked_out_by_hand(project: tuple[Database, Run]):
    found = quartiles([1, 2, 3, 4])
    assert (found.lower, found.median, found.upper, found.count) == (1.75, 2.5, 3.25, 4)
    assert quartiles([]).median is None
    database, run = project
    submit(database, run, run.cases[0].id, {"verdict": "accept"})
    submit(database, run, run.cases[1].id, {"verdict": "accept"}, submits=False)
    ((_, count),) = by_day(Ledger(database).all())
    assert count == 1


def test_a_plot_shows_words_as_text_and_says_where_there_is_no_value():
    rows = [Row(label="<b>甲</b>", value=Interval(value=0.5, low=0.4, high=0.6), is_marked=True)]
    rows.append(Row(label="乙", value=Interval(value=None, reason="只有一类")))
    svg = interval_plot(rows, title="得分", undefined="不可计算")
    assert "&lt;b&gt;甲" in svg
    assert "0.500 [0.400, 0.600]" in svg
    assert "不可计算：只有一类" in svg
    assert svg.count("<polygon") == 1
    assert 'height="180.0"' in bar_plot([Bar(label="一", count=2), Bar(label="二", count=1)], title="", axis="")


def test_a_table_for_excel_starts_no_formula():
    data = Table(columns=("a", "b"), rows=(("=1+1", 0.5), ("积液", None))).csv()
    assert data.startswith("\ufeff".encode())
    assert data.decode("utf-8-sig").splitlines() == ["a,b", "'=1+1,0.5", "积液,"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("scores", "项目中只有这一次运行"),
        ("agreement", "这里还没有已提交的评审"),
        ("progress", "还没有任何读者开始评审"),
    ],
)
def test_a_page_without_reviews_says_what_is_missing(run_folder: Path, open_page: Opener, path: str, sentence: str):
    page = open_dashboard(open_page, run_folder, path)
    assert_no_error(page)
    assert sentence in shown_words(page)
    page.segmented_control(key="language").set_value("en").run()
    assert_no_error(page)


def test_the_scores_page_warns_in_chinese_and_hands_out_plots_and_tables(run_folder: Path, open_page: Opener):
    scores = read_json(run_folder / "scores.json", ScoresFile)
    warnings = ("fewer than 30 positives in the reference, do not rank systems by it: Edema (3)", "something else: 7")
    write_record(run_folder / "scores.json", scores.model_copy(update={"warnings": warnings}))
    page = open_dashboard(open_page, run_folder, "scores")
    assert_no_error(page)
    said = [text.value for text in page.text]
    assert said == ["参考报告中阳性少于 30 例，不宜据此比较系统优劣：肺水肿 (3)", "something else: 7"]
    assert 'alt="所见 F1：各系统及 95% 置信区间: 微调模型 0.810 [0.760, 0.860]' in html_of(page)
    findings = page.dataframe[-1].value
    effusion = findings[findings["所见"] == "胸腔积液"].iloc[0]
    # Right for left in one case; two omitted mentions of one report are one finding of either side.
    assert (effusion["检出"], effusion["其中侧别错误"]) == (1, 1)
    assert {"phantom-0123abcd-1-finding_f1.svg", "phantom-0123abcd-1-findings.csv"} <= set(downloads(page))


def test_a_study_fills_the_pages_of_its_lead(project: tuple[Database, Run], run_folder: Path, open_page: Opener):
    database, run = project
    said = {"verdict": "edit", "timings": {"active_ms": 60_000, "edits": 4}}
    looks = [Look(reader=who, case_id=case.id, said=said) for case in run.cases[:3] for who in READERS[:2]]
    looks.append(Look(reader="wang", case_id=run.cases[0].id, said=None))
    looks.append(
        Look(reader="chen", case_id=run.cases[4].id, said=said, purpose="sentinel", systems={"A": "planted:side"})
    )
    add_study(database, run, looks)
    agreement = open_dashboard(open_page, run_folder, "agreement")
    assert_no_error(agreement)
    assert "不可计算：所有评审都落在同一类" in html_of(agreement)
    assert "100.0%" in html_of(agreement)
    assert "没有已提交的重复病例" in shown_words(agreement)

    progress = open_dashboard(open_page, run_folder, "progress")
    assert_no_error(progress)
    shown = html_of(progress)
    row = '<th scope="row">chen 医师</th><td>读者研究一</td><td>4</td><td>4</td><td>100%</td>'
    assert row in shown
    assert "60（60–60，n=4）" in shown
    assert '<th scope="row">wang 医师</th><td>读者研究一</td><td>1</td><td>0</td><td>0%</td>' in shown
    assert '<th scope="row">chen 医师</th><td>1</td><td>0</td><td>0</td><td>0</td><td>0</td>' in shown


def test_a_reader_sees_their_own_progress_and_no_page_of_the_lead(
    project: tuple[Database, Run], run_folder: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
):
    database, run = project
    looks = [Look(reader=who, case_id=run.cases[0].id, said={"verdict": "edit"}) for who in READERS]
    add_study(database, run, looks)
    reader = people.find(database, "li")
    monkeypatch.setattr(access, "visitor", lambda: access.Visitor(standing="known", name="li", person=reader))
    page = open_dashboard(open_page, run_folder, "progress")
    assert_no_error(page)
    shown = shown_words(page)
    assert "li 医师" in shown
    assert "chen 医师" not in shown
    assert "质控" not in shown
    refused = open_dashboard(open_page, run_folder, "agreement")
    assert "一致性" not in html_of(refused)
