"""TLS and HTTP of the server: accepts, shakes hands by the context of the moment, hands requests on, writes the access log.

Certificates are judged by OpenSSL alone. A context that cannot be built does not stop the listener: then every handshake
fails, as with a server whose files went bad under it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simhost.host import append_line

BACKLOG: Final = 128
MAX_CONNECTIONS: Final = 100
PATIENCE: Final = 15.0  # seconds for a handshake, and between two requests
_LIMIT: Final = 4 << 20
_REASONS: Final = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    500: "Server Error",
}


@dataclass(frozen=True)
class Request:
    """One request: `client` is the common name of a verified certificate, "" without one; `der` that certificate."""

    method: str
    target: str
    body: bytes
    client: str
    der: bytes
    local: str  # the address that was asked

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.split("?", 1)[0]


@dataclass(frozen=True)
class Response:
    """One response."""

    status: int
    body: bytes = b""
    kind: str = "text/plain"


Answer = Callable[[Request], Response]


class Server:
    """A TLS listener with one thread per connection."""

    def __init__(self, answer: Answer, access_log: Path, tls_log: Path) -> None:
        self._answer, self._access_log, self._tls_log = answer, access_log, tls_log
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # without a certificate no handshake succeeds
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def use(self, context: ssl.SSLContext) -> None:
        """Shake hands by another context from now on."""
        self._context = context

    def listen(self, host: str, port: int) -> socket.socket:
        """Return the listening socket; raise OSError."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        return listener

    def serve(self, listener: socket.socket) -> None:
        """Accept until the listener is closed."""
        while True:
            self._places.acquire()
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(connection, peer[0]), daemon=True).start()

    def _take(self, connection: socket.socket, peer: str) -> None:
        try:
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._context.wrap_socket(connection, server_side=True) as secure:
                self._converse(secure, peer)
        except ssl.SSLEOFError:
            pass  # it connected to see whether we are there
        except ssl.SSLError as fault:
            with contextlib.suppress(OSError):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
                append_line(self._tls_log, f"{stamp} DEBUG handshake with {peer} failed: {fault}")
        except OSError:
            pass  # it went away, or kept silent
        finally:
            connection.close()
            self._places.release()

    def _converse(self, secure: ssl.SSLSocket, peer: str) -> None:
        der = secure.getpeercert(binary_form=True) or b""
        client = _common_name(secure)
        local = str(secure.getsockname()[0])
        rest = b""
        while True:
            head, rest = _read_until_blank(secure, rest)
            if not head:
                return
            began = time.monotonic()
            lines = head.decode("latin-1").split("\r\n")
            fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            words = lines[0].split(" ")
            size = (
                int(fields.get("content-length") or 0) if fields.get("content-length", "0").isdecimal() else _LIMIT + 1
            )
            if len(words) != 3 or size > _LIMIT:
                return
            body, rest = _read_size(secure, rest, size)
            response = self._answer(Request(words[0], words[1], body, client, der, local))
            closing = fields.get("connection", "").lower() == "close"
            secure.sendall(_encode(response, head_only=words[0] == "HEAD", closing=closing))
            self._note(peer, lines[0], response, fields, began)
            if closing:
                return

    def _note(self, peer: str, line: str, response: Response, fields: dict[str, str], began: float) -> None:
        """Write the line of the access log: %h %l %u [%t] "%r" %s %b "%i{Referer}" "%i{User-Agent}" %D %i{Content-Length}."""
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S %z")
        millis = int((time.monotonic() - began) * 1000)
        text = f'{peer} - - [{stamp}] "{line}" {response.status} {len(response.body)} "-" '
        text += f'"{fields.get("user-agent", "-")}" {millis} {fields.get("content-length", "-")} 0'
        with contextlib.suppress(OSError):
            append_line(self._access_log, text.replace("\n", " "))


def _common_name(secure: ssl.SSLSocket) -> str:
    """Return the common name of the client's certificate."""
    subject = (secure.getpeercert() or {}).get("subject", ())
    for part in subject if isinstance(subject, tuple) else ():
        for pair in part:
            if isinstance(pair, tuple) and pair[0] == "commonName":
                return str(pair[1])
    return ""


def _read_until_blank(secure: ssl.SSLSocket, rest: bytes) -> tuple[bytes, bytes]:
    while b"\r\n\r\n" not in rest:
        chunk = secure.recv(65536)
        if not chunk or len(rest) > 65536:
            return b"", b""
        rest += chunk
    head, _, rest = rest.partition(b"\r\n\r\n")
    return head, rest


def _read_size(secure: ssl.SSLSocket, rest: bytes, size: int) -> tuple[bytes, bytes]:
    while len(rest) < size:
        chunk = secure.recv(65536)
        if not chunk:
            raise ConnectionResetError
        rest += chunk
    return rest[:size], rest[size:]


def _encode(response: Response, *, head_only: bool, closing: bool) -> bytes:
    reason = _REASONS.get(response.status, "")
    head = f"HTTP/1.1 {response.status} {reason}\r\nContent-Type: {response.kind}\r\n"
    head += f"X-Puppet-Version: 7.34.0\r\nContent-Length: {len(response.body)}\r\n"
    head += "Connection: close\r\n\r\n" if closing else "\r\n"
    return head.encode() + (b"" if head_only else response.body)
