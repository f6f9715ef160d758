"""Carries bytes between two stream transports with a delay, and lets them stall without closing. It opens nothing."""

from __future__ import annotations

import asyncio
import collections
import socket
import struct
from collections.abc import Callable
from typing import Final

_NO_LINGER: Final = struct.pack("ii", 1, 0)
_MOST_QUEUED: Final = 1 << 20  # bytes held back in one direction before its source is asked to wait


class Side(asyncio.Protocol):
    """One end of a relay: what arrives here leaves at the other end."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.transport: asyncio.Transport | None = None
        self.peer: Side = self
        self._queue: collections.deque[tuple[float, bytes | None]] = collections.deque()  # None is the end of input
        self._queued = 0
        self._timer: asyncio.TimerHandle | None = None
        self._holds: set[str] = set()
        self._finished = False  # the end of what came in here has been passed on
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; bytes that came for it meanwhile are written."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        for why in self._holds:
            self.hold(why)
        self.peer.pump()

    def data_received(self, data: bytes) -> None:
        """Send on, after the delay."""
        self._push(data)

    def eof_received(self) -> bool:
        """Send the end of input on; the other direction stays open."""
        self._push(None)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end after what is still on its way."""
        self.lost = True
        self._relay.side_lost(self)
        self.pump()

    def pause_writing(self) -> None:
        """Stop reading at the other end: it sends faster than this one takes."""
        self.peer.hold("slow")

    def resume_writing(self) -> None:
        """Read on at the other end."""
        self.peer.release("slow")

    def hold(self, why: str) -> None:
        """Stop reading here until every reason to is released."""
        self._holds.add(why)
        if self.transport and not self.transport.is_closing():
            self.transport.pause_reading()

    def release(self, why: str) -> None:
        """Drop one reason to hold; read on when it was the last."""
        self._holds.discard(why)
        if not self._holds and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()

    def pump(self) -> None:
        """Write to the other end what is due, unless the line is stalled; set a timer for what is not."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._queue and self.peer.transport and not self._relay.stalled:
            due, data = self._queue[0]
            if due > loop.time():
                self._timer = loop.call_at(due, self.pump)
                return
            self._queue.popleft()
            self._write(data)
        if self.lost and not self._queue and self.peer.transport and not self._relay.stalled:
            self.peer.transport.close()

    def _push(self, data: bytes | None) -> None:
        self._queue.append((asyncio.get_running_loop().time() + self._relay.delay(), data))
        self._queued += len(data or b"")
        if self._queued > _MOST_QUEUED:
            self.hold("full")
        self.pump()

    def _write(self, data: bytes | None) -> None:
        target = self.peer.transport
        if target is None or target.is_closing():
            return
        if data is None:
            self._finished = True
            if self.peer._finished:  # both directions have ended, and both ends would wait for ever
                self._close_both()
            elif target.can_write_eof():
                target.write_eof()
            return
        target.write(data)
        self._queued -= len(data)
        if self._queued <= _MOST_QUEUED:
            self.release("full")

    def _close_both(self) -> None:
        """Close both ends, each after what it still has to write."""
        for side in (self, self.peer):
            if side.transport:
                side.transport.close()


class Relay:
    """Two sides and the line between them."""

    def __init__(self, delay: Callable[[], float], *, stalled: bool) -> None:
        self.delay = delay
        self.stalled = stalled
        self.outer, self.inner = Side(self), Side(self)
        self.outer.peer, self.inner.peer = self.inner, self.outer
        self.closed = asyncio.get_running_loop().create_future()

    def stall(self, *, on: bool) -> None:
        """Hold everything that is on its way, or let it go on."""
        self.stalled = on
        if not on:
            self.outer.pump()
            self.inner.pump()

    def abort(self) -> None:
        """Break both ends at once; the console's sees a reset, not an orderly end."""
        for side in (self.outer, self.inner):
            if side.transport and not side.lost:
                reset_on_close(side.transport.get_extra_info("socket"))
                side.transport.abort()

    def side_lost(self, side: Side) -> None:
        """Note the end of one side; the relay is over when the console's side is."""
        if side is self.outer and not self.closed.done():
            self.closed.set_result(None)


def reset_on_close(sock: socket.socket) -> None:
    """Make the close of a TCP socket a reset (socket(7), SO_LINGER with no time)."""
    if sock.family == socket.AF_INET and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
