"""A machine whose first process is systemd itself: for what the stand-in of `systemctl` may only claim."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.estate.machines import PATH, Done

SYSTEMD = "/lib/systemd/systemd"
_WITHIN = 30.0
_CGROUPS = """
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then mount -t cgroup2 cgroup2 "$1"
else mount -t tmpfs -o mode=755 tmpfs "$1" && mkdir "$1/systemd" && mount -t cgroup -o none,name=systemd cgroup "$1/systemd"; fi
"""
_BOOT = (
    """set -e
D=$1 M=$1/m
mount -t tmpfs -o mode=755 tmpfs "$D"; mkdir "$D/up" "$D/work" "$M"
mount -t overlay overlay -o "lowerdir=/,upperdir=$D/up,workdir=$D/work" "$M"
mount -t proc proc "$M/proc"; mount -t sysfs -o ro sysfs "$M/sys"
for d in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$M/$d"; done
cgroups() { CGROUPS }
cgroups "$M/sys/fs/cgroup"
for n in null zero full random urandom tty; do : > "$M/dev/$n"; mount --bind "/dev/$n" "$M/dev/$n"; done
mkdir "$M/dev/shm" "$M/dev/pts"; : > "$M/dev/console"
rm -rf "$M/etc/systemd/system"; mkdir -p "$M/etc/systemd/system"
printf '[Unit]\\nRequires=timers.target\\nAfter=timers.target\\nAllowIsolate=yes\\n' > "$M/etc/systemd/system/small.target"
exec chroot "$M" /usr/bin/env -i container=lxc PATH=@PATH@ SYSTEMD --system --unit=small.target --log-target=null
""".replace("CGROUPS", _CGROUPS)
    .replace("@PATH@", PATH)
    .replace("SYSTEMD", SYSTEMD)
)
_NAMESPACES = ("--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net", "--cgroup")


def missing() -> str:
    """Return why no systemd can be booted here, "" if it can: it wants a hierarchy of cgroups of its own."""
    if not Path(SYSTEMD).exists():
        return "not installed: systemd"
    tried = subprocess.run(
        ["unshare", *_NAMESPACES, "--", "/bin/sh", "-c", f"mount -t tmpfs tmpfs /mnt; set -- /mnt; {_CGROUPS}"],
        capture_output=True, check=False,
    )  # fmt: skip
    return tried.stderr.decode("utf-8", "replace").strip() if tried.returncode else ""


@dataclass
class Booted:
    """The machine, by its first process as this machine counts; `root` is its disk as seen from here."""

    pid: int

    def run(self, *argv: str) -> Done:
        """Run a program there."""
        words = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w", "--"]
        env = ["/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8"]
        done = subprocess.run([*words, *env, *argv], capture_output=True, timeout=60, check=False)
        return Done(done.returncode, done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace"))

    def sh(self, script: str) -> str:
        """Return what a script prints; it must end well."""
        done = self.run("/bin/sh", "-c", script)
        assert done.code == 0, f"{script}\n{done}"
        return done.out

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write one file there."""
        file = Path(f"/proc/{self.pid}/root{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)


@contextmanager
def booted(disk: Path) -> Iterator[Booted]:
    """Boot a machine; `disk` is an empty folder."""
    process = subprocess.Popen(
        ["unshare", *_NAMESPACES, "--", "/bin/sh", "-c", _BOOT, "boot", str(disk)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield _answering(process)
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


def _answering(process: subprocess.Popen[bytes]) -> Booted:
    end = time.monotonic() + _WITHIN
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr and process.stderr.read()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        made = Booted(int(children[0])) if children else None
        if made and made.run("systemctl", "is-system-running").out.strip() in ("running", "degraded"):
            return made
        time.sleep(0.1)
    raise AssertionError("systemd did not come up")
