"""Deciding about the run as a whole: the emergency, notes, leaving, resuming, closing."""

from __future__ import annotations

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.decide_answers import end_attempt
from handrail.engine.decide_back import owed_undo
from handrail.engine.outline import StepOutline
from handrail.engine.results import Result
from handrail.engine.state import State
from handrail.engine.words import ResultKind, StepWord


def declare(state: State, intent: m.Declare) -> Decision:
    """Change the route, with a reason: it changes only which steps are needed. Refused while something is being sent."""
    if intent.route not in state.outline.routes:
        return refuse(f"this runbook has no route {intent.route!r}")
    if intent.route == state.route:
        return refuse(f"the route is {intent.route} already")
    if not intent.reason.strip():
        return refuse("declaring an emergency needs a reason")
    lost = state.outline.lost(intent.route)
    sending = next((s for s in order.busy(state) if not _cut_off(state, s, lost)), None)
    if sending:
        return refuse(f"{sending.name} is being sent: pause and wait, or stop it first")
    batch = Batch(state)
    gate = order.awaiting(state)
    if gate:
        batch.add(e.GateLeft(intent.at, gate.id))
    _give_up(batch, lost, intent)
    batch.add(e.RouteChanged(intent.at, intent.route, intent.reason, intent.by))
    _owe_lost(batch, lost, intent)
    return batch.done()


def _cut_off(state: State, step: StepOutline, lost: frozenset[str]) -> bool:
    """Tell whether a running step has lost its link to a role that is being declared lost."""
    now = state.step(step.id)
    return bool(now.no_link) and (bool(step.requires & lost) or any(p.role in lost for p in step.places))


def _give_up(batch: Batch, lost: frozenset[str], intent: m.Declare) -> None:
    """What is in flight on a lost role is UNKNOWN from here on: nobody can say."""
    for step in order.busy(batch.state):
        attempt = batch.state.step(step.id).attempt
        if attempt is None:
            continue
        roles = {p.key: p.role for p in step.places}
        for host in attempt.missing:
            if roles.get(host) in lost or step.requires & lost:
                gone = Result(host, ResultKind.LOST, sent=True, detail=f"declared lost: {intent.reason}")
                batch.add(e.HostEnded(intent.at, step.id, attempt.number, gone))
        end_attempt(batch, step.id, attempt.number, intent.at)


def _owe_lost(batch: Batch, lost: frozenset[str], intent: m.Declare) -> None:
    """Whatever was started on a lost role stays changed there: its undo is owed."""
    for step_id in batch.state.started:
        step, now = batch.state.outline.step(step_id), batch.state.step(step_id)
        for place in step.places:
            if place.role in lost and place.key in now.touched:
                owed = owed_undo(batch.state, step_id, place.key, intent.reason, intent.at)
                batch.add(e.BecameOwed(intent.at, owed))
        if step.requires & lost and now.word is StepWord.UNKNOWN:
            for host in sorted(now.touched):
                owed = owed_undo(batch.state, step_id, host, f"{intent.reason}; how it ended is not known", intent.at)
                batch.add(e.BecameOwed(intent.at, owed))


def note(state: State, intent: m.Note) -> Decision:
    """Keep a note; always possible."""
    if not intent.text.strip():
        return refuse("an empty note says nothing")
    return Batch(state).add(e.NoteMade(intent.at, intent.text, intent.by, intent.step)).done()


def leave(state: State, intent: m.Leave) -> Decision:
    """Go away; the run is held. What runs at a host goes on there."""
    return Batch(state).add(e.Held(intent.at, intent.by, intent.why)).done()


def resume(state: State, intent: m.Resume) -> Decision:
    """Drive again, in a newer epoch."""
    if intent.epoch <= state.epoch:
        return refuse(f"epoch {intent.epoch} is not newer than {state.epoch}: somebody else drives")
    return Batch(state).add(e.Resumed(intent.at, intent.by, intent.host, intent.epoch, intent.reason)).done()


def close(state: State, intent: m.Close) -> Decision:
    """End a run that nobody will finish, with a reason."""
    if not intent.reason.strip():
        return refuse("closing a run needs a reason")
    working = order.busy(state)
    if working and not state.held:
        return refuse(f"{working[0].name} is running: wait, or stop it first")
    return Batch(state).add(e.RunClosed(intent.at, intent.reason, intent.by)).done()
