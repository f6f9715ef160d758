"""Deciding the way back: undo walks strictly backwards; what cannot be done is owed, and settled only by doing or by a word."""

from __future__ import annotations

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.decide_forward import finish_walk, not_now
from handrail.engine.results import Owed, verdict
from handrail.engine.state import State
from handrail.engine.typed import same_value
from handrail.engine.words import How, StepWord, Verdict


def stage_of(state: State, to: str) -> str | None:
    """Return the stage id that a person means by an undo's target: id or number; "" and "start" are the first one."""
    if to in ("", "start"):
        return ""
    for stage in state.outline.stages:
        if to in (stage.id, stage.number):
            return stage.id
    return None


def undo(state: State, intent: m.Undo) -> Decision:
    """Begin a walk back, once what it puts back was typed."""
    target = stage_of(state, intent.to)
    if target is None:
        return refuse(f"there is no stage {intent.to!r} to go back to")
    steps = order.to_undo(state, target)
    why = undo_closed(state, steps)
    if why:
        return refuse(why, "undo")
    wanted = order.put_back(state, steps)
    if len(intent.typed) != len(wanted) or not all(map(same_value, intent.typed, wanted)):
        return refuse(f"this puts {' and '.join(wanted)} back: type it", "confirm")
    batch = Batch(state)
    gate = order.awaiting(state)
    if gate:
        batch.add(e.GateLeft(intent.at, gate.id))
    return batch.add(e.WalkStarted(intent.at, target, steps, intent.by, intent.typed)).done()


def undo_closed(state: State, steps: tuple[str, ...]) -> str:
    """Return why a walk over these steps cannot begin now, or nothing."""
    if state.walk:
        return "an undo is under way already"
    working = order.busy(state)
    if working:
        return f"{working[0].name} is running: pause and wait, or stop it first"
    if state.settling:
        return "what is owed is being settled"
    if order.closed_back(state):
        return order.closed_back(state)
    if not steps:
        return "there is nothing to undo: nothing was changed since"
    walled = order.wall(state, steps)
    if walled:
        on = f"; go on with {walled.instead}" if walled.instead else ""
        return f"{walled.name} cannot be undone ({walled.irreversible or 'no way back'}){on}"
    return ""


def owe(state: State, intent: m.Owe) -> Decision:
    """Set what is left of a failed undo aside."""
    if not state.outline.has_step(intent.step) or state.step(intent.step).word not in order.UNDO_STANDS:
        return refuse("only an undo that failed, or is unknown, can be set aside")
    if state.step(intent.step).asking:
        return refuse("its host is being asked")
    if not intent.reason.strip():
        return refuse("setting an undo aside needs a reason")
    batch = Batch(state)
    places = order.back_places(state, state.outline.step(intent.step))
    for host in [p.key for p in places] or ["-"]:
        batch.add(e.BecameOwed(intent.at, owed_undo(state, intent.step, host, intent.reason, intent.at)))
    return finish_walk(batch.add(e.UndoSetAside(intent.at, intent.step)), intent.at).done()


def owed_undo(state: State, step: str, host: str, why: str, at: float) -> Owed:
    """Return the entry for an undo that is owed on a host."""
    outline = state.outline.step(step)
    return Owed(f"{step}@{host}", step, host, f"undo {outline.name} on {host}", why, at, "back", state.run)


def leave_undo(state: State, intent: m.LeaveUndo) -> Decision:
    """End the walk here; or what is being settled stays owed."""
    if state.settling and not state.walk:
        words = "left while it was being done: how it ended is not known"
        return Batch(state).add(e.SettleFailed(intent.at, state.settling, words)).done()
    if not state.walk:
        return refuse("no undo is under way")
    if order.busy(state):
        return refuse("an undo is being sent: pause, or stop it first")
    return Batch(state).add(e.WalkEnded(intent.at, reached=False)).done()


def settle(state: State, intent: m.Settle) -> Decision:
    """Settle what is owed: by doing it, or by a typed word."""
    item = next((o for o in state.owed if o.id == intent.owed), None)
    if item is None:
        return refuse(f"nothing of the name {intent.owed!r} is owed")
    own = item in state.owes(item.step)
    if own and state.outline.has_step(item.step) and state.step(item.step).word is StepWord.AWAITING:
        return refuse(f"{state.outline.step(item.step).name} waits for its word: leave the gate first")
    if intent.word.strip():
        return settled(Batch(state), item, How.BY_HAND, intent.word, intent.by, intent.at).done()
    working = order.busy(state)
    if working or state.settling or state.walk:
        return refuse(f"{working[0].name} is running" if working else "something is being settled or undone")
    why = _no_doing(state, item) if own else f"{item.what} belongs to another run"
    if why:
        return refuse(f"{why}: do it, then settle it by a word" if not own else why)
    return Batch(state).add(e.SettleStarted(intent.at, item.id)).done()


def _no_doing(state: State, item: Owed) -> str:
    """Return why an entry of this run cannot be settled by doing it now, or nothing."""
    if item.way == "ask":
        return f"how {state.outline.step(item.step).name} ended is not known: probe it, undo it, or say what is true"
    if item.way == "forward":
        return f"{item.what} is done by a person: do it, then settle it by a word"
    again = state.step(item.step).again
    if again or state.recall or order.awaiting(state):
        return not_now(state)
    newer = _started_at(state, item.step)
    later = next((o for o in state.owed if o.host == item.host and _newer(state, o, newer)), None)
    return f"settle first what was done later there: {later.what}" if later else order.closed_back(state)


def _newer(state: State, item: Owed, than: float) -> bool:
    own = item in state.owes(item.step, "back") and state.outline.has_step(item.step)
    return own and _started_at(state, item.step) > than


def _started_at(state: State, step: str) -> float:
    first = state.step(step).first
    return first.started if first else 0.0


def settle_ended(state: State, seen: m.SettleEnded) -> Decision:
    """Take what came of doing what is owed."""
    item = next((o for o in state.owed if o.id == seen.owed), None)
    if item is None or state.settling != seen.owed:
        return refuse("it is settled already, or was left")
    if verdict(seen.result) is Verdict.PASSED:
        return settled(Batch(state), item, How.RAN, "", "", seen.at).done()
    return Batch(state).add(e.SettleFailed(seen.at, seen.owed, seen.result.sentence)).done()


def settled(batch: Batch, item: Owed, how: How, word: str, by: str, at: float) -> Batch:
    """Settle one entry; a step of which nothing more is owed, or left to be undone, is undone."""
    own = item in batch.state.owes(item.step, "back") and batch.state.outline.has_step(item.step)
    batch.add(e.Settled(at, item.id, how, word, by))
    if not own or batch.state.owes(item.step, "back"):
        return batch
    now, step = batch.state.step(item.step), batch.state.outline.step(item.step)
    left = order.back_places(batch.state, step)
    if now.word is StepWord.OWED or (now.word not in order.BUSY and not left and item.step in batch.state.started):
        batch.add(e.StepUndone(at, item.step, how, word, by))
    return finish_walk(batch, at)
