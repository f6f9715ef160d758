"""One program run to its end, with what it took: wall time, processor time, memory. It looks at /proc, and needs Linux."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK = 0.25  # seconds between two looks at the memory of all its processes


@dataclass(frozen=True)
class Usage:
    """What a program and all it waited for took: seconds of wall and processor, and the most memory at once in KiB (PSS)."""

    wall: float
    cpu: float
    memory: float
    code: int
    output: str = ""


def run(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, memory: bool = False
) -> Usage:
    """Run a program to its end in a session of its own; stdout and stderr are kept, stdin is empty."""
    begun = time.perf_counter()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,
    ) as process:
        watch = Memory(process.pid) if memory else None
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    most = watch.stop() if watch else float(used.ru_maxrss)
    return Usage(wall, used.ru_utime + used.ru_stime, most, process.returncode, said.decode("utf-8", "replace"))


def must(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Usage:
    """Run a program that has to succeed; raise RuntimeError with what it said when it does not."""
    used = run(argv, env=env, cwd=cwd)
    if used.code:
        raise RuntimeError(f"{argv[0]} ended with {used.code}: {used.output[-2000:]}")
    return used


class Memory:
    """Watches how much memory the processes of one session hold together, in a thread; `stop` returns the most in KiB."""

    def __init__(self, session: int) -> None:
        self._session, self._most, self._over = session, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            self._most = max(self._most, sum(held(pid) for pid in members(self._session)))

    def stop(self) -> float:
        """Stop looking; return the most that was seen."""
        self._over.set()
        self._thread.join()
        return self._most


def members(session: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(words[3]) == session:
                found.append(int(entry.name))
    return found


def held(pid: int) -> float:
    """Return the memory of one process in KiB, shared pages divided among those who share them; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a living process has used by itself."""
    words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
