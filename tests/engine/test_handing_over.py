"""Giving a run away, keeping it, and what a run that is over still says of itself."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.rig import Rig

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.decide import decide
from handrail.engine.events import ScenarioTold
from handrail.engine.results import Check, Result
from handrail.engine.words import Line, ResultKind, StepWord, Way


def test_a_run_is_given_to_who_asks_with_a_note_for_them() -> None:
    rig = Rig().through("checks")
    assert rig.refused(m.HandOver(by="ana")) == "nobody asks for this run"
    rig.must(m.HandOver(to="bob", note=" the copy is good ", by="ana"))
    assert rig.journal[-2:] == [
        e.NoteMade(rig.at, "to bob, who takes over: the copy is good", "ana"),
        e.Held(rig.at, "ana", "handed over to bob"),
    ]
    assert rig.state.held
    assert ends.handed_to(rig.state) == "bob"
    rig.must(m.Resume("b2", 2, by="bob"))
    assert ends.handed_to(rig.state) == ""


def test_a_run_is_given_without_a_note() -> None:
    rig = Rig().through("checks")
    rig.must(m.HandOver(to="bob", note="  ", by="ana"))
    assert rig.journal[-1] == e.Held(rig.at, "ana", "handed over to bob")
    assert rig.state.notes == ()


def test_who_leaves_without_being_asked_hands_nothing_over() -> None:
    rig = Rig().through("checks")
    rig.must(m.Leave("a cup of tea", by="ana"))
    assert (rig.state.held_why, ends.handed_to(rig.state)) == ("a cup of tea", "")


def test_who_keeps_the_run_says_a_word_that_stays() -> None:
    rig = Rig().through("checks")
    assert rig.refused(m.Decline(words="no", by="ana")) == "nobody asks for this run"
    assert rig.refused(m.Decline(to="bob", words=" ", by="ana")) == "say a word to bob: they wait for it"
    rig.must(m.Decline(to="bob", words=" two minutes ", by="ana"))
    nobody = decide(rig.state, m.Decline(to="bob", words="one", at=9.0))
    assert nobody == (e.NoteMade(9.0, "bob asked for this run; who drives goes on: one", ""),)
    assert rig.journal[-1] == e.NoteMade(rig.at, "bob asked for this run; ana goes on: two minutes", "ana")
    assert not rig.state.held


def test_what_a_scenario_tells_stands_in_the_record_with_the_time_it_was_told() -> None:
    rig = Rig().through("checks")
    told = ScenarioTold(0.0, "s", "Somebody pulls a plug", (Check("it is in again", True),), ("pulled",), "well done")
    rig.must(m.ScenarioNews(told))
    assert rig.journal[-1] == replace(told, at=rig.at)
    assert rig.state.scenario == replace(told, at=rig.at)


def test_a_check_that_holds_and_would_rather_warns_until_clients_have_moved() -> None:
    rig = Rig()
    warned = Check("the TTL is known", True, "3600", warn="clients keep the old address for an hour")
    seen = Result("d", ResultKind.EXITED, sent=True, exit=0, checks=(warned, Check("it answers", True)))
    rig.ends("checks/b", Way.FORWARD, seen)
    assert order.warnings(rig.state) == ()
    rig.stage()
    assert [(step.id, words) for step, words in order.warnings(rig.state)] == [("checks/b", warned.warn)]
    rig.stage()
    assert len(order.warnings(rig.state)) == 1
    rig.stage()
    assert rig.word("switch/dns") is StepWord.PASSED
    assert order.warnings(rig.state) == ()


def test_a_runbook_that_moves_no_clients_warns_to_its_end() -> None:
    rig = Rig()
    stages = tuple(replace(stage, line=Line.NONE) for stage in rig.outline.stages)
    rig = Rig(replace(rig.outline, stages=stages))
    warned = Check("the TTL is known", True, "3600", warn="an hour")
    rig.ends("checks/b", Way.FORWARD, Result("d", ResultKind.EXITED, sent=True, exit=0, checks=(warned,)))
    rig.through("clients")
    assert [words for _, words in order.warnings(rig.state)] == ["an hour"]


def test_a_host_that_did_not_answer_when_the_claim_was_given_back_is_told_once_the_run_is_over() -> None:
    rig = Rig().through("sync")
    assert ends.claim_left(rig.state) == ()
    rig.undo()
    assert ends.claim_left(rig.state) == (), "it is this run's, and of this epoch"
    rig.must(m.ClaimNews(("d",), without=("p",), released=True))
    assert ends.claim_left(rig.state) == ("p",)
    rig.must(m.ClaimNews(("p",), released=True))
    assert ends.claim_left(rig.state) == ()


def test_what_was_changed_is_what_was_touched_or_done_by_hand() -> None:
    rig = Rig().through("sync")
    changed = [step.id for step, now in rig.state.walked() if order.is_changed(step, now)]
    assert changed == ["sync/hold", "sync/mask", "sync/copy", "sync/reload"]
    rig.undo()
    assert [step.id for step, now in rig.state.walked() if order.is_changed(step, now)] == []
