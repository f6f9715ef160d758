"""Where to ask: a zone, its authoritative servers and the caches to watch. Servers are addresses, never names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.dns.names import address, plain_name, show_name

_SERVER: Final = re.compile(
    r"(?:(?P<label>[A-Za-z0-9_.-]+)=)?"
    r"(?:\[(?P<v6>[^\]]+)\](?::(?P<port6>\d+))?|(?P<v4>[^:\[\]]+)(?::(?P<port4>\d+))?|(?P<bare>[0-9A-Fa-f:.]+))"
)


@dataclass(frozen=True)
class NameServer:
    """One DNS server: what it is called on screen, its address (IPv4 or IPv6) and its port."""

    label: str
    address: str
    port: int = 53


@dataclass(frozen=True)
class Zone:
    """A zone: its authoritative servers (the first takes the updates), the caches to watch, the key that signs."""

    name: str
    servers: tuple[NameServer, ...]
    resolvers: tuple[NameServer, ...] = ()
    key_file: Path | None = None
    key_name: str = ""  # which key of the file; empty: its first

    @property
    def primary(self) -> NameServer:
        """Return the server that takes the updates; raise `Trouble` if none is listed."""
        if not self.servers:
            raise trouble(
                "dns-no-server", f"no DNS server is listed for {show_name(self.name)}", "list servers in [dns]"
            )
        return self.servers[0]


def parse_server(text: str, port: int = 53) -> NameServer:
    """Return the server of "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53" or "ns1=192.0.2.53".

    The label is the address (with a port of its own) unless one is given. Raises `Trouble` (dns-server) for a host
    name: whoever looks up the address of a DNS server depends on DNS.
    """
    match = _SERVER.fullmatch(text.strip())
    if not match:
        raise _not_a_server(text)
    found = match["v6"] or match["v4"] or match["bare"]
    own_port = match["port6"] or match["port4"]
    number = int(own_port) if own_port else port
    if not 0 < number < 65536:
        raise _not_a_server(text)
    where = address(found)
    shown = (f"[{where}]:{number}" if ":" in where else f"{where}:{number}") if own_port else where
    return NameServer(match["label"] or shown, where, number)


def make_zone(
    name: str,
    servers: Sequence[str],
    *,
    port: int = 53,
    resolvers: Sequence[str] = (),
    key_file: Path | None = None,
    key_name: str = "",
) -> Zone:
    """Return the zone of an estate's [dns] table; raise `Trouble` for a bad name, server or port."""
    return Zone(
        plain_name(name),
        tuple(parse_server(s, port) for s in servers),
        tuple(parse_server(s) for s in resolvers),
        key_file,
        key_name,
    )


def _not_a_server(text: str) -> Exception:
    hint = "write an address: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53, or ns1=192.0.2.53 to give it a label"
    return trouble("dns-server", f"{safe(text, 80)!r} is not the address of a DNS server", hint)
