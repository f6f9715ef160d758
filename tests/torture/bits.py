"""Small acts that no console of a walk does: each is done once, in a process that may be killed at it.

python -m tests.torture.bits ask|copy FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from handrail.session.takeover import Asking
from handrail.store.run_folder import RunFolder
from handrail.tui.app import HandrailApp


def ask(folder: Path) -> None:
    """Ask whoever drives a run for it."""
    Asking().ask(RunFolder(folder))


def copy(folder: Path) -> None:
    """Write what was copied beside the record."""
    shown = SimpleNamespace(_snap=SimpleNamespace(info=SimpleNamespace(folder=folder)), replaying=False)
    assert HandrailApp.write_beside(shown, "copied.txt", "new " * 1000)  # type: ignore[arg-type]


if __name__ == "__main__":
    {"ask": ask, "copy": copy}[sys.argv[1]](Path(sys.argv[2]))
