"""Every refusal has its sentence: what is asked at the wrong moment is refused, says why, and changes nothing."""

from __future__ import annotations

import pytest
from tests.engine.rig import TOKEN, D, P, Rig, bad, failover, lost, step
from tests.engine.test_kept import two

from handrail.engine import due as acts
from handrail.engine import messages as m
from handrail.engine.changed import replace
from handrail.engine.events import CardAnswered, CardShown, FaultMade, Halted, HaltEnded, Paused, ScenarioTold
from handrail.engine.messages import Intent
from handrail.engine.offers import offers
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Check, Question
from handrail.engine.words import Answer, StepWord, UndoKind, Verdict, Way


def refuses(rig: Rig, intent: Intent, *words: str) -> None:
    """Hold that it is refused with these words, and that nothing of the run has changed."""
    before = (rig.state, len(rig.journal))
    why = rig.refused(intent)
    assert all(word in why for word in words), why
    assert (rig.state, len(rig.journal)) == before


def last(rig: Rig) -> object:
    """Return what was written last."""
    return rig.journal[-1]


def failed(name: str = "sync/hold") -> Rig:
    """Return a run that stands at a failed step."""
    rig = Rig().through("checks")
    rig.ends(name, Way.FORWARD, bad("d"))
    rig.stage()
    assert rig.word(name) is StepWord.FAILED
    return rig


def unknown() -> Rig:
    """Return a run that stands at an UNKNOWN step."""
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.stage()
    assert rig.word("sync/hold") is StepWord.UNKNOWN
    return rig


def back_failed() -> Rig:
    """Return a run whose second undo failed: of mask, the first of hold is not begun."""
    rig = Rig().through("sync")
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.undo("sync")
    assert rig.word("sync/mask") is StepWord.UNDO_FAILED
    return rig


NOWHERE = [
    m.Confirm("no/such", "x"),
    m.LeaveGate("no/such"),
    m.Reply("no/such", "x"),
    m.StopStep("no/such"),
    m.GoForward("no/such"),
    m.Retry("no/such"),
]


@pytest.mark.parametrize("intent", NOWHERE)
def test_a_step_that_is_not_there_is_named(intent: Intent) -> None:
    refuses(Rig().through("checks"), intent, "there is no step 'no/such'")


def test_a_gate_that_is_not_open_can_be_neither_passed_nor_left() -> None:
    rig = Rig().through("checks")
    refuses(rig, m.Confirm("switch/dns", "x"), "no open gate")
    refuses(rig, m.LeaveGate("switch/dns"), "no open gate")


def test_nothing_new_begins_while_something_is_to_be_sent_again() -> None:
    rig = failed()
    rig.must(m.Retry("sync/hold"))
    refuses(rig, m.Go(), "2.1 hold is about to be sent again")
    refuses(rig, m.Retry("sync/hold"), "is being asked already")
    refuses(rig, m.Probe("sync/hold"), "is being asked already")


def test_a_question_that_is_out_is_not_asked_twice() -> None:
    rig = failed()
    rig.must(m.Probe("sync/hold"))
    refuses(rig, m.Probe("sync/hold"), "is being asked already")
    assert rig.ask(m.AskEnded("sync/hold", Way.CHECK, Answer.DONE)) is not None  # not what was asked


def test_what_changes_waits_until_what_is_owed_is_settled() -> None:
    rig = back_failed()
    rig.must(m.Owe("sync/mask", "later"))
    rig.work()
    rig.must(m.Settle(rig.state.owed[0].id))
    assert rig.state.settling
    refuses(rig, m.Settle(rig.state.owed[0].id), "something is being settled")
    refuses(rig, m.Go(), "what is owed is being settled")
    rig.must(m.LeaveUndo())
    assert not rig.state.settling
    assert rig.state.owed
    refuses(rig, m.LeaveUndo(), "no undo is under way")


def test_an_undo_is_retried_in_its_turn() -> None:
    rig = back_failed()
    rig.must(m.LeaveUndo())
    refuses(rig, m.GoForward("sync/hold"), "nothing of it was undone in vain")
    refuses(rig, m.Owe("sync/hold", "later"), "only an undo that failed")
    refuses(rig, m.Owe("sync/mask", " "), "needs a reason")


