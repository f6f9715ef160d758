"""A message socket in the estate's loop: sends without blocking, calls back for each message. It starts nothing."""

from __future__ import annotations

import asyncio
import collections
import os
import socket
from collections.abc import Callable, Sequence

from handrail_sim.inside import wire


class AsyncWire:
    """One end of a SOCK_SEQPACKET pair; `on_end` is called once when the other end is gone."""

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[wire.Message, list[int]], None],
        on_end: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_message, self._on_end = on_message, on_end
        self._loop = asyncio.get_running_loop()
        self._waiting: collections.deque[tuple[bytes, list[int]]] = collections.deque()
        self._open = True
        self._loop.add_reader(sock, self._readable)

    @property
    def ended(self) -> bool:
        """Tell whether either end is closed."""
        return not self._open

    def send(self, message: wire.Message, fds: Sequence[int] = ()) -> None:
        """Send a message, now or as soon as there is room; the descriptors are copied. ValueError: it is too large."""
        data = wire.encode(message)
        if not self._open:
            return
        if not self._waiting and self._try(data, fds):
            return
        self._waiting.append((data, [os.dup(fd) for fd in fds]))
        self._loop.add_writer(self._sock, self._writable)

    def close(self) -> None:
        """Close this end, without calling `on_end`."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            for _data, fds in self._waiting:
                _close(fds)
            self._waiting.clear()
            self._sock.close()

    def _try(self, data: bytes, fds: Sequence[int]) -> bool:
        """Send now if there is room; what cannot be sent because the other end is gone counts as sent."""
        try:
            socket.send_fds(self._sock, [data], list(fds))
        except BlockingIOError:
            return False
        except OSError:
            self._loop.call_soon(self._end)
        return True

    def _writable(self) -> None:
        while self._waiting and self._try(*self._waiting[0]):
            _close(self._waiting.popleft()[1])
        if not self._waiting and self._open:
            self._loop.remove_writer(self._sock)

    def _readable(self) -> None:
        while self._open:
            try:
                message, fds = wire.receive(self._sock)
            except BlockingIOError:
                return
            except OSError:
                message, fds = None, []
            if message is None:
                self._end()
                return
            self._on_message(message, fds)

    def _end(self) -> None:
        if self._open:
            self.close()
            self._on_end()


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
