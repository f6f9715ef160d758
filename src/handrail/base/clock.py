"""The clock port: wall time for people, monotonic time for durations. Tests and replays bring their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What asks for the time."""

    def now(self) -> datetime:
        """Return the wall clock, in UTC."""

    def mono(self) -> float:
        """Return monotonic seconds; only differences mean anything, and only within one boot."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock, in UTC."""
        return datetime.now(UTC)

    def mono(self) -> float:
        """Return CLOCK_BOOTTIME seconds, which go on while a laptop sleeps."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class StillClock:
    """A clock on which no time passes: what is made with it goes on only when it is told to."""

    def now(self) -> datetime:
        """Return the beginning of 1970, always."""
        return datetime.fromtimestamp(0, UTC)

    def mono(self) -> float:
        """Return no seconds."""
        return 0.0


def stamp(when: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds, as journals and reports write it."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unstamp(text: str) -> datetime:
    """Return the time that `stamp` wrote."""
    return datetime.fromisoformat(text)
