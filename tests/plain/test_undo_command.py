"""`handrail undo` without a person at the keyboard: from wherever a run stands, back, and stopping where somebody must decide."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from tests.engine.rig import BACK, Rig, bad, lost

from handrail.engine import outcome as ends
from handrail.engine.results import Result
from handrail.engine.words import Outcome, StepWord, Way
from handrail.plain.auto import Auto
from handrail.session.api import SessionApi


def walk(rig: Rig, answers: Auto) -> None:
    """Drive a resumed run as the console does: ask, see whether it is over, let the world answer."""
    for _ in range(50):
        session = cast(SessionApi, SimpleNamespace(snapshot=SimpleNamespace(state=rig.state)))
        intent = answers.next_intent(session)
        if intent is not None:
            rig.must(intent)
        elif answers.is_over(rig.state):
            return
        rig.work()
    raise AssertionError("never over")


def standing(result: Result) -> Rig:
    """Return a run that was taken up again, and stands at 2.2 mask."""
    rig = Rig().through("checks")
    rig.ends("sync/mask", Way.FORWARD, result)
    rig.stage()
    rig.crash()
    return rig


@pytest.mark.parametrize(("result", "word"), [(bad("p"), StepWord.FAILED), (lost("p"), StepWord.UNKNOWN)])
def test_it_begins_at_a_step_that_failed_or_is_unknown(result: Result, word: StepWord) -> None:
    rig = standing(result)
    assert rig.word("sync/mask") is word
    walk(rig, Auto({"undo": ""}, undo_to=""))
    assert rig.undone == ["sync/mask@p", "sync/hold@d"]
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_it_puts_back_what_was_typed_and_nothing_else() -> None:
    rig = Rig().through("switch")
    rig.crash()
    walk(rig, Auto({"undo": "10.9.9.9"}, undo_to="switch"))
    assert rig.undone == []
    walk(rig, Auto({"undo": BACK}, undo_to="switch"))
    assert rig.undone == ["switch/dns@dns"]


def test_it_stops_where_an_undo_fails() -> None:
    rig = standing(bad("p"))
    rig.ends("sync/mask", Way.BACK, bad("p"))
    walk(rig, Auto({"undo": ""}, undo_to=""))
    assert rig.word("sync/mask") is StepWord.UNDO_FAILED
    assert rig.undone == ["sync/mask@p"]
    walk(rig, Auto({"undo": ""}, undo_to=""))
    assert rig.undone == ["sync/mask@p"]
