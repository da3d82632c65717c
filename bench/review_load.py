"""A hundred readers at the real review server, which is killed three times: no acknowledged save may be lost.

    python -m bench.review_load [--database sqlite|postgresql] [--readers 100] [--saves 5000] [--kills 3] [--pause 5]

Each simulated reader speaks Streamlit's own WebSocket protocol (protobuf) to `python -m app`, as a browser does: it
opens the review page of a case of its own, sends drafts of the workbench, and takes a draft for saved when the page
acknowledges it. An action is one draft, from sending it to its acknowledgement; between two, a reader pauses for a
random time around `--pause` seconds. When the server dies, readers connect again and send what was not acknowledged. At
the end every acknowledged draft is looked up in the database, and the audit chain is followed.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.settings import DATABASE_VARIABLE
from app.store import audit, reviews
from app.store.engine import Database
from tests.app.conftest import write_run
from tests.app.page import case_ids
from tests.app.postgres import running_cluster
from tests.app.server import Server

RUN = "load"
WORKBENCH = "xray_review_workbench"
RESEND_SECONDS = 3  # as workbench/bench.js does


@dataclass
class Tally:
    """What all readers share. `seconds` of actions on an undisturbed server, `delayed` of those that saw it die."""

    wanted: int
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    delayed: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    refused: int = 0
    lives: int = 0
    cpu_seconds: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether enough is saved."""
        return len(self.acknowledged) >= self.wanted


class Page:
    """One connection to the review page of one case."""

    def __init__(self, socket: ClientConnection, case_id: str) -> None:
        self.socket, self.case_id = socket, case_id
        self.script = self.workbench = self.fragment = self.owner = ""
        self.revision = 0

    async def open(self) -> None:
        """Run the page once, and remember where the workbench is in it."""
        await self._send(ClientState(query_string=self._query, page_name="review"))
        async for message in self._messages():
            if message.HasField("script_finished"):
                break
        assert self.workbench, "the page showed no workbench"

    async def save(self, draft: dict[str, object]) -> dict[str, object]:
        """Send a draft and wait for its answer."""
        sent = {"beat": f"{time.monotonic()}", "owner": self.owner, "drafts": [draft]}
        outbox = json.dumps({"outbox": sent})
        widgets = WidgetStates(widgets=[WidgetState(id=self.workbench, json_value=outbox)])
        state = ClientState(
            query_string=self._query, page_script_hash=self.script, fragment_id=self.fragment, widget_states=widgets
        )
        await self._send(state)
        async for message in self._messages():
            for answer in self._answers(message):
                if (answer["client"], answer["sequence"]) == (draft["client"], draft["sequence"]):
                    return answer
        raise ConnectionError

    @property
    def _query(self) -> str:
        return f"run={RUN}&case={self.case_id}"

    async def _send(self, state: ClientState) -> None:
        await self.socket.send(BackMsg(rerun_script=state).SerializeToString())

    async def _messages(self) -> AsyncIterator[ForwardMsg]:
        async for content in self.socket:
            message = ForwardMsg.FromString(content)
            if message.HasField("new_session"):
                self.script = message.new_session.page_script_hash
            component = message.delta.new_element.bidi_component
            if component.component_name == WORKBENCH:
                self.workbench, self.fragment = component.id, message.delta.fragment_id
                shown = json.loads(component.json)
                self.revision, self.owner = shown["review"]["revision"], shown["owner"]
            yield message

    def _answers(self, message: ForwardMsg) -> Iterator[dict[str, object]]:
        component = message.delta.new_element.bidi_component
        if component.component_name == WORKBENCH:
            data = json.loads(component.json)
            yield from data["acks"]
            yield from (refusal | {"refused": True} for refusal in data["refusals"])


