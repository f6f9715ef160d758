"""The table, every word with every cause; and the pictures drawn from it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from handrail.engine.picture import page
from handrail.engine.table import TABLE, Cause, ImpossibleError, move
from handrail.engine.words import StepWord

W, C = StepWord, Cause
FORWARD_ENDS = {C.PASSED: W.PASSED, C.FAILED: W.FAILED, C.UNKNOWN: W.UNKNOWN}
UNDO_ENDS = {C.UNDONE: W.PENDING, C.UNDO_FAILED: W.UNDO_FAILED, C.UNDO_UNKNOWN: W.UNDO_UNKNOWN, C.SET_ASIDE: W.OWED}
UNSTARTED_UNDO = {C.UNDO_STARTED: W.UNDOING, C.UNDONE: W.PENDING, C.UNDO_FAILED: W.UNDO_FAILED, C.SET_ASIDE: W.OWED}

EXPECTED: dict[StepWord, dict[Cause, StepWord]] = {
    W.PENDING: {C.GATE_OPENED: W.AWAITING, C.STARTED: W.RUNNING, C.FAILED: W.FAILED, C.SKIPPED: W.SKIPPED},
    W.AWAITING: {
        C.GATE_LEFT: W.PENDING,
        C.LEFT_FAILED: W.FAILED,
        C.LEFT_UNDO_FAILED: W.UNDO_FAILED,
        C.LEFT_OWED: W.OWED,
        C.PASSED: W.PASSED,
        C.STARTED: W.RUNNING,
        C.FAILED: W.FAILED,
    },
    W.RUNNING: {**FORWARD_ENDS, C.SKIPPED: W.SKIPPED},
    W.PASSED: {**UNSTARTED_UNDO, C.RESET: W.PENDING},
    W.FAILED: {
        **UNSTARTED_UNDO,
        C.RESET: W.PENDING,
        C.STARTED: W.RUNNING,
        C.GATE_OPENED: W.AWAITING,
        C.PASSED: W.PASSED,
        C.FAILED: W.FAILED,
        C.SKIPPED: W.SKIPPED,
    },
    W.UNKNOWN: {**UNSTARTED_UNDO, **FORWARD_ENDS, C.RESET: W.PENDING, C.REATTACHED: W.RUNNING, C.STARTED: W.RUNNING},
    W.SKIPPED: {**UNSTARTED_UNDO, C.RESET: W.PENDING, C.SETTLED: W.PASSED},
    W.UNDOING: UNDO_ENDS,
    W.UNDO_FAILED: {
        **UNDO_ENDS,
        C.UNDO_STARTED: W.UNDOING,
        C.STARTED: W.RUNNING,
        C.GATE_OPENED: W.AWAITING,
        C.PASSED: W.PASSED,
    },
    W.UNDO_UNKNOWN: {**UNDO_ENDS, C.REATTACHED: W.UNDOING},
    W.OWED: {C.UNDONE: W.PENDING, C.STARTED: W.RUNNING, C.GATE_OPENED: W.AWAITING, C.PASSED: W.PASSED},
}
EXPECTED[W.UNDO_FAILED].pop(C.UNDO_UNKNOWN)


@pytest.mark.parametrize(("word", "cause"), list(product(StepWord, Cause)))
def test_every_word_with_every_cause(word: StepWord, cause: Cause) -> None:
    wanted = EXPECTED[word].get(cause)
    assert ((word, cause) in TABLE) == (wanted is not None)
    if wanted is None:
        with pytest.raises(ImpossibleError, match=word.value):
            move(word, cause)
    else:
        assert move(word, cause) is wanted


def test_every_word_can_be_reached_and_left() -> None:
    reached = set(TABLE.values())
    left = {word for word, _ in TABLE}
    assert reached == set(StepWord) == left


def test_an_undo_is_always_left_for_pending_owed_or_a_question() -> None:
    assert set(UNDO_ENDS.values()) == {W.PENDING, W.UNDO_FAILED, W.UNDO_UNKNOWN, W.OWED}


def test_the_page_is_not_stale() -> None:
    stored = Path(__file__).parents[2] / "docs" / "states.md"
    assert stored.read_text() == page(), "draw it anew: python -m handrail.engine.picture > docs/states.md"


def test_every_move_stands_on_the_page() -> None:
    drawn = page()
    for (word, cause), after in TABLE.items():
        assert f"| {word.value} | {cause.value} | {after.value} |" in drawn
