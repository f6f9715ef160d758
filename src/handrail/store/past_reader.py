"""Reads an output as it stood at an earlier moment: for a replay. Going back begins anew; it writes nothing.

The index beside the output says what came when. Where there is none, the lines are spread evenly over the time that the
step took, and `spread` says so. It may not make text of what it reads.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Final

from handrail.base.frozen import dataclass
from handrail.store.spool_index import SIZE, Stretch, beside, read_stretches
from handrail.store.spool_reader import SpoolReader
from handrail.store.trusted import open_trusted

_PIECE: Final = 64 << 10  # bytes of a stretch that is made up
_MOST: Final = 4096  # stretches that are made up


@dataclass(frozen=True)
class Span:
    """When a step ran, in ms since 1970."""

    since: int
    until: int


class PastReader(SpoolReader):
    """One reader of one output up to a moment: `now` returns it, in ms since 1970."""

    def __init__(self, path: Path, now: Callable[[], int], ran: Span) -> None:
        super().__init__(path)
        self._now, self._ran = now, ran
        self._made: list[Stretch] | None = None  # what stands for an index that is not there
        self._times: list[int] = []
        self._seen = -1

    @property
    def spread(self) -> bool:
        """Tell whether it is not recorded what came when."""
        return self._made is not None

    def learn(self, other: SpoolReader) -> None:
        """Learn nothing: another reader may stand at another moment."""

    def refresh(self, limit: int | None = None) -> bool:
        """Take notice of the moment; one that lies earlier begins anew."""
        now = self._now()
        if now < self._seen:
            self._forget()
        self._seen = now
        return super().refresh(limit)

    def _open(self) -> bool:
        if all(path.exists() for path in beside(self.path)):
            opened = super()._open()
            self._times = self._recorded() if opened else []
            return opened
        if not self.path.exists():
            return False
        log = open_trusted(self.path, os.O_RDONLY, at="spool.read")
        self._fds = (log, os.dup(log), os.dup(log))
        self._made = _spread(log, self._ran)
        self._times = [stretch.at_ms for stretch in self._made]
        return True

    def _recorded(self) -> list[int]:
        """Return when each stretch came, in order: a clock that was set back does not put a line before the one above it."""
        assert self._fds
        times: list[int] = []
        count = os.fstat(self._fds[1]).st_size // SIZE - 1
        while len(times) < count and (found := read_stretches(self._fds[1], len(times), 4096)):
            for stretch in found:
                times.append(max(stretch.at_ms, times[-1] if times else 0))
        return times

    def _total(self) -> int:
        return bisect_right(self._times, self._seen)

    def _fetch(self, first: int, count: int) -> list[Stretch]:
        if self._made is None:
            return super()._fetch(first, count)
        return self._made[first : first + count]


def came_at(path: Path) -> list[int]:
    """Return when the pieces of an output came, in ms since 1970; nothing where that is not recorded."""
    reader = PastReader(path, lambda: 0, Span(0, 0))
    try:
        reader.refresh()
        return [] if reader.spread else list(reader._times)
    finally:
        reader.close()


def _spread(log: int, ran: Span) -> list[Stretch]:
    """Return stretches of whole lines, evenly apart."""
    size = os.fstat(log).st_size
    ends: list[int] = []
    done, piece = 0, max(1, size // _MOST)
    while done < size and (data := os.pread(log, _PIECE, done)):
        at = 0
        while (end := data.find(b"\n", at)) >= 0:
            at = end + 1
            if not ends or done + at - ends[-1] >= piece:
                ends.append(done + at)
        done += len(data)
    if not ends or ends[-1] < size:
        ends.append(size)
    made, begun = [], 0
    for number, end in enumerate(ends, 1):
        at_ms = ran.since + (ran.until - ran.since) * number // (len(ends) + 1)
        made.append(Stretch(begun, end - begun, "out", False, at_ms, end))
        begun = end
    return made
