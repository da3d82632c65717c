"""`python -m app audit | backup | restore | export | sample`: looking after a project's database, also in use."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from app.run import find_runs, load_run, readable_runs
from app.settings import Settings, add_options
from app.store import audit, backup
from app.store.audit import Entry
from app.store.chain import START
from app.store.engine import Database
from xray.errors import DataError, XrayError

COMMANDS = ("audit", "backup", "restore", "export", "sample")


def main(arguments: Sequence[str]) -> int:
    """Do what the first word says and return the exit code."""
    options = _parser(wants_export=arguments[0] == "export").parse_args(arguments)
    settings = Settings.of(options.project, database=options.database)
    fault: XrayError
    try:
        runs = find_runs(settings.project)
        is_new = options.act is _restore  # what lies in the folders of runs is in the backup, or newer than it
        with closing(settings.open_database(() if is_new else runs)) as database:
            print(options.act(database, options))
        return 0
    except XrayError as error:
        fault = error
    except OSError as error:
        fault = DataError(f"{error.filename}: {error.strerror}.")
    except DatabaseError as error:
        fault = DataError(f"{settings.database}: {error.orig}. Restore the database from a backup.")
    print(f"error: {fault}", file=sys.stderr)
    return fault.exit_code


def _audit(database: Database, options: argparse.Namespace) -> str:
    return _told(audit.verify(database, anchor=options.anchor))


def _backup(database: Database, options: argparse.Namespace) -> str:
    return f"{options.file}: {_told(backup.back_up(database, options.file))}"


def _restore(database: Database, options: argparse.Namespace) -> str:
    return f"{database.name}: {_told(backup.restore(database, options.file))}"


def _sample(database: Database, options: argparse.Namespace) -> str:
    from app.sample.project import write_sample_reviews  # what compares reports takes a second to load

    runs = [load_run(folder) for folder in readable_runs(find_runs(options.project)).values()]
    written = write_sample_reviews(database, sorted(runs, key=lambda run: run.id))
    return f"{database.name}: {written} invented reviews, to try the pages on"


def _export(database: Database, options: argparse.Namespace) -> str:
    from app.exporting import export  # what writes the files takes seconds to load

    return export(database, options)


def _told(head: Entry) -> str:
    return f"the audit chain of {head.seq} entries holds; head {head.hash} {head.at}".strip()


def _parser(*, wants_export: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Look after the database of a review project.")
    commands = parser.add_subparsers(required=True)

    def add(name: str, act: Callable[[Database, argparse.Namespace], str], told: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=told, description=told)
        command.set_defaults(act=act)
        add_options(command)
        return command

    checked = add("audit", _audit, "follow the audit chain and print its head, or name the first broken link")
    checked.add_argument("--anchor", default=START, help="hash of a head written down earlier, which must be in it")
    saved = add("backup", _backup, "write a copy while the pages are in use, and check it")
    saved.add_argument("file", type=Path, help="new file: JSON Lines where it ends in .jsonl, else SQLite")
    restored = add("restore", _restore, "read a backup in JSON Lines into an empty database of either kind")
    restored.add_argument("file", type=Path, help="backup ending in .jsonl")
    add("sample", _sample, "add invented readers and reviews to the runs of `finetune sample`")
    written = add("export", _export, "write the reviews as tables, training pairs or clinical documents")
    if wants_export:
        from app import exporting

        exporting.add_options(written)
    return parser
