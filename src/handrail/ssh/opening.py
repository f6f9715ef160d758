"""Opening a run on a host: its marker there, and what the host is like. A job's absence is later held against it.

A question of its own, or the beginning of the run's first job there: both tell the same words (wrapper/opening.sh).
"""

from __future__ import annotations

import time
from typing import Final

from handrail.base.clock import SystemClock
from handrail.ssh.frames import number
from handrail.ssh.links import HostFacts, Links
from handrail.ssh.question import consult
from handrail.ssh.target import Target

APART: Final = 10.0  # seconds for which a host must have been up before something, to be sure that it was: clocks drift
now = SystemClock().mono


async def open_run(links: Links, target: Target, run: str, *, make: bool = True) -> HostFacts | None:
    """Return what the host is like and the run's marker on it, made when `make`; None when there is no marker.

    It is remembered in `links`.
    """
    answer = await consult(links, target, "open", run, {"make": int(make)})
    return learn(links, target, run, answer.words[1:], make=make)


def learn(links: Links, target: Target, run: str, told: list[str], *, make: bool) -> HostFacts | None:
    """Remember what a host has just told; None when there is no marker of the run."""
    boot, made, marker, tail, fork, pty, wall, up = (told + [""] * 8)[:8]
    if marker in ("-", ""):
        return None
    facts = HostFacts(
        boot if make else made,
        marker,
        tail == "1",
        fork == "1",
        pty == "1",
        number(wall) - time.time() if number(wall) else 0.0,
        now() - number(up),
    )
    links.recall(target, run, facts)
    if facts.tail:
        links.one_piece.add(target.key)
    return facts


def up_before(facts: HostFacts, when: float) -> bool:
    """Tell whether the host surely had been booted, for the last time, before a moment of our own CLOCK_BOOTTIME."""
    return facts.since + APART < when
