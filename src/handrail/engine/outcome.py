"""What a run has come to: its outcome, what stays changed, whether it is over. Pure questions about a state."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import Outcome, StepWord

HANDED = "handed over to "  # how a hand-over stands in the record; the name follows


def outcome(state: State) -> Outcome:
    """Return what the run has come to, as reports and exit codes say it."""
    if state.closed:
        return Outcome.CLOSED
    words = {now.word for _, now in state.walked()}
    if StepWord.UNDO_FAILED in words or StepWord.UNDO_UNKNOWN in words:
        return Outcome.UNDO_FAILED
    if order.next_step(state) is None:
        return Outcome.DONE
    return Outcome.UNDONE if was_undone(state) else Outcome.HELD


def handed_to(state: State) -> str:
    """Return to whom a run was handed over by who drove it last; nothing when it was not."""
    return state.held_why.removeprefix(HANDED) if state.held and state.held_why.startswith(HANDED) else ""


def was_undone(state: State) -> bool:
    """Tell whether something was undone and nothing that was changed is left, nor set aside."""
    undone = any(now.undone for _, now in state.walked())
    return undone and not stays_changed(state) and not order.busy(state) and not order.standing(state)


def stays_changed(state: State) -> tuple[StepOutline, ...]:
    """Return the steps whose change stands, newest first: what an undo would take back, and what is owed."""
    standing = [state.outline.step(s) for s in reversed(state.started)]
    owed = [step for step, now in state.walked() if now.word is StepWord.OWED]
    return (*owed, *standing)


def left_behind(state: State) -> tuple[StepOutline, ...]:
    """Return the undone steps whose undo leaves something: what `stays` says of them is still so."""
    return tuple(step for step, now in state.walked() if now.undone and step.changes and step.stays)


def is_over(state: State) -> bool:
    """Tell whether the claim may go: done, undone or closed, and nothing is owed."""
    ended = outcome(state) in (Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED)
    return ended and not state.owed and not order.busy(state)


def claim_left(state: State) -> tuple[str, ...]:
    """Return the hosts that still carry the claim of a run that is over: they did not answer when it was given back."""
    return state.claim.hosts if state.claim is not None and not state.claimed and is_over(state) else ()


def not_run(state: State) -> tuple[StepOutline, ...]:
    """Return the steps that were never started."""
    return tuple(step for step, now in state.walked() if not now.attempts and now.word is StepWord.PENDING)
