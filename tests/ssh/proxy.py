"""A TCP proxy that misbehaves on demand: cut, stall, delay. For tests of links; it knows nothing of SSH."""

from __future__ import annotations

import asyncio


class Proxy:
    """Stands at `port` and passes bytes on to `to_port`.

    `cut()` resets every connection; `stall()` stops passing bytes and keeps all open (a half-open link), `flow()` goes on;
    `delay` is added to every piece, per direction; each number in `cuts` resets one connection, in the order they are accepted,
    once that many bytes came from the server.
    """

    def __init__(self, to_port: int, to_host: str = "127.0.0.1") -> None:
        self._to = (to_host, to_port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.delay = 0.0
        self.cuts: list[int] = []
        self.refuse = False
        self.port = 0
        self.accepted = 0

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """Pass nothing on from now, and close nothing."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass on again."""
        self._flowing.set()

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.flow()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        limit = self.cuts.pop(0) if self.cuts else None
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            if self.refuse:
                return
            back, other = await asyncio.open_connection(*self._to)
            self._writers.add(other)
            await asyncio.gather(self._pump(reader, other, None), self._pump(back, writer, limit))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, other):
                if each is not None:
                    each.transport.abort()
                    self._writers.discard(each)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        count = 0
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flowing.wait()
            count += len(data)
            if limit is not None and count >= limit:
                writer.write(data[: max(0, limit - (count - len(data)))])
                await writer.drain()
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
