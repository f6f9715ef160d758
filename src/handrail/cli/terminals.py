"""Which front end a terminal gets. It imports nothing of weight: it is asked before anything is shown."""

from __future__ import annotations

import os
import sys


def full_screen(plain: bool) -> bool:
    """Tell whether the full screen is used: only if stdin *and* stdout are terminals, and nobody asked for plain."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not plain and not dumb and sys.stdin.isatty() and sys.stdout.isatty()
