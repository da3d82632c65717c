"""What the tests of the pages read from a page that Streamlit runs without a browser, and how they save on it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app.store import reviews
from app.store.engine import Database
from app.store.reviews import Revision
from finetune.manifest import Case, read_records


def case_ids(folder: Path) -> list[str]:
    return [case.id for case in read_records(folder / "references.jsonl", Case)]


def html_of(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def table_of(page: AppTest):
    (table,) = page.dataframe
    return table.value


SENDING = ("run", "case", "task", "client", "sequence", "base_revision", "ancestors", "submit", "reason")
"""What a draft says of itself; all else is of the document."""


def draft(run_id: str, case_id: str, **changes: object) -> dict[str, object]:
    """What the browser sends for a review of a case that says `changes`."""
    sent = {
        "run": run_id,
        "case": case_id,
        "client": "browser-0001",
        "sequence": 1,
        "base_revision": 0,
        "ancestors": [],
        **{name: changes.pop(name) for name in SENDING if name in changes},
        "document": changes,
    }
    return {"beat": "1", "drafts": [sent]}


def bench_data(page: AppTest) -> dict[str, Any]:
    """What the page tells the workbench."""
    found = [json.loads(part.proto.json) for part in page.get("bidi_component") if "acks" in part.proto.json]
    return dict(found[0])


def bench_text(page: AppTest) -> str:
    """All texts that the page gives to the workbench, one after the other."""

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from texts(inner)

    return "\n".join(texts({name: value for name, value in bench_data(page).items() if name != "words"}))


def save(page: AppTest, outbox: dict[str, object]) -> AppTest:
    page.session_state["workbench"] = {"outbox": {"owner": bench_data(page)["owner"], **outbox}}
    return page.run()


def stored(folder: Path, *, run_id: str) -> dict[str, Revision]:
    with closing(Database(folder / "reviews.sqlite")) as database:
        return reviews.latest(database, run_id)


def go_to(page: AppTest, path: str) -> AppTest:
    """Open the page at `/path`, as its address does: AppTest itself knows only pages that are files."""
    page._page_hash = calc_hash(path)
    return page.run()


def assert_no_error(page: AppTest) -> None:
    assert not page.exception
    assert not page.error
