"""`python -m handrail_sim.resolver`: a caching DNS resolver that forwards, so that TTLs are felt as in real life.

Answers come out of the cache with the time they have left; what does not exist is remembered for as long as the zone's
SOA says (RFC 2308). It validates nothing and serves nothing stale.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import SOA, RdataType

from handrail_sim import dns_life
from handrail_sim.dns_keys import Rejected, read_request
from handrail_sim.dns_sockets import DnsSockets, Peer, parse_endpoint
from handrail_sim.nameserver import LARGEST_UDP, to_wire
from handrail_sim.zone import SoaData

MAX_ENTRIES: Final = 10_000
MAX_TTL: Final = 86_400
PATIENCE: Final = 0.7  # seconds for one upstream server: less than a stub resolver waits for us
ROUNDS: Final = 2  # how often the list of servers is gone through

Question = tuple[dns.name.Name, RdataType]
log = logging.getLogger("handrail_sim.dns")


@dataclass(frozen=True)
class Kept:
    """One remembered answer; times are monotonic seconds."""

    code: Rcode
    answer: tuple[dns.rrset.RRset, ...]
    authority: tuple[dns.rrset.RRset, ...]
    born: float
    ends: float

    def at(self, now: float) -> tuple[list[dns.rrset.RRset], list[dns.rrset.RRset]]:
        """Return both sections with the TTLs that are left."""
        age = int(now - self.born)
        return [_aged(r, age) for r in self.answer], [_aged(r, age) for r in self.authority]


def _aged(rrset: dns.rrset.RRset, age: int) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(rrset.name, max(0, rrset.ttl - age), list(rrset))


def keep(message: dns.message.Message, now: float) -> Kept | None:
    """Return what may be remembered of an upstream answer, None for failures and for TTL 0."""
    code = message.rcode()
    if code not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return None
    if message.answer and code == Rcode.NOERROR:
        life = min(rrset.ttl for rrset in message.answer)
    else:
        life = min((_negative_ttl(r) for r in message.authority if r.rdtype == SOA), default=0)
    life = min(life, MAX_TTL)
    if life <= 0:
        return None
    return Kept(code, tuple(message.answer), tuple(message.authority), now, now + life)


def _negative_ttl(rrset: dns.rrset.RRset) -> int:
    """Return how long an absence may be remembered (RFC 2308, section 5)."""
    return min(rrset.ttl, int(cast(SoaData, rrset[0]).minimum))


class Resolver:
    """A forwarding resolver; `zones` empty means that every name is asked for."""

    def __init__(
        self,
        forward: Sequence[Peer],
        zones: Sequence[dns.name.Name] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._forward = tuple(forward)
        self._zones = tuple(zones)
        self._clock = clock
        self._cache: dict[Question, Kept] = {}
        self._asking: dict[Question, asyncio.Task[dns.message.Message | None]] = {}
        self._sockets = DnsSockets(self.respond)

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return self._sockets.port

    async def start(self, host: str, port: int) -> None:
        """Listen; raise OSError."""
        await self._sockets.listen(host, port)

    async def close(self) -> None:
        """Stop listening and drop what is being asked."""
        await self._sockets.close()
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def flush(self) -> None:
        """Forget everything."""
        log.info("flushed %d answers", len(self._cache))
        self._cache.clear()

    async def respond(self, wire: bytes, peer: Peer, tcp: bool) -> Sequence[bytes]:
        """Return the answer to one message."""
        request = read_request(wire, {})
        if isinstance(request, Rejected):
            return () if request.answer is None else (request.answer,)
        message = request.message
        response = dns.message.make_response(message, recursion_available=True, our_payload=LARGEST_UDP)
        if message.opcode() != dns.opcode.QUERY:
            response.set_rcode(Rcode.NOTIMP)
        elif len(message.question) != 1:
            response.set_rcode(Rcode.FORMERR)
        elif not self._is_ours(message.question[0]):
            response.set_rcode(Rcode.REFUSED)
        else:
            await self._resolve(message.question[0], response)
        return (to_wire(response, message, tcp=tcp),)

    def _is_ours(self, question: dns.rrset.RRset) -> bool:
        if question.rdclass != dns.rdataclass.IN or question.rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            return False
        name = question.name.canonicalize()
        return not self._zones or any(name.is_subdomain(zone) for zone in self._zones)

    async def _resolve(self, question: dns.rrset.RRset, response: dns.message.Message) -> None:
        """Fill a response from the cache, or from upstream."""
        key = question.name.canonicalize(), question.rdtype
        kept = self._cache.get(key)
        if kept and kept.ends > self._clock():
            response.set_rcode(kept.code)
            response.answer, response.authority = kept.at(self._clock())
            return
        self._cache.pop(key, None)
        message = await self._ask_once(key)
        if message is None:
            response.set_rcode(Rcode.SERVFAIL)
            return
        response.set_rcode(message.rcode())
        response.answer, response.authority = list(message.answer), list(message.authority)

    async def _ask_once(self, key: Question) -> dns.message.Message | None:
        """Ask upstream; those who want the same meanwhile wait for the same answer."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: Question) -> dns.message.Message | None:
        query = dns.message.make_query(key[0], key[1], flags=0, use_edns=0, payload=LARGEST_UDP)
        for server in self._forward * ROUNDS:
            try:
                message, _ = await dns.asyncquery.udp_with_fallback(
                    query, server[0], timeout=PATIENCE, port=server[1], ignore_unexpected=True
                )
            except (OSError, EOFError, dns.exception.DNSException) as fault:
                log.info("%s:%d did not answer for %s: %s", *server, key[0], type(fault).__name__)
                continue
            if message.rcode() in (Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.REFUSED):
                self._remember(key, keep(message, self._clock()))
                return message
        return None

    def _remember(self, key: Question, kept: Kept | None) -> None:
        if kept is None:
            return
        if len(self._cache) >= MAX_ENTRIES:
            del self._cache[next(iter(self._cache))]  # the oldest
        self._cache[key] = kept


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="handrail_sim.resolver", description="A caching DNS resolver.")
    parser.add_argument("--listen", required=True, type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--forward", required=True, action="append", type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--zone", action="append", default=[], help="answer for these alone")
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    """Run until a signal asks to end; SIGUSR1 flushes the cache."""
    resolver = Resolver(options.forward, [dns.name.from_text(zone).canonicalize() for zone in options.zone])
    await dns_life.serve(resolver, options.listen, str, {signal.SIGUSR1: resolver.flush})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the resolver; return the exit code: 1 if it could not start."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    return dns_life.run("resolver", lambda: serve(options))


if __name__ == "__main__":
    sys.exit(main())
