"""The spool: one host's output of one attempt, on the disk exactly as the host said it, less its secrets.

The log holds the host's bytes alone; our own remarks stand in a file beside it, and the index says what came when. It
is not synced until it is sealed: the host keeps its own copy until then. Failing to store output never stops a run,
it is told (`problem`, `dropped`). Threads may write to it in turn. It may not decode or interpret a byte.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock
from handrail.base.problems import Problem
from handrail.base.secrets import Redactor, Secret
from handrail.store.disk import DISK, Disk, reason, sync_folder, write_all
from handrail.store.spool_index import HOST_STREAMS, MAGIC, SIZE, HostStream, Stream, Stretch, beside, read_stretches
from handrail.store.trusted import file_mode, open_trusted

CAP: Final = 1 << 30  # bytes of one log
STRETCH: Final = 64 << 10  # bytes, and
TOGETHER: Final = 50  # ms: further output joins a record of the index up to here


@dataclass(frozen=True)
class Sealed:
    """What the journal says of an output: the file, relative to the run's folder, its length and its digest."""

    file: str
    length: int
    sha256: str
    dropped: int = 0


@dataclass
class _Feed:
    """One stream on its way to the disk: `source` counts the bytes the host has sent."""

    redactor: Redactor
    source: int = 0

    @property
    def settled(self) -> int:
        return self.source - self.redactor.pending


@dataclass
class _Files:
    log: int
    index: int
    notes: int

    def each(self) -> tuple[int, int, int]:
        return self.log, self.index, self.notes


@dataclass
class _Ends:
    """Where the files end, and the last stretch with its number."""

    log: int = 0
    notes: int = 0
    number: int = -1
    last: Stretch | None = None
    settled: dict[Stream, Stretch] = field(default_factory=dict)


class Spool:
    """One output that is being written; `open` makes it, or goes on with it."""

    def __init__(self, path: Path, files: _Files, ends: _Ends, clock: Clock, secrets: tuple[Secret, ...]) -> None:
        self.path = path
        self.dropped = 0
        self.problem: Problem | None = None
        self._files, self._ends = files, ends
        self._cap, self._disk = CAP, DISK
        self._wall_ms = clock.now().timestamp() * 1000 - clock.mono() * 1000
        self._feeds: dict[HostStream, _Feed] = {}
        for stream in HOST_STREAMS:
            before = ends.settled.get(stream)
            redactor = Redactor(secrets, in_key=bool(before and before.in_key))
            self._feeds[stream] = _Feed(redactor, before.source if before else 0)
        self._digest = sha256()
        self._one_at_a_time = threading.RLock()
        self._synced = ends.log

    @classmethod
    def open(
        cls, out: Path, name: str, clock: Clock, *, secrets: Iterable[Secret] = (), cap: int = CAP, disk: Disk = DISK
    ) -> Spool:
        """Return the spool `name` in the folder `out`; after a crash it ends where its index does (see `settled`).

        Raise Trouble `untrusted-file`. A spool whose files cannot be made stores nothing, and says so (`problem`).
        """
        hidden = tuple(secrets)
        try:
            spool = cls._reopen(out / name, clock, hidden, disk)
        except OSError as err:
            spool = cls(out / name, _Files(-1, -1, -1), _Ends(), clock, hidden)
            spool.problem = _unstored(err)
        spool._cap, spool._disk = cap, disk
        return spool

    @classmethod
    def _reopen(cls, path: Path, clock: Clock, secrets: tuple[Secret, ...], disk: Disk) -> Spool:
        fresh = not path.exists()
        files = _open_files(path, disk)
        try:
            spool = cls(path, files, _find_ends(files), clock, secrets)
            spool._disk = disk
            spool._settle_files()
            if fresh:
                sync_folder(disk, "spool.create", path.parent)
        except BaseException:
            _close(files)
            raise
        return spool

    def settled(self, stream: HostStream) -> int:
        """Return how many bytes of the host's own stream need not be read from it again."""
        return self._feeds[stream].settled

    def write(self, stream: HostStream, chunk: bytes, at: float) -> None:
        """Store what came on a stream at `at` (monotonic seconds, of the clock given to `open`)."""
        with self._one_at_a_time:
            feed = self._feeds[stream]
            clean = feed.redactor.feed(chunk)
            feed.source += len(chunk)
            self._store(stream, clean, at)

    def note(self, at: float, *lines: str) -> None:
        """Store remarks of our own, a line each: they are shown among the output, and are not in the log."""
        data = b"".join(line.replace("\n", " ").encode("utf-8", "replace") + b"\n" for line in lines)
        with self._one_at_a_time:
            self._guarded(len(data), lambda: self._add_note(data, at))

    def so_far(self) -> Sealed:
        """Return what is stored by now; it is not synced."""
        file = f"{self.path.parent.name}/{self.path.name}"
        return Sealed(file, self._ends.log, self._digest.hexdigest(), self.dropped)

    @property
    def unsynced(self) -> int:
        """Return how many bytes of the log no sync has been asked for."""
        return self._ends.log - self._synced

    def sync(self) -> None:
        """Sync what is stored by now; it may be called in another thread, beside writes, or when this is closed."""
        end = self._ends.log
        try:
            for fd in self._files.each():
                self._sync_again(fd)
            self._synced = end
        except OSError as err:
            self.problem = _unstored(err)

    def _sync_again(self, fd: int) -> None:
        """Sync a file that may be closed meanwhile."""
        try:
            mine = os.dup(fd)
        except OSError:
            return  # whoever goes on with it syncs it
        try:
            self._disk.sync("spool.seal", mine)
        finally:
            os.close(mine)

    def seal(self) -> Sealed:
        """Store what was held back, sync everything, close; this can take a while after much output."""
        with self._one_at_a_time:
            at = (self._last_ms() - self._wall_ms) / 1000
            for stream, feed in self._feeds.items():
                self._store(stream, feed.redactor.flush(), at)
            self._guarded(0, self._sync)
            self.close()
            return self.so_far()

    def close(self) -> None:
        """Close without sealing: somebody will go on with it."""
        with self._one_at_a_time:
            _close(self._files)
            self._files = _Files(-1, -1, -1)

    def _last_ms(self) -> float:
        return self._ends.last.at_ms if self._ends.last else self._wall_ms

    def _store(self, stream: HostStream, data: bytes, at: float) -> None:
        kept = data[: max(0, self._cap - self._ends.log)]
        if kept:
            self._guarded(len(kept), lambda: self._add(stream, kept, at))
        if len(kept) < len(data):
            if self.problem is None:
                self._tell_cap(at)
            self.dropped += len(data) - len(kept)

    def _tell_cap(self, at: float) -> None:
        text = f"output beyond {self._cap} bytes is not kept here"
        self.problem = Problem("spool-full", text, "the host keeps its own copy", severity="warning")
        self.note(at, f"{text}; the host keeps its own copy")

    def _guarded(self, size: int, act: Callable[[], None]) -> None:
        """Do something with the files; the first error ends all storing, and every byte after it counts as dropped."""
        if self.problem and self.problem.code == "spool-write":
            self.dropped += size
            return
        try:
            act()
        except OSError as err:
            self.dropped += size
            with suppress(OSError):
                self._disk.truncate("spool.cut", self._files.log, self._ends.log)
            self.problem = _unstored(err)

    def _add(self, stream: HostStream, data: bytes, at: float) -> None:
        write_all(self._disk, "spool.write", self._files.log, data)
        feed, at_ms = self._feeds[stream], int(self._wall_ms + at * 1000)
        self._index(Stretch(self._ends.log, len(data), stream, feed.redactor.in_key, at_ms, feed.settled))
        self._digest.update(data)
        self._ends.log += len(data)

    def _add_note(self, data: bytes, at: float) -> None:
        write_all(self._disk, "spool.note", self._files.notes, data)
        self._index(Stretch(self._ends.notes, len(data), "note", False, int(self._wall_ms + at * 1000), 0))
        self._ends.notes += len(data)

    def _index(self, fresh: Stretch) -> None:
        last = self._ends.last
        if last and last.stream == fresh.stream != "note" and _together(last, fresh):
            grown = replace(last, length=last.length + fresh.length, in_key=fresh.in_key, source=fresh.source)
        else:
            grown = fresh
            self._ends.number += 1
        self._ends.last = grown
        offset = (self._ends.number + 1) * SIZE
        if self._disk.pwrite("spool.index", self._files.index, grown.pack(), offset) != SIZE:
            raise OSError(0, "the index took only a part")

    def _sync(self) -> None:
        for fd in self._files.each():
            self._disk.sync("spool.seal", fd)

    def _settle_files(self) -> None:
        """Cut what a crash left beyond the index, and take up the digest."""
        self._disk.truncate("spool.cut", self._files.log, self._ends.log)
        self._disk.truncate("spool.cut", self._files.notes, self._ends.notes)
        self._disk.truncate("spool.cut", self._files.index, (self._ends.number + 2) * SIZE)
        done = 0
        while data := os.pread(self._files.log, 1 << 20, done):
            self._digest.update(data)
            done += len(data)


