"""Names and addresses as DNS compares them: case-insensitive, absolute, IDNA; checked before they reach a packet."""

from __future__ import annotations

import ipaddress

import dns.exception
import dns.name

from handrail.base.problems import trouble
from handrail.base.safe import Safe, safe, safe_host


def to_name(text: str) -> dns.name.Name:
    """Return the absolute, lower-case name of a text, final dot or not (IDNA 2003); else raise `Trouble`."""
    try:
        name = dns.name.from_text(text.strip().lower(), dns.name.root, idna_codec=dns.name.IDNA_2003)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise trouble("dns-name", f"{safe(text, 80)!r} is not a DNS name: {safe(str(error), 120)}") from error
    if name == dns.name.root:
        raise trouble("dns-name", "a DNS name is missing here", "write it in full, such as puppet.example.test")
    return name


def show_name(name: dns.name.Name | str) -> Safe:
    """Return a name as people read it: without the final dot, foreign labels as punycode."""
    text = name if isinstance(name, str) else name.to_text()
    return safe_host(text.lower().rstrip(".") or ".")


def name_in_zone(text: str, zone: str) -> dns.name.Name:
    """Return the name of a text; raise `Trouble` unless it is in the zone."""
    name = to_name(text)
    if not name.is_subdomain(to_name(zone)):
        raise trouble(
            "dns-name-outside",
            f"{show_name(name)} is not in the zone {show_name(zone)}",
            "the zone in the estate's [dns] must be the name itself or one of its parents",
        )
    return name


def same_name(one: str, other: str) -> bool:
    """Tell whether two texts mean the same name."""
    return bool(to_name(one) == to_name(other))


def address(text: str) -> str:
    """Return an IPv4 or IPv6 address in its one canonical spelling; else raise `Trouble`."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise trouble("dns-address", f"{safe(text, 80)!r} is not an IPv4 or IPv6 address") from error


def rtype_of(text: str) -> str:
    """Return "A" or "AAAA", by the family of an address."""
    return "A" if ipaddress.ip_address(address(text)).version == 4 else "AAAA"


def other_rtype(rtype: str) -> str:
    """Return the address type of the other family."""
    return "AAAA" if rtype == "A" else "A"


def canonical(values: tuple[str, ...], rtype: str) -> tuple[str, ...]:
    """Return the addresses of one RRset, canonical, sorted and without doubles; raise `Trouble` if a family differs."""
    found = sorted({address(v) for v in values}, key=lambda v: int(ipaddress.ip_address(v)))
    wrong = [v for v in found if rtype_of(v) != rtype]
    if wrong:
        raise trouble(
            "dns-family",
            f"{wrong[0]} cannot stand in an {rtype} record",
            "old and new address must be of the same family: both IPv4 or both IPv6",
        )
    return tuple(found)


def spell(values: tuple[str, ...]) -> str:
    """Return the values of an RRset as words: "10.0.0.10", "10.0.0.10 and 10.0.0.11", "nothing"."""
    if len(values) < 2:
        return safe(values[0]) if values else "nothing"
    return f"{', '.join(safe(v) for v in values[:-1])} and {safe(values[-1])}"
