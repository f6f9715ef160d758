"""A job's output on its way into its spool, in the order in which it came: little of it at once, much of it beside the loop.

Masking, hashing and writing hold no key up in a thread; each hand-over has its price, so it waits until there is much. The
spool is all it knows: it may not look at what it stores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from handrail.base.clock import Clock
from handrail.base.failpoint import boundary
from handrail.ssh.flow import Valve
from handrail.store.spool import Spool
from handrail.store.spool_index import HostStream

MUCH: Final = 1 << 20  # bytes that take long to sync
BESIDE: Final = 64 << 10  # bytes that are worth a thread ...
GATHER: Final = 0.02  # ... and the seconds in which they become more
HELD: Final = 32 << 20  # bytes beyond which the host is asked to wait
AT_ONCE: Final = 4 << 20  # bytes that are masked in one go: no other thread runs meanwhile
_WRITERS: Final = ThreadPoolExecutor(2, "spool")

_Piece = tuple[HostStream, bytes]


class Storing:
    """Stores what one job says; `told` is called in the loop whenever some of it is stored."""

    def __init__(self, spool: Spool | None, clock: Clock, told: Callable[[], None]) -> None:
        """Take where it goes; without a spool it goes nowhere, and is told of all the same."""
        self.valve = Valve(HELD)
        self._spool, self._clock, self._told = spool, clock, told
        self._waiting: list[_Piece] = []  # what is stored at the loop's next turn, or a moment later
        self._size = 0  # bytes of it
        self._soon: asyncio.TimerHandle | None = None
        self._under_way: Future[None] | None = None
        self._fault: BaseException | None = None

    def put(self, stream: HostStream, data: bytes) -> None:
        """Take a piece: a link hands over many small ones in one turn of the loop. Raises what storing raised before."""
        if self._fault is not None:
            raise self._fault
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._store_soon)
        self._waiting.append((stream, data))
        self._size += len(data)
        self.valve.fill(len(data))

    def store(self) -> None:
        """Return when all that came is stored; the loop waits for it."""
        self._not_soon()
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
        waiting, at = self._take()
        self._write(waiting, at)
        self._over(waiting)

    async def settle(self) -> None:
        """Return when all that came is stored, and what was much is synced: no key waits for the disk when it is sealed."""
        while self._soon is not None or self._under_way is not None:
            if self._soon is not None:
                self._hand_over()
            if self._under_way is not None:
                await asyncio.shield(asyncio.wrap_future(self._under_way))
        self.store()
        if self._fault is not None:
            raise self._fault
        if self._spool is not None and self._spool.unsynced > MUCH:
            await asyncio.to_thread(self._spool.sync)

    def _store_soon(self) -> None:
        if self._under_way is not None or self._soon is not None or not self._waiting:
            return
        if self._spool is not None and self._size >= AT_ONCE:
            self._hand_over()
            return
        if self._spool is not None and self._size >= BESIDE:
            self._soon = asyncio.get_running_loop().call_later(GATHER, self._hand_over)
            return
        try:
            self.store()
        except Exception as fault:  # noqa: BLE001 - a border: a fault of ours goes to who waits for the job, not to the loop
            self._fault = fault

    def _hand_over(self) -> None:
        """Have what waits stored beside the loop."""
        self._not_soon()
        loop, (waiting, at) = asyncio.get_running_loop(), self._take()

        def over(done: Future[None]) -> None:
            self._under_way = None if self._under_way is done else self._under_way
            self._fault = self._fault or done.exception()
            self._over(waiting)
            self._store_soon()

        self._under_way = _WRITERS.submit(self._write, waiting, at)
        self._under_way.add_done_callback(lambda done: loop.call_soon_threadsafe(over, done))

    def _not_soon(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _take(self) -> tuple[list[_Piece], float]:
        """Return what waits, and the time; nothing waits any more."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        return waiting, self._clock.mono()

    def _write(self, waiting: list[_Piece], at: float) -> None:
        for stream, data in _joined(waiting) if self._spool is not None else ():
            assert self._spool is not None
            with boundary("output.store"):
                self._spool.write(stream, data, at)

    def _over(self, stored: list[_Piece]) -> None:
        if stored:
            self.valve.drain(sum(len(data) for _, data in stored))
            self._told()


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Yield what came on one stream together, in goes that are not too large."""
    parts: list[bytes] = []
    size = 0
    for number, (stream, data) in enumerate(pieces, 1):
        parts.append(data)
        size += len(data)
        if number == len(pieces) or pieces[number][0] != stream or size >= AT_ONCE:
            if size:
                yield stream, b"".join(parts)
            parts, size = [], 0
