"""Dynamic updates (RFC 2136) as a pure function of zone and message: no sockets, no keys, no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import ANY, CNAME, NS, SOA, RdataType
from dns.update import UpdateMessage

from handrail_sim.zone import Key, RRset, SoaData, Zone, newer, next_serial

# Types that may only be asked for or transported, never stored (RFC 2136, section 3.4.1.2; RFC 6895, section 3.1).
_META: Final = frozenset(
    {
        dns.rdatatype.ANY,
        dns.rdatatype.AXFR,
        dns.rdatatype.IXFR,
        dns.rdatatype.MAILA,
        dns.rdatatype.MAILB,
        dns.rdatatype.OPT,
    }
)


@dataclass(frozen=True)
class Grant:
    """What a key may change: these types at this one name."""

    name: dns.name.Name
    types: frozenset[RdataType]

    def allows(self, name: dns.name.Name, rdtype: RdataType) -> bool:
        """Tell whether one record set may be changed; deleting a whole name (type ANY) never is."""
        return name == self.name and rdtype in self.types


class _Refused(Exception):
    """Ends the processing of one update with a response code."""

    def __init__(self, code: Rcode) -> None:
        self.code = code
        super().__init__(code.name)


def process_update(zone: Zone, message: UpdateMessage, grants: Sequence[Grant] | None) -> tuple[Rcode, Zone]:
    """Return the response code and the zone afterwards: the same object unless a record changed.

    `grants` None means that the sender may change everything. As BIND does, prerequisites are looked at before
    permission, so a message of prerequisites alone needs a valid key and no grant.
    """
    try:
        _check_zone_section(zone, message)
        _check_prerequisites(zone, message.prerequisite)
        _prescan(zone, message.update)
        _check_permission(message.update, grants)
    except _Refused as refused:
        return refused.code, zone
    return Rcode.NOERROR, _apply(zone, message.update)


def _check_zone_section(zone: Zone, message: UpdateMessage) -> None:
    if len(message.zone) != 1 or message.zone[0].rdtype != SOA:
        raise _Refused(Rcode.FORMERR)
    if message.zone[0].name.canonicalize() != zone.origin or message.zone[0].rdclass != dns.rdataclass.IN:
        raise _Refused(Rcode.NOTAUTH)


def _check_prerequisites(zone: Zone, prerequisites: Iterable[dns.rrset.RRset]) -> None:
    """Refuse unless every prerequisite holds (RFC 2136, section 3.2.5)."""
    wanted: dict[Key, set[object]] = {}
    for item in prerequisites:
        name = item.name.canonicalize()
        if item.ttl:
            raise _Refused(Rcode.FORMERR)
        if not name.is_subdomain(zone.origin):
            raise _Refused(Rcode.NOTZONE)
        if item.deleting == dns.rdataclass.ANY:
            _must_exist(zone, name, item.rdtype)
        elif item.deleting == dns.rdataclass.NONE:
            _must_not_exist(zone, name, item.rdtype)
        elif item.rdclass == dns.rdataclass.IN and item.rdtype not in _META:
            wanted.setdefault((name, item.rdtype), set()).update(item)
        else:
            raise _Refused(Rcode.FORMERR)
    for key, values in wanted.items():
        if key not in zone.sets or zone.sets[key].values != values:
            raise _Refused(Rcode.NXRRSET)


def _must_exist(zone: Zone, name: dns.name.Name, rdtype: RdataType) -> None:
    if rdtype == ANY:
        if not zone.types_at(name):
            raise _Refused(Rcode.NXDOMAIN)
    elif (name, rdtype) not in zone.sets:
        raise _Refused(Rcode.NXRRSET)


def _must_not_exist(zone: Zone, name: dns.name.Name, rdtype: RdataType) -> None:
    if rdtype == ANY:
        if zone.types_at(name):
            raise _Refused(Rcode.YXDOMAIN)
    elif (name, rdtype) in zone.sets:
        raise _Refused(Rcode.YXRRSET)


def _prescan(zone: Zone, updates: Iterable[dns.rrset.RRset]) -> None:
    """Refuse a message that could only be carried out in part (RFC 2136, section 3.4.1)."""
    for item in updates:
        if not item.name.canonicalize().is_subdomain(zone.origin):
            raise _Refused(Rcode.NOTZONE)
        meta = item.rdtype in _META - ({ANY} if item.deleting == dns.rdataclass.ANY else set())
        if meta or (item.deleting is None and item.rdclass != dns.rdataclass.IN):
            raise _Refused(Rcode.FORMERR)
        if item.deleting == dns.rdataclass.NONE and item.ttl:
            raise _Refused(Rcode.FORMERR)


def _check_permission(updates: Iterable[dns.rrset.RRset], grants: Sequence[Grant] | None) -> None:
    if grants is None:
        return
    for item in updates:
        if not any(grant.allows(item.name.canonicalize(), item.rdtype) for grant in grants):
            raise _Refused(Rcode.REFUSED)


def _apply(zone: Zone, updates: Iterable[dns.rrset.RRset]) -> Zone:
    """Return the zone with the updates done, its serial raised if a record changed (RFC 2136, sections 3.4.2, 3.6)."""
    sets = dict(zone.sets)
    for item in updates:
        name = item.name.canonicalize()
        if item.deleting == dns.rdataclass.ANY:
            _delete_sets(sets, zone.origin, name, item.rdtype)
        elif item.deleting == dns.rdataclass.NONE:
            _delete_values(sets, zone.origin, name, item)
        else:
            _add(sets, name, item)
    after = replace(zone, sets=sets)
    if after.same_records(zone):
        return after if newer(after.serial, zone.serial) else zone
    return after if newer(after.serial, zone.serial) else after.with_serial(next_serial(zone.serial))


def _add(sets: dict[Key, RRset], name: dns.name.Name, item: dns.rrset.RRset) -> None:
    """Add values; a CNAME and other data exclude one another silently, as do a second SOA and an older serial."""
    key = name, item.rdtype
    others = [rdtype for owner, rdtype in sets if owner == name and rdtype != CNAME]
    if (others and item.rdtype == CNAME) or (item.rdtype != CNAME and (name, CNAME) in sets):
        return
    old = sets.get(key)
    if item.rdtype == SOA:
        _replace_soa(sets, key, item)
    elif item.rdtype == CNAME or old is None:
        sets[key] = RRset(item.ttl, frozenset(item))
    else:
        sets[key] = RRset(item.ttl, old.values | frozenset(item))


def _replace_soa(sets: dict[Key, RRset], key: Key, item: dns.rrset.RRset) -> None:
    (new,) = item
    if key in sets:
        (old,) = sets[key].values
        if newer(cast(SoaData, new).serial, cast(SoaData, old).serial):
            sets[key] = RRset(item.ttl, frozenset(item))


def _delete_sets(sets: dict[Key, RRset], origin: dns.name.Name, name: dns.name.Name, rdtype: RdataType) -> None:
    """Delete one set, or every set of a name; the apex keeps its SOA and NS."""
    kept = {SOA, NS} if name == origin else set[RdataType]()
    for key in [k for k in sets if k[0] == name and rdtype in (k[1], ANY) and k[1] not in kept]:
        del sets[key]


def _delete_values(sets: dict[Key, RRset], origin: dns.name.Name, name: dns.name.Name, item: dns.rrset.RRset) -> None:
    """Delete single values; neither the SOA nor the last NS of the apex goes."""
    key = name, item.rdtype
    if key not in sets or item.rdtype == SOA:
        return
    rest = sets[key].values - frozenset(item)
    if rest:
        sets[key] = replace(sets[key], values=rest)
    elif key != (origin, NS):
        del sets[key]
