"""What is on disk of estates: whether one lives (a lock held for its life), its state file, and clearing up after it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import Trouble, trouble
from handrail_sim.asking import SOCKET, ask
from handrail_sim.leftovers import kill_leftovers, start_time

LOCK: Final = "lock"
STATE: Final = "state.json"
PID: Final = "pid"
_GONE_AFTER_DOWN: Final = (SOCKET, PID, LOCK, STATE, "id_ed25519", "processes")
_END_WITHIN: Final = 15.0  # seconds
_PAUSE: Final = 0.01


def hold(folder: Path) -> int:
    """Return a descriptor that holds the folder's lock until it is closed; raise `Trouble` when an estate lives there."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        os.close(fd)
        raise trouble("sim-busy", f"an estate already runs in {folder}", "take it down first") from e
    return fd


def lives(folder: Path) -> bool:
    """Tell whether an estate process runs in the folder, without trusting a process id."""
    if not (folder / LOCK).exists():
        return False
    try:
        os.close(hold(folder))
    except Trouble:
        return True
    return False


def read_state(folder: Path) -> dict[str, Any]:
    """Return what the estate wrote about itself; nothing when it never came up."""
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state and the pid file; the state appears whole."""
    (folder / PID).write_text(f"{os.getpid()}\n", encoding="ascii")
    new = folder / f"{STATE}.new"
    new.write_text(json.dumps({**state, "pid": os.getpid(), "start": start_time(os.getpid())}), encoding="utf-8")
    new.replace(folder / STATE)


def find(root: Path) -> Iterator[Path]:
    """Yield the estates' folders: the root itself, or those directly in it."""
    for folder in [root, *(sorted(root.iterdir()) if root.is_dir() else ())]:
        if folder.is_dir() and ((folder / STATE).exists() or (folder / LOCK).exists()):
            yield folder


def listed(root: Path) -> list[dict[str, Any]]:
    """Return the estates under a folder; what a dead one left running is ended on the way."""
    found = []
    for folder in find(root):
        alive = lives(folder)
        state = read_state(folder)
        shown = {"dir": str(folder), "alive": alive, **{k: state.get(k) for k in ("name", "mode", "pid")}}
        found.append(shown if alive else {**shown, "ended": kill_leftovers(folder)})
    return found


def take_down(folder: Path) -> dict[str, Any]:
    """End the estate in a folder, whether it answers, hangs or is dead; keep its log, estate file and host keys."""
    if not folder.is_dir():
        raise trouble("sim-gone", f"there is no folder {folder}")
    was_alive = lives(folder)
    if was_alive:
        with contextlib.suppress(Trouble):
            ask(folder, ["down"], within=_END_WITHIN)
        _wait_or_kill(folder)
    ended = kill_leftovers(folder)
    clear(folder)
    return {"dir": str(folder), "was_alive": was_alive, "ended": ended}


def clear(folder: Path) -> None:
    """Remove what only a living estate needs, its keys first; log, estate file and known_hosts stay."""
    for key in folder.glob("*.key"):
        key.unlink(missing_ok=True)
    shutil.rmtree(folder / "hosts", ignore_errors=True)
    shutil.rmtree(folder / "prepared", ignore_errors=True)
    for name in _GONE_AFTER_DOWN:
        (folder / name).unlink(missing_ok=True)


def _wait_or_kill(folder: Path) -> None:
    """Wait until the estate has let go of its lock; then ask harder, by the process that it said it is."""
    if _let_go(folder, _END_WITHIN):
        return
    state = read_state(folder)
    for sig in (signal.SIGTERM, signal.SIGKILL):
        if state and start_time(state["pid"]) == state["start"]:
            os.kill(state["pid"], sig)
        if _let_go(folder, _END_WITHIN):
            return
    raise trouble("sim-busy", f"the estate in {folder} does not end")


def _let_go(folder: Path, within: float) -> bool:
    end = time.monotonic() + within
    while lives(folder):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True
