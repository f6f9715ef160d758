"""A run as a reel: what was so after each record, when, and how time passes when it is played again. Pure but for its maker.

Run seconds in which nothing happened and nothing was said are passed over quickly; everything else keeps its time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from handrail.base.clock import unstamp
from handrail.base.frozen import dataclass
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.evolve import evolve
from handrail.engine.outline import Outline
from handrail.engine.state import State, fresh
from handrail.store.chain import Record

IDLE: Final = 6.0  # seconds of nothing from which on they are shortened ...
LEFT: Final = 1.0  # ... to this many, at single speed, after and before a second at each end


@dataclass(frozen=True)
class Frame:
    """What was so after one record: run seconds `at`, the time of day `wall`; `records` counts the journal up to it."""

    at: float
    wall: datetime
    records: int
    event: e.Event
    state: State


@dataclass(frozen=True)
class Reel:
    """All frames in order, what time is shortened, and the marks: the frames in which a step, or its undo, was begun."""

    frames: tuple[Frame, ...]
    gaps: tuple[tuple[float, float], ...] = ()
    marks: tuple[int, ...] = ()
    stops: tuple[int, ...] = ()  # the marks, and where an attempt had said everything

    @property
    def length(self) -> float:
        """Return the run seconds of the last frame."""
        return self.frames[-1].at

    def seen(self, at: float) -> int:
        """Return how many frames there are up to a moment; the first is always there."""
        return max(1, bisect_right(self.frames, at, key=lambda frame: frame.at))

    def wall(self, at: float, count: int) -> datetime:
        """Return the time of day of a moment that `count` frames have led to."""
        frame = self.frames[count - 1]
        return frame.wall + timedelta(seconds=max(0.0, at - frame.at))

    def at_wall(self, wall: datetime) -> float:
        """Return the run seconds of a time of day, by the frame before it."""
        found = max(0, bisect_right(self.frames, wall, key=lambda frame: frame.wall) - 1)
        return self.frames[found].at + max(0.0, (wall - self.frames[found].wall).total_seconds())

    def gap(self, at: float) -> float:
        """Return the length of the gap that a moment lies in; 0 outside."""
        found = bisect_right(self.gaps, at, key=lambda gap: gap[0]) - 1
        return self.gaps[found][1] - self.gaps[found][0] if found >= 0 and at < self.gaps[found][1] else 0.0

    def onward(self, at: float, seconds: float) -> float:
        """Return where one is after playing for some seconds at single speed."""
        while seconds > 1e-9 and at < self.length:
            inside = self.gap(at)
            found = bisect_right(self.gaps, at, key=lambda gap: gap[0])
            ahead = self.gaps[found][0] if found < len(self.gaps) else self.length
            until = self.gaps[found - 1][1] if inside else min(ahead, self.length)
            rate = max(1.0, inside / LEFT)
            step = min(until - at, seconds * rate)
            at, seconds = (until if step >= until - at else at + step), seconds - step / rate
        return min(at, self.length)

    def mark_after(self, count: int) -> int | None:
        """Return the next mark's frame number (from 0) when `count` frames were seen; None when there is none."""
        found = bisect_left(self.marks, count)
        return self.marks[found] if found < len(self.marks) else None

    def mark_before(self, count: int) -> int | None:
        """Return the last mark's frame number before the frame that is in view; None when there is none."""
        found = bisect_left(self.marks, count - 1)
        return self.marks[found - 1] if found else None

    def stop_after(self, count: int) -> int | None:
        """Return the next stop's frame number when `count` frames were seen; None when there is none."""
        found = bisect_left(self.stops, count)
        return self.stops[found] if found < len(self.stops) else None

    def passed(self, count: int) -> int:
        """Return how many marks were passed when `count` frames were seen."""
        return bisect_left(self.marks, count)


def frames_of(outline: Outline, records: Sequence[Record]) -> tuple[Frame, ...]:
    """Return what was so after each record; those of the store's own, and of later versions, are passed over."""
    state, at, wall, found = fresh(outline), 0.0, None, []
    for number, record in enumerate(records, 1):
        event = decode_event(record.event, record.body)
        if event is None:
            continue
        state, at = evolve(state, event), max(at, event.at)
        when = unstamp(record.ts)
        wall = when if wall is None or when > wall else wall  # a clock that was set back does not turn the order round
        found.append(Frame(at, wall, number, event, state))
    return tuple(found)


def reel_of(frames: tuple[Frame, ...], said: Iterable[float]) -> Reel:
    """Return the reel of some frames; `said` are the run seconds at which output came."""
    moments = sorted({*(frame.at for frame in frames), *(at for at in said if at <= frames[-1].at)})
    gaps = tuple((a + LEFT, b - LEFT) for a, b in pairwise(moments) if b - a > IDLE)
    marks = tuple(n for n, frame in enumerate(frames) if isinstance(frame.event, e.AttemptStarted))
    whole = (n - 1 for n, frame in enumerate(frames) if n and isinstance(frame.event, e.AttemptEnded))
    return Reel(frames, gaps, marks, tuple(sorted({*marks, *whole})))
