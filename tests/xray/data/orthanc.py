"""Debian's Orthanc with its DICOMweb plugin, as a child process on loopback with storage of its own."""

import base64
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path("/usr/sbin/Orthanc")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "ward", "a password"
_STARTUP_SECONDS = 30


def is_installed() -> bool:
    return PROGRAM.exists() and PLUGIN.exists()


class Orthanc:
    """A running server; `root` is its DICOMweb address."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.root = f"{self.address}/dicom-web"

    def request(self, path: str, *, data: bytes | None = None) -> bytes:
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"{self.address}/{path}", data=data, headers={"Authorization": f"Basic {secret}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return answer.read()

    def store(self, film: bytes) -> None:
        self.request("instances", data=film)


@contextmanager
def running(folder: Path) -> Iterator[Orthanc]:
    """Start a server that keeps everything below `folder`, and end it by its process id."""
    port = _free_port()
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    folder.mkdir(parents=True)
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen([PROGRAM, folder / "orthanc.json"], stdout=log, stderr=log, cwd=folder)
        try:
            yield _when_ready(Orthanc(port), child=child)
        finally:
            child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _when_ready(server: Orthanc, *, child: subprocess.Popen[bytes]) -> Orthanc:
    deadline = time.monotonic() + _STARTUP_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            server.request("dicom-web/studies")
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return server
    raise RuntimeError(f"Orthanc did not start within {_STARTUP_SECONDS} seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
