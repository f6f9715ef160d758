"""Runs a program as somebody less: as an ordinary user, or as root of a namespace that may make no further ones.

Started as `python as_user.py ordinary|confined UID PROGRAM...` by real root. The interpreter may lie under a folder that
an ordinary user cannot walk through (/root): in a mount namespace of its own each such folder is hidden behind a tmpfs
that anybody can walk through, with the interpreter bound at its place.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from handrail_sim.inside.kernel import BIND, NEWNS, NEWUSER, PRIVATE, REC, mount, unshare
from handrail_sim.zygotes import interpreter_roots


def open_the_way() -> None:
    """Make everything that the interpreter needs reachable for all users, in this mount namespace only."""
    unshare(NEWNS)
    mount("none", "/", "", REC | PRIVATE)
    stash = Path(tempfile.mkdtemp())
    needed = interpreter_roots()
    blocked: set[Path] = set()
    for number, path in enumerate(needed):
        closed = [p for p in Path(path).parents if not p.stat().st_mode & 0o001]
        if closed:
            (stash / str(number)).mkdir()
            mount(path, str(stash / str(number)), "", BIND | REC)
            blocked.add(min(closed, key=lambda p: len(p.parts)))
    for folder in blocked:
        mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
    for number, path in enumerate(needed):
        if (stash / str(number)).exists():
            Path(path).mkdir(parents=True, exist_ok=True)
            mount(str(stash / str(number)), path, "", BIND | REC)


def become(uid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def confine() -> None:
    """Become root of a user namespace in which no further one may be made."""
    unshare(NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("0 0 1")
    Path("/proc/self/gid_map").write_text("0 0 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


if __name__ == "__main__":
    kind, uid, *program = sys.argv[1:]
    if kind == "ordinary":
        if os.getuid() == 0:
            open_the_way()
            become(int(uid))
    else:
        confine()
    os.chdir("/")
    os.execv(program[0], program)
