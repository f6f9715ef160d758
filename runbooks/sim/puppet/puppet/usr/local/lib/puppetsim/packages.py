"""Opens the way to installed packages: the stand-ins start without `site`, which saves a third of their start-up time."""

from __future__ import annotations

import sys


def unlock() -> None:
    """Make `cryptography` importable."""
    if "site" not in sys.modules:
        import site

        site.main()
