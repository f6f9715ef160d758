"""One DNS message out, one back, over UDP or TCP. It knows nothing of what the messages mean.

Over TCP nothing is sent twice. Time limits are asyncio's monotonic ones: a wall clock that jumps changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name

from handrail.base.safe import safe
from handrail.dns.zone import NameServer

UDP_SENDS: Final = 3  # reads only: a lost packet is not a dead server


def to_name(plain: str) -> dns.name.Name:
    """Return dnspython's form of a plain name, absolute."""
    return dns.name.from_text(plain, dns.name.root)


class NoAnswerError(Exception):
    """A server did not answer, or not in a way that means anything; `str()` is a sentence without its subject."""


class _Datagrams(asyncio.DatagramProtocol):
    """Puts what a connected UDP socket hears into a queue."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.heard.put_nowait(exc)


async def query(message: dns.message.QueryMessage, server: NameServer, within: float) -> dns.message.Message:
    """Return the whole answer to a query: UDP, then TCP if it was cut short. Raises `NoAnswerError`."""
    try:
        async with asyncio.timeout(within):
            answer = await _over_udp(message, server, within / UDP_SENDS)
            return answer if answer is not None else await _query_over_tcp(message, server)
    except TimeoutError as error:
        raise NoAnswerError(f"does not answer within {within:g} s") from error
    except OSError as error:
        raise NoAnswerError(why(error)) from error


async def query_tcp(message: dns.message.QueryMessage, server: NameServer, within: float) -> dns.message.Message:
    """Return the answer to a query over TCP alone, for reads that decide something; raise `NoAnswerError`."""
    try:
        async with asyncio.timeout(within):
            return await _query_over_tcp(message, server)
    except TimeoutError as error:
        raise NoAnswerError(f"does not answer over TCP within {within:g} s") from error
    except OSError as error:
        raise NoAnswerError(why(error)) from error


def framed(wire: bytes) -> bytes:
    """Return a message with the two bytes of length that TCP wants (RFC 1035, 4.2.2)."""
    return struct.pack("!H", len(wire)) + wire


async def read_framed(reader: asyncio.StreamReader) -> bytes:
    """Return the next message of a TCP connection; raise `NoAnswerError` if it ends before the message does."""
    try:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise NoAnswerError("closed the connection without an answer") from error


def why(error: OSError) -> str:
    """Return what an operating system error means for an operator, as words without a subject."""
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections: nothing listens on that port"
    if isinstance(error, ConnectionError):
        return "cut the connection"
    return f"cannot be reached ({safe(error.strerror or str(error), 80)})"


async def _over_udp(message: dns.message.QueryMessage, server: NameServer, pause: float) -> dns.message.Message | None:
    """Return the answer to a query that is sent again after each `pause` s, or None if it must be asked over TCP."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        _Datagrams, remote_addr=(server.address, server.port)
    )  # connected: the kernel drops what others send, and a closed port is heard of at once
    try:
        wire = message.to_wire()
        while True:
            transport.sendto(wire)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    return await _first_answer(message, protocol)
    finally:
        transport.abort()


async def _first_answer(message: dns.message.QueryMessage, protocol: _Datagrams) -> dns.message.Message | None:
    while True:
        heard = await protocol.heard.get()
        if isinstance(heard, OSError):
            raise heard
        # Anything that is not our answer may be forged: wait on for the true one.
        with contextlib.suppress(dns.exception.DNSException, ValueError):
            try:
                answer = dns.message.from_wire(heard, raise_on_truncation=True)
            except dns.message.Truncated as cut:
                if _same_exchange(message, cut.message()):  # type: ignore[no-untyped-call]
                    return None
                continue
            if message.is_response(answer):
                return answer


def _same_exchange(message: dns.message.QueryMessage, cut: dns.message.Message) -> bool:
    """Tell whether a truncated message, whose sections may be cut short, answers ours."""
    return cut.id == message.id and bool(cut.flags & dns.flags.QR)


async def _query_over_tcp(message: dns.message.QueryMessage, server: NameServer) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(server.address, server.port)
    try:
        writer.write(framed(message.to_wire()))
        await writer.drain()
        wire = await read_framed(reader)
    finally:
        writer.transport.abort()
    try:
        answer = dns.message.from_wire(wire, raise_on_truncation=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise NoAnswerError(f"answers with a message that cannot be read ({safe(type(error).__name__)})") from error
    if not message.is_response(answer):
        raise NoAnswerError("answers something that was not asked")
    return answer
