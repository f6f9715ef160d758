"""Names and addresses as DNS compares them: lower case, absolute, IDNA; checked before they reach a packet.

It needs no dnspython, so that a plan can be shown without it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from handrail.base.problems import trouble
from handrail.base.safe import Safe, safe, safe_host

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?|\*")


def plain_name(text: str) -> str:
    """Return a name in its one spelling: lower case, IDNA labels as punycode, no final dot; else raise `Trouble`.

    Lengths as in RFC 1035, 2.3.4; IDNA 2003. A name is always absolute: there is no search list here.
    """
    name = text.strip().lower().removesuffix(".")
    labels = [_ascii(label, text) for label in name.split(".")]
    if len(".".join(labels)) > 253 or not all(len(label) < 64 and _LABEL.fullmatch(label) for label in labels):
        raise _not_a_name(text)
    return ".".join(labels)


def name_in_zone(text: str, zone: str) -> str:
    """Return the plain name of a text; raise `Trouble` unless it is in the zone."""
    name, origin = plain_name(text), plain_name(zone)
    if name != origin and not name.endswith(f".{origin}"):
        hint = "the zone in the estate's [dns] must be the name itself or one of its parents"
        raise trouble("dns-name-outside", f"{name} is not in the zone {origin}", hint)
    return name


def show_name(text: str) -> Safe:
    """Return any name as people read it, those that servers send as well: lower case, no final dot, punycode."""
    return safe_host(text.lower().removesuffix(".") or ".")


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


def _ascii(label: str, text: str) -> str:
    if label.isascii():
        return label
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _not_a_name(text) from error


def _not_a_name(text: str) -> Exception:
    shown = safe_host(text[:300]) or "nothing"
    return trouble("dns-name", f"{shown!r} is not a DNS name", "write it in full, such as app.example.test")
