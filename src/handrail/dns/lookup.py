"""Ask one DNS server one question, and say plainly what came back. It never sends a change and never guesses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from handrail.base.clock import Clock, SystemClock
from handrail.base.safe import safe
from handrail.dns.names import canonical, name_in_zone, show_name, to_name
from handrail.dns.wire import NoAnswerError, query, query_tcp
from handrail.dns.zone import NameServer, Zone

TIMEOUT: Final = 2.0  # seconds for a question, its repeats and its TCP form together
UNTOLD: Final = -1  # the TTL of an answer that does not tell one
_CLOCK: Final = SystemClock()


@dataclass(frozen=True)
class Answer:
    """What one server said of one name: addresses sorted, text safe to show, `asked_at` monotonic seconds.

    `problem` is a sentence without its subject ("does not answer within 2 s"), "" if the answer is fine; no record is
    a fine answer. `other` names what else stands at the name: "CNAME puppet1.example.test", "AAAA 2001:db8::1".
    """

    server: NameServer
    rtype: str
    values: tuple[str, ...] = ()
    ttl: int = UNTOLD
    serial: int | None = None
    problem: str = ""
    other: tuple[str, ...] = ()
    asked_at: float = 0.0
    exists: bool = False  # whether anything at all stands at the name


async def ask(
    server: NameServer,
    name: str,
    rtype: str = "A",
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - part of the port
    *,
    recurse: bool = False,
    tcp: bool = False,
    clock: Clock = _CLOCK,
) -> Answer:
    """Return what a server answers; whatever goes wrong on the way is in the answer's `problem`.

    Without `recurse` the server must be authoritative (RD=0, and AA in the reply, RFC 1035 4.1.1): a forwarder or a
    server that no longer has the zone is a problem, not an answer. A reply that is cut short is fetched over TCP.
    """
    asked_at = clock.mono()
    wanted = to_name(name)
    kind = dns.rdatatype.from_text(rtype)
    message = dns.message.make_query(wanted, kind, flags=dns.flags.RD if recurse else 0)
    try:
        reply = await (query_tcp if tcp else query)(message, server, timeout)
    except NoAnswerError as error:
        return Answer(server, rtype, problem=str(error), asked_at=asked_at)
    problem = _problem(reply, authoritative=not recurse)
    if problem:
        return Answer(server, rtype, problem=problem, asked_at=asked_at)
    return _read(reply, server, wanted, kind, asked_at)


async def ask_serial(server: NameServer, zone: str, timeout: float = TIMEOUT, *, clock: Clock = _CLOCK) -> Answer:  # noqa: ASYNC109
    """Return a server's answer for the zone's SOA; its `serial` is what was asked for."""
    answer = await ask(server, zone, "SOA", timeout, clock=clock)
    if not answer.problem and answer.serial is None:
        return Answer(server, "SOA", problem=f"has no SOA for {show_name(zone)}", asked_at=answer.asked_at)
    return answer


async def ask_resolvers(zone: Zone, name: str, rtype: str = "A", *, clock: Clock = _CLOCK) -> tuple[Answer, ...]:
    """Return what the zone's caches tell their clients; `ttl` is what remains in the cache, through any CNAME.

    A cache that does not hold the name fetches it, as for any client: what is cached is never prolonged.
    """
    name_in_zone(name, zone.name)
    asked = (ask(server, name, rtype, recurse=True, clock=clock) for server in zone.resolvers)
    return tuple(await asyncio.gather(*asked))


def _problem(reply: dns.message.Message, *, authoritative: bool) -> str:
    rcode = reply.rcode()
    if rcode == dns.rcode.REFUSED:
        return "refuses to answer (REFUSED)"
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return f"answers {dns.rcode.to_text(rcode)}"
    if authoritative and not reply.flags & dns.flags.AA:
        return "does not answer for this zone itself (not authoritative)"
    return ""


def _read(
    reply: dns.message.Message,
    server: NameServer,
    wanted: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    asked_at: float,
) -> Answer:
    end, cnames, ttls = _follow(reply, wanted)
    rrset = _rrset(reply.answer, end, kind)
    rtype = dns.rdatatype.to_text(kind)
    values = _values(rrset, rtype)
    if rrset is not None:
        ttls.append(rrset.ttl)
    return Answer(
        server,
        rtype,
        values,
        min(ttls) if values else UNTOLD,
        _serial(reply),
        other=tuple(f"CNAME {show_name(c)}" for c in cnames),
        asked_at=asked_at,
        exists=reply.rcode() != dns.rcode.NXDOMAIN,
    )


def _follow(reply: dns.message.Message, wanted: dns.name.Name) -> tuple[dns.name.Name, list[dns.name.Name], list[int]]:
    """Return where the CNAMEs of a reply lead, each target, and their TTLs; a loop ends at its second visit."""
    at = wanted
    targets: list[dns.name.Name] = []
    ttls: list[int] = []
    while (link := _rrset(reply.answer, at, dns.rdatatype.CNAME)) is not None and len(targets) <= len(reply.answer):
        at = link[0].target
        targets.append(at)
        ttls.append(link.ttl)
    return at, targets, ttls


def _rrset(
    section: list[dns.rrset.RRset], name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    return next((r for r in section if r.name == name and r.rdtype == kind and len(r)), None)


def _values(rrset: dns.rrset.RRset | None, rtype: str) -> tuple[str, ...]:
    if rrset is None:
        return ()
    texts = tuple(rdata.to_text() for rdata in rrset)
    return canonical(texts, rtype) if rtype in ("A", "AAAA") else tuple(sorted(safe(t) for t in texts))


def _serial(reply: dns.message.Message) -> int | None:
    for rrset in (*reply.answer, *reply.authority):
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            return int(rrset[0].serial)
    return None
