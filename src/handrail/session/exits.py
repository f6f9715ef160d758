"""Exit codes: what a run's end means to whoever started it. One table for every front end."""

from __future__ import annotations

from enum import IntEnum

from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, ResultKind, StepWord


class Exit(IntEnum):
    """What the process ends with."""

    DONE = 0  # done, or ready
    HELD_FAILED = 1  # held at a failed step, or not ready
    USAGE = 2  # usage or file fault
    UNREACHABLE = 3  # cannot reach, nothing was sent
    UNDONE = 4
    UNDO_FAILED = 5  # or unknown
    REFUSED = 6  # nothing was sent
    HELD_UNKNOWN = 7  # held at UNKNOWN, or late
    CLOSED = 8  # closed unfinished
    LEFT = 130  # held by a person or a signal


def exit_of(state: State) -> Exit:
    """Return the exit code that a run's state means."""
    came_to = outcome(state)
    direct = {
        Outcome.CLOSED: Exit.CLOSED,
        Outcome.DONE: Exit.DONE,
        Outcome.UNDONE: Exit.UNDONE,
        Outcome.UNDO_FAILED: Exit.UNDO_FAILED,
    }
    if came_to in direct:
        return direct[came_to]
    return _held(state)


def _held(state: State) -> Exit:
    if state.claim_refused:
        return Exit.REFUSED
    step = order.standing(state)
    late = any(now.late for _, now in state.walked() if now.word is StepWord.RUNNING)
    if late or (step and state.step(step.id).word is StepWord.UNKNOWN):
        return Exit.HELD_UNKNOWN
    if step and _unreached(state, step.id):
        return Exit.UNREACHABLE
    return Exit.HELD_FAILED if step else Exit.LEFT


def _unreached(state: State, step: str) -> bool:
    """Tell whether a run stands because a host cannot be reached, with nothing changed so far."""
    attempt = state.step(step).attempt
    results = attempt.results.values() if attempt else ()
    return not state.started and any(r.kind is ResultKind.UNREACHABLE for r in results)
