"""Instructing: the drills on this machine as an instructor sees them, and what they may do to one. To a run on real hosts: nothing.

What is done to an estate goes through its control socket; everything is left in the run's post, so that the console that
drives it writes it into the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import order
from handrail.engine.codec import decode_event
from handrail.engine.evolve import evolve
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.table import ImpossibleError
from handrail.engine.words import Outcome, Remarks, StepWord
from handrail.runbook.scenario_model import VERBS
from handrail.session import mailbox, simulator
from handrail.session.cards import DrillView
from handrail.session.people import operator
from handrail.session.recorded import replayed
from handrail.session.snapshots import Replayed
from handrail.session.status import where_text
from handrail.session.view import Mode
from handrail.session.watching import Watching
from handrail.store.home import Home
from handrail.store.journal import read_run
from handrail.store.lock import holder_of
from handrail.store.run_folder import RunFolder, list_runs

OLD: Final = 12 * 3600.0  # seconds: a held drill that was left longer ago is nobody's lesson any more
_UNREADABLE: Final = (Trouble, OSError, LookupError, ValueError, TypeError, ImpossibleError)


@dataclass
class Instructor:
    """One instructor at one terminal."""

    home: Home
    clock: Clock = field(default_factory=SystemClock)
    who: str = field(default_factory=operator)
    _known: dict[str, tuple[int, Replayed]] = field(default_factory=dict)

    def look(self) -> tuple[DrillView, ...]:
        """Return the drills that are driven, or were left with their estate up; newest first."""
        views = (self._view(folder) for folder in self._folders())
        return tuple(view for view in views if view is not None)

    def find(self, word: str) -> tuple[DrillView, ...]:
        """Return the drills that a word means: a run's id or its beginning, who walks it, or `all`; raise `Trouble`."""
        seen = self.look()
        found = seen if word == "all" else tuple(v for v in seen if v.run.startswith(word) or v.who == word)
        if not found:
            self._refuse_real(word)
            raise trouble("no-drill", f"no drill here is {safe(word, 60)!r}", "handrail instruct lists them")
        if len(found) > 1 and word != "all":
            raise trouble("run-ambiguous", f"{safe(word, 60)} may be any of {', '.join(v.run for v in found)}")
        return found

    async def fault(self, drill: DrillView, line: str) -> str:
        """Do something to a drill's estate; return why the estate refused, or nothing. Raise `Trouble` for no such verb."""
        line = " ".join(line.split())
        if line.partition(" ")[0] not in VERBS:
            raise trouble(
                "scenario-verb", f"{safe(line, 60)!r} is nothing an estate can be asked", f"one of {', '.join(VERBS)}"
            )
        refused = await simulator.act(self._estate(drill), line)
        mailbox.leave(drill.folder, "fault", line, self.who, refused)
        return refused

    async def faults(self, drill: DrillView) -> tuple[tuple[str, str], ...]:
        """Return what an instructor does most, as (line, words), for the machines that a drill's estate has."""
        hosts = (await simulator.control(self._estate(drill), "hosts")).get("hosts", [])
        ones = {
            role for role, kind in self._read(RunFolder(drill.folder)).binding.runbook.roles.items() if kind == "one"
        }
        return tuple(_usual(hosts, ones))

    async def watch(self, drill: DrillView) -> Watching:
        """Look on one drill."""
        return Watching(RunFolder(drill.folder))

    def halt(self, drill: DrillView, why: str) -> None:
        """Have a drill stand still, with words for its operator; raise `Trouble` where nobody would read them."""
        if not drill.driven:
            raise trouble("no-drill", f"nobody drives {drill.run}: it stands still already")
        if not why.strip():
            raise trouble("usage", "say why it is halted: the operator reads it")
        self._leave(drill, "halt", why)

    def go_on(self, drill: DrillView) -> None:
        """Let a drill go on."""
        self._leave(drill, "go", "")

    def say(self, drill: DrillView, words: str, by: str = "") -> None:
        """Have a message reach its operator, as from somebody else if `by` is given."""
        if not words.strip():
            raise trouble("usage", "a message has words")
        self._leave(drill, "card", words, by)

    def note(self, drill: DrillView, words: str) -> None:
        """Leave a note in a drill's record; its operator sees it."""
        self._leave(drill, "note", words)

    def _leave(self, drill: DrillView, kind: str, words: str, more: str = "") -> None:
        self._estate(drill)
        mailbox.leave(drill.folder, kind, words, self.who, more)

    @staticmethod
    def _estate(drill: DrillView) -> Path:
        if drill.estate is None or not drill.estate.is_dir():
            raise trouble("estate-gone", f"the simulated estate of run {drill.run} is gone: the drill is over")
        return drill.estate

    def _refuse_real(self, word: str) -> None:
        for glance in list_runs(self.home):
            first = glance.first
            if first and glance.run_id.startswith(word) and first.body.get("mode") != Mode.DRILL.value:
                mode = safe(str(first.body.get("mode")), 20)
                raise trouble("not-a-drill", f"run {glance.run_id} is {mode}: an instructor can do nothing to it")

    def _folders(self) -> Iterator[RunFolder]:
        for glance in reversed(list_runs(self.home)):
            first = glance.first
            if first is None or glance.last is None or first.body.get("mode") != Mode.DRILL.value:
                continue
            age = (self.clock.now() - unstamp(glance.last.ts)).total_seconds()
            if holder_of(glance.folder.path) is not None or age < OLD:
                yield glance.folder

    def _view(self, folder: RunFolder) -> DrillView | None:
        try:
            run = self._read(folder)
        except _UNREADABLE:
            return None
        state, info = run.state, run.info
        driven = holder_of(folder.path) is not None
        over = outcome(state) in (Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED)
        if not driven and (over or info.sim_dir is None or not info.sim_dir.is_dir()):
            return None
        silent = max(0.0, (self.clock.now() - unstamp(run.records[-1].ts)).total_seconds())
        slip = _slips(state)
        names = {h.key: h.name for h in run.binding.estate.every_host()}
        return DrillView(
            run=folder.run_id,
            who=safe(state.driver or info.operator, 40),
            runbook=safe(info.runbook, 60),
            scenario=safe(info.scenario, 60),
            where=safe(where_text(state), 120),
            waits=safe(waits_for(state, names) if driven else "nobody drives it", 160),
            at=state.at + (silent if driven else 0.0),
            silent=silent,
            driven=driven,
            halted=safe(f"{state.halted.by}: {state.halted.why}", 200) if state.halted else "",
            slips=len(slip),
            last_slip=safe(slip[-1], 200) if slip else "",
            cards=len(state.open_cards),
            faults=len(state.faults),
            folder=folder.path,
            estate=info.sim_dir,
        )

    def _read(self, folder: RunFolder) -> Replayed:
        """Return a run as its journal says it is, read anew only when that has grown."""
        size = folder.journal.stat().st_size
        known = self._known.get(folder.run_id)
        if known is None or known[0] != size:
            fresh = replayed(folder, self.clock) if known is None else _grown(known[1], folder)
            known = self._known[folder.run_id] = (size, fresh)
        return known[1]


