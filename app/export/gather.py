"""Reviews out of a project's database, joined with the cases of its runs, as records that can be exported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.document import canonical, sha256
from app.export.joining import FindOriginal, Given, Joiner, Source
from app.export.judged import Judged, judged_by, text_of_run, texts_of_task
from app.export.records import SIGNABLE, Exclusion, Person, ProtocolUsed, ReviewedReport, Seed, Status
from app.protocol.load import OPEN_REVIEW, preset, read_protocol
from app.run import ReviewCase, Run
from app.store import adjudication, people, reviews, studies
from app.store.engine import Database
from app.store.reviews import Revision
from app.store.studies import Arm, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which reviews: those outside of studies of `run_ids`, and those of `study_ids`, in the `statuses` named.

    A draft is taken where its reader has nothing submitted. The studies of `retired` runs are scored on by nobody any
    more, so they are in no split.
    """

    run_ids: tuple[str, ...] = ()
    study_ids: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset(SIGNABLE)
    retired: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The records, and the chosen reviews that could not become any, with the reason.

    `run_missing`, `case_missing`: the project no longer has what was judged. `unknown_text`: nobody kept which text
    it was. `outdated`: it was another text than the run's today. `film_missing`: the run's folder lacks a film of the
    case. `superseded_decision`: an adjudicator has decided the case again since, in or outside of a study. `others`
    are the handed-in reviews of statuses that were not chosen.
    """

    records: tuple[ReviewedReport, ...]
    left_out: tuple[Exclusion, ...]
    others: tuple[ReviewedReport, ...] = ()
    seeds: tuple[Seed, ...] = ()


def gather(
    database: Database,
    *,
    runs: Mapping[str, Run],
    choice: Choice,
    actor: str,
    originals: FindOriginal = lambda _run, _case, _index: None,
) -> Gathered:
    """Return the chosen reviews as records, each with the text that it judged.

    `runs` are all runs of the project. Whoever exports a study learns which text came from where: the audit keeps that
    `actor` has looked. Raises DataError where a run does not tell what its model was asked.
    """
    names = {one.name: Person(id=one.name, name=one.display_name) for one in people.everyone(database)}
    joiner = Joiner(runs=runs, people=names, retired=choice.retired, originals=originals)
    reader = _Reader(database=database, choice=choice, joiner=joiner)
    chosen = [study for study in studies.all_studies(database) if study.id in choice.study_ids]
    sources = [_outside()] if choice.run_ids else []
    sources += [_of_study(study, arms=studies.unblind(database, study.id, actor=actor)) for study in chosen]
    found = [part for source in sources for part in reader.read(source)]
    everyone, superseded = _newest_approvals([part for part in found if isinstance(part, ReviewedReport)])
    records = tuple(record for record in everyone if record.status in choice.statuses)
    others = tuple(record for record in everyone if record.status not in choice.statuses)
    superseded = superseded if "approved" in choice.statuses else ()
    left_out = tuple(part for part in found if isinstance(part, Exclusion))
    seeds = tuple(Seed(name=study.id, value=study.seed) for study in chosen)
    return Gathered(records=records, others=others, left_out=(*left_out, *superseded), seeds=seeds)


class _Reader:
    """Reads a project's reviews one source after another."""

    def __init__(self, *, database: Database, choice: Choice, joiner: Joiner) -> None:
        self._database, self._choice, self._joiner, self._runs = database, choice, joiner, joiner.runs
        self._cases = {run.id: {case.id: case for case in run.cases} for run in self._runs.values()}
        self._newest = {run_id: reviews.newest(database, run_id) for run_id in self._runs}

    def read(self, source: Source) -> Iterator[ReviewedReport | Exclusion]:
        """Yield a record, or why there is none, for each text of each chosen review, and the others handed in."""
        for given in self._given(source):
            if given.status in self._choice.statuses:
                yield from self._records(given, source)
            elif given.status in SIGNABLE:
                yield from (part for part in self._records(given, source) if isinstance(part, ReviewedReport))

    def _given(self, source: Source) -> Iterator[Given]:
        standing = [Given.of_reader(row) for row in self._standing(source)]
        yield from standing
        is_given = {given.thread for given in standing}
        newest = (row for rows in self._newest.values() for row in rows if self._is_of(row, source))
        yield from (given for given in map(Given.of_reader, newest) if given.thread not in is_given)
        for run_id in self._runs if source.study_id else self._choice.run_ids:
            decided = adjudication.decisions(self._database, run_id, study_id=source.study_id)
            yield from map(Given.of_adjudicator, decided.values())

    def _standing(self, source: Source) -> Iterable[Revision]:
        if source.study_id:
            return studies.given_in(self._database, source.study_id)
        found = (row for run_id in self._choice.run_ids for row in reviews.standing(self._database, run_id))
        return [row for row in found if not row.task]

    def _is_of(self, row: Revision, source: Source) -> bool:
        if source.study_id:
            return row.task in source.arms
        return not row.task and row.run_id in self._choice.run_ids

    def _records(self, given: Given, source: Source) -> Iterator[ReviewedReport | Exclusion]:
        run, case = self._runs.get(given.run_id), self._cases.get(given.run_id, {}).get(given.case_id)
        if run is None or case is None:
            yield given.excluded(source, reason="case_missing" if run else "run_missing")
            return
        films = self._joiner.films_of(run, case)
        if films is None:
            yield given.excluded(source, reason="film_missing")
            return
        texts = self._texts(given, source, run=run, case=case)
        if not texts:
            reason = "outdated" if given.document.generated_sha256 else "unknown_text"
            yield given.excluded(source, reason=reason)
        for judged in texts:
            yield self._joiner.record_of(given, source, run=run, case=case, judged=judged, films=films)

    def _texts(self, given: Given, source: Source, *, run: Run, case: ReviewCase) -> tuple[Judged, ...]:
        """Return the text that was judged, or all that were compared; nothing where that is not known."""
        shown = texts_of_task(source.arms.get(given.task, ()))
        if len(shown) > 1 or (shown and not given.document.generated_sha256):
            return shown  # what an assignment shows does not change
        possible = (*shown, *self._texts_of_case(given, source)) if given.status == "approved" else shown
        if not source.study_id:
            possible = (*possible, text_of_run(case, run_id=run.id))
        judged = judged_by(given.document, possible)
        return (judged,) if judged else ()

    def _texts_of_case(self, given: Given, source: Source) -> tuple[Judged, ...]:
        """Return every text of a case that a study has shown: a decision names its text by the hash alone."""
        tasks = sorted({row.task for row in self._newest[given.run_id] if row.case_id == given.case_id})
        return tuple(judged for task in tasks for arm in source.arms.get(task, ()) for judged in texts_of_task((arm,)))


