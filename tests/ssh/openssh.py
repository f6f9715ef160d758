"""Real OpenSSH: sshd with its own configuration and keys on a loopback port, ssh-agent, certificates; sudo in a mount namespace.

What a machine lacks is skipped by name; with HANDRAIL_REAL=1 it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh
import pytest
from tests.ssh.bench import QUICK, Heard, Host, members, until

from handrail.base.secrets import Secret
from handrail.ssh.asking import Question
from handrail.ssh.links import Limits, Links
from handrail.ssh.target import Target

PATIENT = replace(QUICK, connect=5.0, login=15.0, keepalive=1.0)
ONCALL = 4321  # the uid of the user that only exists inside
PASSWORD = "correct horse"
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program(name: str) -> str:
    """Return a program's path; without it the test is skipped by name, or fails where real parts are demanded."""
    found = shutil.which(name, path=SBIN)
    return found or lacking(f"{name} is not installed")


def lacking(why: str) -> str:
    """Skip, or fail with HANDRAIL_REAL=1."""
    if os.environ.get("HANDRAIL_REAL") == "1":
        pytest.fail(why)
    pytest.skip(why)


def namespaces() -> None:
    """Demand what a machine of its own needs: root, and mounts that nobody else sees."""
    if os.geteuid() != 0:
        lacking("sudo needs root to be set up: run as root")
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if done.returncode:
        lacking(f"no mount namespaces here: {done.stderr.decode(errors='replace').strip()}")


@dataclass
class Person:
    """Who sits at the console: gives these answers in turn, None for a refusal, and keeps what was asked."""

    answers: list[str | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    async def answer(self, question: Question) -> Secret | None:
        self.asked.append(question)
        said = self.answers.pop(0) if self.answers else None
        return None if said is None else Secret(said)

    @property
    def texts(self) -> list[str]:
        return [f"{one.title}: {one.text}" for one in self.asked]


@dataclass
class Sshd:
    """One real sshd."""

    place: Path
    user: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def key(self) -> asyncssh.SSHKey:
        return asyncssh.read_public_key(str(self.place / "host.pub"))

    def target(self, known_hosts: Path, **more: object) -> Target:
        """Return how it is reached with the place's own user key."""
        made = Target(
            key="one",
            name="one",
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            identity=self.place / "user",
            host_key_alias="one",
            known_hosts=known_hosts,
            ssh_config=None,
            work_dir=str(self.place / "work"),
        )
        return replace(made, **more)  # type: ignore[arg-type]

    def sessions(self) -> list[int]:
        """Return the processes that hold a connection: by the socket, since without root they are nobody's children."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        held = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] == "01"}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if any(str(each.readlink()) in held for each in (entry / "fd").iterdir()):
                        found.append(int(entry.name))
        return found

    @property
    def daemon(self) -> int:
        """Return the listening process: the child, where sshd is started inside a namespace."""
        return int((self.place / "sshd.pid").read_text())

    def ready(self) -> bool:
        """Tell whether it listens: the file of its number stands empty before it is written."""
        pid_file = self.place / "sshd.pid"
        return pid_file.exists() and pid_file.read_text().endswith("\n")

    def kill_sessions(self) -> None:
        """Kill every process that serves a connection, as a crash of it would."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def reload(self, more: str) -> None:
        """Have sshd read its configuration again, with more in it."""
        with (self.place / "config").open("a") as config:
            config.write(more)
        os.kill(self.daemon, signal.SIGHUP)
        async with asyncio.timeout(10):
            while self.said().count("Server listening on") < 2:
                await asyncio.sleep(0.01)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def keygen(path: Path, *more: str, passphrase: str = "") -> Path:
    """Make a key with the real ssh-keygen."""
    words = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path), *more]
    subprocess.run(words, check=True, capture_output=True)
    return path


def pin_line(sshd: Sshd, *names: str) -> str:
    text = (sshd.place / "host.pub").read_text().split()
    return "".join(f"{name} {text[0]} {text[1]}\n" for name in names)


CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host
PidFile {place}/sshd.pid
AuthorizedKeysFile {place}/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
PrintMotd no
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""
PLAIN = "UsePAM no\nKbdInteractiveAuthentication no\n"
INSIDE = """set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 -p /run/sshd /run/sudo
for each in passwd group shadow sudoers; do mount --bind "$1/etc/$each" "/etc/$each"; done
mount --bind "$1/etc/pam.d" /etc/pam.d
mount --bind "$1/etc/sudoers.d" /etc/sudoers.d
exec "$2" -D -f "$1/config" -E "$1/log"
"""
PAM = "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n"


