"""What must hold after every fault, read from the world: hosts, zone and trees first, the journal only beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
from tests.runbooks.bed import Bed

from handrail.base.clock import unstamp
from handrail.dns.zone import parse_server
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunFolder

HOSTS = ("puppet-primary", "puppet-dr")
LOG = "/var/log/handrail-sim/systemctl.log"
SLACK = 0.002  # seconds: the hosts' log and the journal round differently


@dataclass(frozen=True)
class Effect:
    """One change that a host was asked for, as the host itself wrote it down."""

    host: str
    at: float
    what: str


@dataclass(frozen=True)
class World:
    """The estate as it stands: what changes and is put back, the zone's serial, and every effect so far."""

    looks: dict[str, str]
    serial: int
    effects: tuple[Effect, ...]

    def since(self, before: World) -> tuple[tuple[str, str], ...]:
        """Return what hosts were asked for since another look, host by host, in their order."""
        fresh = [e for e in self.effects if e not in set(before.effects)]
        return tuple((e.host, e.what) for host in HOSTS for e in fresh if e.host == host)


async def look(bed: Bed) -> World:
    """Return the world as it is now."""
    found: list[Effect] = []
    for host in HOSTS:
        for line in (await bed.said(host, f"cat {LOG}")).splitlines():
            at, _, what = line.partition(" ")
            found.append(Effect(host, float(at), what))
    return World(await bed.looks(), serial_of(bed), tuple(found))


def serial_of(bed: Bed) -> int:
    """Return the serial of the zone, as its server says."""
    table = bed.file["dns"]
    server = parse_server(table["servers"][0], table["port"])
    reply = dns.query.tcp(dns.message.make_query(table["zone"], "SOA"), server.address, timeout=5, port=server.port)
    (rrset,) = reply.answer
    return int(rrset[0].serial)


def broken(folder: RunFolder, before: World, now: World, home: Home, keys: tuple[bytes, ...]) -> list[str]:
    """Return each invariant that does not hold of a run, in words."""
    reading = read_journal(folder.journal)
    found = [f"I7 the journal is {reading.state}"] if reading.state != "clean" else []
    found += _unintended(reading.records, before, now)
    found += passed_without_exit(reading.records)
    found += [f"I8 key bytes are in {path}" for path in _holding(home.path, keys)]
    return found


def _unintended(records: tuple[Record, ...], before: World, now: World) -> Iterator[str]:
    """I1: no effect before the intent that led to it was on disk; there is one for each command."""
    begun = [(unstamp(r.ts).timestamp(), str(r.body)) for r in records if r.event == "attempt_started"]
    old = set(before.effects)
    for effect in now.effects:
        if effect not in old:
            verb = effect.what.split()[0]
            if not any(at <= effect.at + SLACK and verb in body for at, body in begun):
                yield f"I1 {effect.host} was asked for `{effect.what}` and no intent was on disk"


def passed_without_exit(records: tuple[Record, ...]) -> Iterator[str]:
    """I4: what was sent and judged good has an exit status."""
    for record in records:
        result = record.body.get("result") or {}
        if record.event == "host_ended" and result.get("kind") == "exited" and result.get("exit") is None:
            yield f"I4 record {record.seq} says exited and knows no exit status"


def _holding(home: Path, keys: tuple[bytes, ...]) -> Iterator[Path]:
    """I8: return the files of a home, beside the estate itself, that hold bytes of a private key."""
    for path in (home / "runs").rglob("*"):
        if path.is_file() and any(key in path.read_bytes() for key in keys):
            yield path
