"""What came back for an update: its word, and whether its signature holds. It decides nothing and never raises."""

from __future__ import annotations

import time

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import dns.update

from handrail.base.frozen import dataclass
from handrail.base.safe import safe
from handrail.dns.hints import word_of


@dataclass(frozen=True)
class Reply:
    """A reply: `word` is its response code ("NOERROR", "BADSIG"), "" if none was readable, and then `trouble` says why.

    `verified`: it is signed with our key, or no key is in use. `clock_offset`: the server's clock minus ours in
    seconds, told with BADTIME (RFC 8945, 5.2.3).
    """

    word: str = ""
    verified: bool = False
    trouble: str = ""
    clock_offset: float | None = None


def read_reply(wire: bytes, sent: dns.update.UpdateMessage, key: dns.tsig.Key | None) -> Reply:
    """Return what a server's bytes say about the update that was sent; garbage is a reply without a word."""
    try:
        loose = dns.message.from_wire(wire, keyring=False, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        return Reply(trouble=f"sent a reply that cannot be read ({safe(type(error).__name__)})")
    if not sent.is_response(loose):
        return Reply(trouble="sent a reply to something else")
    if loose.flags & dns.flags.TC:
        return Reply(trouble="sent a reply that was cut short")
    word = word_of(loose.rcode())
    offset = None
    if loose.tsig_error:
        word = word_of(loose.tsig_error)
        offset = _offset(loose)
    return Reply(word, key is None or _signed(wire, sent, key), "", offset)


def _signed(wire: bytes, sent: dns.update.UpdateMessage, key: dns.tsig.Key) -> bool:
    """Tell whether the reply carries a signature that holds for our key and our request."""
    try:
        return dns.message.from_wire(wire, keyring=key, request_mac=sent.mac).had_tsig
    except (dns.exception.DNSException, ValueError):
        return False


def _offset(reply: dns.message.Message) -> float | None:
    """Return the server's clock minus ours, from the six bytes a BADTIME reply carries."""
    other = reply.tsig[0].other if reply.tsig else b""
    return int.from_bytes(other, "big") - time.time() if len(other) == 6 else None
