"""The journal: the one truth about a run, append-only, on the disk before anything is done.

`append` returns when the record is durable. After any error the journal is dead, for good: a failed fsync may have
dropped pages, so that a second one "succeeds" without them (fsync(2), and PostgreSQL's experience of 2018). What could
not be written is put elsewhere and kept for printing. It may not interpret an event.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from handrail.base.clock import Clock, stamp
from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.store.anchor import Anchor, against_anchor, read_anchor, rolled_back
from handrail.store.chain import GENESIS, LONGEST, Reading, Record, Walk, decode, encode, problem_of, reading
from handrail.store.disk import DISK, Disk, create_file, reason, sync_folder, write_all
from handrail.store.emergency import Emergency
from handrail.store.exclusive import locked
from handrail.store.masking import Mask
from handrail.store.trusted import file_mode, open_trusted, trust_folder

NAME: Final = "journal.jsonl"
PATIENCE: Final = 2.0  # seconds to wait for a takeover that is just being written
_INTERRUPTED: Final = Problem("journal-interrupted", "a record was interrupted while it was written")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class JournalDead(Trouble):
    """The journal cannot be written: nothing more may be sent from this console."""


@dataclass(frozen=True)
class Skimmed:
    """A journal at a glance: its first and its last good record, and what is wrong with it."""

    first: Record | None
    last: Record | None
    problem: Problem | None


def boot_id() -> str:
    """Return what names this boot of this machine, as random(4) gives it; empty where there is no such thing."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def read_lines(fd: int) -> Iterator[bytes]:
    """Yield the lines of an open journal from its beginning, none longer than any record can be."""
    with open(fd, "rb", buffering=1 << 20, closefd=False) as file:
        file.seek(0)
        yield from iter(partial(file.readline, LONGEST), b"")


@contextmanager
def walk_journal(path: Path) -> Iterator[Walk]:
    """Give a walk over a journal that holds one record at a time; nothing is written."""
    fd = open_trusted(path, os.O_RDONLY)
    try:
        yield Walk(read_lines(fd))
    finally:
        os.close(fd)


def read_journal(path: Path) -> Reading:
    """Return what a journal holds, damaged or not; nothing is ever written."""
    fd = open_trusted(path, os.O_RDONLY)
    try:
        return reading(read_lines(fd), str(path))
    finally:
        os.close(fd)


def read_run(folder: Path) -> Reading:
    """Return what a run's journal holds, held against its head anchor too: a tail that was dropped is damage as well."""
    try:
        anchor = read_anchor(folder)  # before the journal: its writer may be at work, and the anchor is never ahead
    except Trouble as err:
        found = read_journal(folder / NAME)
        return replace(found, state="damaged", problem=err.problems[0]) if not found.damage else found
    found = read_journal(folder / NAME)
    loss = against_anchor(*anchor, found.records) if not found.damage else None
    return replace(found, state="damaged", bad_seq=len(found.records) + 1, problem=loss) if loss else found


def skim_run(folder: Path) -> Skimmed:
    """Return both ends of a run's journal, and whether all of it is as it was written; cheap, and nothing is decoded."""
    anchor = read_anchor(folder)
    fd = open_trusted(folder / NAME, os.O_RDONLY, at="run.glance")
    try:
        walk = Walk(read_lines(fd))
        first, last = walk.skim()
    finally:
        os.close(fd)
    problem = problem_of(walk.state, walk.seq + 1, str(folder / NAME)) if walk.state != "torn" else None
    if problem is None and anchor[0] > walk.seq:
        problem = rolled_back(anchor[0], walk.seq)
    try:
        return Skimmed(decode(first) if first else None, decode(last) if last else None, problem)
    except ValueError:  # a newer version's record, or a forged one: its hash holds, its fields are not ours
        found = read_run(folder)
        ends = (found.records[0], found.records[-1]) if found.records else (None, None)
        return Skimmed(ends[0], ends[1], found.problem)


def _free() -> None:
    """Let everybody write: the guard of a journal that nobody else can own."""


class Options(TypedDict, total=False):
    """What a journal may be told besides: `guard` raises Trouble when this console may not write any more."""

    guard: Callable[[], None]
    disk: Disk
    boot: str
    host: str


