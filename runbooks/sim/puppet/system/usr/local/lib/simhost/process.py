"""Processes: start them in a session of their own, tell whether the one in a record still lives, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_STEP = 0.01  # seconds between two looks


def birth(pid: int) -> str:
    """Return when a process began, in the kernel's ticks: "" if it is gone or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _lives(pid)
    fields = stat[stat.rindex(")") + 2 :].split()
    return "" if fields[0] in "ZX" else fields[19]


def _lives(pid: int) -> str:
    """Stand in for the start time where there is no /proc."""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "lives"


def spawn(command: Sequence[str], log: Path) -> int:
    """Start a program in its own session, its output appended to a log; return its pid; raise OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    copy = _in_a_copy(command, log)
    if copy:
        return copy
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/"
        )
    process.returncode = 0  # it is to outlive us: nothing to wait for, no warning about it
    return process.pid


def run(command: Sequence[str], log: Path) -> int:
    """Run a program to its end, its output appended to a log; return its exit code; raise OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    copy = _in_a_copy(command, log)
    if copy:
        return os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    with log.open("ab") as out:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode


def _in_a_copy(command: Sequence[str], log: Path) -> int:
    """Start a Python program as a copy of this process, if this one is such a copy itself: its pid, else 0."""
    copies = sys.modules.get("handrail_sim.inside.program")
    if copies is None or not copies.is_python(command):
        return 0
    return int(copies.start(command, os.environ.copy(), str(log)))


def end(pid: int, born: str, patience: float = 10.0) -> None:
    """End a process and its group: TERM, and KILL after some seconds. Gone already is fine."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if not born or birth(pid) != born:
            break
        with contextlib.suppress(OSError):
            os.killpg(pid, number)
        with contextlib.suppress(OSError):
            os.kill(pid, number)
        until = time.monotonic() + seconds
        while birth(pid) == born and time.monotonic() < until:
            time.sleep(_STEP)
