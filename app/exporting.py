"""`python -m app export`: a project's reviews as files, without the pages."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

from app.export.folder import Kind
from app.export.gather import Choice
from app.export.joining import originals_in
from app.export.order import PRODUCER, Order, Plan, carry_out
from app.export.records import SIGNABLE, Status
from app.originals import Originals
from app.run import find_runs, load_run, readable_runs, sort_runs
from app.settings import FILMS_VARIABLE, Settings
from app.store import people, studies
from app.store.engine import Database
from app.store.people import LOCAL
from xray.errors import ConfigError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its options, but those that every command on a project has."""
    parser.add_argument("--kind", required=True, choices=get_args(Kind), help="what the files are")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the files")
    parser.add_argument("--reason", required=True, help="what the export is for; the audit keeps it")
    parser.add_argument(
        "--run", action="append", metavar="ID", help="reviews of this run, outside of studies; repeat it"
    )
    parser.add_argument("--study", action="append", metavar="ID", help="reviews of this reader study; repeat it")
    parser.add_argument(
        "--status",
        action="append",
        choices=get_args(Status),
        help=f"reviews that are in this state; repeat it (default: {', '.join(SIGNABLE)})",
    )
    parser.add_argument("--producer", default=PRODUCER, help="name or code of who generates, for the labels")
    parser.add_argument("--institution", default="", help="institution of the readers; structured reports need it")
    parser.add_argument(
        "--pseudonymous", action="store_true", help="structured reports without the original DICOM films"
    )
    parser.add_argument(
        "--retired-run",
        action="append",
        metavar="ID",
        help="pairs: no model will be scored on this run's studies any more, so they may be learned from; repeat it",
    )
    parser.add_argument(
        "--films",
        type=Path,
        default=os.environ.get(FILMS_VARIABLE) or None,
        metavar="DIR",
        help="folder of the original films, which name the patients of structured reports (default: "
        f"${FILMS_VARIABLE})",
    )
    parser.add_argument("--by", default=LOCAL, metavar="NAME", help=f"who exports, as the project knows them ({LOCAL})")


def export(database: Database, options: argparse.Namespace) -> str:
    """Write the export and return what there is to tell, one line for each reason that kept reviews out.

    Raises ConfigError for a run, a study or a person that the project does not have.
    """
    settings = Settings.of(options.project, database=options.database, films=options.films)
    folders = readable_runs(find_runs(settings.project))
    runs = {run_id: load_run(folder) for run_id, folder in folders.items()}
    known = [study.id for study in studies.all_studies(database)]
    wanted = _known(options.run, "run", tuple(runs)), _known(options.study, "study", known)
    person = people.find(database, options.by)
    if person is None or not person.active:
        raise ConfigError(f"The project has no active user {options.by}. Name one with --by.")
    choice = Choice(
        run_ids=wanted[0] if any(wanted) else tuple(runs),
        study_ids=wanted[1],
        statuses=frozenset(options.status or SIGNABLE),
        retired=frozenset(_known(options.retired_run, "run", tuple(runs))),
    )
    order = Order(
        kind=options.kind,
        choice=choice,
        actor=person.name,
        reason=options.reason,
        producer=options.producer,
        institution=options.institution,
        pseudonymous=options.pseudonymous,
        unreadable=sort_runs(find_runs(settings.project)).unreadable if options.retired_run else 0,
    )
    with _films(settings) as films:
        find = originals_in(films, name_patients=order.kind == "dicom_sr")
        made = carry_out(order, database=database, runs=runs, folder=options.out, originals=find)
    return _told(made, folder=options.out)


@contextmanager
def _films(settings: Settings) -> Iterator[Originals | None]:
    """Give the hospital's films once all of them are known. Raises ConfigError where there is no such folder."""
    if settings.films is None:
        yield None
        return
    if not settings.films.is_dir():
        raise ConfigError(f"{settings.films} is no folder. Name the folder of the original films with --films.")
    with closing(Originals(settings.films, cache=settings.film_cache)) as films:
        films.wait()
        yield films


def _known(wanted: Sequence[str] | None, what: str, known: Sequence[str]) -> tuple[str, ...]:
    missing = [name for name in wanted or () if name not in known]
    if missing:
        raise ConfigError(f"The project has no {what} {missing[0]}. There are: {', '.join(known) or 'none'}.")
    return tuple(wanted or ())


def _told(made: Plan, *, folder: Path) -> str:
    head = f"{folder}: {made.contents.num_written} of {len(made.records) + len(made.context.left_out)} reviews written"
    return "\n".join((head, *(f"  {count} left out: {reason}" for reason, count in made.counts.items())))
