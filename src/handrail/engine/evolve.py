"""evolve(state, event) -> state: the fold of the journal. It never refuses and never decides; it only keeps account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, TypeVar

from handrail.engine import events as e
from handrail.engine import evolve_owed as owing
from handrail.engine import evolve_steps as steps
from handrail.engine.changed import replace
from handrail.engine.outline import Outline
from handrail.engine.state import State, Walk, fresh
from handrail.engine.words import Pace

E = TypeVar("E", bound=e.Event)
_FOLDS: dict[type[e.Event], Callable[[State, Any], State]] = {}


def _on(kind: type[E]) -> Callable[[Callable[[State, E], State]], Callable[[State, E], State]]:
    def register(fold: Callable[[State, E], State]) -> Callable[[State, E], State]:
        _FOLDS[kind] = fold
        return fold

    return register


def evolve(state: State, event: e.Event) -> State:
    """Return the state after an event."""
    after = _FOLDS[type(event)](state, event)
    return replace(after, at=max(state.at, event.at))


def fold(outline: Outline, events: Iterable[e.Event]) -> State:
    """Return the state after all events of a journal."""
    return reduce(evolve, events, fresh(outline))


def stand(state: State) -> State:
    """Take back every leave to go on: the run stands at a pause point."""
    return replace(state, allowed_stage="", allowed_step="")


@_on(e.RunOpened)
def _(state: State, event: e.RunOpened) -> State:
    return replace(
        state,
        opened=event,
        route=event.route,
        epoch=event.epoch,
        driver=event.operator,
        pace=event.pace,
        emergency=event.emergency,
        values=dict(event.remembered),
    )


@_on(e.StageAllowed)
def _(state: State, event: e.StageAllowed) -> State:
    return replace(state, allowed_stage=event.stage, allowed_step="", claim_refused="", left_walk=None)


@_on(e.StepAllowed)
def _(state: State, event: e.StepAllowed) -> State:
    return replace(state, allowed_step=event.step, allowed_stage="", claim_refused="", left_walk=None)


@_on(e.PaceSet)
def _(state: State, event: e.PaceSet) -> State:
    after = replace(state, pace=event.pace)
    return replace(after, allowed_stage="") if event.pace is Pace.STEP else after


@_on(e.Paused)
def _(state: State, event: e.Paused) -> State:
    return stand(state)


@_on(e.GateLeft)
def _(state: State, event: e.GateLeft) -> State:
    return stand(steps.gate_left(state, event))


@_on(e.WalkStarted)
def _(state: State, event: e.WalkStarted) -> State:
    begun = replace(steps.walk_started(state, event.steps), walk=Walk(event.to, event.steps), claim_refused="")
    begun = replace(begun, left_walk=None)
    return stand(begun)


@_on(e.WalkEnded)
def _(state: State, event: e.WalkEnded) -> State:
    after = steps.reset_from(state, state.walk.to) if event.reached and state.walk else state
    return stand(steps.asks_dropped(replace(after, walk=None)))


@_on(e.RouteChanged)
def _(state: State, event: e.RouteChanged) -> State:
    lost = state.outline.lost(event.route)
    after = replace(state, route=event.route, emergency=event.reason if lost else "")
    return stand(steps.rerouted(owing.rerouted(after)))


@_on(e.GuardTripped)
def _(state: State, event: e.GuardTripped) -> State:
    return replace(state, tripped={**state.tripped, event.guard: event.seen})


@_on(e.GuardCleared)
def _(state: State, event: e.GuardCleared) -> State:
    return replace(state, tripped={k: v for k, v in state.tripped.items() if k != event.guard})


@_on(e.ClaimTaken)
def _(state: State, event: e.ClaimTaken) -> State:
    after = owing.inherited(state, event)
    # A host that was claimed earlier and is not asked any more (its role is lost) carries the claim until it is given back.
    before = state.claim.hosts if state.claim else ()
    claim = replace(event, hosts=tuple(dict.fromkeys((*event.hosts, *before))))
    return replace(after, claim=claim, claim_epoch=state.epoch, claim_refused="")


@_on(e.ClaimRefused)
def _(state: State, event: e.ClaimRefused) -> State:
    holder = f"{event.holder}: {event.detail}" if event.detail else event.holder
    return stand(steps.asks_dropped(replace(state, claim_refused=holder)))


@_on(e.ClaimReleased)
def _(state: State, event: e.ClaimReleased) -> State:
    left = replace(state.claim, hosts=event.without) if state.claim and event.without else None
    return replace(state, claim=left, claim_epoch=0)


@_on(e.SettleFailed)
def _(state: State, event: e.SettleFailed) -> State:
    return replace(state, settling="") if state.settling == event.owed else state


@_on(e.ScenarioTold)
def _(state: State, event: e.ScenarioTold) -> State:
    return replace(state, scenario=event)


@_on(e.NoteMade)
def _(state: State, event: e.NoteMade) -> State:
    return replace(state, notes=(*state.notes, event))


@_on(e.CardShown)
def _(state: State, event: e.CardShown) -> State:
    return replace(state, cards=(*state.cards, event))


@_on(e.CardAnswered)
def _(state: State, event: e.CardAnswered) -> State:
    return replace(state, answers={**state.answers, event.card: event})


@_on(e.FaultMade)
def _(state: State, event: e.FaultMade) -> State:
    return replace(state, faults=(*state.faults, event))


@_on(e.Halted)
def _(state: State, event: e.Halted) -> State:
    return stand(replace(state, halted=event))


@_on(e.HaltEnded)
def _(state: State, event: e.HaltEnded) -> State:
    halts = state.halts if state.halted is None else (*state.halts, (state.halted.at, event.at))
    return replace(state, halted=None, halts=halts)


@_on(e.Remarked)
def _(state: State, event: e.Remarked) -> State:
    return replace(state, remarks=(*state.remarks, event))


@_on(e.Held)
def _(state: State, event: e.Held) -> State:
    return stand(replace(state, held=True, held_why=event.why))


@_on(e.Resumed)
def _(state: State, event: e.Resumed) -> State:
    left = state.walk.to if state.walk else state.left_walk
    after = replace(state, held=False, held_why="", epoch=event.epoch, driver=event.by, walk=None, claim_refused="")
    after = replace(after, left_walk=left)
    return stand(steps.picked_up(replace(after, settle_attach=bool(state.settling))))


@_on(e.RunClosed)
def _(state: State, event: e.RunClosed) -> State:
    return stand(replace(state, closed=event.reason))


@_on(e.StepUndone)
def _(state: State, event: e.StepUndone) -> State:
    return stand(steps.step_undone(state, event))


_FOLDS.update(steps.FOLDS)
_FOLDS.update({e.BecameOwed: owing.became_owed, e.SettleStarted: owing.settle_started, e.Settled: owing.settled})
