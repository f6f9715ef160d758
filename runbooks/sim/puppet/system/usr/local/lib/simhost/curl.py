"""The part of curl that runbooks use, for machines without it: one URL, TLS options, `-w`, and curl's own exit codes."""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from simhost.names import dial

USAGE, NO_HOST, NO_CONNECT, HTTP_ERROR, TIMEOUT, NO_TLS, NO_ANSWER, OWN_CERT, PEER_CERT, CA_FILE = (
    *(2, 6, 7, 22, 28, 35, 56, 58, 60, 77),
)
_FLAGS: Final = {
    "-s": "silent", "--silent": "silent", "-S": "show", "--show-error": "show", "-k": "insecure",
    "--insecure": "insecure", "-f": "fail", "--fail": "fail", "-i": "include", "--include": "include",
    "-I": "head", "--head": "head", "-L": "location", "--location": "location", "-v": "verbose",
}  # fmt: skip
_VALUES: Final = {
    "-o": "output", "--output": "output", "-w": "write_out", "--write-out": "write_out", "-m": "max_time",
    "--max-time": "max_time", "--connect-timeout": "connect_timeout", "--resolve": "resolve", "--cacert": "cacert",
    "-E": "cert", "--cert": "cert", "--key": "key", "-H": "header", "--header": "header", "-X": "method",
    "--request": "method", "-d": "data", "--data": "data", "--url": "url",
}  # fmt: skip


class Failed(Exception):
    """Ends the transfer with an exit code and a sentence."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        super().__init__(f"curl: ({code}) {text}")


@dataclass
class Call:
    """A command line, taken apart: flags that were given, the last value of each option, repeated ones in lists."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    resolve: dict[tuple[str, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Url:
    """The parts of a URL."""

    secure: bool
    host: str
    port: int
    path: str


def parse(argv: Sequence[str]) -> Call:
    """Take a command line apart; raise `Failed`."""
    call, rest = Call(), list(argv)
    while rest:
        word = rest.pop(0)
        if word in _FLAGS:
            call.flags.add(_FLAGS[word])
        elif word in _VALUES:
            if not rest:
                raise Failed(USAGE, f"option {word}: requires parameter")
            _set(call, _VALUES[word], rest.pop(0))
        elif len(word) > 2 and word[0] == "-" and word[1] != "-":
            joined = f"-{word[2:]}" if word[:2] in _FLAGS else word[2:]  # -sS is -s -S, -m3 is -m 3
            rest[:0] = [word[:2], joined]
        elif word.startswith("-"):
            raise Failed(USAGE, f"option {word}: is unknown to this stand-in")
        else:
            call.values["url"] = word
    return call


def _set(call: Call, name: str, value: str) -> None:
    if name == "header":
        call.headers.append(value)
    elif name == "resolve":
        host, port, address = value.split(":", 2)
        call.resolve[host, int(port)] = address
    else:
        call.values[name] = value


def parse_url(text: str) -> Url:
    """Return the parts of a URL; raise `Failed`."""
    scheme, found, rest = text.partition("://")
    scheme, rest = (scheme, rest) if found else ("http", text)
    if scheme not in ("http", "https") or not rest:
        raise Failed(USAGE, f"{text!r} is not a URL this stand-in can fetch")
    place, slash, path = rest.partition("/")
    host, colon, port = place.partition(":")
    return Url(scheme == "https", host, int(port) if colon else {"http": 80, "https": 443}[scheme], slash + path or "/")


def _connect(call: Call, url: Url, limit: float) -> socket.socket:
    host = call.resolve.get((url.host, url.port), url.host)
    try:
        return dial(host, url.port, limit)
    except socket.gaierror as fault:
        raise Failed(NO_HOST, f"Could not resolve host: {url.host}") from fault
    except TimeoutError as fault:
        raise Failed(TIMEOUT, f"Connection timed out after {limit * 1000:.0f} milliseconds") from fault
    except OSError as fault:
        raise Failed(NO_CONNECT, f"Failed to connect to {url.host} port {url.port}: {fault.strerror}") from fault


