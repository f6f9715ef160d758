"""What is to be changed, and every way in which trying may end. Data only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem
from handrail.dns.names import canonical, plain_name, rtype_of, spell

BeforeSend = Callable[[], Awaitable[None]]
"""Awaited when everything is ready and before the first byte of a change goes out; what it raises stops the change."""


@dataclass(frozen=True)
class Change:
    """One RRset, from exactly what stands now to exactly what shall stand: canonical addresses, TTLs in seconds.

    `alone` asks the server to refuse if addresses of the other family stand at the name.
    """

    name: str
    rtype: str
    old: tuple[str, ...]
    old_ttl: int
    new: tuple[str, ...]
    new_ttl: int
    alone: bool = True

    @property
    def back(self) -> Change:
        """Return the change that undoes this one."""
        return Change(self.name, self.rtype, self.new, self.new_ttl, self.old, self.old_ttl, self.alone)

    def arrived(self, values: tuple[str, ...], ttl: int) -> bool:
        """Tell whether what stands is what this change wants. A TTL below 0 is not known, and matches."""
        return values == self.new and (self.old != self.new or ttl < 0 or ttl == self.new_ttl)


def make_change(
    name: str, old: tuple[str, ...], old_ttl: int, new: tuple[str, ...], new_ttl: int, *, alone: bool = True
) -> Change:
    """Return the change of a name's addresses; raise `Trouble` if they are not of one family or not addresses."""
    rtype = rtype_of(next(iter((*new, *old)), ""))
    return Change(plain_name(name), rtype, canonical(old, rtype), old_ttl, canonical(new, rtype), new_ttl, alone)


@dataclass(frozen=True)
class Applied:
    """The change stands. `how` is "answered", or "read back" if the reply was lost and the record says so."""

    serial: int | None
    how: str = "answered"


@dataclass(frozen=True)
class AlreadySo:
    """Nothing was changed: the record was already as wanted, so somebody else did it."""

    serial: int | None = None


@dataclass(frozen=True)
class Conflict:
    """Nothing was changed: the record is not what the change starts from. `found` is what stands instead."""

    found: tuple[str, ...]
    problem: Problem


@dataclass(frozen=True)
class Refused:
    """Nothing was changed: the server said no. `rcode` is its own word, "exit 3" for a program."""

    rcode: str
    problem: Problem


@dataclass(frozen=True)
class NotSent:
    """Nothing was changed: not one byte of it left this machine."""

    problem: Problem


@dataclass(frozen=True)
class NotApplied:
    """It was sent, no reply came, and the server goes on serving the old record. `found` is that record.

    A server that got it and slept may still apply it; sending the same change again is safe, for then its
    prerequisite fails and the answer is `AlreadySo`.
    """

    found: tuple[str, ...]
    problem: Problem


@dataclass(frozen=True)
class Unsettled:
    """It was sent, and nobody can say whether it was applied: the reply is lost and the record cannot be read."""

    problem: Problem


@dataclass(frozen=True)
class WaitingForPerson:
    """Nothing was sent: a person does it. `lines` say what to edit; whether it is done is told by a survey."""

    lines: tuple[str, ...]


Result = Applied | AlreadySo | Conflict | Refused | NotSent | NotApplied | Unsettled


def conflict(change: Change, found: tuple[str, ...], hint: str = "") -> Conflict:
    """Return the conflict that says what stands, and what should have stood."""
    message = f"{change.name} is {spell(found)}, not {spell(change.old)}: nothing was changed"
    return Conflict(
        found, Problem("dns-conflict", message, hint or "somebody else changed it: find out who, then plan again")
    )
