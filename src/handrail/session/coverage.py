"""What of a runbook was drilled: each step forward, and its undo, at the digest the file has now. Folded from the runs' journals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from handrail.base.problems import Trouble
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.words import How, Verdict, Way
from handrail.runbook.model import Runbook
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import read_run
from handrail.store.run_folder import list_runs


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
    def undoable(self) -> int:
        """Return how many steps have an undo."""
        return sum(1 for step in self.steps if step.undoable)


def coverage(home: Home, runbook: Runbook, digest: str) -> Coverage:
    """Return what the drills in a home have covered of a runbook; a run whose record is damaged proves nothing."""
    found = {
        place.name: Covered(place.name, place.number, place.step.title, place.step.undo_kind in ("action", "restore"))
        for place in runbook.places
    }
    runs, unreadable = 0, []
    for glance in list_runs(home):
        first = glance.first
        if first is None or first.body.get("mode") != "DRILL" or first.body.get("digest") != digest:
            continue
        try:
            reading = read_run(glance.folder.path)
        except (Trouble, OSError):
            unreadable.append(glance.run_id)
            continue
        if reading.damage:
            unreadable.append(glance.run_id)
            continue
        runs += 1
        _add(found, reading.records, glance.run_id)
    return Coverage(runbook.id, digest, tuple(found.values()), runs, tuple(unreadable))


def _add(found: dict[str, Covered], records: Iterable[Record], run: str) -> None:
    events = [(record, event) for record in records if (event := decode_event(record.event, record.body))]
    scenario = _scenario([event for _, event in events])
    for record, event in events:
        here = Drilled(record.ts, record.actor, run, scenario)
        if isinstance(event, e.AttemptEnded) and event.step in found and _counts(event):
            found[event.step] = replace(found[event.step], forward=here)
        elif isinstance(event, e.StepUndone) and event.step in found and event.how is How.RAN:
            found[event.step] = replace(found[event.step], back=here)


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
