"""A project with a finished run, readers and reviews, saved through the store as the pages save them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.document import ReviewDocument, sha256
from app.run import Run, find_runs, load_run
from app.store import people, reviews, studies
from app.store.engine import Database
from app.store.people import Person
from app.store.reviews import Draft
from app.store.studies import Arm, Assignment, Study
from tests.app.conftest import write_run

QUESTION, SYSTEM = "请根据这份胸部X光检查影像书写诊断报告。", "你是放射科医师。"
LI = Person(name="li", display_name="李四", roles=frozenset({"reader"}))
WANG = Person(name="wang", display_name="王五", roles=frozenset({"adjudicator"}))
PROTOCOL = """{"name": "demo", "title": {"zh": "试读", "en": "Trial"}, "instruction": {"zh": "读", "en": "Read"}}"""


@dataclass
class Project:
    """`folder` holds the runs; `sequence` counts what was saved."""

    folder: Path
    database: Database
    sequence: int = field(default=0)

    @property
    def runs(self) -> dict[str, Run]:
        return {run.id: run for run in map(load_run, find_runs(self.folder))}

    def run(self, name: str = "one") -> Run:
        return self.runs[name]

    def case(self, number: int, *, run: str = "one") -> str:
        return self.run(run).cases[number].id

    def review(
        self, number: int, *, run: str = "one", reader: str = "local", task: str = "", submit: bool = True, **said
    ) -> ReviewDocument:
        """Save what a reader says of case `number`; the hash is that of today's text unless another one is given."""
        case = self.run(run).cases[number]
        document = ReviewDocument(**{"generated_sha256": case.generated_sha256, "verdict": "accept", **said})
        self.sequence += 1
        draft = Draft(
            run_id=run,
            case_id=case.id,
            client=f"page-{self.sequence:04d}",
            sequence=1,
            base_revision=1000,
            document=document,
            reviewer=reader,
            task=task,
            submit=submit,
        )
        assert not reviews.save(self.database, draft).conflict
        return document

    def study(self, given: dict[str, tuple[str, int, tuple[Arm, ...]]], *, name: str = "s1") -> Study:
        """Begin a study with assignments `{task: (reader, case number, arms)}` of the run `one`."""
        study = Study(id=name, title="试读", protocol=PROTOCOL, seed=7)
        studies.begin(self.database, study, actor="local")
        assignments = [
            (
                Assignment(
                    id=task, study_id=name, reader=reader, position=place, run_id="one", case_id=self.case(number)
                ),
                arms,
            )
            for place, (task, (reader, number, arms)) in enumerate(given.items())
        ]
        studies.assign(self.database, name, assignments, actor="local")
        return study


def arm(text: str, *, label: str = "A", system: str = "adapter", purpose: str = "study", run: str = "one") -> Arm:
    return Arm(label=label, text=text, source_run=run, source_system=system, purpose=purpose)


def write_asked(folder: Path) -> Path:
    """Give a run folder the part of its configuration that says what was asked."""
    text = f"name: phantom\ndata:\n  question: {QUESTION}\n  system: {SYSTEM}\n  image_size: 64\n"
    (folder / "config.resolved.yaml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def project_at(folder: Path, *, runs: tuple[str, ...] = ("one",)) -> Iterator[Project]:
    for name in runs:
        write_asked(write_run(folder / name, run_id=name))
    with closing(Database(folder / "reviews.sqlite")) as database:
        for person in (LI, WANG):
            people.put(database, person, actor="local")
        yield Project(folder=folder, database=database)


__all__ = ["LI", "PROTOCOL", "QUESTION", "SYSTEM", "WANG", "Project", "arm", "project_at", "sha256", "write_asked"]
