"""A DNS zone as data: records, look-ups, serial, text. It reads no socket and no clock."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, cast

import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.zone
from dns.rdatatype import ANY, CNAME, SOA, RdataType

SoaData = dns.rdtypes.ANY.SOA.SOA
Key = tuple[dns.name.Name, RdataType]
MAX_CHAIN: Final = 8  # CNAMEs followed inside the zone


@dataclass(frozen=True)
class RRset:
    """The records of one name and type: a TTL in seconds and a set of values."""

    ttl: int
    values: frozenset[dns.rdata.Rdata]


@dataclass(frozen=True)
class Zone:
    """A zone: its origin and its record sets, names absolute and lower case. Treat `sets` as read-only."""

    origin: dns.name.Name
    sets: Mapping[Key, RRset]
    names: frozenset[dns.name.Name] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        owners: set[dns.name.Name] = set()
        for name, _ in self.sets:
            while name.is_subdomain(self.origin) and name not in owners:  # empty non-terminals exist too (RFC 8020)
                owners.add(name)
                if name == self.origin:
                    break
                name = name.parent()
        object.__setattr__(self, "names", frozenset(owners))

    @property
    def soa(self) -> SoaData:
        """Return the SOA record's data."""
        (value,) = self.sets[self.origin, SOA].values
        return cast(SoaData, value)

    @property
    def serial(self) -> int:
        """Return the serial number."""
        return int(self.soa.serial)

    def types_at(self, name: dns.name.Name) -> tuple[RdataType, ...]:
        """Return the types that have records at a name."""
        return tuple(rdtype for owner, rdtype in self.sets if owner == name)

    def with_serial(self, serial: int) -> Zone:
        """Return the zone with another serial number."""
        old = self.sets[self.origin, SOA]
        new = RRset(old.ttl, frozenset({self.soa.replace(serial=serial)}))
        return replace(self, sets={**self.sets, (self.origin, SOA): new})

    def same_records(self, other: Zone) -> bool:
        """Tell whether two zones hold the same records, whatever their serial numbers."""
        return self.with_serial(0).sets == other.with_serial(0).sets


def next_serial(serial: int) -> int:
    """Return the serial after this one (RFC 1982: 32 bits, zero left out)."""
    return (serial + 1) % (1 << 32) or 1


def newer(left: int, right: int) -> bool:
    """Tell whether serial `left` comes after `right` (RFC 1982, section 3.2)."""
    return 0 < (left - right) % (1 << 32) < (1 << 31)


def to_rrset(name: dns.name.Name, rdtype: RdataType, records: RRset) -> dns.rrset.RRset:
    """Return one record set in the library's form, values in a fixed order."""
    return dns.rrset.from_rdata_list(name, records.ttl, sorted(records.values))


@dataclass(frozen=True)
class Answer:
    """What a zone says to a question: the answer section, and whether the name exists."""

    sections: tuple[dns.rrset.RRset, ...]
    exists: bool


def lookup(zone: Zone, name: dns.name.Name, rdtype: RdataType) -> Answer:
    """Return the records of a name and type (or ANY), following CNAMEs as long as they stay inside the zone."""
    found: list[dns.rrset.RRset] = []
    for _ in range(MAX_CHAIN):
        if rdtype == ANY:
            sets = [to_rrset(name, t, zone.sets[name, t]) for t in zone.types_at(name)]
            return Answer((*found, *sets), name in zone.names)
        if (name, rdtype) in zone.sets:
            found.append(to_rrset(name, rdtype, zone.sets[name, rdtype]))
            return Answer(tuple(found), exists=True)
        alias = zone.sets.get((name, CNAME))
        if alias is None:
            return Answer(tuple(found), exists=bool(found) or name in zone.names)
        found.append(to_rrset(name, CNAME, alias))
        (value,) = alias.values
        name = value.target.canonicalize()  # type: ignore[attr-defined]
        if not name.is_subdomain(zone.origin):
            break
    return Answer(tuple(found), exists=True)


def from_library(source: dns.zone.Zone) -> Zone:
    """Return a zone read or transferred by dnspython; its names must be absolute."""
    sets: dict[Key, RRset] = {}
    for name, rdataset in source.iterate_rdatasets():
        sets[name.canonicalize(), rdataset.rdtype] = RRset(rdataset.ttl, frozenset(rdataset))
    return Zone(cast(dns.name.Name, source.origin).canonicalize(), sets)


def parse_zone(text: str, origin: dns.name.Name) -> Zone:
    """Return the zone of a master file (RFC 1035, section 5); raise `dns.exception.DNSException` for a bad one."""
    return from_library(dns.zone.from_text(text, origin=origin, relativize=False, check_origin=True))


def zone_text(zone: Zone) -> str:
    """Return the zone as a master file, SOA first, the rest sorted."""

    def order(item: tuple[Key, RRset]) -> tuple[bool, dns.name.Name, int]:
        (name, rdtype), _ = item
        return rdtype != SOA, name, rdtype

    lines = []
    for (name, rdtype), records in sorted(zone.sets.items(), key=order):
        label = dns.rdatatype.to_text(rdtype)
        lines += [f"{name} {records.ttl} IN {label} {value.to_text()}" for value in sorted(records.values)]
    return "\n".join(lines) + "\n"


def read_zone(path: Path, origin: dns.name.Name) -> Zone:
    """Return the zone of a file; raise OSError or `dns.exception.DNSException`."""
    return parse_zone(path.read_text("utf-8"), origin)


def write_zone(path: Path, zone: Zone) -> None:
    """Write a zone so that after a crash the file holds the old zone or the new one, never a mixture."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as out:
        out.write(zone_text(zone))
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
