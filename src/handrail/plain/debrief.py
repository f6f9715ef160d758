"""The debrief of a drill in plain lines: whose time it took, steps against par, what slipped, what was foretold, what is next.

Pure; everything it returns is safe text. It is told to whoever drilled, and nothing in it is a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handrail.base.durations import show_clock
from handrail.base.safe import Safe, safe
from handrail.engine.foretold import foretold
from handrail.session.lessons import in_production, reflections, slips_told, spent
from handrail.session.practice import IN_WORDS, next_drill, times_taken
from handrail.session.view import Snapshot

SLOW = 1.5  # times par from which on a step is named


def debrief(shown: Snapshot, actual: Mapping[str, tuple[str, ...]]) -> Iterator[Safe]:
    """Yield what a drill came to, for whoever did it."""
    info, took = shown.info, spent(shown)
    yield safe(f"DEBRIEF, {info.level} drill {info.before.drills + 1} of {info.operator} with {info.runbook}")
    words = f"machines {show_clock(took.machine)}, you {show_clock(took.person)}, DNS caches {show_clock(took.caches)}"
    halted = f", halted by the instructor {show_clock(took.halted)}" if took.halted else ""
    yield safe(f"time: {words}{halted}")
    if shown.restored is not None and info.before.restored is not None:
        yield safe(f"restored in {show_clock(shown.restored)}, your last {show_clock(info.before.restored)}")
    least = in_production(shown)
    if least is not None:
        yield safe(f"waits were shortened ({info.shortened}): with production's it takes at least {show_clock(least)}")
    yield from _steps(shown)
    for number, refused in slips_told(shown.state):
        yield safe(f"refused at {number}: {refused}")
    for one in foretold(shown.state):
        undo = shown.whole_text(one.step).undo
        yield safe(f"you foretold of {shown.state.outline.step(one.step).name}: {one.prints}", 400)
        yield safe(f"  it said: {' / '.join(actual.get(one.step, ())) or 'nothing'}", 400)
        yield safe(f"  undo, you said: {one.undone}; it is: {'; '.join(undo) or 'nothing to undo, it only reads'}", 400)
        if one.judged:
            yield safe(f"  in your own word: {one.judged}")
    for answer in reflections(shown.state).values():
        yield safe(f"in your own words: {answer}", 400)
    following = next_drill(shown)
    yield safe(f"next drill due {following.due} (in {IN_WORDS[following.every]}), level {following.level.value}")


def _steps(shown: Snapshot) -> Iterator[Safe]:
    """Yield the steps with a hint or a slip, and those that took much longer than par or than the last time."""
    for step, seconds in times_taken(shown).items():
        par, last = shown.whole_text(step).par, shown.info.before.times.get(step)
        hints, slips = shown.hints.get(step, 0), shown.slips.get(step, 0)
        slow = bool(par) and seconds > SLOW * par + 2.0
        if not (hints or slips or slow):
            continue
        words = f"{shown.state.outline.step(step).name}: {show_clock(seconds)}"
        words += f", par {show_clock(par)}" if par else ""
        words += f", your last {show_clock(last)}" if last is not None else ""
        yield safe(f"{words}, hints {hints}, slips {slips}")
