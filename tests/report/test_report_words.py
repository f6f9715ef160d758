"""What a report calls the state of a step: every word of the engine, open, closed and undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report.tales import opened

from handrail.engine.state import State, StepState
from handrail.engine.words import StepWord
from handrail.report.data import StateWord
from handrail.report.words import state_word

SAME = {
    StepWord.PENDING: StateWord.PENDING,
    StepWord.AWAITING: StateWord.PENDING,
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


def at(word: StepWord, *, closed: str = "", route: str = "planned", undone: bool = False) -> tuple[State, StateWord]:
    """Return a state with one step at a word, and what a report calls it."""
    state = opened().state
    state = replace(state, closed=closed, route=route, steps={"sync/mask": StepState(word, undone=undone)})
    return state, state_word(state, state.outline.step("sync/mask"))


@pytest.mark.parametrize("word", list(StepWord))
def test_every_word_has_one(word: StepWord) -> None:
    assert at(word)[1] is SAME[word]


@pytest.mark.parametrize("word", list(StepWord))
def test_nothing_runs_in_a_closed_run(word: StepWord) -> None:
    left = {StepWord.RUNNING: StateWord.UNKNOWN, StepWord.UNDOING: StateWord.UNDO_UNKNOWN}
    assert at(word, closed="nobody")[1] is left.get(word, SAME[word])


def test_undone_and_not_needed_are_told_from_pending() -> None:
    assert at(StepWord.PENDING, undone=True)[1] is StateWord.UNDONE
    assert at(StepWord.PENDING, undone=True, route="emergency")[1] is StateWord.UNDONE
    assert at(StepWord.PENDING, route="emergency")[1] is StateWord.NOT_NEEDED
    assert at(StepWord.PASSED, route="emergency")[1] is StateWord.PASSED
