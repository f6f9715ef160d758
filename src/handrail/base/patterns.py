"""Matching an author's regex against foreign text, for no longer than a moment.

A regex can backtrack for longer than anybody lives, and no reader sees it coming. The engine of `re` looks for signals while it
matches, so a timer of this process's own CPU time ends it. Only the main thread can be ended so; that is where the console is.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Final

BUDGET: Final = 0.5  # seconds of computing for one pattern on one output


class SlowPatternError(Exception):
    """A pattern that was still matching when its time was up: it neither matched nor failed to."""


def first_match(pattern: str, lines: Iterable[str], seconds: float = BUDGET) -> re.Match[str] | None:
    """Return the match in the first line that has one, or None; raise `SlowPatternError` when it takes too long."""
    compiled = re.compile(pattern)
    with bounded(seconds):
        return next((match for line in lines if (match := compiled.search(line))), None)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """End what is computed inside after so many seconds of this process's CPU time, with `SlowPatternError`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _over(_number: int, _frame: FrameType | None) -> None:
    raise SlowPatternError


REPEATED: Final = 28  # of one text after another: what is exponential takes minutes, all else microseconds
TRIAL: Final = 0.05  # seconds of computing
ALWAYS: Final = "a0 ./:,-"  # what classes such as \w, \d, \s and . stand for, mostly


@lru_cache(maxsize=512)
def explodes(pattern: str) -> str:
    """Return a text on which a regex takes forever, or nothing: tried on repetitions of what stands in it, and of pairs of that."""
    compiled = re.compile(pattern)
    single = list(dict.fromkeys(c for c in ALWAYS + pattern if c.isprintable() and c not in "\\()[]{}|^$*+?"))[:16]
    pumps = (*single, *(a + b for a in single[:10] for b in single[:10] if a != b))
    if not _slow(
        compiled, pumps
    ):  # all in the time of one, as it is nearly always: a timer for each takes longer than they do
        return ""
    return next((pump for pump in pumps if _slow(compiled, (pump,))), "")


def _slow(compiled: re.Pattern[str], pumps: Iterable[str]) -> bool:
    try:
        with bounded(TRIAL):
            for pump in pumps:
                compiled.search(pump * REPEATED + "\0")
    except SlowPatternError:
        return True
    return False