async def read_and_write(url: str, case_id: str, *, tally: Tally, pause: float, seed: int) -> None:
    """Be one reader: a new page after every lost connection, the same draft until it is answered."""
    rng, client, sequence, draft, begun, lives = random.Random(seed), f"reader-{seed:04d}", 0, None, 0.0, 0
    await asyncio.sleep(rng.uniform(0, 2 * pause))
    while not tally.is_done:
        try:
            entered = time.monotonic()
            async with connect(
                f"{url}/_stcore/stream", subprotocols=["streamlit"], max_size=None, compression=None
            ) as socket:
                page = Page(socket, case_id)
                await page.open()
                tally.opened.append(time.monotonic() - entered)
                while not tally.is_done:
                    if draft is None:
                        sequence += 1
                        begun, lives = time.monotonic(), tally.lives
                        draft = {"run": RUN, "case": case_id, "client": client, "sequence": sequence}
                        said = {"comment": f"{client} 的第 {sequence} 条意见"}
                        draft |= {"base_revision": page.revision, "document": said}
                    answer = await page.save(draft)
                    taken = time.monotonic() - begun
                    (tally.seconds if lives == tally.lives else tally.delayed).append(taken)
                    if answer.get("refused"):
                        tally.refused += 1
                    else:
                        tally.acknowledged.add((case_id, said["comment"]))
                        page.revision = int(answer["revision"])
                    draft = None
                    await asyncio.sleep(rng.uniform(0.6, 1.4) * pause)
        except (OSError, WebSocketException, ConnectionError):
            await asyncio.sleep(RESEND_SECONDS)


async def kill_now_and_then(server: Server, *, tally: Tally, kills: int) -> None:
    """Kill the server each time another share of the saves is done, and start it again."""
    for number in range(1, kills + 1):
        while len(tally.acknowledged) < tally.wanted * number / (kills + 1):
            await asyncio.sleep(0.2)
        tally.lives += 1
        tally.cpu_seconds += cpu_seconds(server)
        server.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.process.wait)
        server.log.write_text("")
        await asyncio.to_thread(server.start)
        tally.lives += 1  # what began while it was down is no action on an undisturbed server either


def cpu_seconds(server: Server) -> float:
    """Processor time that the server's present life has taken, its start included (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def simulate(server: Server, cases: list[str], *, tally: Tally, kills: int, pause: float) -> None:
    """Let one reader work on each case while the server dies now and then."""
    url = server.url.replace("http", "ws")
    readers = [read_and_write(url, case_id, tally=tally, pause=pause, seed=n) for n, case_id in enumerate(cases)]
    await asyncio.gather(kill_now_and_then(server, tally=tally, kills=kills), *readers)


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[str]:
    """Where the reviews go: a file, or a database of a new PostgreSQL cluster that syncs as by default."""
    if kind == "sqlite":
        yield str(folder / "reviews.sqlite")
        return
    with running_cluster(durable=True) as cluster:
        yield cluster.new_database()


def report(tally: Tally, place: str, *, kind: str, minutes: float) -> None:
    """Look up every acknowledged draft, follow the audit chain, and print one row of a Markdown table."""
    with closing(Database(place)) as database:
        cases = {case_id for case_id, _ in tally.acknowledged}
        stored = {(case, row.document.comment) for case in cases for row in reviews.history(database, RUN, case)}
        head = audit.verify(database)
    lost = len(tally.acknowledged - stored)
    actions = sorted(tally.seconds)
    p50, p95, p99 = (actions[int(len(actions) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    everything = sorted(actions + tally.delayed)
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        "| database | acknowledged | lost | refused | audit entries | p50 ms | p95 ms | p99 ms | p95 with restarts | "
        "opening, median | server CPU per action, all included | minutes | load average |\n" + "|---" * 13 + "|"
    )
    print(
        f"| {kind} | {len(tally.acknowledged)} | {lost} | {tally.refused} | {head.seq} | {p50:.0f} | {p95:.0f} | "
        f"{p99:.0f} | {everything[int(len(everything) * 0.95)]:.1f} s | {statistics.median(tally.opened):.1f} s | "
        f"{tally.cpu_seconds / len(everything) * 1000:.0f} ms | "
        f"{minutes:.1f} | {load} |"
    )


def main() -> None:
    """Run it once on one database."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--saves", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--pause", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, place_of(options.database, Path(name)) as place:
        folder = Path(name)
        run = write_run(folder / "run", num_cases=options.readers, run_id=RUN)
        os.environ[DATABASE_VARIABLE] = place
        server, tally, begun = Server(run, folder / "server.log"), Tally(wanted=options.saves), time.monotonic()
        server.start()
        try:
            asyncio.run(simulate(server, case_ids(run), tally=tally, kills=options.kills, pause=options.pause))
        finally:
            tally.cpu_seconds += cpu_seconds(server)
            server.kill()
        report(tally, place, kind=options.database, minutes=(time.monotonic() - begun) / 60)


if __name__ == "__main__":
    main()
