"""The words of a report for what the engine knows: a step's state, a host's result. Pure; it decides no verdict of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handrail.base.safe import safe
from handrail.engine.outline import StepOutline
from handrail.engine.results import Result, verdict
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.report.data import StateWord

LONGEST: Final = 4000  # characters of one foreign text; the whole of it is in the journal or in the output's file

_SAME: Final = {
    StepWord.AWAITING: StateWord.PENDING,  # a gate is open: nothing was sent
    StepWord.RUNNING: StateWord.RUNNING,
    StepWord.PASSED: StateWord.PASSED,
    StepWord.FAILED: StateWord.FAILED,
    StepWord.UNKNOWN: StateWord.UNKNOWN,
    StepWord.SKIPPED: StateWord.SKIPPED,
    StepWord.UNDOING: StateWord.RUNNING,
    StepWord.UNDO_FAILED: StateWord.UNDO_FAILED,
    StepWord.UNDO_UNKNOWN: StateWord.UNDO_UNKNOWN,
    StepWord.OWED: StateWord.OWED,
}
_LEFT: Final = {StepWord.RUNNING: StateWord.UNKNOWN, StepWord.UNDOING: StateWord.UNDO_UNKNOWN}
_PLACES: Final = {"dns": "the name servers", "person": "a person", "clock": "this console"}


def shown(text: str) -> str:
    """Return foreign text as a report may hold it: one showable line, bounded."""
    return safe(text, LONGEST)


def place_name(names: Mapping[str, str], place: str) -> str:
    """Return the name by which people know a place: a host's, or what stands for a place that is no host."""
    return names.get(place) or _PLACES.get(place, place)


def state_word(state: State, step: StepOutline) -> StateWord:
    """Return what a report says of a step. What ran when a run was closed is unknown: nobody will ask any more."""
    now = state.step(step.id)
    if state.closed and now.word in _LEFT:
        return _LEFT[now.word]
    if now.word is not StepWord.PENDING:
        return _SAME[now.word]
    if now.undone:
        return StateWord.UNDONE
    return StateWord.PENDING if state.needed(step) else StateWord.NOT_NEEDED


def result_word(result: Result | None) -> str:
    """Return what one host's answer means; running while there is none."""
    return "running" if result is None else verdict(result).value
