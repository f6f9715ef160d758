"""What a DNS server's refusal means for the person at the console. A table; it decides nothing."""

from __future__ import annotations

from typing import Final

import dns.rcode

from handrail.base.durations import show_duration
from handrail.base.problems import Problem
from handrail.base.safe import safe

# By the word on the wire: RFC 1035, 2136 (2.2) and 8945 (5.3.2).
HINTS: Final = {
    "FORMERR": "Knot, for one, answers so for a zone it does not serve: is the zone right, and is this its primary?",
    "SERVFAIL": "it failed inside: a zone still loading, a full disk, a primary it could not reach; see its log",
    "NXDOMAIN": "the name that had to exist does not exist",
    "NOTIMP": "it does not take dynamic updates at all: is this the primary, and not a cache or a load balancer?",
    "REFUSED": "this key (or this address) may not change the name: see allow-update or update-policy on the server",
    "YXDOMAIN": "the name that may not exist does exist",
    "YXRRSET": "a record of the other address family stands at the name, and clients that use it would not move",
    "NXRRSET": "the record is not what the change starts from",
    "NOTAUTH": "it is not authoritative for the zone, or a secondary: the first server in [dns] takes the updates",
    "NOTZONE": "the name is not inside the zone given in [dns]: the server may have cut a child zone out of it",
    "BADSIG": "it knows the key's name, but the secret or the algorithm differ: copy the key file again",
    "BADKEY": "it does not know this key for this zone: the key's name must be the same on both sides",
    "BADTIME": "its clock and this machine's are too far apart for a signature: set one of them",
    "BADTRUNC": "it does not accept a signature as short as this one: use another algorithm for the key",
    "NOTSIGNED": "its reply carries no signature: the server and the key file do not agree about the key",
}


def word_of(rcode: int) -> str:
    """Return the word of a response code; 9 is NOTAUTH, 16 BADSIG (not BADVERS: updates carry no EDNS)."""
    try:
        return safe(dns.rcode.to_text(dns.rcode.Rcode.make(rcode), tsig=True), 20)
    except ValueError:
        return f"RCODE{rcode}"


def refusal(label: str, word: str, offset: float | None = None) -> Problem:
    """Return what is wrong when a server answered `word`; `offset` is its clock minus ours, in seconds."""
    hint = HINTS.get(word, "the server's own log says why")
    if offset is not None:
        direction = "ahead of" if offset > 0 else "behind"
        hint = (
            f"its clock is {show_duration(abs(offset))} {direction} this machine's, and 5m is the most: set one of them"
        )
    return Problem(f"dns-{word.lower()}", f"{label} answers {word}: nothing was changed", hint)
