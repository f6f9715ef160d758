"""One local program, run to its end and read: no shell, no stdin, bounded in time and bytes, nothing of it left behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from handrail.base.frozen import dataclass

_LAST: Final = 4096  # bytes kept of what a program complains


@dataclass(frozen=True)
class Printed:
    """What a program printed, and its exit status (negative: by a signal). `stderr` is the last of it."""

    status: int
    stdout: bytes
    stderr: bytes


class TooLong(Exception):
    """It did not end in time."""


class TooMuch(Exception):
    """It printed more than it may."""


def printed(argv: Sequence[str], *, folder: Path, seconds: float, most: int) -> Printed:
    """Run a program in a folder and return what it printed; its whole process group is gone when this returns.

    Raises `TooLong`, `TooMuch`, and OSError or ValueError when it cannot be started. A child that keeps the pipes
    open after the program has ended delays nobody beyond the time limit.
    """
    process = subprocess.Popen(
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout
        assert process.stderr
        return _read(process, process.stdout, process.stderr, time.monotonic() + seconds, most)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()


def _read(process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes], until: float, most: int) -> Printed:
    kept = {out.fileno(): bytearray(), err.fileno(): bytearray()}
    with selectors.DefaultSelector() as wait:
        for descriptor in kept:
            os.set_blocking(descriptor, False)
            wait.register(descriptor, selectors.EVENT_READ)
        while wait.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise TooLong
            for key, _ in wait.select(left):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    wait.unregister(key.fd)
                kept[key.fd] += chunk
            if len(kept[out.fileno()]) > most:
                raise TooMuch
            del kept[err.fileno()][:-_LAST]
    try:
        status = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TooLong from None
    return Printed(status, bytes(kept[out.fileno()]), bytes(kept[err.fileno()]))
