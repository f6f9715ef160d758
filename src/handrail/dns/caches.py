"""Until when caches may go on handing out the old answer. Arithmetic on what was seen; it asks nobody and waits for nothing.

All times are monotonic seconds of one clock. The bound holds for caches that keep to the TTL; watched ones are believed.
"""

from __future__ import annotations

from collections.abc import Iterable

from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Problem
from handrail.base.safe import safe
from handrail.dns.answer import Answer
from handrail.dns.survey import Survey


@dataclass(frozen=True)
class Cache:
    """One watched cache: what it hands out now, and for how many seconds that may still be the old answer."""

    label: str
    values: tuple[str, ...]
    left: float
    problem: str = ""


@dataclass(frozen=True)
class Countdown:
    """How long the old answer may live: `until` is None as long as some server may still hand it out."""

    until: float | None
    left: float | None
    caches: tuple[Cache, ...] = ()

    @property
    def over(self) -> bool:
        """Tell whether no cache that keeps to the TTL can hold the old answer any more."""
        return self.left == 0

    def __str__(self) -> str:
        """Return the countdown as one line for people."""
        if self.left is None:
            return "a server may still hand out the old answer: the countdown has not begun"
        if self.over:
            return "no cache holds the old answer any more"
        return f"caches may hold the old answer for {show_duration(self.left)} more"


def last_served(surveys: Iterable[Survey], old: tuple[str, ...]) -> float | None:
    """Return the last moment at which the old answer may have been handed out; None if it may be now.

    That is the end of the first survey in which every server answered with something else, after the last one in which
    any did not. Surveys are given in the order in which they were made.
    """
    since: float | None = None
    for survey in surveys:
        gone = bool(survey.answers) and all(not a.problem and a.values != old for a in survey.answers)
        if not gone:
            since = None
        elif since is None:
            since = survey.ended_at
    return since


def countdown(
    old: tuple[str, ...], old_ttl: int, served_until: float | None, resolvers: Iterable[Answer], now: float
) -> Countdown:
    """Return how long the old answer may live: its TTL from `served_until` (see `last_served`), or longer if a cache says so."""
    caches = tuple(_cache(answer, old, now) for answer in resolvers)
    if served_until is None:
        return Countdown(None, None, caches)
    until = max((served_until + max(0, old_ttl), *(now + c.left for c in caches if c.left)))
    return Countdown(until, max(0.0, until - now), caches)


def lowering_left(previous_ttl: int, lowered_at: float, now: float) -> float:
    """Return for how many seconds caches may still hold an answer with the TTL that stood before it was lowered."""
    return max(0.0, lowered_at + previous_ttl - now)


def ttl_warning(
    ttl: int, wanted: int, *, previous_ttl: int = 0, lowered_at: float = 0.0, now: float = 0.0
) -> Problem | None:
    """Return a warning if clients would follow a switch later than `wanted` seconds: TTL too long, or lowered too recently."""
    if ttl > wanted:
        message = f"the TTL is {ttl} s: clients may keep the old address for {show_duration(ttl)} after the switch"
        return Problem("dns-ttl", message, f"lower it to {wanted} s, and wait {show_duration(ttl)}", severity="warning")
    left = lowering_left(previous_ttl, lowered_at, now)
    if left > wanted:
        message = f"the TTL was lowered from {previous_ttl} s, and caches may hold that for {show_duration(left)} more"
        return Problem("dns-ttl-lowered", message, f"wait {show_duration(left)}, or accept it", severity="warning")
    return None


def _cache(answer: Answer, old: tuple[str, ...], now: float) -> Cache:
    """Return one watched cache; what it holds ages with the clock since it was asked."""
    label = safe(answer.server.label)
    if answer.problem:
        return Cache(label, (), 0.0, answer.problem)
    left = max(0.0, answer.asked_at + max(0, answer.ttl) - now) if answer.values == old else 0.0
    return Cache(label, answer.values, left)
