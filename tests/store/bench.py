"""What the store's tests share: a clock that steps, a disk that fails when told to, and a journal to break."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handrail.store.disk import Disk
from handrail.store.journal import Journal


class SteppingClock:
    """Moves on by a millisecond whenever it is asked."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 5, 12, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def mono(self) -> float:
        self.seconds += 0.001
        return self.seconds


class FaultyDisk(Disk):
    """Fails the Nth call of one kind with an error, or takes only a part of every write."""

    def __init__(self, kind: str = "", nth: int = 0, error: int = errno.EIO, *, short: int = 0) -> None:
        self.kind, self.nth, self.error, self.short = kind, nth, error, short
        self.calls: list[tuple[str, str]] = []

    def count(self, kind: str) -> int:
        return sum(1 for name, _ in self.calls if name == kind)

    def _reach(self, kind: str, at: str) -> None:
        self.calls.append((kind, at))
        if kind == self.kind and self.count(kind) == self.nth:
            raise OSError(self.error, os.strerror(self.error))

    def open(self, at: str, path: Path, flags: int, mode: int = 0o600) -> int:
        self._reach("open", at)
        return super().open(at, path, flags, mode)

    def write(self, at: str, fd: int, data: bytes) -> int:
        if self.kind == "write" and self.count("write") + 1 == self.nth:
            super().write(at, fd, data[: len(data) // 2])  # a disk that fills up takes a part first
        self._reach("write", at)
        return super().write(at, fd, data[: self.short] if self.short else data)

    def pwrite(self, at: str, fd: int, data: bytes, offset: int) -> int:
        self._reach("pwrite", at)
        return super().pwrite(at, fd, data, offset)

    def sync_data(self, at: str, fd: int) -> None:
        self._reach("sync_data", at)
        super().sync_data(at, fd)

    def sync(self, at: str, fd: int) -> None:
        self._reach("sync", at)
        super().sync(at, fd)

    def truncate(self, at: str, fd: int, length: int) -> None:
        self._reach("truncate", at)
        super().truncate(at, fd, length)

    def rename(self, at: str, source: Path, target: Path) -> None:
        self._reach("rename", at)
        super().rename(at, source, target)


def body_of(number: int) -> dict[str, Any]:
    """Return a body as the engine writes them: nested, with foreign text in it."""
    return {
        "step": f"sync/copy-{number}",
        "host": "dr1",
        "text": "é漢\x1b[2J\u202e@ JZ" + "q" * (number * 7 % 60),
        "n": [number],
    }


def new_journal(folder: Path, records: int, **options: Any) -> Journal:
    """Return an open journal with that many records."""
    journal = Journal.create(folder, SteppingClock(), "alice", 1, boot="boot-1", host="bastion1", **options)
    for number in range(1, records + 1):
        journal.append("step_started" if number % 2 else "step_passed", body_of(number))
    return journal


def journal_bytes(folder: Path, records: int = 40) -> bytes:
    """Return the bytes of a closed journal of that many records, in `folder`."""
    journal = new_journal(folder, records)
    journal.close()
    return journal.path.read_bytes()
