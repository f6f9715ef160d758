"""Whether a path lies on a network file system, where flock and fsync promise less than the journal needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_KERNEL: Final = (
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda"),
    *("ceph", "gfs2", "glusterfs", "lustre", "beegfs", "davfs"),
)
_FUSE: Final = ("sshfs", "glusterfs", "cephfs", "s3fs", "rclone", "davfs2", "curlftpfs", "juicefs")
NETWORK: Final = frozenset({*_KERNEL, *(f"fuse.{name}" for name in _FUSE)})
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


def read_mounts() -> str:
    """Return this process's mount table (proc_pid_mountinfo(5)); empty where there is none."""
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def network_fs(path: Path, read: Callable[[], str] = read_mounts) -> str:
    """Return the type of the network file system a path lies on, or an empty text for a local one."""
    place = path.resolve()
    best, kind = -1, ""
    for mount, found in _mounts(read()):
        if place.is_relative_to(mount) and len(mount.parts) >= best:  # a later mount hides an earlier one
            best, kind = len(mount.parts), found
    return kind if kind in NETWORK else ""


def is_network_fs(path: Path, read: Callable[[], str] = read_mounts) -> bool:
    """Tell whether a path, which need not exist yet, lies on a network file system."""
    return bool(network_fs(path, read))


def _mounts(table: str) -> Iterator[tuple[Path, str]]:
    for line in table.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if dash and len(fields) > 4:
            yield Path(_ESCAPE.sub(lambda m: chr(int(m[1], 8)), fields[4])), after.split(" ")[0]
