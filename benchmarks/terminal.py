"""A program on a terminal of its own (a pseudo terminal), driven by keys, and watched for what it shows and when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from benchmarks.spawned import Memory, Usage

ENV = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


class OnTerminal:
    """One program on its terminal; use it as a context manager: it is ended at the end."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], size: tuple[int, int] = (80, 24)) -> None:
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover  the child
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
                os.execvpe(argv[0], list(argv), {**env, **ENV})
            finally:
                os._exit(127)
        self.seen = b""
        self.cpu: float | None = None
        self.code = 0  # that it ended with

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def read(self, seconds: float) -> bytes:
        """Return what is written within this time at most; empty when nothing is, or the program has ended."""
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return b""
        with suppress(OSError):
            return os.read(self.fd, 1 << 16)
        return b""

    def until(self, word: bytes, seconds: float = 60.0) -> float:
        """Return when a word has been shown (perf_counter); raise TimeoutError when it is not, with the end of what was."""
        limit = time.perf_counter() + seconds
        while word not in self.seen:
            self.seen += self.read(0.5)
            if time.perf_counter() > limit or not self.alive():
                raise TimeoutError(f"{word!r} was not shown: {self.seen[-1500:]!r}")
        at = time.perf_counter()
        self.seen = self.seen[self.seen.index(word) + len(word) :]
        return at

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def alive(self) -> bool:
        """Tell whether the program runs."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def end(self) -> float:
        """End the program, reading what it still says; return the processor seconds of it and of what it waited for."""
        if self.cpu is not None:
            return self.cpu
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        limit = time.perf_counter() + 10
        while self.alive() and time.perf_counter() < limit:
            self.read(0.05)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status, used = os.wait4(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        os.close(self.fd)
        self.cpu = used.ru_utime + used.ru_stime
        return self.cpu


def run_shown(
    argv: Sequence[str], *, env: Mapping[str, str], size: tuple[int, int] = (120, 40), seconds: float = 90
) -> Usage:
    """Run a program on a terminal to its own end, for so long at most; what it shows is read, and not kept."""
    with OnTerminal(argv, env, size) as one:
        watch, limit = Memory(one.pid), time.perf_counter() + seconds
        while one.alive() and time.perf_counter() < limit:
            one.read(0.05)
        wall = time.perf_counter() - one.begun
        memory, cpu = watch.stop(), one.end()
    return Usage(wall, cpu, memory, one.code)
