"""Safe text: the one place where bytes from hosts, DNS, exceptions, certificates and runbooks become showable text.

Nothing that leaves `safe()` can act on a terminal or hide what it says: no control character, no escape sequence, no
bidirectional override, no invisible character, no more than a few combining marks on a letter. Markup is not a concern
here: the front ends never parse markup in foreign text.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache
from typing import Final, NewType

Safe = NewType("Safe", str)
"""Text that may be written to a terminal. Only this module makes it."""

REPLACEMENT: Final = "\ufffd"
MARKS: Final = 4  # combining marks kept on one base character
TAB: Final = 8

# ECMA-48: CSI (5.4), OSC/DCS/SOS/PM/APC strings (8.3), then two-character escapes. C1 forms of the same.
# A string that is never terminated ends at the line's end, so that later lines stay visible.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_PLAIN: Final = re.compile(r"[ -~]*\Z")
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\U0001d159")
# Variation selectors say nothing of their own, and can carry hidden data: they are dropped.
_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0))))
_JAMO: Final = frozenset(map(chr, (*range(0x1161, 0x1200), *range(0xD7B0, 0xD7FC))))  # they stack like marks


class _Kind(Enum):
    """What becomes of a character."""

    KEPT = "kept"
    SPACE = "a space"
    MARK = "kept, up to a number on one base"
    DROPPED = "dropped"
    REPLACED = "replaced"


@lru_cache(maxsize=4096)
def _kind(char: str) -> _Kind:
    category = unicodedata.category(char)
    if char in _SELECTORS:
        return _Kind.DROPPED
    if category in _FORBIDDEN_CATEGORIES or char in _INVISIBLE:
        return _Kind.REPLACED
    if category in ("Mn", "Me", "Mc") or char in _JAMO:
        return _Kind.MARK
    return _Kind.SPACE if category == "Zs" and char != " " else _Kind.KEPT


def safe(text: str | bytes, limit: int = 0) -> Safe:
    """Return one line of showable text; line breaks become a mark, `limit` cuts with an ellipsis (0: none)."""
    cut = False
    if limit:
        decoded = _decoded(text[: limit * 32])  # at most four bytes a character, and eight characters for one shown
        cut = len(text) > limit * 32 or len(decoded) > limit * 8
        text = decoded[: limit * 8]
    lines = safe_lines(text)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    joined = " ⏎ ".join(lines)
    if limit and (cut or len(joined) > limit):
        joined = joined[: limit - 1] + "…"
    return Safe(joined)


def _decoded(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def safe_lines(text: str | bytes) -> list[Safe]:
    """Return the showable lines of a text: at least one, without their line ends."""
    return [safe_line(line) for line in _decoded(text).split("\n")]


def safe_line(text: str | bytes) -> Safe:
    """Return one line as showable text: the last state of a progress bar, tabs expanded, sequences dropped."""
    line = _decoded(text)
    if _PLAIN.match(line):
        return Safe(line)
    line = _SEQUENCE.sub("", line)
    line = _last_state(line)
    return Safe(_visible(line.expandtabs(TAB)))


def _last_state(line: str) -> str:
    """Return what a terminal would show last of a line that goes back to its start with carriage returns."""
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")


def _visible(line: str) -> str:
    kinds = {char: _kind(char) for char in set(line)}
    if all(kind is _Kind.KEPT for kind in kinds.values()):
        return line
    out: list[str] = []
    marks = 0
    for char in line:
        kind = kinds[char]
        if kind is _Kind.MARK:
            marks += 1
            if marks <= MARKS and out:
                out.append(char)
        elif kind is not _Kind.DROPPED:
            marks = 0
            out.append({_Kind.SPACE: " ", _Kind.REPLACED: REPLACEMENT}.get(kind, char))
    return "".join(out)


def safe_host(name: str) -> Safe:
    """Return a host name in the form that cannot be mistaken for another: non-ASCII labels as punycode (RFC 3492)."""
    labels = []
    for label in name.split("."):
        if label.isascii():
            labels.append(label)
        else:
            labels.append("xn--" + label.encode("punycode", "replace").decode("ascii", "replace"))
    return safe(".".join(labels))
