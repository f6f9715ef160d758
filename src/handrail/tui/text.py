"""Lines of text for the screen: the only constructors of anything that is shown. It may not know what it shows.

Every span goes through `handrail.base.safe`: there is no way to make one with a control character, an escape sequence or
a bidirectional override, and no markup is ever parsed, ours or theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size

from handrail.base.frozen import dataclass
from handrail.base.safe import Safe, safe


class Ink(StrEnum):
    """How a span looks. The value is a Textual style; its variables belong to the theme (see `themes`)."""

    TEXT = ""
    BOLD = "bold"
    DIM = "$ink-dim"
    MUTED = "$ink-muted"
    STRUCK = "strike $ink-muted"
    CALM = "$ink-accent"
    ACCENT = "bold $ink-accent"
    TURN = "bold reverse $ink-accent"
    WARNING = "$ink-warning"
    LOUD = "bold $ink-warning"
    ERROR = "bold $ink-error"
    WRONG = "bold underline $ink-error"
    SECOND = "$ink-second"
    KEY = "bold $ink-key"
    RULE = "$ink-rule"
    CURSOR = "reverse"
    FOUND = "reverse $ink-warning"
    DRILL = "bold $mode-ink on $mode-drill"
    CHECK = "bold $mode-ink on $mode-check"
    REHEARSAL = "bold $mode-ink on $mode-rehearsal"
    LIVE = "bold $mode-ink on $mode-live"
    REPLAY = "bold reverse"
    ALARM = "bold reverse $ink-error"


@dataclass(frozen=True)
class Span:
    """A piece of a line in one ink; `act` is what a click on it does. Made only in this module."""

    text: Safe
    ink: Ink = Ink.TEXT
    act: str = ""


@dataclass(frozen=True)
class Line:
    """One row of the screen."""

    spans: tuple[Span, ...] = ()

    @cached_property
    def width(self) -> int:
        """Return the width in cells."""
        return sum([cell_len(span.text) for span in self.spans])

    @property
    def plain(self) -> str:
        """Return the text alone."""
        return "".join(span.text for span in self.spans)

    def __add__(self, other: Line) -> Line:
        """Return both, side by side."""
        return Line(self.spans + other.spans)

    def __bool__(self) -> bool:
        """Tell whether there is anything to see."""
        return any(span.text for span in self.spans)


Part = Line | str
EMPTY: Final = Line()
ELLIPSIS: Final = Safe("…")


def ink(text: str, how: Ink = Ink.TEXT, act: str = "") -> Line:
    """Return a text as a line; whatever it holds, it only shows."""
    return _inked(text, how, act) if text else EMPTY


@lru_cache(1024)
def _inked(text: str, how: Ink, act: str) -> Line:
    """Return the line, made once: most of a screen is painted again as it was, with its width measured already."""
    return Line((Span(safe(text), how, act),))


def row(*parts: Part) -> Line:
    """Return parts side by side; plain strings are shown in the ordinary ink."""
    if len(parts) == 1 and isinstance(parts[0], Line):
        return parts[0]
    spans: list[Span] = []
    for part in parts:
        spans += (ink(part) if isinstance(part, str) else part).spans
    return Line(tuple(spans))


def fit(line: Part, width: int, fill: Ink = Ink.TEXT) -> Line:
    """Return a line of exactly `width` cells: cut with an ellipsis, or filled up with blanks."""
    whole = row(line)
    have = whole.width
    if have == width:
        return whole
    if have < width:
        return Line((*whole.spans, Span(Safe(" " * (width - have)), fill)))
    return Line(tuple(_cut(whole.spans, width)))


def _cut(spans: Sequence[Span], width: int) -> Iterable[Span]:
    left = width - 1
    for span in spans:
        size = cell_len(span.text)
        if size <= left:
            yield span
            left -= size
            continue
        kept = set_cell_size(span.text, left) if left > 0 else ""
        yield Span(Safe(kept + ELLIPSIS) if width > 0 else Safe(""), span.ink, span.act)
        return


def spread(left: Part, right: Part, width: int, fill: Ink = Ink.TEXT) -> Line:
    """Return `left`, then `right` against the edge; the left part gives way when both do not fit."""
    end = row(right)
    if end.width + 4 > width:
        return fit(row(left), width, fill)
    head = row(left)
    room = width - end.width - (1 if head.width >= width - end.width else 0)
    body = fit(head, room, fill)
    return fit(body, width - end.width, fill) + end


def indent(line: Part, by: int) -> Line:
    """Return a line moved to the right."""
    return Line((Span(Safe(" " * by)),)) + row(line)


def rule(width: int, title: Part = "", how: Ink = Ink.RULE, char: str = "─") -> Line:
    """Return a line across, with a title in it if there is one."""
    if not title:
        return ink(char * width, how)
    head = row(ink(char, how), " ", title, " ")
    return fit(head, width) if head.width >= width else head + ink(char * (width - head.width), how)


def wrap(text: str, width: int, how: Ink = Ink.TEXT, most: int = 0) -> list[Line]:
    """Return a text broken at blanks into lines of at most `width` cells; `most` lines, the last one cut (0: all).

    Blanks before it stand before each line: a line of a script that is wrapped keeps its place.
    """
    whole = safe(text.replace("\r\n", "\n").replace("\n", " "))
    if cell_len(whole) <= width:
        return [ink(whole, how)] if whole else []
    lead = " " * min(len(whole) - len(whole.lstrip(" ")), width // 2)
    lines: list[str] = []
    for word in _words(whole, max(1, width - len(lead))):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(lead + word)
    if most and len(lines) > most:
        kept = set_cell_size(lines[most - 1], max(0, width - 1)).rstrip()
        lines = [*lines[: most - 1], kept + ELLIPSIS]
    return [ink(line, how) for line in lines]


def _words(text: str, width: int) -> Iterable[str]:
    for word in text.split(" "):
        if not word:
            continue
        if cell_len(word) <= width:
            yield word
        else:
            yield from chop_cells(word, width)


def hang(label: Part, text: str, width: int, *, at: int, how: Ink = Ink.TEXT, most: int = 0) -> list[Line]:
    """Return a label, and beside it a text that is wrapped in its own column from cell `at` on."""
    body = wrap(text, width - at, how, most) or [EMPTY]
    return [fit(label, at) + body[0], *(indent(line, at) for line in body[1:])]


def block(lines: Sequence[Part], height: int) -> list[Line]:
    """Return exactly `height` rows: cut, or filled up with empty ones."""
    rows = [row(line) for line in lines[:height]]
    return rows + [EMPTY] * (height - len(rows))


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: Line) -> list[Line]:
    """Return two columns of equal height as one; the left one is `width` cells wide."""
    return [fit(a, width) + gap + b for a, b in zip(left, right, strict=True)]


def plain_text(text: str) -> Safe:
    """Return a text for where there are no inks: the window title, the clipboard, a file."""
    return safe(text)
