"""Scale: run seconds to a place on the timeline. Long stretches in which nothing ran are folded, and marked as folded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from handrail.base.frozen import dataclass

LEAST: Final = 45.0  # seconds of nothing that are never folded
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True)
class Fold:
    """A stretch that is drawn shorter than it was: from `since` to `until`, as if it had taken `drawn` seconds."""

    since: float
    until: float
    drawn: float


@dataclass(frozen=True)
class Scale:
    """Where on `width` units each moment of `length` seconds stands."""

    length: float
    width: float
    folds: tuple[Fold, ...] = ()

    def x(self, at: float) -> float:
        """Return the place of a moment, within 0 and `width`."""
        inside = min(max(0.0, at), self.length)
        return round(self.width * self._drawn(inside) / (self._drawn(self.length) or 1.0), 1)

    def _drawn(self, at: float) -> float:
        saved = 0.0
        for fold in self.folds:
            if at >= fold.until:
                saved += fold.until - fold.since - fold.drawn
            elif at > fold.since:
                part = (at - fold.since) / (fold.until - fold.since)
                return fold.since + part * fold.drawn - saved
        return at - saved

    def ticks(self) -> tuple[float, ...]:
        """Return about eight round moments, none inside a fold."""
        shown = self._drawn(self.length)
        step = next((s for s in _STEPS if shown / s <= 9), max(1.0, shown / 8))
        every = (step * n for n in range(int(min(self.length / step, 10_000)) + 1))
        apart: list[float] = []
        for at in every:
            folded = any(f.since < at < f.until for f in self.folds)
            if not folded and (not apart or self.x(at) - self.x(apart[-1]) > self.width / 14):
                apart.append(at)
        return tuple(apart)


def scale(length: float, width: float, busy: Iterable[tuple[float, float]], moments: Sequence[float]) -> Scale:
    """Return a scale on which long stretches without work and without a moment are folded to an eighth of what is busy."""
    spans = sorted([*busy, *((at, at) for at in moments), (0.0, 0.0), (length, length)])
    worked = sum(end - start for start, end in spans)
    drawn = max(4.0, worked / 8)
    folds, reached = [], 0.0
    for (_, end), (start, _) in pairwise(spans):
        reached = max(reached, end)
        if start - reached > max(LEAST, 4 * drawn):
            folds.append(Fold(reached, start, drawn))
    return Scale(length, width, tuple(folds))
