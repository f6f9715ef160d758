"""Asking a person what no file holds: passphrases, sudo passwords, one-time codes. It shows nothing and writes nothing.

Who is asked is told from outside (`Ask`); without anybody every question is declined at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

from handrail.base.frozen import dataclass
from handrail.base.secrets import Secret

Kind = Literal["passphrase", "sudo", "code"]


@dataclass(frozen=True)
class Question:
    """One question: `title` says who asks, `text` what; both are showable. `wrong` says why it is asked again."""

    kind: Kind
    title: str
    text: str
    echo: bool = False
    wrong: str = ""


Ask = Callable[[Question], Awaitable[Secret | None]]
"""Return the answer, or None when the person would rather not give one."""


async def nobody(_question: Question) -> Secret | None:
    """Decline: nobody is there."""
    return None


class Patience:
    """Time limits that stand still while a person is asked: nobody types a code within a read's ten seconds."""

    def __init__(self) -> None:
        self._clocks: dict[asyncio.Timeout, float | None] = {}
        self._asking = 0

    @asynccontextmanager
    async def limit(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """Bound a piece of work, as `asyncio.timeout` does, but for the time in which a person is asked."""
        async with asyncio.timeout(seconds) as clock:
            self._clocks[clock] = None
            if self._asking:
                self._stop(clock)
            try:
                yield clock
            finally:
                del self._clocks[clock]

    @contextmanager
    def person(self) -> Iterator[None]:
        """Stop every clock until the person has answered."""
        self._asking += 1
        if self._asking == 1:
            for clock in self._clocks:
                self._stop(clock)
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                for clock in self._clocks:
                    self._go_on(clock)

    def _stop(self, clock: asyncio.Timeout) -> None:
        when = clock.when()
        if when is not None and not clock.expired():
            self._clocks[clock] = max(0.0, when - asyncio.get_running_loop().time())
            clock.reschedule(None)

    def _go_on(self, clock: asyncio.Timeout) -> None:
        left = self._clocks[clock]
        if left is not None and not clock.expired():
            self._clocks[clock] = None
            clock.reschedule(asyncio.get_running_loop().time() + left)
