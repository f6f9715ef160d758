"""DNS over UDP and TCP (RFC 1035 4.2, RFC 7766): framing, limits, time-outs. It never looks inside a message."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

Peer = tuple[str, int]
Respond = Callable[[bytes, Peer, bool], Awaitable[Sequence[bytes]]]
"""Takes a message, who sent it and whether it came over TCP; returns the messages to send back, none for silence."""

MAX_CONNECTIONS: Final = 128
MAX_WAITING: Final = 512  # UDP questions being answered at once
IDLE: Final = 10.0  # seconds a TCP connection may say nothing
BACKLOG: Final = 128

log = logging.getLogger("handrail_sim.dns")


class DnsSockets:
    """The UDP socket and the TCP listener of one address and port."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._tasks: set[asyncio.Task[None]] = set()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self.port = 0

    async def listen(self, host: str, port: int) -> None:
        """Bind both transports to the same port; port 0 picks one that is free for both; raise OSError."""
        loop = asyncio.get_running_loop()
        for attempt in range(8):
            self._tcp = await asyncio.start_server(self._serve_stream, host, port, backlog=BACKLOG)
            self.port = cast(Peer, self._tcp.sockets[0].getsockname())[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self._take_datagram), local_addr=(host, self.port)
                )
            except OSError:
                self._tcp.close()
                if port or attempt == 7:
                    raise
            else:
                return

    async def close(self) -> None:
        """Close the listeners and every connection."""
        if self._udp:
            self._udp.close()
        if self._tcp:
            self._tcp.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take_datagram(self, wire: bytes, peer: Peer, transport: asyncio.DatagramTransport) -> None:
        if len(self._tasks) < MAX_WAITING:  # beyond that a client's own retry is the queue
            self._track(asyncio.create_task(self._answer_datagram(wire, peer, transport)))

    async def _answer_datagram(self, wire: bytes, peer: Peer, transport: asyncio.DatagramTransport) -> None:
        for message in await self._guarded(wire, peer, tcp=False):
            transport.sendto(message, peer)

    async def _guarded(self, wire: bytes, peer: Peer, *, tcp: bool) -> Sequence[bytes]:
        try:
            return await self._respond(wire, peer, tcp)
        except Exception:
            log.exception("a message from %s could not be answered", peer[0])
            return ()

    def _track(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        crowded = len(self._tasks) >= MAX_CONNECTIONS
        self._track(task)
        try:
            if not crowded:
                await self._converse(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client went away, or kept silent
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one message after the other until the client leaves or is idle for too long."""
        peer = cast(Peer, writer.get_extra_info("peername")[:2])
        while True:
            async with asyncio.timeout(IDLE):
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                wire = await reader.readexactly(size)
            for message in await self._guarded(wire, peer, tcp=True):
                writer.write(struct.pack("!H", len(message)) + message)
                async with asyncio.timeout(IDLE):
                    await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Peer, asyncio.DatagramTransport], None]) -> None:
        self._take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._take(data, cast(Peer, addr[:2]), self._transport)


def parse_endpoint(text: str) -> Peer:
    """Return the host and port of "192.0.2.1:53"; raise ValueError."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65536):
        raise ValueError(f"{text!r} is not ADDRESS:PORT")
    return host, int(port)
