"""The name servers of the real estate, of BIND or of Knot, and the resolver that every host asks. Returns files only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.estate import texts

from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan

NameFiles = Callable[[EstatePlan, Path], Mapping[str, list[Entry]]]
"""The files of both name servers and of the resolver by host, from the plan and from where `prepare` left zone and keys."""

_NAMED = "/usr/sbin/named -g -u bind -n 1 -c /etc/bind/named.conf"
_KNOTD = "/usr/sbin/knotd -c /etc/knot/knot.conf"


def bind(plan: EstatePlan, prepared: Path) -> Mapping[str, list[Entry]]:
    """Return BIND as primary and as secondary."""
    first, second = _address(plan, "ns1"), _address(plan, "ns2")
    zone, fqdn = str(plan.dns.table["zone"]), str(plan.vars["fqdn"])
    return {
        "ns1": [
            *_named(texts.bind_primary(zone, fqdn, second)),
            _file("/etc/bind/keys.conf", (prepared / "ns1/etc/named/keys.conf").read_text()),
            _file("/var/lib/bind/zone", _zone(prepared)),
        ],
        "ns2": _named(texts.bind_secondary(zone, first)),
        "resolver": resolver(plan),
    }


def knot(plan: EstatePlan, prepared: Path) -> Mapping[str, list[Entry]]:
    """Return Knot as primary and as secondary; the resolver stays BIND's."""
    first, second = _address(plan, "ns1"), _address(plan, "ns2")
    zone, fqdn = str(plan.dns.table["zone"]), str(plan.vars["fqdn"])
    keys = (prepared / "ns1/etc/named/keys.conf").read_text()
    return {
        "ns1": [
            *_knotd(texts.knot_primary(first, second, zone, fqdn, keys)),
            _file("/var/lib/knot/zone", _zone(prepared)),
        ],
        "ns2": _knotd(texts.knot_secondary(second, first, zone)),
        "resolver": resolver(plan),
    }


def resolver(plan: EstatePlan) -> list[Entry]:
    """Return BIND as the cache that every host asks."""
    servers = [_address(plan, name) for name in plan.dns.servers]
    return _named(texts.bind_resolver(str(plan.dns.table["zone"]), servers))


def _named(conf: str) -> list[Entry]:
    return [
        ("/etc/bind", "d", 0o755, b""),
        ("/var/lib/bind", "d", 0o777, b""),
        ("/var/cache/bind", "d", 0o777, b""),
        _file("/etc/bind/named.conf", conf),
        *texts.unit("named", _NAMED),
    ]


def _knotd(conf: str) -> list[Entry]:
    return [
        ("/etc/knot", "d", 0o755, b""),
        ("/var/lib/knot", "d", 0o777, b""),
        _file("/etc/knot/knot.conf", conf),
        *texts.unit("named", _KNOTD),  # the name that the runbooks' own estate knows it by
    ]


def _zone(prepared: Path) -> str:
    return (prepared / "ns1/etc/named/zone").read_text()


def _address(plan: EstatePlan, name: str) -> str:
    host = plan.host(name)
    assert host
    return host.address


def _file(path: str, text: str) -> Entry:
    return (path, "f", 0o644, text.encode())
