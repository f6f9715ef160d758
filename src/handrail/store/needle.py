"""What is looked for in much output: found fast by its rarest part, with small and large letters (ASCII's) alike or not.

Folding the case of a gigabyte takes longer than reading it. So what cannot be there without one of its parts is looked
for by that part, in both its spellings, and only what lies around it is folded. It may not read a file.
"""

from __future__ import annotations

import re
from typing import Final

from handrail.base.frozen import dataclass

TRIES: Final = 1000  # places at which a part is looked around, before all is folded
BYTE, RUN, FOLD = 15, 1000, 1400  # microseconds for a MiB: looked through for a byte, for more, folded
LOOK = 0.4  # microseconds for one look around a place
_NO_LETTERS: Final = re.compile(rb"[^a-z]{2,}")  # of a needle in small letters


@dataclass(frozen=True)
class _Part:
    """A part of the needle: where in it, and every way in which it may be spelled."""

    at: int
    spellings: tuple[bytes, ...]

    def cost(self, sample: bytes) -> float:
        """Return what a MiB of what the sample is of would take (about, microseconds): bytes are looked for by far faster."""
        each = BYTE if len(self.spellings[0]) == 1 else RUN
        found = sum(sample.count(spelling) for spelling in self.spellings)
        return each * len(self.spellings) + LOOK * found * (1 << 20) / max(1, len(sample))


class Needle:
    """Some bytes to look for; a sample of where tells which part of them is rare there."""

    def __init__(self, needle: bytes, *, ignore_case: bool, sample: bytes = b"") -> None:
        self._folded = ignore_case
        self.bytes = needle.lower() if ignore_case else needle
        self._part = _cheapest(self.bytes, sample) if ignore_case else None

    def is_in(self, data: bytes) -> bool:
        """Tell whether it stands anywhere in some bytes."""
        if self._part is None:
            return self.bytes in (data.lower() if self._folded else data)
        tries = 0
        for spelling in self._part.spellings:
            at = data.find(spelling)
            while at >= 0:
                begin = at - self._part.at
                if begin >= 0 and data[begin : begin + len(self.bytes)].lower() == self.bytes:
                    return True
                tries += 1
                if tries >= TRIES:
                    return self.bytes in data.lower()
                at = data.find(spelling, at + 1)
        return False


def _cheapest(needle: bytes, sample: bytes) -> _Part | None:
    """Return the part that is found fastest; None where folding everything is faster."""
    costs = [(part.cost(sample), at, part) for at, part in enumerate(_parts(needle))]
    cost, _, part = min(costs, default=(FOLD, 0, None))
    return part if cost < FOLD else None


def _parts(needle: bytes) -> list[_Part]:
    """Return what may be looked for instead of the whole: single bytes, and what has one spelling only."""
    single = [_Part(at, tuple({needle[at : at + 1], needle[at : at + 1].upper()})) for at in range(len(needle))]
    return [*single, *(_Part(found.start(), (found.group(),)) for found in _NO_LETTERS.finditer(needle))]