def _unstored(err: OSError) -> Problem:
    hint = "the run goes on; the host keeps its own copy"
    return Problem("spool-write", f"output cannot be stored: {reason(err)}", hint)


def _together(last: Stretch, fresh: Stretch) -> bool:
    return fresh.at_ms - last.at_ms < TOGETHER and last.length + fresh.length <= STRETCH


def _open_files(path: Path, disk: Disk) -> _Files:
    mode = file_mode(path.parent)
    opened: list[int] = []
    try:
        for place, append in ((path, os.O_APPEND), (beside(path)[0], 0), (beside(path)[1], os.O_APPEND)):
            flags = os.O_RDWR | os.O_CREAT | append
            opened.append(open_trusted(place, flags, at="spool.open", mode=mode, disk=disk))
            if os.fstat(opened[-1]).st_uid == os.geteuid():
                os.fchmod(opened[-1], mode)
        if os.pread(opened[1], SIZE, 0) != MAGIC:
            disk.truncate("spool.index", opened[1], 0)
            disk.pwrite("spool.index", opened[1], MAGIC, 0)
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    return _Files(*opened)


def _close(files: _Files) -> None:
    for fd in files.each():
        if fd >= 0:
            os.close(fd)


def _find_ends(files: _Files) -> _Ends:
    """Return where the output ends: at the last stretch whose bytes are all there."""
    ends = _Ends()
    log, notes = os.fstat(files.log).st_size, os.fstat(files.notes).st_size
    first = 0
    while found := read_stretches(files.index, first, 4096):
        for stretch in found:
            end = stretch.offset + stretch.length
            expected, size = (ends.notes, notes) if stretch.stream == "note" else (ends.log, log)
            if stretch.offset != expected or end > size:
                return ends
            if stretch.stream == "note":
                ends.notes = end
            else:
                ends.log = end
            ends.settled[stretch.stream] = ends.last = stretch
            ends.number += 1
        first += len(found)
    return ends
