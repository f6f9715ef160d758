"""One host's files: its tmpfs, what is laid into it, and the mounts that its pid 1 makes before it turns to its own root.

It may import the standard library only. Everything is done relative to the host's directory, so that an overlay's options
need no escaping.
"""

# pathlib would be the largest import of a process that has to start at once.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH110, PTH123, PTH211

from __future__ import annotations

import os
import uuid
from typing import Any, Final

from handrail_sim.inside import wire
from handrail_sim.inside.kernel import BIND, NODEV, NOEXEC, NOSUID, RDONLY, REC, REMOUNT, bind_readonly, mount, stage

_ORDINARY: Final = 0o755
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_FDS: Final = (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2"))
_PROC_READONLY: Final = ("sys", "sysrq-trigger", "irq", "bus")


def make(place: str, size: str) -> None:
    """Mount the host's own tmpfs on a new directory."""
    with stage("tmpfs"):
        os.mkdir(place)
        mount("tmpfs", place, "tmpfs", NOSUID | NODEV, f"mode=755,size={size}")
        os.mkdir(f"{place}/root")


def write(place: str, packs: list[list[wire.Entry]]) -> None:
    """Write packs into the host's tmpfs, later ones over earlier ones."""
    umask = os.umask(0)
    try:
        with stage("lay files"):
            made: set[str] = set()
            for entries in packs:
                for entry in entries:
                    _write(place, entry, made)
    finally:
        os.umask(umask)


def resize(place: str, size: str) -> None:
    """Give the host's tmpfs another size; "used" is exactly what it holds now, so that the next byte is ENOSPC."""
    if size == "used":
        now = os.statvfs(place)
        size = str(max(1, now.f_blocks - now.f_bfree) * now.f_frsize)
    mount("tmpfs", place, "tmpfs", REMOUNT | NOSUID | NODEV, f"size={size}")


def _write(place: str, entry: wire.Entry, made: set[str]) -> None:
    """Write one entry; `made` are the folders known to exist: a host has some hundred files, each call counts."""
    path, kind, mode, data = entry
    target = f"{place}/{path}"
    folder = path if kind == "d" else path.rpartition("/")[0]
    if folder not in made:
        made.add(folder)
        os.makedirs(f"{place}/{folder}", _ORDINARY, exist_ok=True)
    if kind != "d":
        _write_leaf(target, kind, mode, data)
    elif mode != _ORDINARY:  # a laid folder does not open up /root or close /tmp
        os.chmod(target, mode)


def _write_leaf(target: str, kind: str, mode: int, data: bytes) -> None:
    """Write a file or a link, in place of what was there."""
    try:
        if kind == "l":
            os.symlink(os.fsdecode(data), target)
            return
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        os.unlink(target)
        _write_leaf(target, kind, mode, data)
        return
    try:
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)


def mount_all(host: dict[str, Any], layer: str) -> None:
    """Mount everything under `root` of the working directory: overlays, interpreter, devices, proc, tmpfs."""
    with stage("mount the root"):
        mount("root", "root", "", BIND)
    with stage("overlay of /usr"):
        for name in host["overlays"]:
            mount(
                "overlay", f"root/{name}", "overlay", NODEV,
                f"userxattr,lowerdir=/{name},upperdir=up.{name},workdir=wk.{name}",
            )  # fmt: skip
    with stage("bind the interpreter"):
        for number, path in enumerate(host["readonly"]):
            os.makedirs(f"root{path}", exist_ok=True)
            bind_readonly(f"{layer}/ro/{number}", f"root{path}")
    _devices()
    with stage("tmpfs"):
        for path, size in (("dev/shm", "16m"), ("run", "32m")):
            mount("tmpfs", f"root/{path}", "tmpfs", NOSUID | NODEV, f"mode=755,size={size}")
    _proc()


def _devices() -> None:
    with stage("devices"):
        mount("tmpfs", "root/dev", "tmpfs", NOSUID, "mode=755,size=64k")
        for name in _DEVICES:
            os.close(os.open(f"root/dev/{name}", os.O_WRONLY | os.O_CREAT, 0o644))
            mount(f"/dev/{name}", f"root/dev/{name}", "", BIND)
        os.mkdir("root/dev/pts")
        mount("devpts", "root/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=600")
        os.symlink("pts/ptmx", "root/dev/ptmx")
        for name, tail in _FDS:
            os.symlink(f"/proc/self/fd{tail}", f"root/dev/{name}")
        os.mkdir("root/dev/shm")


def _proc() -> None:
    """Mount the host's own /proc while the machine's is still visible, without which the kernel refuses it."""
    with stage("own /proc"):
        mount("proc", "root/proc", "proc", NOSUID | NODEV | NOEXEC)
    with stage("boot id"):
        with open("boot_id", "wb") as file:
            file.write(f"{uuid.uuid4()}\n".encode())
        mount("boot_id", "root/proc/sys/kernel/random/boot_id", "", BIND)


def close_proc() -> None:
    """Make what belongs to the whole machine in the host's /proc read-only; matters when its root is real root."""
    with stage("read-only /proc"):
        for name in _PROC_READONLY:
            path = f"root/proc/{name}"
            if os.path.exists(path):
                mount(path, path, "", BIND | REC)
                mount("none", path, "", BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC)
