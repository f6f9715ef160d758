"""Opening the files that steer a failover: nothing that somebody else could have put there, nothing endless.

The file that is looked at is the file that is read: one open, without following a link, then questions to the descriptor.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from handrail.base.problems import Problem, Trouble, Where, trouble
from handrail.base.safe import safe

LARGEST: Final = 1 << 18  # bytes; real runbooks have some tens of thousands, and all of it is read within a second

INVENTORY: Final = 1 << 24  # bytes of a list of hosts


def read_file(path: Path, limit: int = LARGEST, *, private: bool = False) -> bytes:
    """Return a file's bytes; raise `Trouble` for a link, a pipe, a stranger's or everybody's file, or one over `limit`.

    `private` asks for a mode without any rights of group and others, as for keys.
    """
    where = Where(str(safe(str(path))))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _cannot_open(path, error, where) from None
    try:
        problem = _doubt(os.fstat(descriptor), where, limit, private=private)
        if problem:
            raise Trouble(problem)
        return _read(descriptor, limit, where)
    finally:
        os.close(descriptor)


def check_file(path: Path, *, private: bool = False) -> Problem | None:
    """Return what is wrong with a file that another program will read, or nothing; the file is opened, not read."""
    where = Where(str(safe(str(path))))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        return _cannot_open(path, error, where).problems[0]
    try:
        return _doubt(os.fstat(descriptor), where, INVENTORY, private=private)
    finally:
        os.close(descriptor)


def _read(descriptor: int, limit: int, where: Where) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := os.read(descriptor, 1 << 16):
        size += len(chunk)
        if size > limit:
            raise Trouble(_too_large(limit, where))
        chunks.append(chunk)
    return b"".join(chunks)


def _cannot_open(path: Path, error: Exception, where: Where) -> Trouble:
    if isinstance(error, FileNotFoundError):
        return trouble("file-missing", "there is no such file", "check the path", where)
    if path.is_symlink():
        return trouble(
            "file-link", "this is a symbolic link", "name the file itself: a link can be pointed elsewhere", where
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return trouble("file-open", f"cannot be opened: {safe(reason)}", "check its owner and mode with ls -l", where)


def _doubt(status: os.stat_result, where: Where, limit: int, *, private: bool) -> Problem | None:
    """Return why a file with this status is not to be trusted, or nothing."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        return Problem("file-kind", "this is not an ordinary file", "a folder, pipe or device is never read", where)
    if status.st_uid not in (os.geteuid(), 0):
        return Problem("file-owner", f"it belongs to user id {status.st_uid}", "make it yours, or root's", where)
    if mode & stat.S_IWOTH:
        return Problem("file-writable", f"everybody may write it (mode {mode:04o})", "chmod o-w it", where)
    if private and mode & 0o077:
        return Problem("file-private", f"others may read this key (mode {mode:04o})", "chmod 600 it", where)
    return _too_large(limit, where) if status.st_size > limit else None


def _too_large(limit: int, where: Where) -> Problem:
    return Problem("file-large", f"it is larger than {limit // 1024} KiB", "is it the right file?", where)
