"""Reads an output by line number while it grows: only what is asked for is read, and it is never held as a whole.

Every front end pulls from here. Each reader is its own: it may be used beside the writer, in another thread or another
process, but one reader by one thread at a time. It may not make text of what it reads.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from handrail.store.line_index import BLOCK, LONG, Block, LineIndex
from handrail.store.needle import Needle
from handrail.store.spool_index import SIZE, Stream, Stretch, beside, read_stretches
from handrail.store.trusted import open_trusted

KEPT: Final = 4  # blocks, split into lines
_BATCH: Final = 1024  # stretches read at once
_SWEEP: Final = 1 << 20  # bytes searched at once
_SAMPLES, _SAMPLE = 16, 4096  # pieces, and bytes of each, that tell which bytes are rare


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `raw` may be only the beginning of `length` bytes. `at` is seconds since 1970."""

    number: int
    stream: Stream
    at: float
    raw: bytes
    length: int


class SpoolReader:
    """One reader of one output; `refresh` takes notice of what was written since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fds: tuple[int, int, int] | None = None  # log, index, notes
        self._lines = LineIndex()
        self._next = 0  # the stretch that is looked at next, and
        self._eaten = 0  # what of it was seen when it was shorter
        self._split: OrderedDict[int, tuple[int, list[tuple[Stream, float, bytes]]]] = OrderedDict()

    @property
    def line_count(self) -> int:
        """The number of lines seen by the last refresh, with one that has not ended."""
        return self._lines.line_count

    @property
    def size(self) -> int:
        """The bytes seen by the last refresh, our remarks included."""
        return self._lines.size

    def learn(self, other: SpoolReader) -> None:
        """Know at once what another reader of the same output, of the same thread, has seen: nothing is counted anew."""
        if other.path == self.path and other.size > self.size:
            self._lines, self._next, self._eaten = other._lines.copy(), other._next, other._eaten
            self._split.clear()

    def refresh(self, limit: int | None = None) -> bool:
        """Take notice of growth, at most about `limit` bytes of it; tell whether there is more to see."""
        if self._fds is None and not self._open():
            return False
        assert self._fds
        todo = limit if limit is not None else 1 << 62
        total = self._total()
        while self._next < total:
            stretches = self._fetch(self._next, min(_BATCH, total - self._next))
            if not stretches:
                return False
            for stretch in stretches:
                todo = self._eat(stretch, todo)
                if stretch.length > self._eaten or self._next == total - 1:
                    return todo <= 0 and stretch.length > self._eaten
                self._next, self._eaten = self._next + 1, 0
        return False

    def lines(self, first: int, count: int, limit: int = BLOCK) -> list[Line]:
        """Return up to `count` lines from number `first` (0 is the first); of long ones, the first `limit` bytes."""
        first = max(0, first)
        last = min(first + count, self.line_count)
        found: list[Line] = []
        while first < last:
            block = self._lines.block_of(first)
            more = self._cut_lines(block, first, last, limit)
            if not more:
                break  # the file was cut behind our back
            found += more
            first = more[-1].number + 1
        return found

    def tail_lines(self, count: int, limit: int = BLOCK) -> list[Line]:
        """Return the last lines."""
        return self.lines(self.line_count - count, count, limit)

    def line_slice(self, number: int, start: int, size: int) -> bytes:
        """Return a part of a line, reading no more than that."""
        if not 0 <= number < self.line_count:
            return b""
        block = self._lines.block_of(number)
        if block.size <= LONG:
            split = self._split_block(block)[number - block.first : number - block.first + 1]
            return split[0][2][start : start + size] if split else b""
        part = self._long_slice(block, start, size)
        return part.removesuffix(b"\n")  # only the last byte of a line can be one

    def find(self, needle: bytes, start: int, direction: int = 1, *, ignore_case: bool = False) -> int | None:
        """Return the nearest line from `start` on, or back, that contains some bytes; None when there is none.

        It may read everything: with much output, use a reader of its own in a thread.
        """
        count = self.line_count
        if not needle or b"\n" in needle or not count:
            return None
        start = max(start, 0) if direction > 0 else min(start, count - 1)
        if not 0 <= start < count:
            return None
        sought = Needle(needle, ignore_case=ignore_case, sample=self._sample())
        noted = self._is_noted(sought)
        for blocks in self._groups(self._lines.block_of(start).number, direction):
            if not noted and not self._may_hold(blocks, sought):
                continue
            for number in blocks:
                near = [n for n in self._hits(self._lines.block(number), sought) if (n - start) * direction >= 0]
                if near:
                    return near[0] if direction > 0 else near[-1]
        return None

    def close(self) -> None:
        """Close the files."""
        for fd in self._fds or ():
            os.close(fd)
        self._fds = None

    def _open(self) -> bool:
        """Open the files of an output; tell whether they are there yet."""
        opened: list[int] = []
        try:
            opened.extend(open_trusted(path, os.O_RDONLY, at="spool.read") for path in (self.path, *beside(self.path)))
        except FileNotFoundError:
            return False
        finally:
            if len(opened) < 3:
                for fd in opened:
                    os.close(fd)
        self._fds = (opened[0], opened[1], opened[2])
        return True

    def _total(self) -> int:
        """Return how many stretches there are to look at.

        All but the last are final once they are seen to be followed: this is asked before their contents are.
        """
        return os.fstat(self._fds[1]).st_size // SIZE - 1 if self._fds else 0

    def _forget(self) -> None:
        """Forget every line, to look at the output anew."""
        self._lines, self._next, self._eaten = LineIndex(), 0, 0
        self._split.clear()

    def _fetch(self, first: int, count: int) -> list[Stretch]:
        return read_stretches(self._fds[1], first, count) if self._fds else []

    def _eat(self, stretch: Stretch, todo: int) -> int:
        """Take up to about `todo` bytes of a stretch to the index; return how many are left to do."""
        while todo > 0 and (piece := self._pread(stretch, self._eaten, BLOCK)):
            self._lines.feed(piece, stretch.stream, self._next, self._eaten)
            self._eaten += len(piece)
            todo -= len(piece)
        return todo

    def _pread(self, stretch: Stretch, start: int, size: int) -> bytes:
        assert self._fds
        fd = self._fds[2] if stretch.stream == "note" else self._fds[0]
        return os.pread(fd, max(0, min(size, stretch.length - start)), stretch.offset + start)

    def _cut_lines(self, block: Block, first: int, last: int, limit: int) -> list[Line]:
        if block.size > LONG:
            return [self._long_line(block, limit)]
        split = self._split_block(block)[first - block.first : last - block.first]
        return [Line(n, stream, at, raw[:limit], len(raw)) for n, (stream, at, raw) in enumerate(split, first)]

    def _long_line(self, block: Block, limit: int) -> Line:
        stretch = self._fetch(block.stretch, 1)[0]
        length = block.size - self._long_slice(block, block.size - 1, 1).endswith(b"\n")
        raw = self._long_slice(block, 0, min(limit, length))
        return Line(block.first, stretch.stream, stretch.at_ms / 1000, raw, length)

    def _long_slice(self, block: Block, start: int, size: int) -> bytes:
        """Return bytes of a block that is one line: of one stream, and so without a gap in the file."""
        assert self._fds
        stretch = self._fetch(block.stretch, 1)[0]
        fd = self._fds[2] if stretch.stream == "note" else self._fds[0]
        return os.pread(fd, max(0, min(size, block.size - start)), stretch.offset + block.skip + start)

    def _split_block(self, block: Block) -> list[tuple[Stream, float, bytes]]:
        size, split = self._split.get(block.number, (-1, []))
        if size != block.size:
            split = split_lines(self._pieces(block))
            self._split[block.number] = (block.size, split)
        self._split.move_to_end(block.number)
        while len(self._split) > KEPT:
            self._split.popitem(last=False)
        return split

    def _pieces(self, block: Block) -> Iterator[tuple[Stream, float, bytes]]:
        """Yield the output of a block, stretch by stretch."""
        number, skip, rest = block.stretch, block.skip, block.size
        while rest > 0 and (stretches := self._fetch(number, 4)):  # mostly one or two are all of it
            for stretch in stretches:
                data = self._pread(stretch, skip, rest) if stretch.length > skip else b""
                yield stretch.stream, stretch.at_ms / 1000, data
                skip, rest = 0, rest - len(data)
                if rest <= 0:
                    return
            number += len(stretches)

    def _hits(self, block: Block, sought: Needle) -> list[int]:
        """Return the lines of a block that contain the needle."""
        if block.size > LONG:
            step = _SWEEP - len(sought.bytes)
            sweeps = (self._long_slice(block, start, _SWEEP) for start in range(0, block.size, max(1, step)))
            return [block.first] if any(map(sought.is_in, sweeps)) else []
        if not sought.is_in(b"".join(data for _, _, data in self._pieces(block))):
            return []
        split = split_lines(self._pieces(block))
        return [n for n, (_, _, raw) in enumerate(split, block.first) if sought.is_in(raw)]

    # ------------------------------------------------------------ much of it at once, for finding

    def _groups(self, number: int, direction: int) -> Iterator[range]:
        """Yield the numbers of blocks from one on, or back: as many together as are looked through at once."""
        while 0 <= number < self._lines.blocks:
            blocks = self._lines.together(number, _SWEEP, direction)
            yield blocks
            number = blocks[-1] + direction

    def _may_hold(self, blocks: range, sought: Needle) -> bool:
        """Tell whether the needle stands in the log where the lines of some blocks lie, in whichever of them it be.

        A line is of one stream, which nothing interrupts: so it lies in the log, or in the notes, in one piece.
        """
        low, high = min(blocks), max(blocks)
        size = self._lines.size_of(blocks)
        if size > _SWEEP:
            return True  # one long line
        start = self._log_offset(low)
        end = self._log_offset(high + 1) if high + 1 < self._lines.blocks else None
        assert self._fds
        return start is not None and sought.is_in(os.pread(self._fds[0], size if end is None else end - start, start))

    def _log_offset(self, number: int) -> int | None:
        """Return where in the log what comes from a block on begins; None where only notes follow."""
        block = self._lines.block(number)
        at, skip = block.stretch, block.skip
        while stretches := self._fetch(at, 4):
            for stretch in stretches:
                if stretch.stream != "note":
                    return stretch.offset + skip
                skip = 0
            at += len(stretches)
        return None

    def _is_noted(self, sought: Needle) -> bool:
        """Tell whether the needle stands anywhere in our own remarks."""
        at, tail, more = 0, b"", len(sought.bytes) - 1
        while self._fds and (data := os.pread(self._fds[2], _SWEEP, at)):
            if sought.is_in(tail + data):
                return True
            at, tail = at + len(data), (tail + data)[-more:] if more else b""
        return False

    def _sample(self) -> bytes:
        """Return a little of the log, from all over it."""
        assert self._fds
        step = max(1, os.fstat(self._fds[0]).st_size // _SAMPLES)
        return b"".join(os.pread(self._fds[0], _SAMPLE, number * step) for number in range(_SAMPLES))


def split_lines(pieces: Iterator[tuple[Stream, float, bytes]]) -> list[tuple[Stream, float, bytes]]:
    """Return the lines of some output: one ends at its newline, or where another stream speaks before it came."""
    found: list[tuple[Stream, float, bytes]] = []
    begun: tuple[Stream, float, bytes] = ("out", 0.0, b"")
    for stream, at, data in pieces:
        if begun[2] and begun[0] != stream:
            found.append(begun)
            begun = (stream, at, b"")
        first, *more = data.split(b"\n")
        begun = (begun[0], begun[1], begun[2] + first) if begun[2] else (stream, at, first)
        if more:
            found.append(begun)
            found.extend((stream, at, whole) for whole in more[:-1])
            begun = (stream, at, more[-1])
    if begun[2]:
        found.append(begun)
    return found
