"""Finds and ends what a plain-folder estate left running: by the environment of each process, and by a ledger of groups.

It signals only processes of this user that carry the host's folder in their environment, or process groups that the ledger
names with the start time of their leader.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MARK: Final = b"HANDRAIL_SIM_ROOT="
_LEDGER: Final = "processes"
_ROUNDS: Final = 100
_PAUSE: Final = 0.02  # seconds


def start_time(pid: int) -> str:
    """Return a process's start time in ticks since boot (proc_pid_stat(5), field 22), or "" when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


class Ledger:
    """The list of started process groups: `pgid start-time` lines, written before anything may escape."""

    def __init__(self, estate: Path) -> None:
        self._file = estate / _LEDGER

    def note(self, pid: int) -> None:
        """Append a group."""
        with self._file.open("a", encoding="ascii") as file:
            file.write(f"{pid} {start_time(pid)}\n")

    def groups(self) -> Iterator[int]:
        """Yield the groups whose leader still is the one that was started."""
        try:
            lines = self._file.read_text(encoding="ascii").split("\n")
        except OSError:
            return
        for line in lines:
            pid, _, started = line.partition(" ")
            if pid.isdigit() and started and start_time(int(pid)) == started:
                yield int(pid)


def marked(root: Path) -> list[int]:
    """Return the processes whose HANDRAIL_SIM_ROOT is a folder, or a folder beneath it."""
    wanted = _MARK + os.fsencode(root)
    proc = Path("/proc")
    others = [e for e in proc.iterdir() if e.name.isdigit() and int(e.name) != os.getpid()] if proc.is_dir() else []
    return [int(entry.name) for entry in others if _carries(entry, wanted)]


def _carries(process: Path, wanted: bytes) -> bool:
    try:
        values = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(v == wanted or v.startswith(wanted + b"/") for v in values)


def kill_all(root: Path) -> int:
    """Kill every process marked with a folder until there is none; return how many there were."""
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        living = [pid for pid in marked(root) if start_time(pid)]
        if not living:
            break
        for pid in living:
            seen.add(pid)
            _kill(pid)
        time.sleep(_PAUSE)
    return len(seen)


def kill_leftovers(estate: Path) -> int:
    """End what a dead estate left behind, by ledger and by mark; return how many processes and groups."""
    groups = list(Ledger(estate).groups())
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    count = kill_all(estate / "hosts")
    (estate / _LEDGER).unlink(missing_ok=True)
    return max(count, len(groups))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
