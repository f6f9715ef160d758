"""A person's practice: whether they are new to it, what their next drill is, when it is due, what they took the last time.

What it keeps lies in the person's own file. It compares nobody with anybody else.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from handrail.base.clock import stamp
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.outcome import outcome
from handrail.engine.words import Remarks
from handrail.runbook.coach import coach_of
from handrail.runbook.scenario import known_scenarios, read_scenario
from handrail.session.levels import Level, harder
from handrail.session.view import Before, CoachNote, Snapshot
from handrail.store.drills import drills_of
from handrail.store.home import Home
from handrail.store.journal import read_run
from handrail.store.run_folder import RunFolder
from handrail.store.training import Practised, keep, trainee

WEEK: Final = 7
STEPS: Final = (WEEK, 30, 91)  # days until the next drill: a week, a month, three months
IN_WORDS: Final = {WEEK: "a week", 30: "a month", 91: "three months"}


@dataclass(frozen=True)
class Next:
    """A person's next drill of a runbook."""

    due: date
    every: int  # days
    level: Level


def is_newcomer(home: Home, person: str) -> bool:
    """Tell whether a person has never finished a drill."""
    finished = any(drill.by == person for drill in drills_of(home))
    return not finished and not trainee(home, person).drills


def notes_of(runbook: str, path: Path, level: str) -> tuple[CoachNote, ...]:
    """Return the coach's notes for a guided drill; raise `Trouble` when its file is not sound."""
    coach = coach_of(runbook, path) if level == Level.GUIDED else None
    if coach is None:
        return ()
    return tuple(CoachNote(n.id, n.when.kind, n.when.step, " ".join(n.say.split())) for n in coach.note)


def scenario_for(
    level: str, runbook: str, path: Path, cwd: Path, route: str, seed: int | None, *, whole: bool = True
) -> Path | None:
    """Return the scenario that a level brings with it: the coach's first one, or one that is not announced.

    Unless the estate is `whole`, one that needs hosts which are machines of their own is passed over.
    """
    known = known_scenarios(cwd)
    if level == Level.GUIDED:
        coach = coach_of(runbook, path)
        first = coach.head.first if coach else None
        return known.get(first) if first and _fits(known.get(first), runbook, route, whole=whole) else None
    if level == Level.FAULTS:
        fitting = [file for file in known.values() if _fits(file, runbook, route, whole=whole, quiet=True)]
        return random.Random(seed).choice(fitting) if fitting else None  # noqa: S311 - a surprise, not a secret
    return None


def _fits(path: Path | None, runbook: str, route: str, *, whole: bool, quiet: bool = False) -> bool:
    try:
        head = read_scenario(path).head if path else None
    except Trouble:
        return False  # `handrail lint` says what is wrong with it
    if head is None or (head.runbook, head.route) != (runbook, route):
        return False
    return (whole or not head.needs) and not (quiet and head.told)


# ---------------------------------------------------------------- what was, and what is next


def before(home: Home, person: str, runbook: str) -> Before:
    """Return what a person's drills of a runbook came to before this one; the last one's times, where it can be read."""
    drills = trainee(home, person).of(runbook)
    if not drills:
        return Before()
    last = drills[-1]
    restored = next((drill.restored for drill in drills_of(home, runbook=runbook) if drill.run == last.run), None)
    try:
        records = read_run(RunFolder.open(home, last.run).path).records
    except (Trouble, OSError):
        records = ()
    events = (decode_event(record.event, record.body) for record in records)
    times = times_of(event for event in events if event is not None)
    return Before(len(drills), last.every, restored, times)


def times_of(events: Iterable[e.Event]) -> dict[str, float]:
    """Return how long each step was at work, all its attempts together, in seconds."""
    begun: dict[tuple[str, int], float] = {}
    took: dict[str, float] = {}
    for event in events:
        if isinstance(event, e.AttemptStarted):
            begun[event.step, event.attempt] = event.at
        elif isinstance(event, e.AttemptEnded) and (event.step, event.attempt) in begun:
            took[event.step] = took.get(event.step, 0.0) + event.at - begun.pop((event.step, event.attempt))
    return {step: round(seconds, 1) for step, seconds in took.items()}


def times_taken(shown: Snapshot) -> dict[str, float]:
    """Return how long each step was at work in this run, in seconds."""
    return {
        step.id: sum(a.ended - a.started for a in now.attempts if a.ended is not None)
        for step, now in shown.state.walked()
        if now.attempts
    }


def clean(shown: Snapshot) -> bool:
    """Tell whether nothing slipped: nothing was refused, and a scenario ended as it should."""
    told = shown.state.scenario
    slipped = any(remark.kind is Remarks.SLIP for remark in shown.state.remarks)
    return not slipped and (told is None or told.holds)


def next_drill(shown: Snapshot) -> Next:
    """Return when the next drill is due after this one, and at which level: sooner, and not harder, after a slip. Pure."""
    info, today = shown.info, shown.wall.date()
    if not clean(shown):
        return Next(today + timedelta(days=WEEK), WEEK, Level(info.level))
    every = next((days for days in STEPS if days > info.before.every), STEPS[-1])
    return Next(today + timedelta(days=every), every, harder(info.level))


def remember(home: Home, shown: Snapshot) -> None:
    """Keep a finished drill in the file of whoever did it; raise `Trouble` when it cannot be written."""
    info = shown.info
    if not info.level:
        return
    following = next_drill(shown)
    drill = Practised(
        runbook=info.runbook,
        when=stamp(shown.wall),
        level=info.level,
        outcome=outcome(shown.state).value,
        due=following.due.isoformat(),
        every=following.every,
        run=info.run,
    )
    keep(home, info.operator, drill)


def is_due(drill: Practised, now: datetime) -> bool:
    """Tell whether a drill is due again."""
    try:
        return date.fromisoformat(drill.due) <= now.date()
    except ValueError:
        return True
