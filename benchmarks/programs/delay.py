"""A network that is far away: `delay.py MILLISECONDS PORT:TO ...` passes every piece on that much later, in either direction.

Connecting takes a round trip as well. Bytes are passed on in their order, and how many are under way at once is not bounded.
"""

from __future__ import annotations

import asyncio
import socket
import sys


class Side(asyncio.Protocol):
    """One end of a connection: what it receives, the other end writes a little later."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send small pieces at once."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Pass it on, later."""
        asyncio.get_running_loop().call_later(self.delay, self._pass_on, data)

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end, later."""
        if self.other is not None and self.other.transport is not None:
            asyncio.get_running_loop().call_later(self.delay, self.other.transport.close)


class Door(Side):
    """The near end: the far one is connected a round trip later."""

    def __init__(self, delay: float, to: int, tasks: set[asyncio.Task[None]]) -> None:
        super().__init__(delay)
        self.to, self.tasks, self.early = to, tasks, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Go there."""
        super().connection_made(transport)
        task = asyncio.get_running_loop().create_task(self._connect())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Pass it on once the other end is there."""
        if self.other is None:
            self.early += data
        else:
            super().data_received(data)

    async def _connect(self) -> None:
        await asyncio.sleep(2 * self.delay)
        loop = asyncio.get_running_loop()
        _, there = await loop.create_connection(lambda: Side(self.delay), "127.0.0.1", self.to)
        there.other, self.other = self, there
        if self.early:
            super().data_received(bytes(self.early))


async def main(delay: float, pairs: list[str]) -> None:
    """Serve until it is ended."""
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    for pair in pairs:
        here, there = map(int, pair.split(":"))
        await loop.create_server(lambda there=there: Door(delay, there, tasks), "127.0.0.1", here)  # type: ignore[misc]
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000, sys.argv[2:]))
