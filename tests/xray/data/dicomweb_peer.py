"""A small DICOMweb server of our own, that fails in the ways that real ones do."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BOUNDARY = "a-boundary"


@dataclass
class Peer:
    """What the server holds, by study and instance UID, and how it misbehaves.

    `left_out` instances are missing from the answer to a whole series, `broken` ones from every answer. `status` is
    answered to all requests while `status_times` lasts, `status_of_retrieval` to retrievals. `cut` cuts every answer of
    films after so many bytes; `silent` lets every retrieval hang; `words` answers searches and what is `sent`.
    """

    studies: dict[str, dict[str, bytes]] = field(repr=False)
    left_out: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    status: int | None = None
    status_times: int = 1_000_000
    status_of_retrieval: int | None = None
    cut: int | None = None
    silent: bool = False
    words: bytes | None = None
    ignores_offset: bool = False
    page: int = 1000
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list, repr=False)
    sent: list[bytes] = field(default_factory=list, repr=False)
    stop: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def retrievals(self) -> list[str]:
        return [path for path, headers in self.requests if "multipart" in headers.get("accept", "")]


@contextmanager
def serving(peer: Peer, *, certificate: Path | None = None) -> Iterator[Peer]:
    """Answer on loopback until the block ends; `certificate` is a PEM file with its key, for https."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"peer": peer}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    peer.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/dicom-web"
    try:
        yield peer
    finally:
        peer.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    peer: Peer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        peer, parts = self.peer, urlsplit(self.path)
        peer.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if peer.status is not None and peer.status_times > 0:
            peer.status_times -= 1
            self._answer(peer.status, "text/plain", b"no", location="http://127.0.0.1:9/elsewhere")
        elif "multipart" in self.headers["Accept"]:
            self._retrieval(parts.path.split("/")[2:])
        elif peer.words is not None:
            self._answer(200, "application/dicom+json", peer.words)
        else:
            query = parse_qs(parts.query)
            start = 0 if peer.ignores_offset else int(query["offset"][0])
            found = self._search(parts.path.split("/")[2:])[start : start + peer.page]
            self._answer(200, "application/dicom+json", json.dumps(found).encode())

    def do_POST(self) -> None:
        peer, sent = self.peer, self.rfile.read(int(self.headers["Content-Length"]))
        peer.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if peer.status is not None and peer.status_times > 0:
            peer.status_times -= 1
            self._answer(peer.status, "text/plain", b"no", location="http://127.0.0.1:9/elsewhere")
            return
        peer.sent.append(sent)
        kept = json.dumps({"00081199": {"vr": "SQ", "Value": [element("00081155", "1.2")]}}).encode()
        self._answer(200, "application/dicom+json", kept if peer.words is None else peer.words)

    def _search(self, path: list[str]) -> list[object]:
        if path == ["studies"]:
            return [element("0020000D", study) for study in sorted(self.peer.studies)]
        instances = self.peer.studies.get(path[1], {})
        if path[2:] == ["series"]:
            return [element("0020000E", f"{path[1]}.1") | element("00080060", "CR")] if instances else []
        return [element("00080018", instance) for instance in sorted(instances)]

    def _retrieval(self, path: list[str]) -> None:
        peer = self.peer
        if peer.silent:
            peer.stop.wait(20)
            return
        if peer.status_of_retrieval is not None:
            self._answer(peer.status_of_retrieval, "text/plain", b"no")
            return
        films = peer.studies[path[1]]
        wanted = [path[5]] if len(path) > 5 else sorted(films.keys() - peer.left_out)
        parts = [
            f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + films[uid] + b"\r\n"
            for uid in wanted
            if uid not in peer.broken
        ]
        body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
        self._answer(200, f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', body[: peer.cut])

    def _answer(self, status: int, kind: str, body: bytes, *, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if location is not None and 300 <= status < 400:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def element(tag: str, value: str) -> dict[str, object]:
    """An element in DICOM JSON (PS3.18 F.2.2)."""
    return {tag: {"vr": "UI", "Value": [value]}}
