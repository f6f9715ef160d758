"""A sample of good output, held against lines as they come: which are as it says, which deviate, what is missing. Pure.

A sample is a few lines. `...` in one stands for anything on that line; the order of lines does not count, and a line may
come as often as it likes: outputs of several hosts, of reads that are asked again, of lists, are all held against one sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from handrail.runbook.names import references

ANYTHING: Final = "..."
MOST: Final = 40  # lines of a sample


@dataclass(frozen=True)
class SampleLine:
    """One line of a sample."""

    text: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Return the fixed texts between what may be anything."""
        return tuple(self.text.split(ANYTHING))

    @property
    def says(self) -> bool:
        """Tell whether anything of it is fixed."""
        return any(part.strip() for part in self.parts)

    def fits(self, line: str) -> bool:
        """Tell whether a line is as this says; blanks at its ends do not count. Takes time in proportion to the line."""
        line, (first, *more) = line.strip(), self.parts
        if not more:
            return line == first
        if not line.startswith(first):
            return False
        at = len(first)
        for part in more[:-1]:
            found = line.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return len(line) - at >= len(more[-1]) and line.endswith(more[-1])


@dataclass(frozen=True)
class Sample:
    """A whole sample; an empty one holds nothing against anybody."""

    lines: tuple[SampleLine, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def which(self, line: str) -> tuple[int, ...]:
        """Return which of its lines a line is as; none: it deviates."""
        return tuple(at for at, one in enumerate(self.lines) if one.fits(line))


def sample_of(text: str) -> Sample:
    """Return the sample that a text is; a name in it that is not known may be anything."""
    for ref in reversed(references(text)):
        text = text[: ref.start] + ANYTHING + text[ref.end :]
    return Sample(tuple(SampleLine(line.strip()) for line in text.splitlines() if line.strip()))


@dataclass
class Held:
    """An output so far, held against a sample."""

    sample: Sample
    count: int = 0  # lines that were looked at
    deviating: int = 0
    seen: set[int] = field(default_factory=set)

    def take(self, lines: Iterable[str]) -> None:
        """Look at more lines."""
        for line in lines:
            self.count += 1
            which = self.sample.which(line)
            self.seen.update(which)
            self.deviating += not which and bool(line.strip())

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the lines of the sample that have not come."""
        return tuple(line.text for at, line in enumerate(self.sample.lines) if at not in self.seen)

    @property
    def as_expected(self) -> bool:
        """Tell whether everything came, and nothing else."""
        return not self.deviating and not self.missing
