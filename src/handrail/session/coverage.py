"""What of a runbook was drilled: each step forward, and its undo, at the digest the file has now. Folded from the runs' journals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, field, replace
from typing import Any

from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.words import How, Verdict, Way
from handrail.runbook.model import Runbook
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import read_run
from handrail.store.run_folder import RunSummary, list_runs


@dataclass(frozen=True)
class Drilled:
    """One time that something was drilled: when (as a journal writes it), by whom, in which run, on which scenario."""

    when: str
    by: str
    run: str
    scenario: str = ""


@dataclass(frozen=True)
class Covered:
    """One step: the last time it was drilled forward, and the last time its undo was; None: never."""

    step: str
    number: str
    title: str
    undoable: bool  # it has an undo of its own
    forward: Drilled | None = None
    back: Drilled | None = None


@dataclass(frozen=True)
class Coverage:
    """A runbook's steps, as drilled at one digest; `runs` counts the drills that were looked at."""

    runbook: str
    digest: str
    steps: tuple[Covered, ...]
    runs: int = 0
    unreadable: tuple[str, ...] = field(default=())

    @property
    def forward(self) -> int:
        """Return how many steps were drilled forward."""
        return sum(1 for step in self.steps if step.forward)

    @property
    def back(self) -> int:
        """Return how many undos were drilled."""
        return sum(1 for step in self.steps if step.undoable and step.back)

    @property
    def never_undone(self) -> tuple[str, ...]:
        """Return the steps whose undo was never drilled, by number and title."""
        return tuple(f"{step.number} {step.title}" for step in self.steps if step.undoable and not step.back)

    @property
    def undoable(self) -> int:
        """Return how many steps have an undo."""
        return sum(1 for step in self.steps if step.undoable)


def coverage(home: Home, runbook: Runbook, digest: str, glances: Iterable[RunSummary] | None = None) -> Coverage:
    """Return what the drills in a home have covered of a runbook; a run whose record is damaged proves nothing."""
    found = {
        place.name: Covered(place.name, place.number, place.step.title, place.step.undo_kind in ("action", "restore"))
        for place in runbook.places
    }
    runs, unreadable = 0, []
    for glance in list_runs(home) if glances is None else glances:
        first = glance.first
        if first is None or first.body.get("mode") != "DRILL" or first.body.get("digest") != digest:
            continue
        done = _done_in(glance)
        if done is None:
            unreadable.append(glance.run_id)
            continue
        runs += 1
        for step, one in done.forward.items():
            if step in found:
                found[step] = replace(found[step], forward=one)
        for step, one in done.back.items():
            if step in found:
                found[step] = replace(found[step], back=one)
    return Coverage(runbook.id, digest, tuple(found.values()), runs, tuple(unreadable))


@dataclass(frozen=True)
class Done:
    """What one drill has done, by step: forward, and back."""

    forward: Mapping[str, Drilled]
    back: Mapping[str, Drilled]


def done_by(records: Iterable[Record], run: str) -> Done:
    """Return what a journal tells of steps that were really done and checked, and really undone."""
    events = [(record, event) for record in records if (event := decode_event(record.event, record.body))]
    scenario = _scenario([event for _, event in events])
    forward: dict[str, Drilled] = {}
    back: dict[str, Drilled] = {}
    for record, event in events:
        here = Drilled(record.ts, record.actor, run, scenario)
        if isinstance(event, e.AttemptEnded) and _counts(event):
            forward[event.step] = here
        elif isinstance(event, e.StepUndone) and event.how is How.RAN:
            back[event.step] = here
    return Done(forward, back)


def kept(done: Done) -> dict[str, Any]:
    """Return it as a run's summary keeps it, so that home need not read every journal."""
    return {way: {step: asdict(one) for step, one in getattr(done, way).items()} for way in ("forward", "back")}


def _done_in(glance: RunSummary) -> Done | None:
    """Return what a drill has done: from its summary if that is of the journal's last record, else from the journal."""
    known = glance.summary.get("drilled")
    try:
        if known is not None and not glance.problem:
            ways = ({s: Drilled(**one) for s, one in known[way].items()} for way in ("forward", "back"))
            return Done(*ways)
    except (TypeError, KeyError, AttributeError):
        pass  # a summary of another version: the journal says it
    try:
        reading = read_run(glance.folder.path)
    except (Trouble, OSError):
        return None
    return None if reading.damage else done_by(reading.records, glance.run_id)


def _counts(event: e.AttemptEnded) -> bool:
    """Tell whether a step was really done and checked: not by hand, and not because it was so already."""
    return event.way is Way.FORWARD and event.verdict is Verdict.PASSED and event.how is How.RAN


def _scenario(events: Iterable[e.Event]) -> str:
    """Return the scenario's name: the one told at the end, else the one announced."""
    told = ""
    for event in events:
        if isinstance(event, e.RunOpened):
            told = event.scenario
        elif isinstance(event, e.ScenarioTold):
            told = event.name
    return told


def as_json(made: Coverage) -> Mapping[str, object]:
    """Return it as JSON-ready data."""
    return {
        "format": 1,
        "runbook": made.runbook,
        "digest": made.digest,
        "runs": made.runs,
        "unreadable": list(made.unreadable),
        "forward": made.forward,
        "undo": made.back,
        "undoable": made.undoable,
        "steps": [
            {
                "step": step.step, "number": step.number, "title": step.title, "undoable": step.undoable,
                "forward": _drilled(step.forward), "undo": _drilled(step.back),
            }
            for step in made.steps
        ],
    }  # fmt: skip


def _drilled(one: Drilled | None) -> Mapping[str, str] | None:
    return {"when": one.when, "by": one.by, "run": one.run, "scenario": one.scenario} if one else None
