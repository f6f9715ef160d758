"""Which front end a terminal gets, and how wide it is. It imports nothing of weight: it is asked before anything is shown."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import Final, TextIO

_NARROWEST: Final = 20  # columns: less is no width that anybody reads


def full_screen(plain: bool) -> bool:
    """Tell whether the full screen is used: only if stdin *and* stdout are terminals, and nobody asked for plain."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not plain and not dumb and sys.stdin.isatty() and sys.stdout.isatty()


def in_width(line: str, stream: TextIO) -> str:
    """Return a line as a terminal shows it best: broken at blanks, its continuations indented; for a file or pipe as it is."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        width = 0
    return broken(line, width) if width >= _NARROWEST else line


def broken(line: str, width: int) -> str:
    """Return a line broken at blanks to be at most `width` columns wide; a word is never broken."""
    lead = " " * min(len(line) - len(line.lstrip(" ")) + 2, width // 2)
    made = textwrap.wrap(
        line, width, subsequent_indent=lead, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return "\n".join(made) or line
