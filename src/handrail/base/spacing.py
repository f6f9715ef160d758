"""How far apart looks at what moves are: close together when little moves, further when it never stops. It reads no clock."""

from __future__ import annotations

from typing import Final

USUAL: Final = 0.05  # seconds
QUICK: Final = 0.015
SPARE: Final = 4.0  # quick ones that may follow each other
REFILL: Final = 10.0  # more of them a second


class Spacing:
    """Quick for the first few of a flurry, so that a first line is seen at once; usual while a flood goes on."""

    def __init__(self) -> None:
        self._spare, self._asked = SPARE, 0.0

    def next(self, now: float) -> float:
        """Return how many seconds lie between the look that was taken at `now` and the next one."""
        self._spare = min(SPARE, self._spare + max(0.0, now - self._asked) * REFILL)
        self._asked = now
        if self._spare < 1:
            return USUAL
        self._spare -= 1
        return QUICK