def test_an_undo_is_not_left_while_it_is_sent() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo("sync"))
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    refuses(rig, m.LeaveUndo(), "is being sent")
    refuses(rig, m.Declare("emergency", "fire"), "is being sent")


def test_what_is_asked_of_its_host_is_not_set_aside() -> None:
    rig = back_failed()
    rig.must(m.Probe("sync/mask"))
    refuses(rig, m.Owe("sync/mask", "later"), "its host is being asked")


def test_a_job_is_asked_about_only_where_there_was_one() -> None:
    rig = unknown()
    rig.must(m.Probe("sync/hold"))
    rig.must(m.AskEnded("sync/hold", Way.PROBE, Answer.DONT_KNOW, (), "who knows"))
    rig.must(m.Reattach("sync/hold"))
    refuses(rig, m.Reattach("sync/hold"), "2.1 hold is running")


def test_a_check_is_asked_again_only_where_one_could_hold() -> None:
    refuses(failed("sync/hold"), m.CheckAgain("sync/hold"), "did not do what it should")
    rig = Rig()
    rig.ends("checks/b", Way.FORWARD, bad("d"))
    rig.stage()
    refuses(rig, m.CheckAgain("checks/b"), "retry it")
    refuses(rig, m.Probe("checks/b"), "has no probe")


def test_what_was_started_is_not_skipped() -> None:
    rig = failed("sync/reload")
    refuses(rig, m.Skip("sync/reload", "no time"), "was started on d")
    refuses(rig, m.Skip("sync/hold", "no time"), "nothing to skip")


def test_what_was_done_on_a_lost_role_is_not_needed_any_more() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/copy", Way.FORWARD, bad("d"))
    rig.stage()
    rig.must(m.Declare("emergency", "fire"))
    refuses(rig, m.CheckAgain("sync/copy"), "not needed on this route")
    refuses(rig, m.Retry("sync/copy"), "not needed on this route")
    refuses(rig, m.Skip("sync/copy", "why not"), "not needed on this route")


def test_words_are_asked_for_where_they_are_owed() -> None:
    rig = failed()
    refuses(rig, m.Resolve("sync/hold", Verdict.UNKNOWN, "hm"), "say what is true")
    refuses(rig, m.Resolve("sync/hold", Verdict.PASSED, "done"), "evidence")
    refuses(rig, m.Note(" "), "an empty note")
    refuses(back_failed(), m.Resolve("sync/mask", Verdict.FAILED, "no"), "retried, owed, or left")


def test_what_nobody_owes_cannot_be_settled() -> None:
    refuses(Rig().through("checks"), m.Settle("sync/hold@d"), "nothing of the name")


# ------------------------------------------------------------------ an instructor, cards, a scenario


def test_a_halt_stops_everything_but_words() -> None:
    rig = Rig().through("checks")
    assert rig.refused(m.Halt("ann", " ")) == "say why it is halted: the operator reads it"
    assert rig.refused(m.EndHalt("ann")) == "it is not halted"
    rig.must(m.Halt("ann", " look at this "))
    began = rig.at
    assert last(rig) == Halted(rig.at, "ann", "look at this")
    assert rig.refused(m.Halt("bob", "me too")) == "ann has halted it already"
    assert rig.state.halts_until(began + 9) == ((began, began + 9),)
    refuses(rig, m.Go(), "ann has halted this drill: look at this")
    rig.must(m.Note("I wait"))
    rig.must(m.EndHalt("ann"))
    assert last(rig) == HaltEnded(rig.at, "ann")
    assert rig.state.halts == rig.state.halts_until(rig.at + 9) == ((began, rig.at),)
    rig.stage()
    assert rig.word("sync/hold") is StepWord.PASSED


def test_a_halt_in_an_undo_lets_what_runs_end_and_nothing_else_begin() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo("sync"))
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Halt("ann", "what now?"))
    rig.work()
    assert len(rig.undone) == 1
    assert rig.due() == ()
    assert rig.ask(m.Ready("sync/mask", Way.BACK, ("p",))) is not None
    rig.must(m.EndHalt("ann"))
    rig.work()
    assert rig.undone == ["sync/copy@d", "sync/mask@p", "sync/hold@d"]


