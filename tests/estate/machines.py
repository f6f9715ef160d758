"""Hosts of the real estate: each has its own network, processes, host name and mounts, and a whole Debian root of its own.

The root is the machine's own, read-only, under a layer in memory. A host ends when its standard input does, so whatever
happens to the tests, nothing of it stays.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handrail_sim.inside.wire import Entry
from handrail_sim.zygotes import interpreter_roots, layer_place

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 400.0
_CLONE_NEWNET = 0x40000000
_KINDS = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE}

_OWN = (  # folders of which a host shows nothing of this machine's
    "root", "home", "srv", "var/log", "var/lib/bind", "var/lib/knot", "var/cache/bind", "var/lib/puppet", "var/lib/puppetserver",
    "etc/systemd/system", "etc/ssh", "etc/bind", "etc/knot", "etc/puppet", "etc/puppetlabs", "opt/puppetlabs", "var/tmp",
)  # fmt: skip

_BOOT = r"""
exec 2>&1
set -e
M=$1/merged; NAME=$2; shift 2
rm -rf "${M%/*}/work"; mkdir "${M%/*}/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=${M%/*}/upper,workdir=${M%/*}/work" "$M"
mount -t proc proc "$M/proc"
mount -t sysfs -o ro sysfs "$M/sys"
mount --rbind /dev "$M/dev"
mount -t devpts -o newinstance,ptmxmode=0666,mode=600 devpts "$M/dev/pts"
mount --bind "$M/dev/pts/ptmx" "$M/dev/ptmx"
for d in run tmp; do mount -t tmpfs -o mode=755 tmpfs "$M/$d"; done
for d; do mkdir -p "$M$d"; mount --rbind "$d" "$M$d"; done
chmod 1777 "$M/tmp"; mkdir -p -m 1777 "$M/run/lock"; mkdir -p "$M/run/sshd"
hostname "$NAME"
ip link set lo up
exec chroot "$M" /usr/bin/env -i PATH=@PATH@ HOME=/root /bin/bash -c 'echo up; while read -r _; do :; done; exit 0'
""".replace("@PATH@", PATH)


class Hub:
    """The program in the middle: see hub.py."""

    def __init__(self, sites: dict[str, str], delay: float) -> None:
        self.mounted = interpreter_roots()
        self.disks = layer_place(interpreter_roots())
        told = json.dumps({"disks": self.disks, "sites": sites, "delay": delay})
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--", sys.executable, "-I", str(Path(__file__).with_name("hub.py")), told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._answer()

    def _answer(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline(), "the middle of the estate did not come up"

    def wrong(self, **what: Any) -> None:
        """Make the network between sites wrong: dark=["a"], cut=[["a", "b"]], loss=0.1; nothing mends it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()
        self._answer()

    def inside(self, *kinds: str) -> list[str]:
        """Return the words that run a program in the middle's namespaces."""
        return ["nsenter", "-t", str(self.process.pid), *kinds, "--"]

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Done:
    """How a command on a host ended."""

    code: int
    out: str


@dataclass
class Machine:
    """One host; its disk outlives a power cut, /run and /tmp do not."""

    hub: Hub
    name: str
    site: str
    address: str
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    pid: int = 0  # of its first process, as this machine counts

    def power_on(self) -> None:
        """Boot it up to its network; services are started by `systemctl default`."""
        disk = f"{self.hub.disks}/{self.name}"
        self._make_disk(Path(f"/proc/{self.hub.process.pid}/root{disk}"))
        self._process = subprocess.Popen(
            [*self.hub.inside("-m"), "unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
             "--", "/bin/bash", "-c", _BOOT, "boot", disk, self.name, *self.hub.mounted],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
        )  # fmt: skip
        assert self._process.stdout
        said = self._process.stdout.readline()
        assert said == b"up\n", f"{self.name} did not boot: {said!r}"
        above = self._process.pid
        self.pid = int(Path(f"/proc/{above}/task/{above}/children").read_text().split()[0])
        self._plug()

    def _make_disk(self, disk: Path) -> None:
        """Make the layer that the host writes on, with folders that hide this machine's."""
        if not disk.exists():
            (disk / "merged").mkdir(parents=True)
            for name in _OWN:
                (disk / "upper" / name).mkdir(parents=True, exist_ok=True)
                os.setxattr(disk / "upper" / name, "trusted.overlay.opaque", b"y")

    def _plug(self) -> None:
        """Put a cable between the host and its site's bridge."""
        net, outer = self.address.rpartition(".")[0], f"v{self.address.split('.', 2)[2]}"
        bridge = f"br-{self.site}"
        commands = (
            f"link add {outer} type veth peer name eth0 netns {self.pid}",
            f"link set {outer} master {bridge} up",
        )
        for words in commands:
            _checked([*self.hub.inside("-n"), "ip", *words.split()])
        for words in (
            f"addr add {self.address}/24 dev eth0",
            "link set eth0 mtu 1400 up",
            f"route add default via {net}.1",
        ):
            _checked(["nsenter", "-t", str(self.pid), "-n", "--", "ip", *words.split()])

    def power_off(self) -> None:
        """Cut its power: every process is killed at once."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process, self.pid = None, 0

    def words(self, *command: str) -> list[str]:
        """Return the words that run a program on the host as its root."""
        kinds = ("-m", "-u", "-p", "-n", "-i", "-r", "-w")
        env = ("/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb")
        return ["nsenter", "-t", str(self.pid), *kinds, "--", *env, *command]

    def run(self, script: str, given: bytes = b"", timeout: float = PATIENCE) -> Done:
        """Run a shell script on the host, as its root."""
        done = subprocess.run(
            self.words("/bin/bash", "-c", script),
            input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"))

    def sh(self, script: str, given: bytes = b"") -> str:
        """Return what a script prints; it must end well."""
        done = self.run(script, given)
        assert done.code == 0, f"{self.name}: {script}\n{done}"
        return done.out

    def said(self, script: str) -> str:
        """Return what a script prints, however it ends."""
        return self.run(script).out.strip()

    def lay(self, entries: Sequence[Entry]) -> None:
        """Write files, folders and links over the host's root, all of root's."""
        pack = io.BytesIO()
        with tarfile.open(fileobj=pack, mode="w") as tar:
            for path, kind, mode, data in entries:
                item = tarfile.TarInfo(path.lstrip("/"))
                item.type, item.mode, item.mtime = _KINDS[kind], mode, int(time.time())
                item.linkname = data.decode() if kind == "l" else ""
                item.size = len(data) if kind == "f" else 0
                tar.addfile(item, io.BytesIO(data) if kind == "f" else None)
        self.sh("tar -x -C / --keep-directory-symlink --no-overwrite-dir", pack.getvalue())

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write one file."""
        self.lay([(path, "f", mode, text.encode())])


def _checked(words: Sequence[str]) -> None:
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout.decode()}"


@contextlib.contextmanager
def standing_at(machine: Machine) -> Iterator[None]:
    """Have this thread, and every thread and process it starts, use a host's network and this machine's files."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{machine.pid}/ns/net", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(home)
        os.close(home)
        os.close(there)


def _enter(fd: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(fd, _CLONE_NEWNET):  # os.setns comes with Python 3.12
        raise OSError(ctypes.get_errno(), "setns")