@dataclass
class Smithy:
    """Makes sshds in a folder, and ends them."""

    place: Path
    made: list[Sshd] = field(default_factory=list)
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def sshd(self, name: str = "one", more: str = PLAIN, *, inside: bool = False, **etc: str) -> Sshd:
        """Start an sshd and wait until it answers; one with a user `inside` needs root."""
        if inside:
            namespaces()
        place = self.place / name
        place.mkdir(mode=0o755)
        keygen(place / "host")
        keygen(place / "user")
        (place / "authorized").write_bytes((place / "user.pub").read_bytes())
        port = free_port()
        (place / "config").write_text(CONFIG.format(port=port, place=place) + more)
        daemon, log = program("sshd"), place / "log"
        if os.geteuid() == 0:
            namespaces()
            self._etc(place, etc)
            words = ["unshare", "--mount", "sh", "-c", INSIDE, "sh", str(place), daemon]
        else:
            words = [daemon, "-D", "-f", str(place / "config"), "-E", str(log)]
        with log.open("ab") as said:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        one = Sshd(place, "oncall" if inside else getpass.getuser(), port, process, log)
        self.made.append(one)
        async with asyncio.timeout(20):
            while not one.ready():
                assert process.poll() is None, one.said()
                await asyncio.sleep(0.01)
        return one

    def _etc(self, place: Path, etc: dict[str, str]) -> None:
        """Write the accounts, the PAM rules and the sudoers of a machine of its own."""
        home, folder = place / "home", place / "etc"
        (folder / "pam.d").mkdir(parents=True)
        (folder / "sudoers.d").mkdir()
        home.mkdir(mode=0o755)
        os.chown(home, ONCALL, ONCALL)
        for each in Path("/etc/pam.d").iterdir():
            (folder / "pam.d" / each.name).write_text(each.read_text())
        (folder / "pam.d" / "sshd").write_text(PAM)
        (folder / "pam.d" / "sudo").write_text(PAM)
        crypted = subprocess.run(
            [program("openssl"), "passwd", "-6", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True
        ).stdout.decode()
        accounts = Path("/etc/passwd").read_text() + f"oncall:x:{ONCALL}:{ONCALL}::{home}:/bin/sh\n"
        (folder / "passwd").write_text(accounts)
        (folder / "group").write_text(Path("/etc/group").read_text() + f"oncall:x:{ONCALL}:\n")
        (folder / "shadow").write_text(
            Path("/etc/shadow").read_text() + f"oncall:{crypted.strip()}:20000:0:99999:7:::\n"
        )
        (folder / "shadow").chmod(0o640)
        rules = "Defaults env_reset, use_pty, lecture=always\nroot ALL=(ALL:ALL) ALL\n"
        (folder / "sudoers").write_text(rules + etc.get("sudoers", "oncall ALL=(ALL:ALL) ALL") + "\n")
        (folder / "sudoers").chmod(0o440)

    def agent(self, *keys: Path, passphrase: str = "") -> str:
        """Start a real ssh-agent that holds keys; return its socket."""
        path = self.place / f"agent{len(self.others)}"
        words = [program("ssh-agent"), "-D", "-a", str(path)]
        self.others.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        while not path.exists():
            assert self.others[-1].poll() is None
        helper = self.place / "askpass"
        helper.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
        helper.chmod(0o700)
        env = {**os.environ, "SSH_AUTH_SOCK": str(path), "SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force"}
        for key in keys:
            done = subprocess.run([program("ssh-add"), str(key)], env=env, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        return str(path)

    def end(self) -> None:
        """End everything that was started here, jobs too."""
        for one in self.made:
            for pid_file in one.place.glob("work/runs/*/*/pid"):
                for each in members(int(pid_file.read_text().split()[0])):
                    os.kill(each, signal.SIGKILL)
            one.kill_sessions()
        for process in [*(one.process for one in self.made), *self.others]:
            process.kill()
            process.wait()


def smithy() -> Iterator[Smithy]:
    """Yield a place that other users of this machine can pass through, for a user that is not us."""
    place = Path(tempfile.mkdtemp(prefix="handrail-sshd-"))
    place.chmod(0o755)
    made = Smithy(place)
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(place, ignore_errors=True)


def console(person: Person | None = None, *, limits: Limits = PATIENT, **more: object) -> Links:
    """Return a console's links, with a person at it or with nobody."""
    asks = {"ask": person.answer} if person else {}
    return Links(limits=limits, **asks, **more)  # type: ignore[arg-type]


__all__ = ["Heard", "Host", "Person", "Smithy", "Sshd", "console", "keygen", "pin_line", "smithy", "until"]
