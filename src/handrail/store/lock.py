"""Who drives a run: one console holds the lock, and every takeover raises the epoch.

The lock of an epoch is a flock on its own file, which is never deleted: `lock` for the first, `lock.2` and so on after
takeovers, so that a stopped console which still holds the old one is in nobody's way. The file `epoch` says which
counts. The lock knows nothing of journals, except that a takeover waits until no record is being written.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock, stamp
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.store.disk import DISK, Disk, replace_file, told
from handrail.store.exclusive import is_locked, locked, try_lock
from handrail.store.trusted import file_mode, open_trusted, trust_folder

NOTE_LIMIT: Final = 4096  # bytes; the rest of a longer note is not read
PATIENCE: Final = 2.0  # seconds a takeover waits for the old console to finish writing a record
_JOURNAL: Final = "journal.jsonl"


@dataclass(frozen=True)
class Holder:
    """Who drives a run: times as in the journal; `keyed` is when their last key was pressed."""

    who: str
    pid: int
    host: str
    since: str
    keyed: str
    epoch: int

    def __str__(self) -> str:
        """Return one showable phrase."""
        return safe(f"{self.who} on {self.host} (pid {self.pid}) since {self.since}, last key {self.keyed}", 200)


def _read_small(path: Path) -> bytes:
    fd = open_trusted(path, os.O_RDONLY, at="lock.read")
    try:
        return os.read(fd, NOTE_LIMIT)
    finally:
        os.close(fd)


def read_epoch(folder: Path) -> int:
    """Return the epoch of a run folder; 1 before any takeover. Raise Trouble `epoch-damaged`."""
    try:
        text = _read_small(folder / "epoch").strip()
    except FileNotFoundError:
        return 1
    if not text.isdigit() or int(text) < 1:
        raise trouble("epoch-damaged", f"{safe(str(folder / 'epoch'))} does not hold a number")
    return int(text)


def _lock_path(folder: Path, epoch: int) -> Path:
    return folder / ("lock" if epoch == 1 else f"lock.{epoch}")


def _read_note(folder: Path, epoch: int) -> Holder:
    try:
        found = json.loads(_read_small(_lock_path(folder, epoch)))
        who, pid, host = str(found["who"]), int(found["pid"]), str(found["host"])
        return Holder(who, pid, host, str(found["since"]), str(found["keyed"]), epoch)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Holder("somebody", 0, "?", "?", "?", epoch)


class Lock:
    """The right to drive a run, while this object lives; made by `acquire` and `takeover`."""

    def __init__(self, folder: Path, fd: int, holder: Holder, clock: Clock, disk: Disk) -> None:
        self.folder, self.holder = folder, holder
        self._paths = str(folder / "epoch"), str(_lock_path(folder, holder.epoch))
        self._fd, self._clock, self._disk = fd, clock, disk
        self._seen: tuple[int, int, int] | None = None
        self._write_note()

    @property
    def epoch(self) -> int:
        """The epoch this console drives in."""
        return self.holder.epoch

    def beat(self) -> None:
        """Note that a key was pressed just now; call it as often as seems useful."""
        self.holder = replace(self.holder, keyed=stamp(self._clock.now()))
        self._write_note()

    def pulse(self) -> None:
        """Show that this console lives; call it every few seconds. A stopped one falls silent."""
        with suppress(OSError):
            os.utime(self._fd)

    def check(self) -> None:
        """Raise Trouble `superseded` or `lock-lost` when this console may not drive any more; cheap."""
        if self._fd < 0:
            raise trouble("lock-lost", "the lock of this run was given back")
        self._check_epoch()
        self._check_file()

    def release(self) -> None:
        """Give the lock back; the run is held, and anybody may resume it."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _check_epoch(self) -> None:
        try:
            found = os.lstat(self._paths[0])
            seen: tuple[int, int, int] | None = (found.st_ino, found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            seen = None
        if seen == self._seen and (seen or self.epoch == 1):
            return
        now = read_epoch(self.folder)
        if now != self.epoch:
            raise _superseded(_read_note(self.folder, now))
        self._seen = seen

    def _check_file(self) -> None:
        ours = os.fstat(self._fd)
        try:
            there = os.lstat(self._paths[1])
        except FileNotFoundError:
            there = None
        if there is None or (there.st_ino, there.st_dev) != (ours.st_ino, ours.st_dev):
            hint = "another console may be driving this run: leave, look, then resume"
            raise trouble("lock-lost", "the lock file of this run was removed or replaced", hint)

    def _write_note(self) -> None:
        """Overwrite the note in place: the file must keep its inode. Padding hides what was there before."""
        data = json.dumps(vars(self.holder)).encode().ljust(512) + b"\n"
        with suppress(OSError):  # a full disk stops the journal, not the note
            self._disk.pwrite("lock.note", self._fd, data, 0)


def _superseded(holder: Holder) -> Trouble:
    hint = "this console sends nothing more; watch the run with `handrail watch`"
    return trouble("superseded", f"the run was taken over: {holder}", hint)


def _run_locked(holder: Holder) -> Trouble:
    hint = "watch it with `handrail watch`, or ask them for it with `handrail resume --note WORDS`"
    return trouble("run-locked", f"the run is driven by {holder}", hint)


def _new_holder(who: str, clock: Clock, epoch: int) -> Holder:
    now = stamp(clock.now())
    return Holder(who, os.getpid(), socket.gethostname(), now, now, epoch)


def _open_lock(folder: Path, epoch: int, disk: Disk) -> int:
    mode = file_mode(folder)
    path = _lock_path(folder, epoch)
    fd = open_trusted(path, os.O_RDWR | os.O_CREAT, at="lock.open", mode=mode, disk=disk)
    if os.fstat(fd).st_uid == os.geteuid():
        os.fchmod(fd, mode)
    return fd


def acquire(folder: Path, who: str, clock: Clock, *, disk: Disk = DISK) -> Lock:
    """Return the lock of a run that nobody drives; raise Trouble `run-locked`, which names who does."""
    with told("lock-unusable", "the lock of this run cannot be taken"):
        return _acquire(folder, who, clock, disk)


def _acquire(folder: Path, who: str, clock: Clock, disk: Disk) -> Lock:
    trust_folder(folder)
    while True:
        epoch = read_epoch(folder)
        fd = _open_lock(folder, epoch, disk)
        if not try_lock(fd):
            os.close(fd)
            raise _run_locked(_read_note(folder, epoch))
        lock = Lock(folder, fd, _new_holder(who, clock, epoch), clock, disk)
        try:
            lock.check()
        except Trouble:
            lock.release()  # taken over, or its file replaced, between two of our lines: look again
        else:
            return lock


def holder_of(folder: Path) -> Holder | None:
    """Return who drives a run just now; None when nobody does."""
    epoch = read_epoch(folder)
    try:
        fd = open_trusted(_lock_path(folder, epoch), os.O_RDONLY, at="lock.look")
    except FileNotFoundError:
        return None
    try:
        return _read_note(folder, epoch) if is_locked(fd) else None
    finally:
        os.close(fd)


def silence_of(folder: Path, holder: Holder) -> float | None:
    """Return for how many seconds the holder's console has shown no life; None when that cannot be told."""
    try:
        return max(0.0, time.time() - _lock_path(folder, holder.epoch).lstat().st_mtime)
    except OSError:
        return None


def is_gone(holder: Holder) -> bool:
    """Tell whether the holder's process ran on this machine and does not any more: nobody is there to be asked."""
    if holder.host != socket.gethostname() or holder.pid <= 0:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def takeover(folder: Path, who: str, clock: Clock, *, seen: Holder, typed: str, reason: str, disk: Disk = DISK) -> Lock:
    """Take a run from a console that holds it and does not answer; from then on that console can send nothing.

    `seen` is the holder as shown to the operator, `typed` the holder's name as the operator typed it. Raise Trouble
    `takeover-refused` (name or reason), `run-locked` (somebody else was faster), `takeover-busy` (a record is just
    being written). The caller journals the reason.
    """
    check_words(seen, typed, reason)
    with told("lock-unusable", "the run cannot be taken over"):
        trust_folder(folder)
        gate = open_trusted(folder / _JOURNAL, os.O_RDONLY, at="takeover.gate", disk=disk)
        try:
            with locked(gate, PATIENCE):
                return _take(folder, who, clock, seen, disk)
        except TimeoutError as err:
            hint = f"it was stopped in the middle of it: end pid {seen.pid} on {safe(seen.host)} first"
            raise trouble("takeover-busy", "the other console is writing a record", hint) from err
        finally:
            os.close(gate)


def check_words(seen: Holder, typed: str, reason: str) -> None:
    """Raise Trouble `takeover-refused` unless the holder's name was typed and a reason given."""
    if typed.strip() != seen.who or not reason.strip():
        raise trouble("takeover-refused", f"type the holder's name, {safe(seen.who)}, and give a reason")


def _take(folder: Path, who: str, clock: Clock, seen: Holder, disk: Disk) -> Lock:
    epoch = read_epoch(folder)
    if epoch != seen.epoch:
        raise _run_locked(_read_note(folder, epoch))
    fd = _open_lock(folder, epoch + 1, disk)
    if not try_lock(fd):
        os.close(fd)
        raise _run_locked(_read_note(folder, epoch + 1))
    lock = Lock(folder, fd, _new_holder(who, clock, epoch + 1), clock, disk)
    try:
        replace_file(disk, "epoch.replace", folder / "epoch", f"{epoch + 1}\n".encode(), file_mode(folder))
    except OSError:
        lock.release()
        raise
    return lock
