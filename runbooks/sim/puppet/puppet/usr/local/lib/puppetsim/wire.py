"""HTTPS as Puppet's client does it: mutual TLS over the standard library's ssl, one connection for a whole run.

What it says when it fails is Ruby's wording around OpenSSL's own reason.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Final, Self

from simhost.names import dial

from puppetsim.settings import Settings, seconds

AGENT: Final = "Puppet/7.34.0 Ruby/2.7.8-p225 (x86_64-linux)"
_HEAD_LIMIT: Final = 65536


class Unreachable(Exception):
    """A request that got no answer; `str()` is what Puppet would say."""


def client_context(settings: Settings, *, verify: bool = True, present: bool = True) -> ssl.SSLContext:
    """Return the agent's TLS context: its own CA and CRL copies, its certificate; raise OSError or `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    if verify and Path(settings["localcacert"]).exists():
        context.load_verify_locations(settings["localcacert"])
        if Path(settings["hostcrl"]).exists():
            context.load_verify_locations(settings["hostcrl"])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if present and Path(settings["hostcert"]).exists():
        context.load_cert_chain(settings["hostcert"], settings["hostprivkey"])
    return context


class Link:
    """One connection to a Puppet server."""

    def __init__(self, settings: Settings, host: str, *, verify: bool = True, present: bool = True) -> None:
        self._host, self._port = host, int(settings["serverport"])
        self._agent = AGENT
        self._rest = b""
        try:
            context = client_context(settings, verify=verify, present=present)
            plain = dial(host, self._port, seconds(settings["http_connect_timeout"]) or 120.0)
        except OSError as fault:
            raise Unreachable(_why_not_connected(fault, host, self._port)) from fault
        try:
            plain.settimeout(min(seconds(settings["http_read_timeout"]) or 600.0, 600.0))
            self._sock = context.wrap_socket(plain, server_hostname=host)
        except OSError as fault:
            plain.close()
            raise Unreachable(why(fault, host)) from fault

    @property
    def peer(self) -> str:
        """Return the address at the other end."""
        return str(self._sock.getpeername()[0])

    def call_yourself(self, agent: str) -> None:
        """Set the User-Agent."""
        self._agent = agent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def request(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, bytes]:
        """Return status and body of one request; raise `Unreachable`."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nUser-Agent: {self._agent}\r\n"
        if body or method in ("PUT", "POST"):
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        try:
            self._sock.sendall(head.encode() + b"Accept: application/json\r\n\r\n" + body)
            return self._answer()
        except OSError as fault:
            raise Unreachable(why(fault, self._host, reading=True)) from fault

    def _answer(self) -> tuple[int, bytes]:
        while b"\r\n\r\n" not in self._rest:
            self._read_more(_HEAD_LIMIT)
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        size = int(fields.get("content-length", "0"))
        while len(self._rest) < size:
            self._read_more(size + _HEAD_LIMIT)
        body, self._rest = self._rest[:size], self._rest[size:]
        return int(lines[0].split()[1]), body

    def _read_more(self, limit: int) -> None:
        chunk = self._sock.recv(65536)
        if not chunk or len(self._rest) > limit:
            raise ConnectionResetError("end of file reached")
        self._rest += chunk


def _why_not_connected(fault: OSError, host: str, port: int) -> str:
    if isinstance(fault, ssl.SSLError):
        return f"The certificates of this node cannot be used: {_reason(fault)}"
    if isinstance(fault, TimeoutError):
        detail = "execution expired"
    elif isinstance(fault, socket.gaierror):
        detail = f"getaddrinfo: {fault.strerror}"
    else:
        detail = f'{fault.strerror} - connect(2) for "{host}" port {port}'
    return f"Failed to open TCP connection to {host}:{port} ({detail})"


def _reason(fault: ssl.SSLError) -> str:
    """Return OpenSSL's reason as its own tools print it: lower case, without underscores."""
    return (fault.reason or str(fault)).lower().replace("_", " ")


def why(fault: OSError, host: str, *, reading: bool = False) -> str:
    """Return Puppet's words for a TLS failure."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        if "ostname mismatch" in fault.verify_message:
            return f"Server hostname '{host}' did not match server certificate; {fault.verify_message}"
        return f"certificate verify failed [{fault.verify_message} for CN={host}]"
    if isinstance(fault, ssl.SSLError):
        place = "SSL_read" if reading else "SSL_connect returned=1 errno=0 state=error"
        return f"{place}: {_reason(fault)}"
    if isinstance(fault, TimeoutError):
        return "Net::ReadTimeout with #<TCPSocket:(closed)>"
    return str(fault.strerror or fault)
