"""A reverse proxy as a ward has one: it signs people in, and tells the server behind it who they are."""

import asyncio
import threading
from contextlib import suppress


class Proxy:
    """Listens on a loopback port and adds `header: person` to every request; a header of the client's own is dropped.

    Every connection carries one request or one WebSocket, so that each request is seen.
    """

    def __init__(self, *, to_port: int, header: str) -> None:
        self.person = ""
        self._to_port, self._header = to_port, header
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        waiting = asyncio.all_tasks(self._loop)
        for task in waiting:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = self._signed(await reader.readuntil(b"\r\n\r\n"))
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
            behind_writer.write(head)
            await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))

    def _signed(self, head: bytes) -> bytes:
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        upgrade = any(line.lower().startswith(b"upgrade:") for line in lines)
        dropped = [self._header.lower().encode() + b":", *([] if upgrade else [b"connection:"])]
        kept = [line for line in lines if not line.lower().startswith(tuple(dropped))]
        added = [f"{self._header}: {self.person}".encode(), *([] if upgrade else [b"Connection: close"])]
        return b"\r\n".join([first, *kept, *added, b"", b""])


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
