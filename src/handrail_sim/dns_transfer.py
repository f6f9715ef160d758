"""How zones travel: AXFR (RFC 5936) out and in, NOTIFY (RFC 1996) out. It holds no zone and decides nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Final, cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype
import dns.rrset
import dns.zone
from dns.rdatatype import SOA

from handrail_sim.dns_sockets import Peer
from handrail_sim.zone import SoaData, Zone, from_library, to_rrset

_CHUNK: Final = 100  # records in one message of a transfer
_ASK: Final = 3.0  # seconds for a serial
_FETCH: Final = 10.0  # seconds for a zone
_WAITS: Final = (0.5, 1.0, 2.0)  # seconds for an answer to each NOTIFY; after that the refresh timer has to do

log = logging.getLogger("handrail_sim.dns")


def transfer_out(query: dns.message.Message, zone: Zone) -> list[bytes]:
    """Return the messages of a full transfer: SOA, every other record, SOA again."""
    soa = to_rrset(zone.origin, SOA, zone.sets[zone.origin, SOA])
    rest = [to_rrset(name, t, records) for (name, t), records in sorted(zone.sets.items()) if t != SOA]
    wires = []
    for part in _parts([soa, *rest, soa]):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.answer = part
        wires.append(response.to_wire(max_size=65535))
    return wires


def _parts(sets: Sequence[dns.rrset.RRset]) -> Iterator[list[dns.rrset.RRset]]:
    part: list[dns.rrset.RRset] = []
    for rrset in sets:
        if part and sum(map(len, part)) + len(rrset) > _CHUNK:
            yield part
            part = []
        part.append(rrset)
    yield part


async def ask_serial(source: Peer, origin: dns.name.Name) -> int:
    """Return the serial a server has; raise OSError or `dns.exception.DNSException`."""
    query = dns.message.make_query(origin, SOA, flags=0)
    answer = await dns.asyncquery.tcp(query, source[0], timeout=_ASK, port=source[1])
    rrset = answer.find_rrset(answer.answer, origin, dns.rdataclass.IN, SOA)
    return int(cast(SoaData, rrset[0]).serial)


async def fetch_zone(source: Peer, origin: dns.name.Name) -> Zone:
    """Return a server's whole zone by AXFR; raise OSError or `dns.exception.DNSException`."""
    fresh = dns.zone.Zone(origin, relativize=False)
    await dns.asyncquery.inbound_xfr(source[0], fresh, timeout=_FETCH, lifetime=_FETCH, port=source[1])
    return from_library(fresh)


async def notify(target: Peer, origin: dns.name.Name) -> bool:
    """Tell a secondary that the zone changed; return whether it acknowledged."""
    message = dns.message.make_query(origin, SOA)
    message.flags = dns.flags.AA
    message.set_opcode(dns.opcode.NOTIFY)
    for wait in _WAITS:
        try:
            await dns.asyncquery.udp(message, target[0], timeout=wait, port=target[1], ignore_unexpected=True)
        except dns.exception.Timeout:
            continue
        except (OSError, dns.exception.DNSException) as fault:
            log.info("NOTIFY to %s:%d: %s", *target, fault)
            await asyncio.sleep(wait)
        else:
            return True
    log.info("NOTIFY to %s:%d was not acknowledged", *target)
    return False
