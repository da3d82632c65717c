"""The parts of a multipart answer (RFC 2046, section 5.1), written to files as they come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from xray.errors import Rejected

_CHUNK = 1 << 18
_MOST_HEADER_BYTES = 1 << 16


def save_parts(read: Callable[[int], bytes], *, boundary: str, into: Path, most_bytes: int) -> Iterator[Path]:
    """Yield a new file in `into` for each part of the body that `read(size)` gives, empty at its end.

    A part is yielded only when the boundary after it has come, so a cut-off one never is. The caller removes or renames
    the files. Raises Rejected: `truncated_answer` if the body ends before its closing boundary, `answer_too_large` for
    a part above `most_bytes`.
    """
    body = _Body(read=read, delimiter=b"\r\n--" + boundary.encode("latin-1", "replace"))
    for _ in body.until_delimiter(most_bytes=_MOST_HEADER_BYTES):
        pass  # words before the first part have no meaning
    number = 0
    while body.has_part():
        body.skip_header()
        path = into / f"{number}.part"
        try:
            with path.open("wb") as stream:
                stream.writelines(body.until_delimiter(most_bytes=most_bytes))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        yield path
        number += 1


@dataclass(slots=True, kw_only=True)
class _Body:
    """What has been read of the body and not been used; a line break before it lets the first boundary be found."""

    read: Callable[[int], bytes]
    delimiter: bytes
    buffer: bytearray = field(default_factory=lambda: bytearray(b"\r\n"))

    def until_delimiter(self, *, most_bytes: int) -> Iterator[bytes]:
        """Yield the bytes before the next delimiter, and drop it."""
        size = 0
        while (end := self.buffer.find(self.delimiter)) < 0:
            sure = max(0, len(self.buffer) - len(self.delimiter) + 1)
            size += sure
            self._check(size, most_bytes)
            yield bytes(self.buffer[:sure])
            del self.buffer[:sure]
            self._fill()
        self._check(size + end, most_bytes)
        yield bytes(self.buffer[:end])
        del self.buffer[: end + len(self.delimiter)]

    def has_part(self) -> bool:
        """Tell whether a part follows the delimiter, and not the end of the body (`--`)."""
        while len(self.buffer) < 2:
            self._fill()
        return self.buffer[:2] != b"--"

    def skip_header(self) -> None:
        """Drop the rest of the delimiter's line and the header lines up to the empty one."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self._check(len(self.buffer), _MOST_HEADER_BYTES)
            self._fill()
        del self.buffer[: end + 4]

    def _fill(self) -> None:
        chunk = self.read(_CHUNK)
        if not chunk:
            raise Rejected("truncated_answer", "the server's answer ended in the middle of a film")
        self.buffer += chunk

    def _check(self, size: int, most_bytes: int) -> None:
        if size > most_bytes:
            raise Rejected("answer_too_large", f"the server's answer has a part above {most_bytes >> 20} MiB")
