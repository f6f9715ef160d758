"""wait: let time pass in view, for a fixed time or until the caches of a switched name have run out."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.base.clock import unstamp
from handrail.base.durations import show_duration
from handrail.base.failpoint import boundary
from handrail.engine.results import Result
from handrail.engine.words import ResultKind
from handrail.runbook.actions import Wait
from handrail.runbook.model import Step

PLACE: Final = "clock"


async def perform(work: Work, port: Port) -> None:
    """Count down; after a crash the countdown goes on from when it began.

    The wall clock says once how much is left, because a crash may lie in between; it may be set meanwhile, so the seconds
    themselves are counted on the monotonic clock.
    """
    step = work.hosts[PLACE]
    assert isinstance(step, Step)
    assert step.wait is not None
    notes = port.notes(PLACE)
    began = unstamp(notes["began"]) if "began" in notes else port.clock.now()
    if "began" not in notes:
        port.remember(PLACE, {"began": began.isoformat()})
    total, what = _length(step.wait, began, port)
    until = port.clock.mono() + min(total, total - (port.clock.now() - began).total_seconds())
    while (left := until - port.clock.mono()) > 0:
        port.progress(round(total - left), math.ceil(total), f"{what}: {show_duration(left)} left")
        with boundary("wait.second"):
            await port.sleep(min(1.0, left))
    port.say(PLACE, f"{what}: {show_duration(total)} have passed")
    port.ended(Result(PLACE, ResultKind.EXITED, sent=False, exit=0, detail=what))


def _length(wait: Wait, began: datetime, port: Port) -> tuple[float, str]:
    """Return how many seconds to wait from `began` on, and what for."""
    if wait.for_ is not None:
        return wait.for_, wait.reason or "waiting"
    switched = port.notes("dns", wait.until or "")
    ttl = float(switched.get("ttl", "0"))
    since = unstamp(switched["at"]) if "at" in switched else began
    left = ttl - (began - since).total_seconds()
    return max(0.0, left), wait.reason or f"caches that hold the old answer (TTL {show_duration(ttl)})"