def _grown(run: Replayed, folder: RunFolder) -> Replayed:
    """Return a run with what was written since it was read; its runbook is not read again."""
    reading = read_run(folder.path)
    state = run.state
    for record in reading.records[len(run.records) :]:
        event = decode_event(record.event, record.body)
        state = evolve(state, event) if event is not None else state
    return run.at(state, tuple(reading.records), reading.damage)


def _usual(hosts: list[dict[str, str]], ones: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the usual faults, and what mends each."""
    servers = [h for h in hosts if h.get("role") in ones]
    for host in servers:
        name, role = safe(str(host["name"]), 40), safe(str(host["role"]), 40)
        yield f"power {name} off", f"{role}: the power goes"
        yield f"power {name} on", f"{role}: the power is back"
        yield f"link {name} cut", f"{role}: the line to it is cut"
        yield f"link {name} up", f"{role}: the line is back"
        yield f"drop-ssh {name}", f"{role}: every SSH connection breaks, once"
    for name in (safe(str(h["name"]), 40) for h in hosts if str(h["name"]).startswith("ns")):
        yield f"stop-service {name} named", f"{name}: the name server stops"
        yield f"exec {name} systemctl start named", f"{name}: the name server is started"
    for host in servers[-1:]:
        yield f"fill {host['name']} on", f"{host['role']}: its disk is full"
        yield f"fill {host['name']} off", f"{host['role']}: somebody makes room"
    yield "rtt 250ms", "every line is slow"
    yield "rtt 0ms", "every line is fast again"


def waits_for(state: State, names: dict[str, str]) -> str:
    """Return whom or what a driven run waits for, in words."""
    who = state.driver
    if state.halted:
        return f"{state.halted.by}: to let it go on"
    step = order.asking(state)
    if step is not None:
        return f"{who}: an answer at {step.name}"
    busy = order.busy(state)
    if busy:
        return _works(state, names)
    gate = order.awaiting(state)
    if gate is not None:
        shows = state.step(gate.id).gate
        if shows and (shows.blocked or any(r.holds is False for r in shows.rechecks)):
            return f"{who}: the gate of {gate.name} is kept closed"
        return f"{who}: to type {shows.token}" if shows else f"the gate of {gate.name}"
    standing = order.standing(state)
    if standing is not None:
        return f"{who}: to decide, {state.step(standing.id).word.value}"
    if order.next_step(state) is None:
        return "nobody: everything is done"
    return f"{who}: to go on"


def _works(state: State, names: dict[str, str]) -> str:
    for _step, now in state.walked():
        if now.no_link:
            return f"{', '.join(names.get(h, h) for h in now.no_link)}: no link"
    for step in order.busy(state):
        attempt = state.step(step.id).attempt
        if attempt is not None and state.step(step.id).word in (StepWord.RUNNING, StepWord.UNDOING):
            late = ", late" if state.step(step.id).late else ""
            return f"{', '.join(names.get(h, h) for h in attempt.missing) or 'its checks'}{late}"
    return "an answer of the estate"


def _slips(state: State) -> list[str]:
    """Return what was refused, oldest first."""
    return [
        f"{remark.step}: {remark.text}" if remark.step else remark.text
        for remark in state.remarks
        if remark.kind is Remarks.SLIP
    ]
