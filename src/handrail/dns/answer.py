"""What one server said of one name. Data only."""

from __future__ import annotations

from typing import Final

from handrail.base.frozen import dataclass
from handrail.dns.zone import NameServer

UNTOLD: Final = -1  # the TTL of an answer that does not tell one


@dataclass(frozen=True)
class Answer:
    """What one server said of one name: addresses sorted, text safe to show, `asked_at` monotonic seconds.

    `problem` is a sentence without its subject ("does not answer within 2 s"), "" if the answer is fine; no record is
    a fine answer. `other` names what else stands at the name: "CNAME app1.example.test", "AAAA 2001:db8::1".
    """

    server: NameServer
    rtype: str
    values: tuple[str, ...] = ()
    ttl: int = UNTOLD
    serial: int | None = None
    problem: str = ""
    other: tuple[str, ...] = ()
    asked_at: float = 0.0
    exists: bool = False  # whether anything at all stands at the name
