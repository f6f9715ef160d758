"""The table: which cause takes a step from which word to which. Nothing else changes a step's word.

docs/states.md is drawn from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from handrail.engine.words import StepWord as W


class Cause(StrEnum):
    """What moves a step."""

    GATE_OPENED = "gate opened"
    GATE_LEFT = "gate left"
    LEFT_FAILED = "gate left, it had failed before"
    LEFT_UNDO_FAILED = "gate left, its undo had failed before"
    LEFT_OWED = "gate left, its undo is owed"
    STARTED = "started"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "outcome unknown"
    SKIPPED = "skipped"
    UNDO_STARTED = "undo started"
    UNDONE = "undone"
    UNDO_FAILED = "undo failed"
    UNDO_UNKNOWN = "undo unknown"
    SET_ASIDE = "undo owed"
    RESET = "a step before it was undone"
    REATTACHED = "its job is asked again"
    SETTLED = "what was owed is done"


TABLE: Final[dict[tuple[W, Cause], W]] = {
    # forward
    (W.PENDING, Cause.GATE_OPENED): W.AWAITING,
    (W.AWAITING, Cause.GATE_LEFT): W.PENDING,
    (W.AWAITING, Cause.LEFT_FAILED): W.FAILED,
    (W.AWAITING, Cause.LEFT_UNDO_FAILED): W.UNDO_FAILED,
    (W.AWAITING, Cause.LEFT_OWED): W.OWED,
    (W.PENDING, Cause.STARTED): W.RUNNING,
    (W.AWAITING, Cause.STARTED): W.RUNNING,
    (W.PENDING, Cause.FAILED): W.FAILED,  # it could not be started: nothing was sent
    (W.AWAITING, Cause.FAILED): W.FAILED,
    (W.RUNNING, Cause.PASSED): W.PASSED,
    (W.RUNNING, Cause.FAILED): W.FAILED,
    (W.RUNNING, Cause.UNKNOWN): W.UNKNOWN,
    (W.RUNNING, Cause.SKIPPED): W.SKIPPED,  # by hand, and a person says it is not possible
    # after FAILED
    (W.FAILED, Cause.STARTED): W.RUNNING,
    (W.FAILED, Cause.GATE_OPENED): W.AWAITING,
    (W.FAILED, Cause.PASSED): W.PASSED,
    (W.FAILED, Cause.FAILED): W.FAILED,
    (W.FAILED, Cause.SKIPPED): W.SKIPPED,
    (W.PENDING, Cause.SKIPPED): W.SKIPPED,
    # UNKNOWN is left only by the job, the probe, or a person's word
    (W.UNKNOWN, Cause.PASSED): W.PASSED,
    (W.UNKNOWN, Cause.FAILED): W.FAILED,
    (W.UNKNOWN, Cause.UNKNOWN): W.UNKNOWN,
    (W.UNKNOWN, Cause.REATTACHED): W.RUNNING,
    (W.UNKNOWN, Cause.STARTED): W.RUNNING,  # a read only: a change is never sent blindly again
    (W.SKIPPED, Cause.SETTLED): W.PASSED,  # it was not possible, and has been done since
    # back
    (W.PASSED, Cause.UNDO_STARTED): W.UNDOING,
    (W.FAILED, Cause.UNDO_STARTED): W.UNDOING,
    (W.UNKNOWN, Cause.UNDO_STARTED): W.UNDOING,
    (W.UNDO_FAILED, Cause.UNDO_STARTED): W.UNDOING,
    (W.SKIPPED, Cause.UNDO_STARTED): W.UNDOING,  # skipped after something was sent: not possible
    (W.UNDO_UNKNOWN, Cause.REATTACHED): W.UNDOING,
    (W.UNDOING, Cause.UNDONE): W.PENDING,
    (W.UNDOING, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.UNDOING, Cause.UNDO_UNKNOWN): W.UNDO_UNKNOWN,
    (W.PASSED, Cause.UNDONE): W.PENDING,
    (W.FAILED, Cause.UNDONE): W.PENDING,
    (W.UNKNOWN, Cause.UNDONE): W.PENDING,
    (W.SKIPPED, Cause.UNDONE): W.PENDING,
    (W.UNDO_FAILED, Cause.UNDONE): W.PENDING,
    (W.UNDO_UNKNOWN, Cause.UNDONE): W.PENDING,
    (W.OWED, Cause.UNDONE): W.PENDING,
    (W.PASSED, Cause.UNDO_FAILED): W.UNDO_FAILED,  # its undo could not be started
    (W.FAILED, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.UNKNOWN, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.SKIPPED, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.UNDO_FAILED, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.UNDO_UNKNOWN, Cause.UNDO_FAILED): W.UNDO_FAILED,
    (W.UNDO_UNKNOWN, Cause.UNDO_UNKNOWN): W.UNDO_UNKNOWN,
    (W.UNDOING, Cause.SET_ASIDE): W.OWED,
    (W.UNDO_FAILED, Cause.SET_ASIDE): W.OWED,
    (W.UNDO_UNKNOWN, Cause.SET_ASIDE): W.OWED,
    (W.PASSED, Cause.SET_ASIDE): W.OWED,
    (W.FAILED, Cause.SET_ASIDE): W.OWED,
    (W.UNKNOWN, Cause.SET_ASIDE): W.OWED,
    (W.SKIPPED, Cause.SET_ASIDE): W.OWED,
    # forward again
    (W.UNDO_FAILED, Cause.STARTED): W.RUNNING,
    (W.UNDO_FAILED, Cause.GATE_OPENED): W.AWAITING,
    (W.UNDO_FAILED, Cause.PASSED): W.PASSED,  # nothing of its undo was ever sent: it has passed as before
    (W.OWED, Cause.PASSED): W.PASSED,
    (W.AWAITING, Cause.PASSED): W.PASSED,
    (W.OWED, Cause.STARTED): W.RUNNING,
    (W.OWED, Cause.GATE_OPENED): W.AWAITING,
    # what only read, was skipped or was already so is asked anew once something before it was undone
    (W.PASSED, Cause.RESET): W.PENDING,
    (W.SKIPPED, Cause.RESET): W.PENDING,
    (W.FAILED, Cause.RESET): W.PENDING,
    (W.UNKNOWN, Cause.RESET): W.PENDING,
}


class ImpossibleError(Exception):
    """A journal asks for a move that the table does not have: it was not written by this engine."""


def move(word: W, cause: Cause) -> W:
    """Return the word a cause leads to; ImpossibleError when the table has no such move."""
    try:
        return TABLE[word, cause]
    except KeyError:
        raise ImpossibleError(f"a step that is {word.value} cannot be moved by: {cause.value}") from None