def _context(call: Call) -> ssl.SSLContext:
    context = ssl.create_default_context() if "cacert" not in call.values else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "cacert" in call.values:
            context.load_verify_locations(call.values["cacert"])
    except OSError as fault:
        raise Failed(CA_FILE, f"error setting certificate file: {call.values['cacert']}") from fault
    if "insecure" in call.flags:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if "cert" in call.values:
            context.load_cert_chain(call.values["cert"], call.values.get("key"))
    except OSError as fault:
        raise Failed(OWN_CERT, "unable to set the client's certificate or private key") from fault
    return context


def _secure(call: Call, url: Url, plain: socket.socket) -> socket.socket:
    context = _context(call)
    try:
        return context.wrap_socket(plain, server_hostname=url.host)
    except ssl.SSLCertVerificationError as fault:
        raise Failed(PEER_CERT, f"SSL certificate problem: {fault.verify_message}") from fault
    except TimeoutError as fault:
        raise Failed(TIMEOUT, "SSL connection timeout") from fault
    except OSError as fault:
        raise Failed(NO_TLS, f"TLS connect error: {fault}") from fault


def _exchange(call: Call, url: Url, sock: socket.socket) -> bytes:
    """Send the request; return everything that comes back until the server closes."""
    data = call.values.get("data", "").encode()
    method = call.values.get("method") or ("HEAD" if "head" in call.flags else "POST" if data else "GET")
    lines = [f"{method} {url.path} HTTP/1.1", f"Host: {url.host}:{url.port}", "User-Agent: curl/stand-in"]
    lines += ["Accept: */*", "Connection: close", *call.headers]
    if data:
        lines += [f"Content-Length: {len(data)}", "Content-Type: application/x-www-form-urlencoded"]
    try:
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        chunks = []
        while chunk := sock.recv(65536):
            chunks.append(chunk)
    except TimeoutError as fault:
        raise Failed(TIMEOUT, "Operation timed out") from fault
    except OSError as fault:
        raise Failed(NO_ANSWER, f"Recv failure: {fault}") from fault
    if not chunks:
        raise Failed(NO_ANSWER, "Recv failure: Connection reset by peer")
    return b"".join(chunks)


def fetch(call: Call) -> tuple[int, bytes, bytes, str]:
    """Return status, head, body and the address that answered; raise `Failed`."""
    url = parse_url(call.values.get("url", ""))
    total = float(call.values.get("max_time", "300"))
    limit = min(total, float(call.values.get("connect_timeout", "300")))
    with _connect(call, url, limit) as plain:
        plain.settimeout(total)
        peer = str(plain.getpeername()[0])
        with _secure(call, url, plain) if url.secure else plain as sock:
            head, _, body = _exchange(call, url, sock).partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head + b"\r\n\r\n", body, peer


def _report(call: Call, status: int, peer: str, began: float) -> None:
    text = call.values.get("write_out", "").replace("\\n", "\n").replace("\\t", "\t")
    known = {"http_code": f"{status:03}", "response_code": f"{status:03}", "remote_ip": peer}
    known["time_total"] = f"{time.monotonic() - began:.6f}"
    for key, value in known.items():
        text = text.replace(f"%{{{key}}}", value)
    sys.stdout.write(text)
    sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Do one transfer; return curl's exit code."""
    began, status, peer = time.monotonic(), 0, ""
    call = Call()
    try:
        call = parse(argv)
        status, head, body, peer = fetch(call)
        _refuse(call, status)
        _deliver(call, (head if {"include", "head"} & call.flags else b"") + body)
    except Failed as fault:
        _report(call, status, peer, began)
        if "silent" not in call.flags or "show" in call.flags:
            print(fault, file=sys.stderr)
        return fault.code
    _report(call, status, peer, began)
    return 0


def _refuse(call: Call, status: int) -> None:
    """Fail on an HTTP error if `-f` was given."""
    if "fail" in call.flags and status >= 400:
        raise Failed(HTTP_ERROR, f"The requested URL returned error: {status}")


def _deliver(call: Call, data: bytes) -> None:
    target = call.values.get("output", "-")
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with open(target, "wb") as out:  # noqa: PTH123 - /dev/null and the like, as given
        out.write(data)
