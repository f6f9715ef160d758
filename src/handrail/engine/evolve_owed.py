"""The part of `evolve` that keeps account of what is owed. An entry leaves the list for a reason that is kept, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from handrail.engine import events as e
from handrail.engine.changed import replace
from handrail.engine.outline import StepOutline
from handrail.engine.results import Owed
from handrail.engine.state import State, StepState
from handrail.engine.table import Cause, move
from handrail.engine.words import How, StepWord


def became_owed(state: State, event: e.BecameOwed) -> State:
    """Put something on the list, once."""
    if any(o.id == event.owed.id for o in state.owed):
        return state
    return replace(state, owed=(*state.owed, event.owed))


def inherited(state: State, event: e.ClaimTaken) -> State:
    """Take over what a run before this one owes; its entries never mix with those of this run's own steps."""
    known = {o.id for o in state.owed} | {o.id for o, _ in state.settled}
    found: list[Owed] = []
    for item in event.inherited:
        if item.run == state.run and state.run:
            continue
        mark = f"{item.run or 'earlier run'}/"
        mine = item if item.id.startswith(mark) else replace(item, id=mark + item.id)
        mine = replace(mine, run=item.run or "earlier run")
        if mine.id not in known:
            known.add(mine.id)
            found.append(mine)
    return replace(state, owed=state.owed + tuple(found))


def forget(state: State, said: str, gone: Callable[[Owed], bool]) -> State:
    """Take this run's own entries off the list that an event has made pointless, and keep why."""
    mine = [o for o in state.owed if o.run in ("", state.run) and gone(o)]
    if not mine:
        return state
    left = tuple(o for o in state.owed if o not in mine)
    settling = "" if state.settling in {o.id for o in mine} else state.settling
    settled = state.settled + tuple((o, said) for o in mine)
    return replace(state, owed=left, settled=settled, settling=settling)


def forget_step(state: State, step: str, said: str, *ways: str) -> State:
    """Take the entries of one step off the list; `ways` narrows them down."""
    return forget(state, said, lambda o: o.step == step and (not ways or o.way in ways))


def rerouted(state: State) -> State:
    """Take off the list what was owed only because a role counted as lost that now does not."""

    def gone(item: Owed) -> bool:
        step = state.outline.step(item.step)
        if item.way == "ask":
            return state.needed(step)
        roles = {p.key: p.role for p in (*step.places, *step.undo_places)}
        back = item.way == "back" and state.step(item.step).word is not StepWord.OWED
        return back and roles.get(item.host, "") not in state.lost

    return forget(state, "its host counts as reachable again", gone)


def settle_started(state: State, event: e.SettleStarted) -> State:
    """Begin to do what is owed."""
    settles = {**state.settles, event.owed: state.settles.get(event.owed, 0) + 1}
    return replace(state, settling=event.owed, settles=settles, settle_attach=False, claim_refused="")


def settled(state: State, event: e.Settled) -> State:
    """Take something off the list of what is owed; where its undo was owed, nothing is left to be undone."""
    item = next((o for o in state.owed if o.id == event.owed), None)
    if item is None:
        return state
    said = event.reason or event.how.value
    settling = "" if state.settling == item.id else state.settling
    left = tuple(o for o in state.owed if o.id != item.id)
    state = replace(state, owed=left, settled=(*state.settled, (item, said)), settling=settling)
    if item.run not in ("", state.run) or not state.outline.has_step(item.step):
        return state
    step, now = state.outline.step(item.step), state.step(item.step)
    if item.way == "back":
        gone = frozenset({item.host})
        now = replace(now, touched=now.touched - gone, passed_on=now.passed_on - gone, undone_on=now.undone_on | gone)
    elif item.way == "forward" and now.word is StepWord.SKIPPED:
        return _done_since(state, step, now, event)
    return replace(state, steps={**state.steps, step.id: now})


def _done_since(state: State, step: StepOutline, now: StepState, event: e.Settled) -> State:
    """Let a step that was not possible pass, now that a person has done it: it is to be undone like any other."""
    places = frozenset(p.key for p in state.outline.places(step, state.route)) or frozenset(p.key for p in step.places)
    now = replace(now, word=move(now.word, Cause.SETTLED), how=How.BY_HAND, reason=event.reason, by=event.by)
    now = replace(now, passed_on=places, touched=places if step.changes else now.touched)
    state = replace(state, steps={**state.steps, step.id: now})
    if not step.changes or step.id in state.started:
        return state
    return replace(state, started=(*state.started, step.id))
