"""What every template's prepare program lays: the zone and its keys, where the hosts are, stand-ins for missing tools.

It is no program: prepare programs import it from the folder above theirs. Standard library only; it opens no connection.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

MAYBE: Final = Path(__file__).resolve().parent / "puppet" / "maybe"  # stand-ins for tools that a machine may lack
TTL: Final = 5  # seconds, of the name that is switched: a drill waits for it


@dataclass(frozen=True)
class Hosts:
    """The hosts this estate was given, and where to write for each."""

    out: Path
    all: tuple[dict[str, Any], ...]
    zone: str = field(default_factory=lambda: os.environ.get("HANDRAIL_SIM_ZONE") or "example.test")
    fqdn: str = field(default_factory=lambda: os.environ.get("HANDRAIL_SIM_FQDN") or "puppet.example.test")

    def names(self, role: str) -> list[str]:
        """Return the names of a role's hosts."""
        return [str(host["name"]) for host in self.all if host.get("role") == role]

    def root(self, name: str) -> Path:
        """Return the folder that is laid over a host."""
        return self.out / name

    def one(self, role: str) -> dict[str, Any]:
        """Return the one host of a role."""
        return next(host for host in self.all if host.get("role") == role)


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def zone_text(hosts: Hosts) -> str:
    """Return the zone: the name that is switched, every host by its management name, the name servers."""
    addresses = {str(host["name"]): str(host["address"]) for host in hosts.all}
    service = addresses[hosts.names("primary")[0]]
    lines = [
        f"$ORIGIN {hosts.zone}.",
        "@ 300 IN SOA ns1 hostmaster 2026010101 5 1 86400 5",
        *(f"@ 300 IN NS {name}" for name in ("ns1", "ns2") if name in addresses),
        f"{hosts.fqdn}. {TTL} IN A {service}",
    ]
    return "\n".join([*lines, *(f"{name} 300 IN A {address}" for name, address in addresses.items()), ""])


def key_text(name: str) -> str:
    """Return a new TSIG key in BIND's form."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    return f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n'


def name_service(hosts: Hosts) -> None:
    """Lay the zone and its keys on the first name server, and leave the console its own key."""
    switch = key_text("dr-switch")
    write(hosts.root("ns1") / "etc/named/zone", zone_text(hosts).encode())
    write(hosts.root("ns1") / "etc/named/keys.conf", (switch + key_text("admin")).encode(), 0o600)
    write(hosts.out / "estate/dr-switch.key", switch.encode(), 0o600)


def sites(hosts: Hosts) -> None:
    """Tell every host where the others are: in plain folders the stand-ins add the distance themselves."""
    text = "".join(f"{host['address']} {host.get('site', 'a')}\n" for host in hosts.all)
    for host in hosts.all:
        write(hosts.root(str(host["name"])) / "etc/handrail-sim/sites", text.encode())


def missing_tools(hosts: Hosts) -> None:
    """Lay stand-ins for tools that this machine does not have."""
    for source in sorted(MAYBE.iterdir()) if MAYBE.is_dir() else ():
        if shutil.which(source.name) is None:
            for host in hosts.all:
                target = hosts.root(str(host["name"])) / "usr/local/bin" / source.name
                write(target, source.read_bytes(), 0o755 & stat.S_IMODE(source.stat().st_mode) | 0o555)
