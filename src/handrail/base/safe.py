"""Safe text: the one place where bytes from hosts, DNS, exceptions, certificates and runbooks become showable text.

Nothing that leaves `safe()` can act on a terminal or hide what it says: no control character, no escape sequence, no
bidirectional override, no invisible character, no more than a few combining marks on a letter. Markup is not a concern
here: the front ends never parse markup in foreign text.
"""

from __future__ import annotations

import re
import unicodedata
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
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")


def safe(text: str | bytes, limit: int = 0) -> Safe:
    """Return one line of showable text; line breaks become a mark, `limit` cuts with an ellipsis (0: none)."""
    line = safe_lines(text) if limit == 0 else safe_lines(text[: limit * 8])
    joined = " ⏎ ".join(line) if len(line) > 1 else line[0]
    if limit and len(joined) > limit:
        joined = joined[: limit - 1] + "…"
    return Safe(joined)


def safe_lines(text: str | bytes) -> list[Safe]:
    """Return the showable lines of a text: at least one, without their line ends."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [safe_line(line) for line in decoded.split("\n")] or [Safe("")]


def safe_line(text: str | bytes) -> Safe:
    """Return one line as showable text: the last state of a progress bar, tabs expanded, sequences dropped."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
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
    out: list[str] = []
    marks = 0
    for char in line:
        if " " <= char <= "~":
            marks = 0
            out.append(char)
            continue
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Mc"):
            marks += 1
            if marks <= MARKS and out:
                out.append(char if char not in _INVISIBLE else REPLACEMENT)
            continue
        marks = 0
        if char == "\x00" or category in _FORBIDDEN_CATEGORIES or char in _INVISIBLE:
            out.append(REPLACEMENT)
        else:
            out.append(" " if category == "Zs" else char)
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
