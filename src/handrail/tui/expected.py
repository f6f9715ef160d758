"""An output held against its sample: what stands before each line, and what is to be said of the whole. Pure."""

from __future__ import annotations

from typing import Final

from handrail.base.safe import safe_line
from handrail.runbook.samples import Held, Sample
from handrail.store.spool_reader import Line as SpoolLine
from handrail.store.spool_reader import SpoolReader
from handrail.tui.text import EMPTY, Ink, Line, ink, row, wrap

LOOKED: Final = 5_000  # lines that are held against a sample; of more, nobody compares
SHOWN: Final = 4096  # bytes of a long line that are looked at
AS: Final = "="
NOT: Final = "≠"


class Expected:
    """One output against one sample, as it grows."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self._held = Held(sample)
        self._next = 0

    def look(self, reader: SpoolReader) -> None:
        """Look at the lines that have ended since."""
        at, upto = self._next, min(reader.line_count - 1, LOOKED)
        if upto > at:
            lines = reader.lines(at, upto - at, SHOWN)
            self._next = at + len(lines)
            self._held.take(_words(lines))

    def whole(self, reader: SpoolReader, *, ended: bool) -> Held:
        """Return all lines held against the sample; the last one only counts against it once nothing more can come."""
        self.look(reader)
        last = [line for line in reader.lines(self._next, 1, SHOWN) if self._next < LOOKED]
        made = Held(self.sample, self._held.count, self._held.deviating, set(self._held.seen))
        words = _words(last)
        if ended or any(self.sample.which(word) for word in words):
            made.take(words)
        return made

    def mark(self, line: SpoolLine) -> Line:
        """Return what stands before a line: as the sample says, or not."""
        if line.stream == "note":
            return ink("- ", Ink.MUTED)
        fits = bool(self.sample.which(safe_line(line.raw)))
        stream = ink("!" if line.stream == "err" else " ", Ink.ERROR)
        return row(stream, ink(AS if fits else NOT, Ink.DIM if fits else Ink.WARNING), " ")


def _words(lines: list[SpoolLine]) -> list[str]:
    return [safe_line(line.raw) for line in lines if line.stream != "note"]


def told(held: Held, width: int, *, ended: bool) -> list[Line]:
    """Return what is to be said of an output: as expected, deviating, missing."""
    of = len(held.sample.lines)
    came = of - len(held.missing)
    if held.as_expected:
        return [ink(f" {AS} as expected: {of} of {of} line{'s' * (of != 1)}, and no other", Ink.DIM)]
    lines: list[Line] = []
    if held.deviating:
        what = "1 line deviates" if held.deviating == 1 else f"{held.deviating} lines deviate"
        lines.append(ink(f" {NOT} {what} from the sample", Ink.WARNING))
    if held.missing:
        word, how = ("missing", Ink.WARNING) if ended else ("to come", Ink.DIM)
        head = f" {came} of {of} lines of the sample came; {word}: "
        lines += wrap(head + "; ".join(held.missing), width - 1, how, 3)
    return lines or [EMPTY]
