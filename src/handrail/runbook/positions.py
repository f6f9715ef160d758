"""Where things stand in a TOML text: from a path such as ("stage", 0, "id") to line and column.

tomli alone says what a text means, and that it is valid; this scanner only walks the structure of a text that tomli has
read (tables, keys, strings, brackets) and notes offsets. A property test holds its paths against tomli's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Where

Path = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_ATOM: Final = re.compile(r"[^,\]}\n#]+")
_BASIC: Final = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_LONG_BASIC: Final = re.compile(r'"""[^"\\]*(?:(?:\\[\s\S]|"{1,2}(?!"))[^"\\]*)*"{3,5}')
_LONG_LITERAL: Final = re.compile(r"'''[\s\S]*?'{3,5}(?!')")
# No possessive groups here: up to Python 3.11.4 they match wrongly when the group itself goes back (gh-106052).
_STRINGS: Final = {
    ('"', False): _BASIC,
    ('"', True): _LONG_BASIC,
    ("'", False): _LITERAL,
    ("'", True): _LONG_LITERAL,
}


@dataclass(frozen=True)
class Spot:
    """Offsets of a key (or a table's header) and of its value; equal where there is no key."""

    key: int
    value: int


class Positions:
    """The places of one text."""

    def __init__(self, text: str, spots: dict[Path, Spot]) -> None:
        self.text = text
        self.spots = spots

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of an offset in characters."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def where(self, file: str, path: Sequence[str | int], *, key: bool = False, inside: int = 0) -> Where:
        """Return the place of a path, or of the nearest table around it; `key` for its key, `inside` characters into it."""
        whole = tuple(path)
        for size in range(len(whole), 0, -1):
            spot = self.spots.get(whole[:size])
            if spot:
                exact = size == len(whole)
                # One text where a list may stand: ("on", 0) is the text itself.
                alone = whole[size:] == (0,) and self.text[spot.value : spot.value + 1] not in ("[", "{")
                offset = spot.value + inside if (exact or alone) and not key else spot.key
                return Where(file, *self.line_column(offset))
        return Where(file, 1, 1)


def index(text: str) -> Positions:
    """Return the places of a text that tomli reads without complaint and that is not nested deeply (say 100 levels)."""
    scanner = _Scanner(text)
    scanner.scan()
    return Positions(text, scanner.spots)


class _Scanner:
    """One walk through a text; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.spots: dict[Path, Spot] = {}
        self._counts: dict[Path, int] = {}

    def scan(self) -> None:
        """Walk the whole text."""
        base: Path = ()
        while self._skip(_BLANKS) < len(self.text):
            if self.text[self.at] == "[":
                base = self._header()
            else:
                self._pair(base)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; return the path of the table it opens."""
        start = self.at
        array = self.text.startswith("[[", start)
        self.at += 2 if array else 1
        parts = self._key()
        self.at += 2 if array else 1
        base: Path = ()
        for number, part in enumerate(parts):
            base = (*base, part)
            if array and number == len(parts) - 1:
                self._counts[base] = self._counts.get(base, -1) + 1
                self._note(base, start, start)
            if base in self._counts:
                base = (*base, self._counts[base])
            self._note(base, start, start)
        return base

    def _pair(self, base: Path) -> None:
        """Read `key = value` below a table."""
        start = self.at
        parts = self._key()
        self.at += 1
        self._skip(_BLANK)
        path = base
        for part in parts:
            path = (*path, part)
            self._note(path, start, self.at)
        self._value(path)

    def _note(self, path: Path, key: int, value: int) -> None:
        self.spots.setdefault(path, Spot(key, value))

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            if self.text[self.at] in "\"'":
                parts.append(_unquoted(self._string()))
            else:
                found = _BARE.match(self.text, self.at)
                parts.append(found.group() if found else "")
                self.at = found.end() if found else self.at + 1
            self._skip(_BLANK)
            if self.at >= len(self.text) or self.text[self.at] != ".":
                return parts
            self.at += 1

    def _string(self) -> str:
        quote = self.text[self.at]
        long = self.text.startswith(quote * 3, self.at)
        start = self.at
        self._skip(_STRINGS[quote, long])
        self.at = max(self.at, start + 1)
        return self.text[start : self.at]

    def _value(self, path: Path) -> None:
        first = self.text[self.at] if self.at < len(self.text) else ""
        if first in ('"', "'"):
            self._string()
        elif first and first in "[{":
            self._brackets(path)
        else:
            self._skip(_ATOM)

    def _brackets(self, path: Path) -> None:
        """Read an array or an inline table, with everything in it."""
        array = self.text[self.at] == "["
        close = "]" if array else "}"
        self.at += 1
        count = 0
        while self._skip(_BLANKS) < len(self.text):
            mark = self.text[self.at]
            if mark in (close, ","):
                self.at += 1
                if mark == close:
                    return
            elif array:
                start = self.at
                self._note((*path, count), start, start)
                self._value((*path, count))
                self.at = max(self.at, start + 1)  # what tomli has read ends; so does this, whatever it is given
                count += 1
            else:
                self._pair(path)


def _unquoted(raw: str) -> str:
    """Return what a quoted key means."""
    if raw.startswith("'") or "\\" not in raw:
        return raw[1:-1]
    import tomli

    keys = list(tomli.loads(f"{raw} = 0"))
    return keys[0]
