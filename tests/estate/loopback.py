"""Real OpenSSH and BIND on loopback addresses: what of the real estate needs neither root nor namespaces."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.dns.server import SECRET, write_key
from tests.estate.parts import SBIN

from handrail.dns.lookup import ask
from handrail.dns.zone import NameServer

OLD, NEW = "127.77.1.10", "127.77.2.10"  # where the two hosts answer; any address of 127/8 is this machine on Linux
NAMES = "127.0.0.1"  # BIND listens on addresses that an interface has, and on no other of 127/8: two ports
FQDN = "app.example.test"
_SSHD = """\
ListenAddress {address}:{port}
HostKey {place}/host
PidFile none
AuthorizedKeysFile {place}/../user.pub
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
"""
_NAMED = """\
options {{ directory "{place}"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;
  listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }}; notify explicit; }};
controls {{ }};
key "dr-switch" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "example.test" {{ {zone} }};
"""
_ZONE = f"$TTL 5\n@ IN SOA ns1 hostmaster 1 3600 600 86400 5\n@ IN NS ns1\nns1 IN A {NAMES}\napp IN A {OLD}\n"
_ESTATE = """\
format = 1
[estate]
name = "loopback"
class = "staging"
known_hosts = "known_hosts"
{roles}
[dns]
provider = "rfc2136"
zone = "example.test"
servers = ["{names}:{first}", "{names}:{second}"]
key_file = "switch.key"
"""
_ROLE = """\
[roles.{name}]
host = "{address}"
port = {port}
host_key_alias = "{name}"
address = "{address}"
user = "{user}"
identity = "user"
work_dir = "{place}/work"
vars = {{ made = "{place}/made" }}
"""


@dataclass(frozen=True)
class Loopback:
    """What is up: the estate file's folder, and where the name servers listen."""

    folder: Path
    dns_ports: tuple[int, int]

    @property
    def file(self) -> Path:
        """Return the estate file."""
        return self.folder / "estate.toml"

    async def answers(self) -> set[tuple[str, ...]]:
        """Return what the two name servers say about the name."""
        servers = (NameServer("", NAMES, port) for port in self.dns_ports)
        return {tuple((await ask(server, FQDN)).values) for server in servers}


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[Loopback]:
    """Bring two sshds, a primary and a secondary name server up, and write what an operator is given."""
    started: list[subprocess.Popen[bytes]] = []
    ssh_port, first, second = _free_port(OLD), _free_port(NAMES), _free_port(NAMES)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "user")], check=True)
    write_key(folder / "switch.key")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd of a package wants it, however it is started
    try:
        roles, known = "", ""
        for name, address in (("primary", OLD), ("dr", NEW)):
            place = folder / name
            started.append(_sshd(place, address, ssh_port))
            roles += _ROLE.format(name=name, address=address, port=ssh_port, place=place, user=getpass.getuser())
            known += f"{name} {(place / 'host.pub').read_text()}"
        (folder / "known_hosts").write_text(known)
        (folder / "estate.toml").write_text(_ESTATE.format(roles=roles, names=NAMES, first=first, second=second))
        notify = f"also-notify {{ {NAMES} port {second}; }};"
        primary = f'type primary; file "zone"; allow-update {{ key dr-switch; }}; {notify}'
        secondary = f'type secondary; file "copy"; primaries port {first} {{ {NAMES}; }}; allow-notify {{ {NAMES}; }};'
        for port, zone in ((first, primary), (second, secondary)):
            started.append(_named(folder / f"named{port}", port, zone))
            await _answering(NameServer("", NAMES, port))
        await _open(OLD, ssh_port)
        await _open(NEW, ssh_port)
        yield Loopback(folder, (first, second))
    finally:
        for one in started:
            one.kill()
            one.wait()


def _sshd(place: Path, address: str, port: int) -> subprocess.Popen[bytes]:
    place.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / "host")], check=True)
    (place / "config").write_text(_SSHD.format(place=place, address=address, port=port))
    words = [_program("sshd"), "-D", "-e", "-f", str(place / "config")]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _named(place: Path, port: int, zone: str) -> subprocess.Popen[bytes]:
    place.mkdir()
    (place / "zone").write_text(_ZONE)
    told = _NAMED.format(place=place, address=NAMES, port=port, secret=SECRET, zone=zone)
    (place / "named.conf").write_text(told)
    words = [_program("named"), "-g", "-n", "1", "-c", str(place / "named.conf")]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SBIN}")
    assert found
    return found


def _free_port(address: str) -> int:
    with socket.socket() as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


async def _answering(server: NameServer) -> None:
    async with asyncio.timeout(20):
        while (await ask(server, FQDN)).problem:
            await asyncio.sleep(0.05)


async def _open(address: str, port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(address, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
