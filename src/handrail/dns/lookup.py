"""Ask one DNS server one question, and say plainly what came back. It never sends a change and never guesses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from handrail.base.clock import Clock, SystemClock
from handrail.base.safe import safe
from handrail.dns.answer import UNTOLD, Answer
from handrail.dns.names import canonical, name_in_zone, other_rtype, plain_name, show_name
from handrail.dns.survey import Survey
from handrail.dns.wire import NoAnswerError, query, query_tcp, to_name
from handrail.dns.zone import NameServer, Zone

TIMEOUT: Final = 2.0  # seconds for a question, its repeats and its TCP form together
_CLOCK: Final = SystemClock()


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
    wanted = to_name(plain_name(name))
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


async def ask_all(zone: Zone, name: str, clock: Clock, *, rtype: str = "A") -> Survey:
    """Return what every authoritative server says of a name: this type, the other address family, CNAME and serial."""
    plain = name_in_zone(name, zone.name)
    begun = clock.mono()
    answers = await asyncio.gather(*(_ask_one(server, zone, name, rtype, clock) for server in zone.servers))
    return Survey(plain, rtype, tuple(answers), begun, clock.mono())


async def settled(
    zone: Zone, name: str, value: tuple[str, ...], ttl: int | None, clock: Clock, *, rtype: str = "A"
) -> Survey:
    """Ask every authoritative server once; the survey is `agreed` when all serve this RRset, TTL and one serial."""
    survey = await ask_all(zone, name, clock, rtype=rtype)
    return replace(survey, expected=canonical(value, rtype), expected_ttl=ttl)


async def ask_resolvers(zone: Zone, name: str, rtype: str = "A", *, clock: Clock = _CLOCK) -> tuple[Answer, ...]:
    """Return what the zone's caches tell their clients; `ttl` is what remains in the cache, through any CNAME.

    A cache that does not hold the name fetches it, as for any client: what is cached is never prolonged.
    """
    name_in_zone(name, zone.name)
    asked = (ask(server, name, rtype, recurse=True, clock=clock) for server in zone.resolvers)
    return tuple(await asyncio.gather(*asked))


async def _ask_one(server: NameServer, zone: Zone, name: str, rtype: str, clock: Clock) -> Answer:
    """Return one server's answer with the serial and whatever else stands at the name folded in."""
    main, beside, soa = await asyncio.gather(
        ask(server, name, rtype, clock=clock),
        ask(server, name, other_rtype(rtype), clock=clock),
        ask_serial(server, zone.name, clock=clock),
    )
    problem = main.problem or beside.problem or soa.problem
    if problem:
        return replace(main, problem=problem, values=(), ttl=UNTOLD)
    # Addresses behind a CNAME belong to another name.
    if cname := main.other or beside.other:
        return replace(main, values=(), ttl=UNTOLD, other=cname, serial=soa.serial)
    extra = tuple(f"{beside.rtype} {v}" for v in beside.values)
    return replace(main, other=extra, serial=soa.serial)


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
        other=tuple(f"CNAME {show_name(c.to_text())}" for c in cnames),
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
