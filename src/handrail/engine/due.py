"""due(state) -> acts: what is to be done in the world now. Pure; the session starts what is due and cancels what is not."""

from __future__ import annotations

from handrail.base.frozen import dataclass
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import StepWord, Way


@dataclass(frozen=True)
class Act:
    """Something to do in the world; equal acts are one and the same."""


@dataclass(frozen=True)
class TakeClaim(Act):
    """Claim the estate for this run and epoch, on every one-role host that answers."""

    epoch: int


@dataclass(frozen=True)
class WatchGate(Act):
    """Show the gate of a step, and ask its rechecks again while it is open."""

    step: str


@dataclass(frozen=True)
class Prepare(Act):
    """Resolve what is to be sent, and tell `decide` that it is ready."""

    step: str
    way: Way
    hosts: tuple[str, ...]
    attempt: int


@dataclass(frozen=True)
class Perform(Act):
    """Do an attempt that is on disk; after a crash the same act re-attaches."""

    step: str
    way: Way
    attempt: int


@dataclass(frozen=True)
class Ask(Act):
    """Ask a step's verifies, or its probe."""

    step: str
    way: Way


@dataclass(frozen=True)
class DoOwed(Act):
    """Do what is owed, for the `attempt`th time (from 1); with `attach`, only ask about the job of that time."""

    owed: str
    attempt: int = 1
    attach: bool = False


@dataclass(frozen=True)
class Recall(Act):
    """After a resume: ask the verifies of what has passed."""

    step: str


@dataclass(frozen=True)
class Watch(Act):
    """Run a guard beside the steps."""

    guard: str


def due(state: State) -> tuple[Act, ...]:
    """Return everything that is to be done now; nothing for a run that is held, closed or not opened."""
    if state.opened is None or state.held or state.closed:
        return ()
    return tuple(dict.fromkeys([*_watched(state), *_under_way(state), *_next(state)]))


def _next(state: State) -> list[Act]:
    if state.recall:
        return [Recall(step) for step in state.recall]
    if state.settling:
        return []
    if state.walk:
        return _back(state)
    return _asked_again(state) or _forward(state)


def _watched(state: State) -> list[Act]:
    over = order.next_step(state) is None and not state.walk
    return [
        Watch(g.id) for g in state.outline.guards if order.watched(state, g) and (not over or g.id in state.tripped)
    ]


def _under_way(state: State) -> list[Act]:
    acts: list[Act] = []
    for step, now in state.begun():
        if now.word in order.BUSY and now.attempt:
            perform = Perform(step.id, now.attempt.way, now.attempt.number)
            acts += _claim_first(state, [perform], changes=step.changes and now.attempt.attach)
        if now.word is StepWord.AWAITING and not now.confirmed:
            acts.append(WatchGate(step.id))
        if now.asking:
            acts.append(Ask(step.id, now.asking))
    if state.settling:
        doing = DoOwed(state.settling, state.settles.get(state.settling, 1), state.settle_attach)
        acts += _claim_first(state, [doing], changes=True)
    return acts


def _claim_first(state: State, acts: list[Act], *, changes: bool) -> list[Act]:
    if not changes or state.claimed or not acts:
        return acts
    return [] if state.claim_refused else [TakeClaim(state.epoch)]


def _asked_again(state: State) -> list[Act]:
    for step, now in state.begun():
        if now.again is Way.BACK:
            return _prepare_back(state, step)
        if now.again is Way.FORWARD and order.is_open(state, step) and not order.closed_forward(state):
            return _start(state, step)
    return []


def _back(state: State) -> list[Act]:
    if order.busy(state) or not state.walk or not state.walk.steps:
        return []
    step = state.outline.step(state.walk.steps[0])
    now = state.step(step.id)
    if now.word in order.UNDO_STANDS and now.again is not Way.BACK:
        return []
    return _prepare_back(state, step)


def _prepare_back(state: State, step: StepOutline) -> list[Act]:
    if order.busy(state) or state.halted:
        return []
    hosts = order.back_hosts(state, step)
    number = len(state.step(step.id).attempts) + 1
    return _claim_first(state, [Prepare(step.id, Way.BACK, hosts, number)], changes=True)


def _forward(state: State) -> list[Act]:
    if order.closed_forward(state):
        return []
    acts: list[Act] = []
    for step in order.open_steps(state):
        now = state.step(step.id)
        confirmed = now.word is StepWord.AWAITING and bool(now.confirmed)
        if confirmed or (now.word is StepWord.PENDING and order.permitted(state, step)):
            acts += _start(state, step)
    return acts


def _start(state: State, step: StepOutline) -> list[Act]:
    now = state.step(step.id)
    if step.confirm and not now.confirmed:
        return _claim_first(state, [WatchGate(step.id)], changes=step.changes)
    number = len(now.attempts) + 1
    prepare = Prepare(step.id, Way.FORWARD, order.forward_hosts(state, step), number)
    return _claim_first(state, [prepare], changes=step.changes)
