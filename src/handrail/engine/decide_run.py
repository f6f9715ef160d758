"""Deciding about the run as a whole: the emergency, notes, leaving, resuming, closing."""

from __future__ import annotations

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.decide_answers import end_attempt
from handrail.engine.decide_back import owed_undo
from handrail.engine.outcome import HANDED
from handrail.engine.outline import StepOutline
from handrail.engine.results import Owed, Result
from handrail.engine.state import State
from handrail.engine.words import How, ResultKind, StepWord, UndoKind, Way


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
    if state.settling:
        return refuse("what is owed is being settled: wait, or leave it")
    batch = Batch(state)
    gate = order.awaiting(state)
    if gate:
        batch.add(e.GateLeft(intent.at, gate.id))
    if state.walk:
        batch.add(e.WalkEnded(intent.at, reached=False))
    _give_up(batch, lost, intent)
    batch.add(e.RouteChanged(intent.at, intent.route, intent.reason, intent.by))
    _owe_lost(batch, intent.at, intent.reason)
    return batch.done()


def _settled_in_part(state: State, step: StepOutline) -> bool:
    """Tell whether the last of what a step owed was settled, and the crash came before the step was called undone."""
    if state.owes(step.id, "back") or step.undo is UndoKind.NOTHING:
        return False
    now = state.step(step.id)
    started = step.id in state.started and now.word not in order.BUSY
    return now.word is StepWord.OWED or (started and not order.back_places(state, step))


def _cut_off(state: State, step: StepOutline, lost: frozenset[str]) -> bool:
    """Tell whether nothing is being sent in a busy step: it is only asked, or it has lost its links and a role of it is lost."""
    now = state.step(step.id)
    attempt = now.attempt
    if now.word not in order.BUSY or attempt is None:
        return True  # a question to a host: it is dropped
    if not now.no_link:
        return False
    if attempt.way is Way.FORWARD and step.requires & lost:
        return True
    mine = any(_role(step, host) in lost for host in attempt.missing)
    return mine and all(host in now.no_link for host in attempt.missing)


def _role(step: StepOutline, host: str) -> str:
    return next((p.role for p in (*step.places, *step.undo_places) if p.key == host), "")


def _give_up(batch: Batch, lost: frozenset[str], intent: m.Declare) -> None:
    """What is in flight on a lost role is UNKNOWN from here on: nobody can say."""
    for step in order.busy(batch.state):
        now = batch.state.step(step.id)
        attempt = now.attempt
        if attempt is None or now.word not in order.BUSY:
            continue
        alone = attempt.way is Way.FORWARD and bool(step.requires & lost)
        for host in attempt.missing:
            if alone or _role(step, host) in lost:
                gone = Result(host, ResultKind.LOST, sent=True, detail=f"declared lost: {intent.reason}")
                batch.add(e.HostEnded(intent.at, step.id, attempt.number, gone))
        end_attempt(batch, step.id, attempt.number, intent.at)


def _owe_lost(batch: Batch, at: float, reason: str) -> None:
    """Owe every undo that needs a lost role; and, of a step that is passed over while UNKNOWN, to find out how it ended."""
    state = batch.state
    known = {o.id for o in state.owed}
    for step_id in state.started:
        step = state.outline.step(step_id)
        for host in order.lost_places(state, step):
            owed = owed_undo(state, step_id, host, reason, at)
            if owed.id not in known:
                batch.add(e.BecameOwed(at, owed))
        if state.step(step_id).word is not StepWord.UNKNOWN or state.needed(step):
            continue
        for host in order.back_hosts(state, step):
            what = f"find out how {step.name} ended on {host}"
            owed = Owed(f"{step_id}@{host}?", step_id, host, what, reason, at, "ask", state.run)
            if owed.id not in known | {o.id for o, _ in state.settled}:
                batch.add(e.BecameOwed(at, owed))


def note(state: State, intent: m.Note) -> Decision:
    """Keep a note; always possible."""
    if not intent.text.strip():
        return refuse("an empty note says nothing")
    return Batch(state).add(_note(intent)).done()


def _note(intent: m.Note) -> e.NoteMade:
    return e.NoteMade(intent.at, intent.text, intent.by, intent.step, intent.owner, intent.due, intent.next_test)


def remark(state: State, intent: m.Remark) -> Decision:
    """Keep a remark; always possible."""
    return (
        Batch(state).add(e.Remarked(intent.at, intent.kind, intent.text, intent.step, intent.by, intent.about)).done()
    )


def leave(state: State, intent: m.Leave) -> Decision:
    """Go away; the run is held. What runs at a host goes on there."""
    return Batch(state).add(e.Held(intent.at, intent.by, intent.why)).done()


def hand_over(state: State, intent: m.HandOver) -> Decision:
    """Go away for somebody who asks; what is said to them stands in the record."""
    if not intent.to:
        return refuse("nobody asks for this run")
    batch = Batch(state)
    if intent.note.strip():
        batch.add(e.NoteMade(intent.at, f"to {intent.to}, who takes over: {intent.note.strip()}", intent.by))
    return batch.add(e.Held(intent.at, intent.by, f"{HANDED}{intent.to}")).done()


def decline(state: State, intent: m.Decline) -> Decision:
    """Stay, and say why to who asks."""
    if not intent.to:
        return refuse("nobody asks for this run")
    if not intent.words.strip():
        return refuse(f"say a word to {intent.to}: they wait for it")
    words = f"{intent.to} asked for this run; {intent.by or 'who drives'} goes on: {intent.words.strip()}"
    return Batch(state).add(e.NoteMade(intent.at, words, intent.by)).done()


def resume(state: State, intent: m.Resume) -> Decision:
    """Drive again, in a newer epoch; what a crash cut off in the middle of a decision is decided to its end."""
    if intent.epoch <= state.epoch:
        return refuse(f"epoch {intent.epoch} is not newer than {state.epoch}: somebody else drives")
    batch = Batch(state).add(_resumed(intent))
    for step, now in state.walked():
        if now.word in order.BUSY and now.attempt and not now.attempt.missing:
            end_attempt(batch, step.id, now.attempt.number, intent.at)
        elif _settled_in_part(state, step):
            batch.add(e.StepUndone(intent.at, step.id, How.NONE, "settled before the console went away"))
    _owe_lost(batch, intent.at, state.emergency)
    return batch.done()


def _resumed(intent: m.Resume) -> e.Resumed:
    return e.Resumed(intent.at, intent.by, intent.host, intent.epoch, intent.reason, intent.known)


def close(state: State, intent: m.Close) -> Decision:
    """End a run that nobody will finish, with a reason."""
    if not intent.reason.strip():
        return refuse("closing a run needs a reason")
    working = order.busy(state)
    if working and not state.held:
        return refuse(f"{working[0].name} is running: wait, or stop it first")
    return Batch(state).add(e.RunClosed(intent.at, intent.reason, intent.by)).done()
