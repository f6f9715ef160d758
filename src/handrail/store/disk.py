"""Writing that lasts: every write, sync, rename and open of the store goes through one small port.

Each call names the boundary it stands at (`journal.append`, `epoch.replace`), so that tests can fail or kill there. It
decides nothing: what an error means is the caller's business.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from handrail.base.failpoint import ARMED, boundary
from handrail.base.problems import trouble
from handrail.base.safe import safe

_fdatasync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


class Disk:
    """The operating system's calls, one method each; `at` names the boundary and is ignored here."""

    def open(self, at: str, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open a file that is not a symbolic link and never blocks (open(2))."""
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)

    def write(self, at: str, fd: int, data: bytes) -> int:
        """Write once and return how much was taken: a full disk takes less, without an error (write(2))."""
        return os.write(fd, data)

    def pwrite(self, at: str, fd: int, data: bytes, offset: int) -> int:
        """Write once at an offset (pwrite(2))."""
        return os.pwrite(fd, data, offset)

    def sync_data(self, at: str, fd: int) -> None:
        """Return when the data is on the disk (fdatasync(2))."""
        _fdatasync(fd)

    def sync(self, at: str, fd: int) -> None:
        """Return when the data and everything about it is on the disk (fsync(2))."""
        os.fsync(fd)

    def truncate(self, at: str, fd: int, length: int) -> None:
        """Cut a file (ftruncate(2))."""
        os.ftruncate(fd, length)

    def rename(self, at: str, source: Path, target: Path) -> None:
        """Put a file in another's place, atomically (rename(2))."""
        source.rename(target)


class Marked(Disk):
    """The same calls, each a boundary of its own name: `journal.append` has `journal.append.write` and `.sync_data`."""

    def open(self, at: str, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open a file; only one that may be written is a boundary."""
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return super().open(at, path, flags, mode)
        with boundary(f"{at}.open"):
            return super().open(at, path, flags, mode)

    def write(self, at: str, fd: int, data: bytes) -> int:
        """Write once."""
        with boundary(f"{at}.write"):
            return super().write(at, fd, data)

    def pwrite(self, at: str, fd: int, data: bytes, offset: int) -> int:
        """Write once at an offset."""
        with boundary(f"{at}.pwrite"):
            return super().pwrite(at, fd, data, offset)

    def sync_data(self, at: str, fd: int) -> None:
        """Sync the data."""
        with boundary(f"{at}.sync_data"):
            super().sync_data(at, fd)

    def sync(self, at: str, fd: int) -> None:
        """Sync all."""
        with boundary(f"{at}.sync"):
            super().sync(at, fd)

    def truncate(self, at: str, fd: int, length: int) -> None:
        """Cut a file."""
        with boundary(f"{at}.truncate"):
            super().truncate(at, fd, length)

    def rename(self, at: str, source: Path, target: Path) -> None:
        """Put a file in another's place."""
        with boundary(f"{at}.rename"):
            super().rename(at, source, target)


DISK: Final = Marked() if ARMED else Disk()


def reason(err: OSError) -> str:
    """Return why the operating system refused, as showable text."""
    return safe(os.strerror(err.errno) if err.errno else str(err))


@contextmanager
def told(code: str, what: str, hint: str = "") -> Iterator[None]:
    """Turn an OSError inside the block into Trouble: `what` says in words what could not be done."""
    try:
        yield
    except OSError as err:
        raise trouble(code, f"{what}: {reason(err)}", hint) from err


def write_all(disk: Disk, at: str, fd: int, data: bytes) -> None:
    """Write a whole buffer, however little is taken at a time; raise OSError when nothing is."""
    rest = data
    while rest:
        taken = disk.write(at, fd, rest)
        if taken <= 0:
            raise OSError(errno.ENOSPC, "nothing could be written")
        rest = rest[taken:]


def sync_folder(disk: Disk, at: str, folder: Path) -> None:
    """Make the names in a folder last."""
    fd = disk.open(at, folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        disk.sync(at, fd)
    finally:
        os.close(fd)


def create_file(disk: Disk, at: str, path: Path, data: bytes, mode: int, *, lasting: bool = True) -> None:
    """Write a new file with exactly this mode and sync it, not its folder; raise FileExistsError if it is there.

    One that need not be `lasting` is not waited for: a power failure may lose it.
    """
    fd = disk.open(at, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.fchmod(fd, mode)
        write_all(disk, at, fd, data)
        if lasting:
            disk.sync(at, fd)
    finally:
        os.close(fd)


def replace_file(disk: Disk, at: str, path: Path, data: bytes, mode: int, *, lasting: bool = True) -> None:
    """Put new contents at a path, so that a reader and a crash of ours see all of the old or all of the new.

    Only a `lasting` one is on the disk when this returns, and whole after a power failure.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        create_file(disk, at, fresh, data, mode, lasting=lasting)
        disk.rename(at, fresh, path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    if lasting:
        sync_folder(disk, at, path.parent)
