"""The revision of a runbook's file in git, where it is kept there. It asks git, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from handrail.base.program import Printed, TooLong, TooMuch, printed
from handrail.base.safe import safe

SECONDS: Final = 2.0
_GIT: Final = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def revision_of(file: Path) -> str:
    """Return the commit that a file's folder stands at, and whether the file differs from it; empty when git knows nothing."""
    path = file.resolve()
    commit = _asked(path, "rev-parse", "--verify", "HEAD")
    known = _asked(path, "ls-files", "--", path.name)
    if not commit or not known:
        return ""
    changed = _asked(path, "status", "--porcelain", "--", path.name)
    return safe(commit, 64) + (", changed since" if changed else "")


def _asked(path: Path, *words: str) -> str:
    try:
        found: Printed = printed([*_GIT, *words], folder=path.parent, seconds=SECONDS, most=4096)
    except (OSError, ValueError, TooLong, TooMuch):
        return ""
    return found.stdout.decode("utf-8", "replace").strip() if found.status == 0 else ""
