"""Bytes on their way from one host to another: held in pieces, never more than a little, and the slower side sets the pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Final

from handrail.base.frozen import dataclass

HELD: Final = 1 << 20  # bytes beyond which the sending side is asked to wait; its channel's window comes on top


@dataclass(frozen=True)
class Feed:
    """Input that is not held: its size in bytes, and what yields it from the first byte on, anew for every call.

    What it raises means that the input cannot be had whole: a job that waits for it is then never started.
    """

    size: int
    open: Callable[[], AsyncGenerator[bytes]]


class Valve:
    """Stops the channel that brings output while whoever takes it holds more than `most` bytes of it."""

    def __init__(self, most: int = HELD) -> None:
        self._most, self._held = most, 0
        self._pause: Callable[[], None] = lambda: None
        self._resume: Callable[[], None] = lambda: None
        self._paused = False
        self._letting_go = False

    def bind(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Take how the present channel is stopped and let go; after a lost link it is another one."""
        self._pause, self._resume, self._paused = pause, resume, False
        self._look()

    def fill(self, count: int) -> None:
        """Say that so many bytes came."""
        self._held += count
        self._look()

    def drain(self, count: int) -> None:
        """Say that so many of them are held no more."""
        self._held -= count
        self._look()

    def _look(self) -> None:
        """Stop or let go of the channel.

        Let go, it hands over all it has received, and is stopped again only then: asyncssh widens the window with each
        piece it hands over, so that what it holds would grow without bound if it were stopped in between.
        """
        if self._letting_go:
            return
        if self._paused and self._held <= self._most // 2:
            self._paused, self._letting_go = False, True
            self._resume()
            self._letting_go = False
        if not self._paused and self._held > self._most:
            self._paused = True
            self._pause()


class Pipe:
    """Takes what one call delivers and yields it to another one; full, its valve stops the channel that fills it."""

    def __init__(self, most: int = HELD) -> None:
        self.valve = Valve(most)
        self._pieces: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def put(self, data: bytes) -> None:
        """Take a piece."""
        self._pieces.append(data)
        self._news.set()
        self.valve.fill(len(data))

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._news.set()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield what came, until the end."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self.valve.drain(len(piece))
                yield piece
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()
