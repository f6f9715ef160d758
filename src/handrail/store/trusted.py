"""Which files the store is willing to touch: ours, or our group's, and never a link, a pipe or one that all may write.

It may not repair what it finds; it refuses, and says what is wrong with which file.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.store.disk import DISK, Disk


def in_group(uid: int, gid: int) -> bool:
    """Tell whether a user belongs to a group, by their primary group or by the group's list."""
    try:
        user = pwd.getpwuid(uid)
        return user.pw_gid == gid or user.pw_name in grp.getgrgid(gid).gr_mem
    except KeyError:
        return False


def shared(folder: os.stat_result) -> bool:
    """Tell whether a folder is a group's: setgid and writable for the group."""
    return bool(folder.st_mode & stat.S_ISGID and folder.st_mode & stat.S_IWGRP)


def fault(
    found: os.stat_result,
    folder: os.stat_result,
    *,
    want: Callable[[int], bool] = stat.S_ISREG,
    me: int | None = None,
    member: Callable[[int, int], bool] = in_group,
) -> str:
    """Return what is wrong with a file in `folder`, in words; an empty text when nothing is."""
    if not want(found.st_mode):
        return f"is a {_kind(found.st_mode)}"
    if found.st_mode & stat.S_IWOTH:
        return "may be written by everybody"
    mine = found.st_uid == (os.geteuid() if me is None else me)
    if mine or (shared(folder) and (found.st_uid == 0 or member(found.st_uid, folder.st_gid))):
        return ""  # root makes a group's home, and a member may have come by sudo; it could read and write all of it anyway
    return f"belongs to somebody else (uid {found.st_uid})"


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "pipe", stat.S_IFDIR: "folder", stat.S_IFREG: "plain file"}
    return kinds.get(stat.S_IFMT(mode), "device or socket")


def refused(path: Path, why: str) -> Trouble:
    """Return the refusal of one file."""
    hint = "somebody may have put it there for you to trip over: look before you go on"
    return trouble("untrusted-file", f"{safe(str(path))} {why}", hint)


def open_trusted(path: Path, flags: int, *, at: str = "open", mode: int = 0o600, disk: Disk = DISK) -> int:
    """Open a plain file that may be trusted; raise Trouble `untrusted-file`, or OSError as open(2) does."""
    try:
        fd = disk.open(at, path, flags, mode)
    except OSError as err:
        if err.errno == errno.ELOOP:
            raise refused(path, "is a symbolic link") from err
        if err.errno == errno.ENXIO:
            raise refused(path, "is a pipe") from err
        raise
    why = fault(os.fstat(fd), path.parent.stat())
    if why:
        os.close(fd)
        raise refused(path, why)
    return fd


def trust_folder(folder: Path) -> os.stat_result:
    """Return the status of a folder that may be trusted; raise Trouble `untrusted-file`, or OSError."""
    found = folder.lstat()
    why = fault(found, found, want=stat.S_ISDIR)
    if why:
        raise refused(folder, why)
    return found


def make_folder(path: Path) -> Path:
    """Make a folder inside one of ours, where it is missing: the group's where a group shares its parent, else private."""
    with suppress(FileExistsError):
        path.mkdir(0o700)
        path.chmod(0o2770 if shared(path.parent.stat()) else 0o700)
    return path


def file_mode(folder: Path) -> int:
    """Return the mode of new files in a folder: 0660 where a group shares it, else 0600."""
    return 0o660 if shared(folder.stat()) else 0o600
