"""flock(2), in the two ways the store uses it: tried for a moment, or held while something is written.

A flock belongs to the open file, so a library that opens and closes the same file does not lose it (a POSIX record
lock would go). It may not be used on a network file system.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from typing import Final

MOMENT: Final = 0.2  # seconds: longer than anybody's look at a lock, shorter than a person notices


def try_lock(fd: int, patience: float = MOMENT) -> bool:
    """Lock an open file for this process alone; tell whether that came about within `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            flock(fd, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.005)
        else:
            return True


def is_locked(fd: int) -> bool:
    """Tell whether another open file holds the lock."""
    try:
        flock(fd, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    flock(fd, LOCK_UN)
    return False


@contextmanager
def locked(fd: int, patience: float) -> Iterator[None]:
    """Hold the lock inside the block; raise TimeoutError when somebody else keeps it for longer than `patience`."""
    if not try_lock(fd, patience):
        raise TimeoutError("somebody else keeps the file locked")
    try:
        yield
    finally:
        with suppress(OSError):
            flock(fd, LOCK_UN)