def _outside() -> Source:
    protocol = preset(OPEN_REVIEW)
    return Source(protocol=ProtocolUsed(name=protocol.name, sha256=sha256(canonical(protocol))))


def _of_study(study: Study, *, arms: Mapping[str, tuple[Arm, ...]]) -> Source:
    protocol = read_protocol(study.protocol, where=f"the study {study.id}")
    used = ProtocolUsed(name=protocol.name, sha256=study.protocol_sha256)
    return Source(protocol=used, study_id=study.id, arms=arms)


def _newest_approvals(
    records: Sequence[ReviewedReport],
) -> tuple[tuple[ReviewedReport, ...], tuple[Exclusion, ...]]:
    """Part the approvals that a later one of the same case overrules: a patient's film has one approved report."""
    newest: dict[tuple[str, str], ReviewedReport] = {}
    for record in records:
        case = (record.run_id, record.case_id)
        if record.status == "approved" and (case not in newest or newest[case].saved_at <= record.saved_at):
            newest[case] = record

    def is_overruled(record: ReviewedReport) -> bool:
        return record.status == "approved" and newest[record.run_id, record.case_id] is not record

    kept = tuple(record for record in records if not is_overruled(record))
    over = (Exclusion(review_id=r.id, reason="superseded_decision") for r in records if is_overruled(r))
    return kept, tuple(over)
