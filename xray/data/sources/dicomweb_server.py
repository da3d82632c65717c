"""HTTP to a DICOMweb server (PS3.18): search, retrieval and storage with credentials, time limits and size limits.

The standard library does it. A client library that parses each film and writes it again would change its bytes, and
the usual one takes a cut-off last part for a whole film.

Certificates are checked against the machine's own authorities; `SSL_CERT_FILE` names another file of them. A redirect
is not followed, so credentials go to the server that was named and no other.
"""

import base64
import http.client
import ipaddress
import json
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pydicom.dataset import Dataset

from xray.data.sources.multipart import save_parts
from xray.errors import DataError, Rejected

USER_VARIABLE, PASSWORD_VARIABLE = "XRAY_DICOMWEB_USER", "XRAY_DICOMWEB_PASSWORD"
TOKEN_VARIABLE = "XRAY_DICOMWEB_TOKEN"

_MOST_SEARCH_BYTES = 64 << 20
_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_LATER = {429, 502, 503, 504}  # the server may answer the next time
_NOT_STORED = {400, 409, 415, 422}
_FAILURES = (urllib.error.URLError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """`silence_seconds`: longest wait for the next bytes; `answer_seconds`: for a whole answer; tries of a request."""

    silence_seconds: float = 30.0
    answer_seconds: float = 600.0
    film_bytes: int = 512 << 20
    tries: int = 3
    pause_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A DICOMweb server by its root, such as `https://pacs.example/dicom-web`, and the header that opens it."""

    url: str
    authorization: str | None = field(default=None, repr=False)
    limits: ServerLimits = ServerLimits()

    @classmethod
    def of_environment(cls, url: str, *, limits: ServerLimits = ServerLimits()) -> "Server":
        """Take the credentials from XRAY_DICOMWEB_TOKEN, or XRAY_DICOMWEB_USER and XRAY_DICOMWEB_PASSWORD, if set.

        Raises DataError for an address that is none, that holds credentials itself, or that would send them in clear.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname if parts.port != 0 else None
        except ValueError:
            host = None
        if host is None or parts.scheme not in ("http", "https") or parts.query or not re.fullmatch(r"[!-~]+", url):
            raise DataError("The DICOMweb address is not of the form https://host/dicom-web. Correct it.")
        if parts.username or parts.password:
            raise DataError(
                f"The DICOMweb address holds a password, which ends up in logs. Take it out and set {USER_VARIABLE} "
                f"and {PASSWORD_VARIABLE}, or {TOKEN_VARIABLE}."
            )
        authorization = _authorization()
        if authorization and parts.scheme == "http" and not _is_this_machine(host):
            raise DataError(
                "The DICOMweb address begins with http:, which would send the credentials in clear. Use https:."
            )
        return cls(url=url.rstrip("/"), authorization=authorization, limits=limits)

    def search(self, path: str, *, parameters: Mapping[str, str]) -> list[Mapping[str, object]]:
        """Return the data sets in DICOM JSON (PS3.18 F.2) of one QIDO-RS search.

        Raises DataError if the server cannot be used at all, and Rejected (`not_found`, `server_error`, `bad_answer`,
        `answer_too_large`) if it failed at this request.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        with self._opened(path + query, accept="application/dicom+json") as answer:
            if answer.status == http.HTTPStatus.NO_CONTENT:
                return []
            data = b"".join(self._chunks(answer, most_bytes=_MOST_SEARCH_BYTES))
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise Rejected("bad_answer", "the server answered a search with something that is no DICOM JSON")
        return found

    def retrieve(self, path: str, *, into: Path) -> Iterator[Path]:
        """Yield a new file in `into` for each instance of one WADO-RS answer, as stored: nothing is transcoded.

        Raises what `search` does and `save_parts` does.
        """
        with self._opened(path, accept=_DICOM) as answer:
            boundary = answer.headers.get_param("boundary")
            if answer.headers.get_content_type() != "multipart/related" or not isinstance(boundary, str):
                raise Rejected("bad_answer", "the server answered a retrieval with something that is no film")
            chunks = self._chunks(answer, most_bytes=None)
            yield from save_parts(
                lambda _: next(chunks, b""), boundary=boundary, into=into, most_bytes=self.limits.film_bytes
            )

    def store(self, instance: bytes) -> None:
        """Send one DICOM file in a STOW-RS transaction (PS3.18 10.5).

        An instance that is sent again is not stored twice, so a try that broke off is repeated. Raises what `search`
        does, and Rejected (`not_stored`) if the server does not keep it.
        """
        boundary = secrets.token_hex(16)
        head, end = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n", f"\r\n--{boundary}--\r\n"
        body = _Body(
            data=head.encode() + instance + end.encode(),
            content_type=f'multipart/related; type="application/dicom"; boundary={boundary}',
        )
        with self._opened("studies", accept="application/dicom+json", body=body) as answer:
            data = b"".join(self._chunks(answer, most_bytes=_MOST_SEARCH_BYTES))
        try:
            told = Dataset.from_json(data.decode())
        except Exception:  # pydicom fails in many ways at what is no DICOM JSON
            raise Rejected("bad_answer", "the server answered a file with something that is no DICOM JSON") from None
        if told.get("FailedSOPSequence") or not told.get("ReferencedSOPSequence"):
            raise Rejected("not_stored", "the server does not keep what it was sent; see its log")

    @contextmanager
    def _opened(self, path: str, *, accept: str, body: "_Body | None" = None) -> Iterator[http.client.HTTPResponse]:
        for tries_left in range(self.limits.tries - 1, -1, -1):
            try:
                answer = self._open(path, accept=accept, body=body)
                break
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in _LATER or not tries_left:
                    raise self._refusal(error.code, storing=body is not None) from None
            except _FAILURES as error:
                if not tries_left:
                    raise self._unreachable(error) from None
            time.sleep(self.limits.pause_seconds)
        with answer:
            yield answer

    def _open(self, path: str, *, accept: str, body: "_Body | None") -> http.client.HTTPResponse:
        headers = {"Accept": accept, "User-Agent": "xray"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        if body is not None:
            headers["Content-Type"] = body.content_type
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers, data=body.data if body else None)
        opener = urllib.request.build_opener(_NoRedirect)
        answer: http.client.HTTPResponse = opener.open(request, timeout=self.limits.silence_seconds)
        return answer

    def _chunks(self, answer: http.client.HTTPResponse, *, most_bytes: int | None) -> Iterator[bytes]:
        """Yield the body as it comes, as long as the limits allow."""
        deadline = time.monotonic() + self.limits.answer_seconds
        size = 0
        while True:
            try:
                chunk = answer.read1(1 << 18)
            except _FAILURES:
                raise Rejected("server_error", "the server's answer broke off or fell silent") from None
            if not chunk:
                return
            size += len(chunk)
            if most_bytes is not None and size > most_bytes:
                raise Rejected("answer_too_large", f"the server's answer is above {most_bytes >> 20} MiB")
            if time.monotonic() > deadline:
                raise Rejected("server_error", f"the answer took more than {self.limits.answer_seconds:g} seconds")
            yield chunk

    def _refusal(self, status: int, *, storing: bool) -> DataError:
        host = urlsplit(self.url).netloc
        if status in (401, 403):
            return DataError(
                f"{host} refuses access ({status}). Set {TOKEN_VARIABLE}, or {USER_VARIABLE} and {PASSWORD_VARIABLE}, "
                "to credentials that may do this."
            ).in_chinese(
                f"{host} 拒绝访问（{status}）。请把 {TOKEN_VARIABLE}，或 {USER_VARIABLE} 与 {PASSWORD_VARIABLE}，"
                "设为有权限的凭据。"
            )
        if 300 <= status < 400:
            return DataError(f"{host} redirects to another address ({status}). Name the final address.").in_chinese(
                f"{host} 转向其他地址（{status}）。请给出最终地址。"
            )
        if status in (404, 410):
            return Rejected("not_found", "the server does not have it, or its DICOMweb root is another address")
        if storing and status in _NOT_STORED:
            return Rejected("not_stored", "the server does not keep what it was sent; see its log")
        return Rejected("server_error", f"the server answered with status {status}")

    def _unreachable(self, error: Exception) -> DataError:
        host = urlsplit(self.url).netloc
        reason = getattr(error, "reason", error)
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            return DataError(
                f"The certificate of {host} is not signed by an authority that this machine knows. Point SSL_CERT_FILE "
                "to the certificate of your hospital's authority."
            ).in_chinese(f"本机不信任 {host} 的证书。请让 SSL_CERT_FILE 指向医院证书机构的证书。")
        if isinstance(reason, TimeoutError):
            return Rejected("server_error", f"the server was silent for {self.limits.silence_seconds:g} seconds")
        return DataError(f"{host} cannot be reached. Check the address, and that the server runs.").in_chinese(
            f"无法连接 {host}。请核对地址，并确认服务器正在运行。"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What a request sends."""

    data: bytes = field(repr=False)
    content_type: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _authorization() -> str | None:
    if token := os.environ.get(TOKEN_VARIABLE):
        if not re.fullmatch(r"[!-~]+", token):
            raise DataError(
                f"{TOKEN_VARIABLE} holds a character that no token has, such as a line break. Set it again."
            )
        return f"Bearer {token}"
    user, password = os.environ.get(USER_VARIABLE), os.environ.get(PASSWORD_VARIABLE)
    if user is None and password is None:
        return None
    if user is None or password is None:
        raise DataError(f"Of {USER_VARIABLE} and {PASSWORD_VARIABLE} only one is set. Set both or none.")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
