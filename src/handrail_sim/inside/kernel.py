"""Linux calls that Python does not offer: unshare, mount, pivot_root, prctl; and the stage that a refusal is named after.

It may import the standard library only. Numbers are those of <sched.h>, <sys/mount.h> and <sys/prctl.h>.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
from collections.abc import Iterator
from typing import Final

NEWNS: Final = 0x20000
NEWCGROUP: Final = 0x2000000
NEWUTS: Final = 0x4000000
NEWIPC: Final = 0x8000000
NEWUSER: Final = 0x10000000
NEWPID: Final = 0x20000000
NEWNET: Final = 0x40000000

RDONLY: Final = 1
NOSUID: Final = 2
NODEV: Final = 4
NOEXEC: Final = 8
REMOUNT: Final = 32
BIND: Final = 4096
REC: Final = 16384
PRIVATE: Final = 1 << 18
_DETACH: Final = 2

_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41, "arm64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel refused one stage of the arrangement."""

    def __init__(self, stage: str, code: int, text: str) -> None:
        self.stage, self.code, self.text = stage, code, text
        super().__init__(f"{stage}: {errno.errorcode.get(code, code)} ({text})")


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Name what is being tried, so that an OSError in the block becomes `Refused` with that name."""
    try:
        yield
    except OSError as e:
        raise Refused(name, e.errno or 0, str(e)) from e


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` (unshare(2))."""
    _check(_libc.unshare(flags), f"unshare {flags:#x}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount (mount(2)); raise OSError with what was tried."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), os.fsencode(data) or None
    )
    _check(result, f"mount {kind or 'bind'} on {target}")


def bind_readonly(source: str, target: str, *, recursive: bool = True) -> None:
    """Bind a directory or file and make the new mount read-only."""
    mount(source, target, "", BIND | (REC if recursive else 0))
    mount("none", target, "", BIND | REMOUNT | RDONLY | NOSUID | NODEV)


def pivot_here() -> None:
    """Make the working directory the root and let go of the old one (pivot_root(2), "." twice)."""
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"pivot_root: its number on {platform.machine()} is not known")
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _DETACH), "umount of the old root")


def die_with_parent() -> None:
    """Ask for SIGKILL when the thread that started this process ends; a change of ids clears it (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, 9)


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants (PR_SET_CHILD_SUBREAPER)."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
