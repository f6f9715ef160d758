"""Small acts that no console of a walk does: each is done once, in a process that may be killed at it.

python -m tests.torture.bits ask|copy|sign|train FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from handrail.session import bundles
from handrail.session.takeover import Asking
from handrail.store import training
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder


def ask(folder: Path) -> None:
    """Ask whoever drives a run for it."""
    Asking().ask(RunFolder(folder))


def copy(folder: Path) -> None:
    """Write what was copied beside the record."""
    from handrail.tui.app import HandrailApp

    shown = SimpleNamespace(_snap=SimpleNamespace(info=SimpleNamespace(folder=folder)), replaying=False)
    assert HandrailApp.write_beside(shown, "copied.txt", "new " * 1000)  # type: ignore[arg-type]


def sign(folder: Path) -> None:
    """Sign a run where it lies."""
    bundles.sign(RunFolder(folder), folder / "key")


def train(folder: Path) -> None:
    """Keep one more drill of a person."""
    number = len(training.trainee(Home(folder), "ann").drills)
    drill = training.Practised("small", f"2026-11-{number + 1:02}T10:00:00Z", "guided", "done", "2026-12-01", 7)
    training.keep(Home(folder), "ann", drill)


if __name__ == "__main__":
    {"ask": ask, "copy": copy, "sign": sign, "train": train}[sys.argv[1]](Path(sys.argv[2]))
