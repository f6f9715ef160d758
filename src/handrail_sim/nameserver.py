"""`python -m handrail_sim.nameserver`: an authoritative DNS server for one zone, as primary or as secondary.

A primary takes signed updates and tells its secondaries; a secondary pulls and serves read-only. It knows nothing of
what the names in the zone are for.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype
from dns.rcode import Rcode
from dns.rdatatype import SOA
from dns.update import UpdateMessage

from handrail_sim import dns_life
from handrail_sim.dns_keys import Keys, Rejected, Request, parse_keys, read_request
from handrail_sim.dns_sockets import DnsSockets, Peer, parse_endpoint
from handrail_sim.dns_transfer import ask_serial, fetch_zone, notify, transfer_out
from handrail_sim.zone import Zone, lookup, newer, read_zone, to_rrset, write_zone
from handrail_sim.zone_update import Grant, process_update

PLAIN_UDP: Final = 512  # RFC 1035, section 2.3.4
LARGEST_UDP: Final = 1232  # what is safe from fragmentation (dnsflagday 2020)
_EVERYTHING: Final = "*"
_FIRST_TRIES: Final = 20
_FIRST_PAUSE: Final = 0.05  # seconds
_FIRST_WITHIN: Final = 1.0
_PULL_FAULTS: Final = (OSError, EOFError, ValueError, KeyError, dns.exception.DNSException)

log = logging.getLogger("handrail_sim.dns")


@dataclass(frozen=True)
class Setup:
    """What one server is told: its zone, who may change it, where it comes from and who is told."""

    origin: dns.name.Name
    zone_file: Path
    keys: Keys = field(default_factory=dict)
    grants: tuple[tuple[dns.name.Name, Grant | None], ...] = ()  # (key, what); no grants: every key, everything
    source: Peer | None = None  # set: a secondary of that server
    notify: tuple[Peer, ...] = ()


class Nameserver:
    """One authoritative server."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._zone: Zone | None = None
        self._sockets = DnsSockets(self.respond)
        self._background: set[asyncio.Task[object]] = set()
        self._wake = asyncio.Event()

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return self._sockets.port

    @property
    def serial(self) -> int:
        """Return the serial of what is served, 0 if nothing is."""
        return self._zone.serial if self._zone else 0

    async def start(self, host: str, port: int) -> None:
        """Read the zone, listen, and begin to tell or to pull; raise OSError, ValueError or `DNSException`."""
        if self._setup.zone_file.exists() or not self._setup.source:
            self._zone = read_zone(self._setup.zone_file, self._setup.origin)
        elif self._setup.source:
            await self._first_pull(self._setup.source)
        await self._sockets.listen(host, port)
        if self._setup.source:
            self._spawn(self._follow(self._setup.source))
        self._tell_secondaries()

    async def close(self) -> None:
        """Stop listening and end everything that runs beside."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._sockets.close()

    def _spawn(self, work: object) -> None:
        task = cast("asyncio.Task[object]", asyncio.ensure_future(work))  # type: ignore[call-overload]
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _tell_secondaries(self) -> None:
        for target in self._setup.notify:
            self._spawn(notify(target, self._setup.origin))

    # ------------------------------------------------------------------ questions

    async def respond(self, wire: bytes, peer: Peer, tcp: bool) -> Sequence[bytes]:
        """Return the answers to one message."""
        request = read_request(wire, self._setup.keys)
        if isinstance(request, Rejected):
            return () if request.answer is None else (request.answer,)
        message = request.message
        match message.opcode():
            case dns.opcode.QUERY if _wants_transfer(message):
                return self._transfer(message, tcp=tcp)
            case dns.opcode.QUERY:
                response = self._query(message)
            case dns.opcode.UPDATE:
                response = self._update(request, peer)
            case dns.opcode.NOTIFY:
                response = self._notified(message)
            case _:
                response = _error(message, Rcode.NOTIMP)
        return (to_wire(response, message, tcp=tcp),)

    def _query(self, message: dns.message.Message) -> dns.message.Message:
        if len(message.question) != 1:
            return _error(message, Rcode.FORMERR)
        question = message.question[0]
        name = question.name.canonicalize()
        if not name.is_subdomain(self._setup.origin) or question.rdclass != dns.rdataclass.IN:
            return _error(message, Rcode.REFUSED)
        if self._zone is None:
            return _error(message, Rcode.SERVFAIL)
        found = lookup(self._zone, name, question.rdtype)
        response = _error(message, Rcode.NOERROR if found.exists else Rcode.NXDOMAIN)
        response.flags |= dns.flags.AA
        response.answer = list(found.sections)
        if not found.sections:
            response.authority = [to_rrset(self._zone.origin, SOA, self._zone.sets[self._zone.origin, SOA])]
        return response

    def _transfer(self, message: dns.message.Message, *, tcp: bool) -> Sequence[bytes]:
        """Return a whole zone; over UDP an IXFR gets the SOA alone (RFC 1995, section 4) and an AXFR is refused."""
        if self._zone is None or message.question[0].name.canonicalize() != self._zone.origin:
            return (_error(message, Rcode.NOTAUTH).to_wire(),)
        if tcp:
            return transfer_out(message, self._zone)
        if message.question[0].rdtype == dns.rdatatype.AXFR:
            return (_error(message, Rcode.REFUSED).to_wire(),)
        response = _error(message, Rcode.NOERROR)
        response.answer = [to_rrset(self._zone.origin, SOA, self._zone.sets[self._zone.origin, SOA])]
        return (response.to_wire(),)

    # ------------------------------------------------------------------ changes

    def _update(self, request: Request, peer: Peer) -> dns.message.Message:
        message = request.message
        if not isinstance(message, UpdateMessage) or self._zone is None:
            return _error(message, Rcode.SERVFAIL)
        if not message.zone or message.zone[0].name.canonicalize() != self._zone.origin:
            return _error(message, Rcode.NOTAUTH if message.zone else Rcode.FORMERR)
        if self._setup.source or request.key is None:
            return _error(message, Rcode.REFUSED)
        code, after = process_update(self._zone, message, self._grants_of(request.key))
        if after is not self._zone:
            try:
                write_zone(self._setup.zone_file, after)
            except OSError as fault:  # what is not on disk was not done
                log.info("update by %s from %s: %s", request.key, peer[0], fault)
                return _error(message, Rcode.SERVFAIL)
            self._zone = after
            self._tell_secondaries()
        log.info("update by %s from %s: %s, serial %d", request.key, peer[0], code.name, self._zone.serial)
        return _error(message, code)

    def _grants_of(self, key: dns.name.Name) -> list[Grant] | None:
        """Return what a key may change; None is everything."""
        mine = [grant for owner, grant in self._setup.grants if owner == key]
        if not self._setup.grants or None in mine:
            return None
        return [grant for grant in mine if grant is not None]

    # ------------------------------------------------------------------ the secondary's side

    def _notified(self, message: dns.message.Message) -> dns.message.Message:
        if not message.question or message.question[0].name.canonicalize() != self._setup.origin:
            return _error(message, Rcode.NOTAUTH)
        if not self._setup.source:
            return _error(message, Rcode.REFUSED)
        self._wake.set()
        response = _error(message, Rcode.NOERROR)
        response.flags |= dns.flags.AA
        return response

    async def _first_pull(self, source: Peer) -> None:
        """Get a zone before listening, if that is quickly done: who connects to us finds an answer, not SERVFAIL."""
        for _ in range(_FIRST_TRIES):
            try:
                return await asyncio.wait_for(self._pull(source), _FIRST_WITHIN)
            except _PULL_FAULTS:
                await asyncio.sleep(_FIRST_PAUSE)
        return None

    async def _follow(self, source: Peer) -> None:
        """Pull at once, at every NOTIFY and by the SOA's timers, until cancelled; stop serving when it has expired."""
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while True:
            self._wake.clear()
            try:
                await self._pull(source)
                heard = loop.time()
            except _PULL_FAULTS as fault:
                log.info("refresh from %s:%d failed: %s", *source, fault)
            wait = 2.0
            if self._zone:
                soa = self._zone.soa
                wait = float(soa.refresh if loop.time() - heard < 1 else soa.retry)
                if loop.time() - heard > soa.expire:
                    self._zone = None
            try:
                async with asyncio.timeout(max(1.0, wait)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _pull(self, source: Peer) -> None:
        """Take over the source's zone if its serial is newer than ours."""
        if self._zone and not newer(await ask_serial(source, self._setup.origin), self._zone.serial):
            return
        fresh = await fetch_zone(source, self._setup.origin)
        write_zone(self._setup.zone_file, fresh)
        self._zone = fresh
        log.info("took over serial %d from %s:%d", fresh.serial, *source)
        self._tell_secondaries()


def to_wire(response: dns.message.Message, message: dns.message.Message, *, tcp: bool) -> bytes:
    """Return an answer's wire, cut and marked as truncated if it is too large for the sender's UDP buffer."""
    if tcp:
        return response.to_wire(max_size=65535)
    size = min(max(message.payload, PLAIN_UDP), LARGEST_UDP) if message.edns >= 0 else PLAIN_UDP
    return response.to_wire(max_size=size, prefer_truncation=True)


def _wants_transfer(message: dns.message.Message) -> bool:
    return len(message.question) == 1 and message.question[0].rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


def _error(message: dns.message.Message, code: Rcode) -> dns.message.Message:
    response = dns.message.make_response(message, our_payload=LARGEST_UDP)
    response.set_rcode(code)
    return response


# ---------------------------------------------------------------------- command line


def parse_grant(text: str) -> tuple[dns.name.Name, Grant | None]:
    """Return who may change what of "key=name:A,TXT" or "key=*"; raise ValueError or `DNSException`."""
    key, equals, what = text.partition("=")
    name, colon, types = what.rpartition(":")
    if not equals or not (colon or what == _EVERYTHING):
        raise ValueError(f"{text!r} is neither KEY=NAME:TYPE,TYPE nor KEY=*")
    owner = dns.name.from_text(key).canonicalize()
    if what == _EVERYTHING:
        return owner, None
    kinds = frozenset(dns.rdatatype.from_text(kind) for kind in types.split(","))
    return owner, Grant(dns.name.from_text(name).canonicalize(), kinds)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="handrail_sim.nameserver", description="An authoritative DNS server.")
    parser.add_argument("--listen", required=True, type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--zone", required=True)
    parser.add_argument("--zone-file", required=True, type=Path)
    parser.add_argument("--key-file", type=Path, help="TSIG keys in BIND's form")
    parser.add_argument("--grant", action="append", default=[], type=parse_grant, metavar="KEY=NAME:TYPES|KEY=*")
    parser.add_argument("--secondary-of", type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--notify", action="append", default=[], type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--work", type=Path, help="the folder relative file names are in")
    return parser.parse_args(argv)


def _setup(options: argparse.Namespace) -> Setup:
    folder = options.work or Path()
    keys = parse_keys((folder / options.key_file).read_text("utf-8")) if options.key_file else {}
    return Setup(
        origin=dns.name.from_text(options.zone).canonicalize(),
        zone_file=folder / options.zone_file,
        keys=keys,
        grants=tuple(options.grant),
        source=options.secondary_of,
        notify=tuple(options.notify),
    )


async def serve(options: argparse.Namespace) -> None:
    """Run until a signal asks to end."""
    server = Nameserver(_setup(options))
    await dns_life.serve(server, options.listen, lambda: f", serial {server.serial}", {})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server; return the exit code: 1 if it could not start."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    return dns_life.run("nameserver", lambda: serve(options))


if __name__ == "__main__":
    sys.exit(main())
