"""Interleaved rounds: every contender once in each round, in turning order, so that a slow minute strikes all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

Contenders = Mapping[str, Callable[[], float]]
"""By name: does the work once and returns what it took."""


def interleaved(contenders: Contenders, rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Return what each round took, by contender; `warm` rounds before it are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(-warm, rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            seconds = contenders[name]()
            if turn >= 0:
                taken[name].append(seconds)
    return taken


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Return the work as a contender: its wall time in seconds, garbage collected before."""

    def once() -> float:
        gc.collect()
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return once
