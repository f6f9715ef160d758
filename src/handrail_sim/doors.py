"""Doors: ports of 127.x.y.z outside that lead to a port inside a host. They delay, stall, refuse and drop on demand."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from handrail_sim.machine import HostDown
from handrail_sim.relay import Relay, reset_on_close

Connect = Callable[[], Awaitable[socket.socket]]
_BACKLOG: Final = 256
_MOST_PEERS: Final = 256
_DATAGRAM: Final = 65535


class TcpDoor:
    """Accepts at an outside address and relays each connection to what `connect` returns."""

    def __init__(self, outside: tuple[str, int], connect: Connect, delay: Callable[[], float]) -> None:
        self.outside = outside
        self._connect, self._delay = connect, delay
        self._listener: socket.socket | None = None
        self._relays: set[Relay] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled = False

    def open(self) -> None:
        """Listen; raise OSError. Once listening, opening again does nothing."""
        if self._listener is None:
            self._listener = _bound(socket.SOCK_STREAM, self.outside)
            self._listener.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def close(self) -> None:
        """Refuse from now on and drop what is connected."""
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        self.drop()

    def count(self) -> int:
        """Return how many connections there are."""
        return len(self._relays)

    def drop(self) -> int:
        """Break every connection at once; return how many there were."""
        for task in self._tasks:
            task.cancel()
        count = self.count()
        for relay in list(self._relays):
            relay.abort()
        return count

    def stall(self, *, on: bool) -> None:
        """Let nothing through, in silence, or let it go on; new connections are accepted and hear nothing."""
        self._stalled = on
        for relay in self._relays:
            relay.stall(on=on)

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _address = listener.accept()
        except OSError:  # the caller went away again, or no descriptor is left
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.get_running_loop().create_task(self._carry(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, outer: socket.socket) -> None:
        try:
            inner = await self._connect()
        except (OSError, HostDown):
            reset_on_close(outer)
            outer.close()
            return
        except BaseException:
            outer.close()
            raise
        relay = Relay(self._delay, stalled=self._stalled)
        self._relays.add(relay)
        relay.closed.add_done_callback(lambda _done: self._relays.discard(relay))
        try:
            await _attach(relay, outer, inner)
        except BaseException:  # dropped, or gone, before both ends were taken
            self._relays.discard(relay)
            reset_on_close(outer)
            relay.abort()
            outer.close()
            inner.close()
            raise


async def _attach(relay: Relay, outer: socket.socket, inner: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(lambda: relay.outer, outer)
    if inner.family == socket.AF_UNIX:
        await loop.create_unix_connection(lambda: relay.inner, sock=inner)
    else:
        await loop.create_connection(lambda: relay.inner, sock=inner)


class UdpDoor:
    """Passes datagrams on, with a socket inside for each peer outside; the least recently heard one goes first."""

    def __init__(self, outside: tuple[str, int], connect: Connect, delay: Callable[[], float]) -> None:
        self.outside = outside
        self._connect, self._delay = connect, delay
        self._sock: socket.socket | None = None
        self._inner: collections.OrderedDict[Any, socket.socket] = collections.OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled = False

    def open(self) -> None:
        """Take datagrams from now on; raise OSError."""
        if self._sock is None:
            self._sock = _bound(socket.SOCK_DGRAM, self.outside)
            asyncio.get_running_loop().add_reader(self._sock, self._readable, self._sock)

    def close(self) -> None:
        """Take nothing any more."""
        if self._sock:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        self.drop()

    def drop(self) -> int:
        """Forget every peer; return how many there were."""
        count = len(self._inner)
        for task in self._tasks:
            task.cancel()
        while self._inner:
            self._forget(next(iter(self._inner)))
        return count

    def stall(self, *, on: bool) -> None:
        """Lose every datagram, or carry them again."""
        self._stalled = on

    def _readable(self, sock: socket.socket) -> None:
        try:
            data, peer = sock.recvfrom(_DATAGRAM)
        except OSError:
            return
        if self._stalled:
            return
        task = asyncio.get_running_loop().create_task(self._inward(data, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _inward(self, data: bytes, peer: object) -> None:
        if peer not in self._inner:
            try:
                made = await self._connect()
            except (OSError, HostDown):
                return
            self._adopt(peer, made)
        self._inner.move_to_end(peer)
        self._later(self._inner[peer], data)

    def _adopt(self, peer: object, made: socket.socket) -> None:
        if peer in self._inner:  # another datagram of the same peer was faster
            made.close()
            return
        self._inner[peer] = made
        asyncio.get_running_loop().add_reader(made, self._outward, made, peer)
        if len(self._inner) > _MOST_PEERS:
            self._forget(next(iter(self._inner)))

    def _forget(self, peer: object) -> None:
        sock = self._inner.pop(peer)
        asyncio.get_running_loop().remove_reader(sock)
        sock.close()

    def _outward(self, inner: socket.socket, peer: object) -> None:
        try:
            data = inner.recv(_DATAGRAM)
        except OSError:  # nobody listens inside (ICMP); the peer outside hears nothing, as across a firewall
            return
        if self._sock and not self._stalled:
            self._later(self._sock, data, peer)

    def _later(self, sock: socket.socket, data: bytes, peer: object = None) -> None:
        def send() -> None:
            with contextlib.suppress(OSError):  # closed or full meanwhile: lost, as datagrams may be
                sock.sendto(data, cast("tuple[str, int]", peer)) if peer else sock.send(data)

        delay = self._delay()
        if delay:
            asyncio.get_running_loop().call_later(delay, send)
        else:
            send()


Door = TcpDoor | UdpDoor


def _bound(kind: socket.SocketKind, outside: tuple[str, int]) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(outside)
    except BaseException:
        sock.close()
        raise
    return sock