def test_a_message_is_shown_once_and_answered_in_words() -> None:
    rig = Rig().through("checks")
    rig.must(m.ShowCard("c1", "ETA?", "the CTO"))
    assert last(rig) == CardShown(rig.at, "c1", "ETA?", "the CTO")
    length = len(rig.journal)
    rig.must(m.ShowCard("c1", "ETA?", "the CTO"))
    assert len(rig.journal) == length
    (offer,) = [o for o in offers(rig.state) if o.verb == "answer-card"]
    assert (offer.label, offer.why) == ("Answer: ETA?", "")
    refuses(rig, m.AnswerCard(" "), "says nothing")
    refuses(rig, m.AnswerCard("soon", card="c2"), "no message waits")
    rig.must(m.AnswerCard(" soon ", by="bob"))
    assert last(rig) == CardAnswered(rig.at, "c1", "soon", "bob")
    assert rig.state.open_cards == ()
    refuses(rig, m.AnswerCard("soon"), "no message waits")


def test_what_an_instructor_does_stands_in_the_record() -> None:
    rig = Rig().through("checks")
    rig.must(m.FaultNews("link two cut", "ann", ""))
    assert rig.state.faults == (FaultMade(rig.at, "link two cut", "ann", ""),)


def test_a_scenario_holds_when_every_check_does() -> None:
    assert ScenarioTold(0.0, "s", "S", (Check("a", True), Check("b", True))).holds
    assert not ScenarioTold(0.0, "s", "S", (Check("a", True), Check("b", None))).holds


# ------------------------------------------------------------------ claims, guards, questions


def test_what_stands_on_the_hosts_is_noted_with_the_claim() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d"), found=("an older run lies there",)))
    note = rig.state.notes[-1]
    assert (note.text, note.by) == ("an older run lies there", m.ON_THE_HOSTS)


def test_a_refused_claim_leaves_what_is_being_settled_owed() -> None:
    rig = back_failed()
    rig.must(m.Owe("sync/mask", "later"))
    rig.work()
    rig.must(m.Settle(rig.state.owed[0].id))
    rig.crash()
    rig.work(until=lambda act: isinstance(act, acts.TakeClaim))
    rig.must(m.ClaimNews(holder="bob", detail="run r9"))
    assert not rig.state.settling
    assert rig.state.owed
    assert rig.state.claim_refused


def test_a_guard_that_says_the_same_again_is_no_news() -> None:
    rig = Rig().through("sync")
    assert rig.ask(m.GuardNews("back", False, "")) is not None
    rig.must(m.GuardNews("back", True, "200"))
    assert rig.ask(m.GuardNews("back", True, "200")) is not None
    refuses(rig, m.Confirm("switch/dns", TOKEN), "Fence it.")
    rig.must(m.GuardNews("back", False, ""))
    assert rig.state.tripped == {}


def test_a_question_of_a_running_step_is_offered() -> None:
    rig = Rig().through("switch")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "clients/fence")
    rig.must(m.Asks("clients/fence", Question("Is it fenced?", "fenced")))
    (offer,) = [o for o in offers(rig.state) if o.verb == "reply"]
    assert (offer.label, offer.proposed) == ("Answer 4.2 fence", True)
    refuses(rig, m.Reply("clients/fence", "no"), "is not fenced")
    rig.must(m.Reply("clients/fence", "fenced"))
    assert rig.now("clients/fence").question is None


def test_a_step_of_a_route_is_needed_on_that_route_alone() -> None:
    only = step("a/x", "1.1", (D,), only=frozenset({"emergency"}))
    rig = Rig(Outline("o", "O", (StageOutline("a", "1", "A", (only, step("a/y", "1.2", (P, D)))),), failover().routes))
    assert not rig.outline.needed(only, "planned")
    assert rig.outline.needed(only, "emergency")
    assert (rig.outline.has_stage("a"), rig.outline.has_stage("b")) == (True, False)
    rig.stage()
    assert rig.word("a/x") is StepWord.PENDING


def test_only_fields_are_replaced() -> None:
    assert replace(Paused(1.0), at=2.0) == Paused(2.0)
    with pytest.raises(TypeError, match="Paused has no field att"):
        replace(Paused(1.0), att=2.0)  # type: ignore[call-arg]


def test_two_with_nothing_to_undo_walks_back_over_it() -> None:
    rig = two(stays="a trace")
    rig.stage()
    rig.undo()
    assert rig.state.started == ()
    assert UndoKind.ACTION is rig.outline.step("a/mark").undo
