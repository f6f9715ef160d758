"""Real daemons on the loopback, each with a configuration and keys of its own: OpenSSH's sshd, and the proxy that delays.

They are started by a part and ended with it. It looks for programs beside PATH in /usr/sbin, and changes nothing on the machine.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.place import HERE, PEERS, Place
from benchmarks.spawned import must

SSHD = """Port {port}
{listen}
HostKey {place}/host
PidFile {place}/sshd.pid
AuthorizedKeysFile {place}/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 4000
MaxSessions 100
LogLevel ERROR
Subsystem sftp internal-sftp
SetEnv HOME={place}/home
"""
LOOPBACK_ONLY = 'Match Address "*,!127.0.0.0/8"\n    DenyUsers *\n'
# As root, sshd wants /run/sshd: it gets one in a mount namespace of its own, so that the machine's /run is not touched.
INSIDE = 'set -e; mount --make-rprivate /; mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd; exec "$@"'


def program(name: str) -> str | None:
    """Return where a program is; None where it is not installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port of the loopback that nobody listens at now."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def started(argv: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a daemon that stays in the foreground; it is ended at the end, and waited for."""
    with log.open("ab") as said:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def answers(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 15.0) -> None:
    """Return once something listens; raise RuntimeError with what the daemon said when it does not."""
    limit = time.monotonic() + seconds
    while True:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-1000:]}")
        time.sleep(0.01)


@dataclass(frozen=True)
class Sshd:
    """One sshd: where it listens, and the files with which one logs in."""

    folder: Path
    port: int
    pid: int

    @property
    def key(self) -> Path:
        """The user's private key."""
        return self.folder / "user"

    @property
    def known_hosts(self) -> Path:
        """The pinned host key, for any address and under the name `bench`."""
        return self.folder / "known_hosts"

    @property
    def user(self) -> str:
        """Who logs in."""
        return getpass.getuser()

    def config(self, place: Place, *, port: int = 0) -> Path:
        """Write the ssh_config of the peers: the committed settings, and what differs from machine to machine."""
        text = (PEERS / "openssh" / "ssh_config").read_text()
        mine = (
            f"Host *\n    Port {port or self.port}\n    User {self.user}\n    IdentityFile {self.key}\n"
            f"    UserKnownHostsFile {self.known_hosts}\n    HostKeyAlias bench\n    ControlPath {place.folder}/cm-%C\n"
        )
        return place.file(f"ssh_config.{port or self.port}", text + mine)


@contextmanager
def sshd(place: Place, *, everywhere: bool = False) -> Iterator[Sshd]:
    """Start an sshd on 127.0.0.1; `everywhere` on every address of 127.0.0.0/8: then it refuses everybody from elsewhere."""
    daemon = program("sshd")
    assert daemon, "sshd is not installed"
    folder, port = place.folder / f"sshd-{free_port()}", free_port()
    (folder / "home").mkdir(mode=0o755, parents=True)  # no dot files: a login shell reads nothing of the machine's user
    for name in ("host", "user"):
        must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)])
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    (folder / "known_hosts").write_text("* " + (folder / "host.pub").read_text())
    (folder / "known_hosts").chmod(0o600)
    listen = "ListenAddress 0.0.0.0" if everywhere else "ListenAddress 127.0.0.1"
    text = SSHD.format(port=port, place=folder, listen=listen) + (LOOPBACK_ONLY if everywhere else "")
    (folder / "config").write_text(text)
    argv = [daemon, "-D", "-e", "-f", str(folder / "config")]
    if os.geteuid() == 0:
        argv = ["unshare", "--mount", "sh", "-c", INSIDE, "sh", *argv]
    log = folder / "log"
    with started(argv, log) as process:
        answers(port, process, log)
        try:
            yield Sshd(folder, port, process.pid)
        finally:
            _end_sessions(process.pid)


def _end_sessions(daemon: int) -> None:
    """End what serves connections: it outlives the daemon."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                if int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1]) == daemon:
                    os.kill(int(entry.name), signal.SIGTERM)


@contextmanager
def far(place: Place, to: Sequence[int], milliseconds: float) -> Iterator[list[int]]:
    """Put ports at a distance: yield, for each, the port behind which it is that many milliseconds of round trip away."""
    ports = [free_port() for _ in to]
    pairs = [f"{port}:{there}" for port, there in zip(ports, to, strict=True)]
    log = place.folder / "delay.log"
    argv = [sys.executable, str(HERE / "programs" / "delay.py"), str(milliseconds / 2), *pairs]
    with started(argv, log) as process:
        for port in ports:
            answers(port, process, log)
        yield ports
