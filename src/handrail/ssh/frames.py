"""Reading what a call writes: noise, a header marked with the call's nonce, the job's bytes, a trailer. Pure.

Nothing is kept but a tail shorter than the mark, so memory is bounded whatever the host sends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

NOISE: Final = 4096  # bytes of what comes before the header that are kept, to explain a failure
LONGEST_LINE: Final = 16 * 1024


class Stream:
    """One of the two streams of a call. `put` is given the job's bytes, in order, with their offset."""

    def __init__(self, nonce: str, offset: int, put: Callable[[int, bytes], None], *, ends: bool) -> None:
        """Take where the job's bytes begin; `ends` tells whether this stream carries the trailer (stdout does)."""
        self._ends = ends
        self._mark = nonce.encode()
        self._put = put
        self._held = b""
        self.offset = offset
        self.noise = b""
        self.header: list[str] | None = None
        self.trailer: list[str] | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if self.trailer is not None:
            return
        self._held += data
        if self.header is None and not self._take_header():
            return
        if self.trailer is None:
            self._take_data()

    def heard(self) -> bytes:
        """Return what came before the header, as far as it was kept."""
        return self.noise if self.header is not None else (self.noise + self._held)[:NOISE]

    def finish(self) -> None:
        """Hand on what was held back: the stream has ended and no trailer came."""
        if self.header is not None and self.trailer is None:
            self._hand_on(len(self._held))

    def _take_header(self) -> bool:
        """Look for the header line; what precedes it is noise."""
        line = self._line(b"\n" + self._mark + b" H")
        if line is None:
            self._trim()
            return False
        self.header = line or [""]
        return True

    def _trim(self) -> None:
        start = self._held.find(b"\n" + self._mark)
        keep = len(self._held) - (start if start >= 0 else max(0, len(self._held) - len(self._mark) - 4))
        if start >= 0 and keep > LONGEST_LINE:
            keep = 0
        cut = len(self._held) - keep
        self._drop(cut)

    def _drop(self, cut: int) -> None:
        self.noise = (self.noise + self._held[:cut])[:NOISE]
        self._held = self._held[cut:]

    def _line(self, mark: bytes) -> list[str] | None:
        """Return the words of the marked line and forget all up to its end, or None while it is not whole."""
        start = self._held.find(mark)
        if start < 0:
            return None
        end = self._held.find(b"\n", start + len(mark))
        if end < 0:
            return None
        words = self._held[start + len(mark) : end].decode("utf-8", "replace").split()
        self._drop(start)
        self._held = self._held[end - start + 1 :]
        return words

    def _take_data(self) -> None:
        """Hand on the job's bytes up to the trailer, or up to what might become its mark."""
        start = self._held.find(self._mark + b" E ") if self._ends else -1
        if start >= 0:
            end = self._held.find(b"\n", start)
            self._hand_on(start)
            if end >= 0:
                words = self._held[len(self._mark) + 3 : end - start]
                self.trailer = words.decode("utf-8", "replace").split()
                self._held = b""
            return
        self._hand_on(len(self._held) - self._undecided())

    def _undecided(self) -> int:
        """Return how many bytes at the end may be the beginning of the trailer's mark."""
        if not self._ends:
            return 0
        mark = self._mark + b" E "
        held = self._held
        at = held.rfind(mark[:1], max(0, len(held) - len(mark) + 1))
        best = 0
        while at >= 0:
            if mark.startswith(held[at:]):
                best = len(held) - at
            at = held.rfind(mark[:1], max(0, len(held) - len(mark) + 1), at)
        return best

    def _hand_on(self, count: int) -> None:
        if count > 0:
            data, self._held = self._held[:count], self._held[count:]
            self._put(self.offset, data)
            self.offset += count


def number(word: str) -> int:
    """Return what a host gave as a count; 0 for anything else, and for what no count of ours can be."""
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= 18 else 0


def body(text: bytes, nonce: str, first: str, last: str) -> bytes:
    """Return what stands between two marked lines of a short answer."""
    begin = text.find(f"{nonce} {first}\n".encode())
    if begin < 0:
        return b""
    begin += len(nonce) + len(first) + 2
    end = text.find(f"\n{nonce} {last}\n".encode(), begin)
    return text[begin:end] if end >= 0 else b""
