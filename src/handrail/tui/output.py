"""The output pane: a window on a spool, by absolute line number. It pulls what is visible, and never holds the rest.

Following stays at the end; scrolled back, the window stands still however much arrives. A filter by stream looks through
at most `LOOK` lines for each screen it fills, so that a key press never waits for the whole file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from handrail.base.safe import safe_line
from handrail.runbook.samples import Held, Sample
from handrail.store.spool_reader import Line as SpoolLine
from handrail.store.spool_reader import SpoolReader
from handrail.tui.expected import Expected
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row

PULL: Final = 4 << 20  # bytes of growth noticed in one pull
SHOWN: Final = 4096  # bytes of a long line that are looked at
LOOK: Final = 20_000  # lines
KEPT: Final = 4  # outputs that were looked at lately


class Only(StrEnum):
    """Which lines are shown."""

    ALL = "all"
    ERRORS = "errors"
    OUTPUT = "output"


class Times(StrEnum):
    """What stands before each line."""

    NONE = "none"
    CLOCK = "time of day"
    DELTA = "since the line before"


_STREAMS: Final = {Only.ERRORS: ("err",), Only.OUTPUT: ("out", "note")}


@dataclass
class Window:
    """Where one looks: `top` counts while `follow` is off; `mark` is the line the cursor is on (log page)."""

    follow: bool = True
    top: int = 0
    left: int = 0
    only: Only = Only.ALL
    times: Times = Times.NONE
    found: str = ""
    mark: int = -1


class OutputView:
    """A window on one reader."""

    def __init__(self) -> None:
        self.reader: SpoolReader | None = None
        self.at = Window()
        self._seen: tuple[int, int] = (0, 0)
        self.expected: Expected | None = None
        self._shown: list[SpoolLine] = []
        self._left: list[SpoolReader] = []  # turned away from, the latest last: their lines are not counted anew

    @property
    def count(self) -> int:
        """Return how many lines there are."""
        return self.reader.line_count if self.reader else 0

    def turn_to(self, reader: SpoolReader | None) -> None:
        """Look at another output, from its end; with None at none."""
        if self.reader is not None and self.reader is not reader:
            self._left.append(self.reader)
        known = next((one for one in self._left if reader is not None and one.path == reader.path), None)
        if known is not None:
            self._left.remove(known)
        self.reader = known or reader
        while len(self._left) > KEPT:
            self._left.pop(0).close()
        self._seen = (0, 0)
        self.expected = None
        self.at = Window(only=self.at.only, times=self.at.times)
        self.pull()

    def close(self) -> None:
        """Close every output."""
        self.turn_to(None)
        while self._left:
            self._left.pop().close()

    def expect(self, sample: Sample) -> None:
        """Hold the output against a sample; an empty one holds nothing against it."""
        if not sample:
            self.expected = None
        elif self.expected is None or self.expected.sample != sample:
            self.expected = Expected(sample)

    def held(self, *, ended: bool) -> Held | None:
        """Return the output held against its sample; None where there is none, or nothing was said."""
        if self.expected is None or self.reader is None:
            return None
        return self.expected.whole(self.reader, ended=ended)

    def pull(self) -> bool:
        """Take notice of growth; tell whether there is anything new."""
        if self.reader is None:
            return False
        self.reader.refresh(PULL)
        seen = (self.reader.line_count, self.reader.size)
        changed, self._seen = seen != self._seen, seen
        return changed

    def rows(self, width: int, height: int) -> list[Line]:
        """Return the visible lines, at most `height`."""
        self._shown = self.visible(height)
        before: float | None = None
        lines = []
        for line in self._shown:
            lines.append(fit(self._row(line, width, before), width))
            before = line.at
        return lines

    def visible(self, height: int) -> list[SpoolLine]:
        """Return the lines in view: the last ones while following, else those from `top` on."""
        if self.reader is None or height <= 0:
            return []
        if self.at.only is Only.ALL:
            first = max(0, self.count - height) if self.at.follow else self.at.top
            self.at.top = first
            return self.reader.lines(first, height, SHOWN)
        back = self.at.follow
        found = self._some(self.count - 1, -1, height)[::-1] if back else self._some(self.at.top, 1, height)
        self.at.top = found[0].number if found else self.at.top
        return found

    def _some(self, start: int, step: int, need: int) -> list[SpoolLine]:
        """Return the nearest lines of the streams that are shown, going one way."""
        assert self.reader is not None
        wanted, number, seen = _STREAMS[self.at.only], start, 0
        found: list[SpoolLine] = []
        batch = 200
        while 0 <= number < self.count and len(found) < need and seen < LOOK:
            first = number if step > 0 else max(0, number - batch + 1)
            lines = self.reader.lines(first, batch if step > 0 else number - first + 1, SHOWN)
            if not lines:
                break
            found += [line for line in lines[::step] if line.stream in wanted]
            seen += len(lines)
            number = lines[-1].number + 1 if step > 0 else first - 1
        return found[:need]

    # ------------------------------------------------------------ one line

    def _row(self, line: SpoolLine, width: int, before: float | None) -> Line:
        sign = self.expected.mark(line) if self.expected else _sign(line.stream)
        head = row(self._time(line, before), sign)
        text = safe_line(line.raw)
        cut = line.length > len(line.raw)
        shown = text[self.at.left :] + ("…" if cut else "")
        how = {"err": Ink.WARNING, "note": Ink.MUTED}.get(line.stream, Ink.TEXT)
        body = _highlighted(shown, self.at.found, how) if self.at.found else ink(shown, how)
        if line.number == self.at.mark:
            body = ink(shown or " ", Ink.CURSOR)
        return row(head, fit(body, max(1, width - head.width)))

    def _time(self, line: SpoolLine, before: float | None) -> Line:
        if self.at.times is Times.NONE:
            return EMPTY
        if self.at.times is Times.CLOCK:
            return ink(datetime.fromtimestamp(line.at, UTC).strftime("%H:%M:%S "), Ink.MUTED)
        words = "        " if before is None else f"+{max(0.0, line.at - before):7.3f}"
        return ink(f"{words:8} ", Ink.MUTED)

    def whole(self, number: int) -> str:
        """Return a line whole, up to 64 KiB of it, as showable text."""
        if self.reader is None:
            return ""
        return safe_line(self.reader.line_slice(number, 0, 65536))

    # ------------------------------------------------------------ moving

    def scroll(self, by: int, height: int) -> None:
        """Move the window; reaching the end does not start following, only `f` or the end key does."""
        if self.reader is None:
            return
        if self.at.follow:
            self.visible(height)
            self.at.follow = False
        if self.at.only is Only.ALL:
            self.at.top = max(0, min(max(0, self.count - height), self.at.top + by))
            return
        found = self._some(self.at.top + (1 if by > 0 else -1), 1 if by > 0 else -1, abs(by))
        if found:
            self.at.top = found[-1].number

    def to_first(self) -> None:
        """To the beginning."""
        self.at.follow, self.at.top = False, 0

    def to_end(self) -> None:
        """To the end, and stay there."""
        self.at.follow = True

    def show(self, number: int, height: int) -> None:
        """Bring a line into the middle, and stand still."""
        self.at.follow = False
        self.at.top = max(0, min(number - height // 2, self.count - height))

    def toggle_follow(self, height: int) -> None:
        """Follow, or stand still."""
        if self.at.follow:
            self.visible(height)
        self.at.follow = not self.at.follow

    @property
    def where(self) -> str:
        """Return where the window is, in words."""
        if not self.count:
            return ""
        if self.at.follow:
            return "following"
        below = self.count - self.at.top - len(self._shown)
        return f"line {self.at.top + 1} of {self.count}" + (f", {below} below" if below > 0 else "")

    def last_words(self, most: int = 20) -> str:
        """Return the last lines as plain text, for copying."""
        if self.reader is None:
            return ""
        return "\n".join(safe_line(line.raw) for line in self.reader.tail_lines(most, SHOWN))


def _sign(stream: str) -> Line:
    return {"err": ink("! ", Ink.ERROR), "note": ink("- ", Ink.MUTED)}.get(stream, ink("  "))


def _highlighted(text: str, found: str, how: Ink) -> Line:
    folded, needle = text.lower(), found.lower()
    line, at = EMPTY, 0
    while needle and len(folded) == len(text) and (hit := folded.find(needle, at)) >= 0:
        line = row(line, ink(text[at:hit], how), ink(text[hit : hit + len(needle)], Ink.FOUND))
        at = hit + len(needle)
    return row(line, ink(text[at:], how))
