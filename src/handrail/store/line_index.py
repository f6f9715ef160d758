"""Finds lines by number in output that grows: one entry of memory per block of about 64 KiB, however many lines.

A line ends at its newline, or where another stream speaks before it came. A line of more than `BLOCK` bytes is a
block of its own, so that nobody ever has to read all of it. Pure bookkeeping: it is fed stretches, and reads no file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

from handrail.store.spool_index import Stream

BLOCK: Final = 64 << 10
LONG: Final = 4 * BLOCK  # a block larger than this is one line: see `LineIndex.feed`


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies: numbers of its first line and of the stretch it begins in, with the bytes to skip there.

    `start` counts all output, remarks included; `size` reaches to the next block, or to the end.
    """

    number: int
    first: int
    start: int
    size: int
    stretch: int
    skip: int


class LineIndex:
    """Where each block of lines begins; `feed` it every stretch in order, in pieces of at most `BLOCK` bytes."""

    def __init__(self) -> None:
        self._starts, self._firsts = array("Q", [0]), array("Q", [0])
        self._stretches, self._skips = array("Q", [0]), array("L", [0])
        self._lines = 0  # that have ended
        self._end = 0
        self._open = (0, 0, 0)  # where the line that has not ended begins: position, stretch, skip
        self._stream: Stream = "out"

    @property
    def line_count(self) -> int:
        """The number of lines; the one that has not ended counts once it has a byte."""
        return self._lines + (1 if self._end > self._open[0] else 0)

    @property
    def size(self) -> int:
        """All bytes that were fed."""
        return self._end

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        return len(self._starts)

    def copy(self) -> LineIndex:
        """Return one that knows the same, and goes on by itself."""
        other = LineIndex()
        other._starts, other._firsts = self._starts[:], self._firsts[:]
        other._stretches, other._skips = self._stretches[:], self._skips[:]
        other._lines, other._end, other._open, other._stream = self._lines, self._end, self._open, self._stream
        return other

    def feed(self, data: bytes, stream: Stream, stretch: int, skip: int) -> None:
        """Take the next piece: `stretch` is the number of its stretch, `skip` where in it the piece begins."""
        if stream != self._stream and self._end > self._open[0]:
            self._end_line(self._end, stretch, skip)
        self._stream = stream
        if self._end == self._open[0]:
            self._begin_line(stretch, skip)
        first = data.find(b"\n") + 1
        if first:
            self._end_line(self._end + first, stretch, skip + first)
            last = data.rfind(b"\n") + 1
            self._lines += data.count(b"\n", first)
            self._open = (self._end + last, stretch, skip + last)
        self._end += len(data)
        if self._open[0] - self._starts[-1] >= BLOCK or self._end - self._open[0] > BLOCK:
            self._cut()

    def block_of(self, line: int) -> Block:
        """Return the block that holds a line, which must exist."""
        return self.block(bisect_right(self._firsts, line) - 1)

    def block(self, number: int) -> Block:
        """Return a block by its number."""
        start = self._starts[number]
        return Block(
            number,
            self._firsts[number],
            start,
            self._end_of(number) - start,
            self._stretches[number],
            self._skips[number],
        )

    def together(self, number: int, most: int, direction: int) -> range:
        """Return the numbers of the blocks from one on, or back, that have at most so many bytes in all: at least that one."""
        if direction > 0:
            return range(number, max(number + 1, bisect_right(self._starts, self._starts[number] + most) - 1))
        low = bisect_left(self._starts, self._end_of(number) - most)
        return range(number, min(number, low) - 1, -1)

    def size_of(self, blocks: range) -> int:
        """Return how many bytes adjacent blocks have."""
        return self._end_of(max(blocks)) - self._starts[min(blocks)]

    def _end_of(self, number: int) -> int:
        return self._starts[number + 1] if number + 1 < len(self._starts) else self._end

    def _begin_line(self, stretch: int, skip: int) -> None:
        """Let the next line begin in this stretch, and not where the one before it happened to stop."""
        self._open = (self._end, stretch, skip)
        if self._starts[-1] == self._end:
            self._stretches[-1], self._skips[-1] = stretch, skip

    def _end_line(self, position: int, stretch: int, skip: int) -> None:
        """End the line that was begun; where it was a long one, its block ends with it."""
        self._lines += 1
        self._open = (position, stretch, skip)
        if position - self._starts[-1] >= BLOCK:
            self._cut()

    def _cut(self) -> None:
        """Begin a block at the line that has not ended, unless one begins there."""
        position, stretch, skip = self._open
        if position > self._starts[-1]:
            self._starts.append(position)
            self._firsts.append(self._lines)
            self._stretches.append(stretch)
            self._skips.append(skip)