class Journal:
    """One run's journal, open for appending; make it with `create` or `open`."""

    def __init__(
        self,
        folder: Path,
        fd: int,
        clock: Clock,
        actor: str,
        epoch: int,
        **options: Unpack[Options],
    ) -> None:
        self.path = folder / NAME
        self._path = str(self.path)
        self._fd, self._clock = fd, clock
        self._disk, self._guard = options.get("disk", DISK), options.get("guard", _free)
        self._signed = (options.get("boot", boot_id()), actor, options.get("host", socket.gethostname()), epoch)
        self._records: list[Record] = []
        self._head, self._length = GENESIS, 0
        self._emergency = Emergency(folder.name, self._disk)
        self._mask = Mask()
        self._dead: Problem | None = None
        self._anchor = Anchor(folder, self._disk)
        self._one_at_a_time = threading.Lock()

    @classmethod
    def create(cls, folder: Path, clock: Clock, actor: str, epoch: int, **options: Unpack[Options]) -> Journal:
        """Start the journal of a new run; options as for `Journal`. Raise Trouble if there is one already."""
        disk = options.get("disk", DISK)
        trust_folder(folder)
        try:
            create_file(disk, "journal.create", folder / NAME, b"", file_mode(folder))
            sync_folder(disk, "journal.create", folder)
            fd = open_trusted(folder / NAME, os.O_RDWR | os.O_APPEND, at="journal.open", disk=disk)
        except OSError as err:
            raise _unusable(folder / NAME, err) from err
        return cls(folder, fd, clock, actor, epoch, **options)

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock,
        actor: str,
        epoch: int,
        *,
        accept_loss: bool = False,
        **options: Unpack[Options],
    ) -> Journal:
        """Go on with a journal, after cutting what a crash left of the last line.

        Raise Trouble `journal-damaged`, `journal-newer`, or `journal-rolled-back` when records that were once on the
        disk are missing; `accept_loss` goes on without those, which is recorded.
        """
        disk = options.get("disk", DISK)
        trust_folder(folder)
        try:
            fd = open_trusted(folder / NAME, os.O_RDWR | os.O_APPEND, at="journal.open", disk=disk)
        except OSError as err:
            raise _unusable(folder / NAME, err) from err
        journal = cls(folder, fd, clock, actor, epoch, **options)
        try:
            journal._recover(accept_loss=accept_loss)
        except OSError as err:
            journal.close()
            raise _unusable(folder / NAME, err) from err
        except Trouble:
            journal.close()
            raise
        return journal

    @property
    def records(self) -> Sequence[Record]:
        """The records, first to last; it grows with `append`."""
        return self._records

    @property
    def tail(self) -> Record | None:
        """The last record."""
        return self._records[-1] if self._records else None

    @property
    def head(self) -> str:
        """The hash of the last record; it stands for all of them."""
        return self._head

    @property
    def unsaved(self) -> tuple[str, ...]:
        """The records that are not in the journal, as lines to be printed at the end."""
        return self._emergency.unsaved

    @property
    def emergency(self) -> Path | None:
        """The file that holds them; None when nothing is unsaved, or nowhere could be written."""
        return self._emergency.path

    def hide(self, secrets: Sequence[Secret]) -> None:
        """Mask these values in every later record, should one ever get into a body."""
        self._mask = Mask(secrets)

    def append(self, event: str, body: Mapping[str, Any]) -> Record:
        """Return the record once it is on the disk; raise `JournalDead` when it is not, now and for ever after.

        A body that is not JSON raises ValueError or TypeError, and leaves the journal alive.
        """
        with self._one_at_a_time:
            line = self._line(event, body)
            if self._dead:
                self._emergency.save(line)
                raise JournalDead(self._dead, *self._places())
            self._dead = _INTERRUPTED
            try:
                self._write(line)
            except (OSError, Trouble) as err:
                self._dead = _cause(err)
                self._emergency.save(line)
                raise JournalDead(self._dead, *self._places()) from err
            self._dead = None
            return self._keep(line)

    def close(self) -> None:
        """Close the file; the records stay readable here."""
        if self._fd >= 0:
            os.close(self._fd)
            self._anchor.close()
        self._fd = -1
        self._dead = self._dead or Problem("journal-closed", "the journal was closed")

    def _line(self, event: str, body: Mapping[str, Any]) -> bytes:
        when, mono = stamp(self._clock.now()), self._clock.mono()
        line = encode(len(self._records) + 1, self._head, when, mono, *self._signed, event, body)
        clean = self._mask.clean(line, body)
        if clean is not body:
            line = encode(len(self._records) + 1, self._head, when, mono, *self._signed, event, clean)
        if len(line) > LONGEST:
            raise ValueError(f"a record of {len(line)} bytes is too long")
        return line

    def _write(self, line: bytes) -> None:
        """Write one line, and keep a takeover out meanwhile (`lock.takeover` asks for the same lock)."""
        with locked(self._fd, PATIENCE):
            self._guard()
            self._check_file()
            write_all(self._disk, "journal.append", self._fd, line)
            self._disk.sync_data("journal.append", self._fd)

    def _check_file(self) -> None:
        """Raise Trouble unless the file at our path is still ours and nobody else has written to it."""
        ours = os.fstat(self._fd)
        try:
            there = os.lstat(self._path)
        except FileNotFoundError:
            there = None
        if there is None or (there.st_ino, there.st_dev) != (ours.st_ino, ours.st_dev):
            raise trouble("journal-replaced", f"the journal {safe(str(self.path))} was removed or replaced")
        if ours.st_size != self._length:
            raise trouble("journal-foreign-write", "somebody else has written to the journal")

    def _keep(self, line: bytes) -> Record:
        record = decode(line)
        self._records.append(record)
        self._head, self._length = record.h, self._length + len(line)
        self._anchor.note(record.seq, record.h)
        return record

    def _places(self) -> tuple[Problem, ...]:
        if not self.emergency:
            return ()
        what = f"what could not be written is in {safe(str(self.emergency))}"
        return (Problem("journal-emergency", what, severity="warning"),)

    def _recover(self, *, accept_loss: bool) -> None:
        walk = Walk(read_lines(self._fd))
        self._records = list(walk)
        self._head, self._length = walk.head, walk.good_length
        problem = problem_of(walk.state, walk.seq + 1, str(self.path))
        if problem and walk.state != "torn":
            raise Trouble(problem)
        had, digest = read_anchor(self.path.parent, self._disk)
        loss = against_anchor(had, digest, self._records)
        if loss and not (accept_loss and loss.code == "journal-rolled-back"):
            raise Trouble(loss)
        if walk.state == "torn":
            self._cut_torn_line()
        self._record_repairs()
        if loss:
            self.append("journal_rolled_back", {"had": had, "has": walk.seq})

    def _cut_torn_line(self) -> None:
        """Copy what follows the last good record aside, then cut it; both last before anything is appended."""
        size = os.fstat(self._fd).st_size
        torn = b"".join(iter_torn(self._fd, self._length, size))
        number = 1 + max((int(p.suffix[1:]) for p in self._copies()), default=0)
        folder = self.path.parent
        create_file(self._disk, "journal.torn", folder / f"journal.torn.{number}", torn, file_mode(folder))
        sync_folder(self._disk, "journal.torn", folder)
        self._disk.truncate("journal.cut", self._fd, self._length)
        self._disk.sync("journal.cut", self._fd)

    def _copies(self) -> list[Path]:
        found = [p for p in self.path.parent.glob("journal.torn.*") if p.suffix[1:].isdecimal()]
        return sorted(found, key=lambda p: int(p.suffix[1:]))

    def _record_repairs(self) -> None:
        """Append an event for each torn copy that none tells of: a crash may have come between cut and event."""
        told = {r.body.get("copy") for r in self._records if r.event == "journal_repaired"}
        for copy in self._copies():
            if copy.name not in told:
                data = copy.read_bytes()
                self.append(
                    "journal_repaired", {"copy": copy.name, "length": len(data), "sha256": sha256(data).hexdigest()}
                )


def iter_torn(fd: int, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` to `end`."""
    while start < end:
        data = os.pread(fd, min(1 << 20, end - start), start)
        if not data:
            return
        start += len(data)
        yield data


def _cause(err: OSError | Trouble) -> Problem:
    if isinstance(err, Trouble):
        return err.problems[0]
    hint = "nothing more is sent; see to the disk, then resume the run"
    return Problem("journal-write", f"the journal cannot be written: {reason(err)}", hint)


def _unusable(path: Path, err: OSError) -> Trouble:
    return trouble("journal-unusable", f"the journal {safe(str(path))} cannot be opened: {reason(err)}")
