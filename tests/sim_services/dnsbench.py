"""What the DNS tests share: a small zone, keys, and servers on free ports of the loopback interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.name
import dns.tsig
import dns.update

from handrail_sim.dns_sockets import Peer
from handrail_sim.nameserver import Nameserver, Setup, parse_grant

ORIGIN = dns.name.from_text("example.test")
FQDN = "puppet.example.test."
ZONE = """
@ 300 IN SOA ns1 hostmaster 100 30 1 3600 5
@ 300 IN NS ns1
@ 300 IN NS ns2
ns1 300 IN A 10.77.3.53
ns2 300 IN A 10.77.2.53
puppet 5 IN A 10.77.1.10
alias 60 IN CNAME puppet
far 60 IN CNAME elsewhere.invalid.
a.b.deep 60 IN A 10.0.0.1
""" + "\n".join(f"big 60 IN TXT {'x' * 60}{n:02}" for n in range(13))

SWITCH = dns.tsig.Key("dr-switch", "c2VjcmV0LW9mLXRoZS1kcmlsbA==", "hmac-sha256")
ADMIN = dns.tsig.Key("admin", "YW5vdGhlci1zZWNyZXQtaGVyZQ==", "hmac-sha256")
GRANTS = (parse_grant(f"dr-switch={FQDN}:A,AAAA,TXT"), parse_grant("admin=*"))


def update() -> dns.update.UpdateMessage:
    """Return an empty update of the zone, signed with the switch key."""
    return dns.update.UpdateMessage(ORIGIN, keyring=SWITCH)


@asynccontextmanager
async def serving(
    folder: Path, *, source: Peer | None = None, notify: tuple[Peer, ...] = (), port: int = 0
) -> AsyncIterator[Nameserver]:
    """Run a server; a primary starts with the test zone unless the folder has one already."""
    file = folder / "zone"
    if source is None and not file.exists():
        file.write_text(ZONE)
    keys = {key.name: key for key in (SWITCH, ADMIN)}
    server = Nameserver(Setup(ORIGIN, file, keys, GRANTS, source, notify))
    await server.start("127.0.0.1", port)
    try:
        yield server
    finally:
        await server.close()


async def ask(server: Nameserver, name: str, rdtype: str = "A", *, tcp: bool = False) -> dns.message.Message:
    """Return the answer to a question."""
    query = dns.message.make_query(name, rdtype)
    how = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    answer: dns.message.Message = await how(query, "127.0.0.1", port=server.port, timeout=5)
    return answer


async def send(server: Nameserver, message: dns.message.Message) -> str:
    """Return the name of the rcode an update gets, over TCP as consoles send it."""
    answer = await dns.asyncquery.tcp(message, "127.0.0.1", port=server.port, timeout=5)
    return answer.rcode().name


def values(answer: dns.message.Message) -> list[str]:
    """Return the values of the answer section as text."""
    return sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)
