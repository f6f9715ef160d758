"""The way back: strictly backwards over what was started, and what happens when an undo does not work."""

from __future__ import annotations

import pytest
from tests.engine.rig import BACK, TOKEN, Rig, bad, lost, unreachable

from handrail.engine import due as acts
from handrail.engine import messages as m
from handrail.engine import outcome as ends
from handrail.engine.offers import offer, offers, undo_targets
from handrail.engine.results import Result
from handrail.engine.words import Answer, How, Outcome, ResultKind, StepWord, Verdict, Way

W = StepWord


def failed_undo(*results: Result) -> Rig:
    """Return a run whose walk back stands at the undo of 2.2 mask."""
    rig = Rig().through("sync")
    rig.ends("sync/mask", Way.BACK, *(results or (bad("p"),)))
    rig.undo()
    return rig


def test_undo_walks_back_over_everything_that_was_started() -> None:
    rig = Rig().through("clients")
    assert rig.refused(m.Undo()) == f"this puts {BACK} back: type it"
    assert rig.refused(m.Undo("", (TOKEN,))) == f"this puts {BACK} back: type it"
    rig.undo("", BACK)
    assert rig.undone == [
        "clients/fence@person",
        "clients/kick@d",
        "switch/dns@dns",
        "sync/copy@d",
        "sync/mask@p",
        "sync/hold@d",
    ]
    assert ends.outcome(rig.state) is Outcome.UNDONE
    assert [s.id for s in ends.left_behind(rig.state)] == ["sync/reload"]
    assert rig.words() == {"checks/a": "passed", "checks/b": "passed", "checks/canary": "passed"} or not rig.words()
    rig.sent.clear()
    rig.through("sign")  # and forward again
    assert ends.outcome(rig.state) is Outcome.DONE


def test_undo_goes_back_to_a_stage_and_no_further() -> None:
    rig = Rig().through("clients")
    rig.undo("clients")
    assert rig.undone == ["clients/fence@person", "clients/kick@d"]
    assert rig.word("switch/dns") is W.PASSED
    assert rig.word("clients/seen") is W.PENDING  # a read after it is asked anew
    assert ends.outcome(rig.state) is Outcome.HELD
    assert "no stage 'moon'" in rig.refused(m.Undo("moon"))
    assert "nothing to undo" in rig.refused(m.Undo("5"))


def test_failed_and_unknown_steps_are_undone_but_not_those_where_nothing_was_sent() -> None:
    for result, expected in (
        (bad("p"), True),
        (lost("p"), True),
        (unreachable("p"), False),
        (bad("p", sent=False), False),
    ):
        rig = Rig().through("checks")
        rig.ends("sync/mask", Way.FORWARD, result)
        rig.must(m.Go())
        rig.work()
        rig.undo()
        assert rig.undone == (["sync/mask@p"] if expected else []) + ["sync/hold@d"]
        assert rig.word("sync/mask") is W.PENDING


def test_the_wall_stops_every_walk_that_would_cross_it() -> None:
    rig = Rig().through("sign")
    assert rig.refused(m.Undo()) == "5.1 first cannot be undone (its CA differs)"
    assert rig.refused(m.Undo("sign")).startswith("5.1 first cannot be undone")
    found = offer(rig.state, "undo")
    assert found is not None
    assert found.why.startswith("5.1 first cannot be undone")
    assert [t[0] for t in undo_targets(rig.state)] == ["sign", "clients", "switch", "checks"]


def test_the_value_put_back_is_that_of_before_the_first_attempt() -> None:
    rig = Rig().through("sync")
    rig.ends("switch/dns", Way.FORWARD, bad("dns"))
    rig.stage()
    rig.must(m.Retry("switch/dns"))
    rig.work(until=lambda act: isinstance(act, acts.Prepare))
    rig.must(m.Confirm("switch/dns", TOKEN))
    rig.must(m.Ready("switch/dns", Way.FORWARD, ("dns",), back=TOKEN))  # the name has the new value already
    rig.work()
    first = rig.now("switch/dns").first
    assert first is not None
    assert (first.number, first.back) == (1, BACK)
    rig.undo("switch", BACK)


def test_after_an_undo_the_first_attempt_is_counted_anew() -> None:
    rig = Rig().through("switch")
    rig.undo("switch", BACK)
    assert rig.now("switch/dns").first is None
    rig.stage()
    first = rig.now("switch/dns").first
    assert first is not None
    assert first.number == 3
    assert "already under way" not in rig.refused(m.Undo("switch"))


def test_one_undo_fails_and_the_walk_stands_there() -> None:
    rig = failed_undo()
    assert rig.word("sync/mask") is W.UNDO_FAILED
    assert rig.due() == ()
    assert ends.outcome(rig.state) is Outcome.UNDO_FAILED
    verbs = {o.verb for o in offers(rig.state) if o.granted}
    assert {"retry", "probe", "by-hand", "owe", "leave-undo", "forward-again"} <= verbs
    assert "under way already" in rig.refused(m.Undo())
    assert "undo is under way" in rig.refused(m.Go())
    assert "nothing to check" in rig.refused(m.CheckAgain("sync/mask"))


def test_a_failed_undo_is_retried() -> None:
    rig = failed_undo()
    rig.must(m.Retry("sync/mask"))
    rig.work()
    assert rig.undone == ["sync/copy@d", "sync/mask@p", "sync/mask@p", "sync/hold@d"]
    assert ends.outcome(rig.state) is Outcome.UNDONE


@pytest.mark.parametrize(
    ("answer", "word"),
    [(Answer.NOT_DONE, W.PENDING), (Answer.DONE, W.UNDO_FAILED), (Answer.DONT_KNOW, W.UNDO_UNKNOWN)],
)
def test_a_failed_undo_is_probed(answer: Answer, word: StepWord) -> None:
    rig = failed_undo(lost("p"))
    assert rig.word("sync/mask") is W.UNDO_UNKNOWN
    assert "is UNKNOWN" in rig.refused(m.Retry("sync/mask"))
    rig.must(m.Probe("sync/mask"))
    assert rig.refused(m.Owe("sync/mask", "x")) == "its host is being asked"
    rig.must(m.AskEnded("sync/mask", Way.PROBE, answer))
    assert rig.word("sync/mask") is word
    rig.work()
    assert (rig.word("sync/hold") is W.PENDING) == (answer is Answer.NOT_DONE)


def test_an_unknown_undo_is_re_attached() -> None:
    rig = failed_undo(lost("p"))
    rig.must(m.Reattach("sync/mask"))
    assert rig.due() == (acts.Perform("sync/mask", Way.BACK, 2),)
    last = rig.now("sync/mask").attempts[-1]
    assert (last.asked, last.attach, rig.now("sync/mask").detail) == (True, True, "")  # nothing is started by it
    rig.work()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_a_failed_undo_is_done_by_hand() -> None:
    rig = failed_undo()
    assert "retried, owed, or left" in rig.refused(m.Resolve("sync/mask", Verdict.FAILED, "no"))
    rig.must(m.Resolve("sync/mask", Verdict.PASSED, "unmasked at the console", "is-enabled: enabled"))
    rig.work()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_a_failed_undo_is_owed_and_settled_by_doing() -> None:
    rig = failed_undo()
    assert "needs a reason" in rig.refused(m.Owe("sync/mask", " "))
    rig.must(m.Owe("sync/mask", "the host is dark"))
    rig.work()
    assert rig.word("sync/mask") is W.OWED
    assert rig.word("sync/hold") is W.PENDING  # the walk went on above
    assert rig.owed() == ["sync/mask@p"]
    assert not ends.is_over(rig.state)
    rig.must(m.Settle("sync/mask@p"))
    assert "being settled" in rig.refused(m.Undo())
    assert rig.due() == (acts.DoOwed("sync/mask@p", 1),)
    rig.must(m.SettleEnded("sync/mask@p", bad("p")))
    assert rig.owed() == ["sync/mask@p"]
    rig.must(m.Settle("sync/mask@p"))
    assert rig.due() == (acts.DoOwed("sync/mask@p", 2),)
    rig.work()
    assert rig.owed() == []
    assert ends.outcome(rig.state) is Outcome.UNDONE
    assert ends.is_over(rig.state)


def test_what_is_owed_is_settled_by_a_word() -> None:
    rig = failed_undo()
    rig.must(m.Owe("sync/mask", "the host is dark"))
    rig.work()
    rig.must(m.Settle("sync/mask@p", "scrapped"))
    assert (rig.owed(), rig.word("sync/mask")) == ([], W.PENDING)
    assert rig.state.settled[0][1] == "scrapped"
    assert "is owed" in rig.refused(m.Settle("sync/mask@p", "scrapped"))


def test_settling_by_a_word_does_not_end_the_settling_of_something_else() -> None:
    rig = Rig().through("sync")
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.ends("sync/hold", Way.BACK, bad("d"))
    rig.undo()
    rig.must(m.Owe("sync/mask", "x"))
    rig.work()
    rig.must(m.Owe("sync/hold", "y"))
    rig.must(m.Settle("sync/mask@p"))
    rig.must(m.Settle("sync/hold@d", "by hand"))
    assert rig.state.settling == "sync/mask@p"
    rig.must(m.LeaveUndo())
    assert (rig.state.settling, rig.owed()) == ("", ["sync/mask@p"])
    assert "settled already" in rig.refused(m.SettleEnded("sync/mask@p", bad("p")))


def test_on_one_host_the_later_change_is_settled_first() -> None:
    rig = Rig().through("sync")
    rig.ends("sync/copy", Way.BACK, bad("d"))
    rig.ends("sync/hold", Way.BACK, bad("d"))
    rig.undo()
    rig.must(m.Owe("sync/copy", "x"))
    rig.work()
    rig.must(m.Owe("sync/hold", "y"))
    assert rig.refused(m.Settle("sync/hold@d")) == "settle first what was done later there: undo 2.3 copy on d"
    rig.must(m.Settle("sync/copy@d"))
    rig.work()
    rig.must(m.Settle("sync/hold@d"))
    rig.work()
    assert rig.sent[-2:] == ["owed sync/copy@d", "owed sync/hold@d"]


def test_a_failed_undo_is_left_and_asked_again_by_a_later_walk() -> None:
    rig = failed_undo()
    rig.must(m.LeaveUndo())
    assert "no undo is under way" in rig.refused(m.LeaveUndo())
    assert rig.due() == ()
    rig.undo()
    assert rig.undone == ["sync/copy@d", "sync/mask@p", "sync/mask@p", "sync/hold@d"]


def test_an_unknown_undo_is_not_sent_again_by_a_later_walk() -> None:
    rig = failed_undo(lost("p"))
    rig.must(m.LeaveUndo())
    rig.undo()
    assert rig.undone == ["sync/copy@d", "sync/mask@p"]
    assert rig.word("sync/mask") is W.UNDO_UNKNOWN
    assert rig.refused(m.Ready("sync/mask", Way.BACK, ("p",))).startswith("too late")
    assert "undo-unknown" in rig.refused(m.GoForward("sync/mask"))


@pytest.mark.parametrize("left", [True, False])
def test_after_a_failed_undo_one_goes_forward_again(left: bool) -> None:
    rig = failed_undo()
    if left:
        rig.must(m.LeaveUndo())
        assert "2.2 mask is undo-failed" in rig.refused(m.Go())
    rig.must(m.GoForward("sync/mask"))
    rig.work()
    assert rig.word("sync/mask") is W.PASSED
    assert rig.sent[-1] == "forward sync/mask@p"
    rig.stage()
    assert rig.state.started == ("sync/hold", "sync/mask", "sync/copy", "sync/reload")
    rig.undo()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_going_forward_again_over_something_owed_takes_it_off_the_list() -> None:
    rig = failed_undo()
    rig.must(m.Owe("sync/mask", "dark"))
    rig.must(m.Pause())
    rig.work()
    rig.must(m.GoForward("sync/mask"))
    rig.work()
    assert rig.word("sync/mask") is W.PASSED
    assert rig.owed() == []
    assert [said for _, said in rig.state.settled] == ["the step was done again"]
    assert "sync/mask" in rig.state.started


def test_a_step_owed_somewhere_and_undone_elsewhere_runs_again_only_where_it_was_undone() -> None:
    rig = Rig()
    rig.through("switch")
    rig.must(m.Go())
    rig.work()
    assert rig.now("clients/kick").passed_on == {"c1", "c2", "c3"}
    rig.undo("clients")
    assert rig.now("clients/kick").passed_on == frozenset()


def test_pause_in_a_walk_stands_after_this_undo() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Pause())
    rig.work()
    assert rig.undone == ["sync/copy@d"]
    assert rig.state.walk is None
    assert rig.word("sync/mask") is W.PASSED
    rig.undo()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_stop_in_a_walk_ends_the_walk() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.StopStep("sync/copy"))
    rig.must(m.Ended("sync/copy", 2, Result("d", ResultKind.STOPPED, sent=True)))
    assert (rig.word("sync/copy"), rig.state.walk) == (W.UNDO_FAILED, None)
    assert "started later" in rig.refused(m.Retry("sync/mask")) or rig.word("sync/mask") is W.PASSED
    rig.must(m.Retry("sync/copy"))
    rig.work()
    assert rig.word("sync/copy") is W.PENDING


def test_an_undo_asked_while_a_retry_is_about_to_be_sent_takes_the_retry_back() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Retry("sync/mask"))
    rig.must(m.Undo())
    assert rig.due() == (acts.Prepare("sync/mask", Way.BACK, ("p",), 2),)
    assert rig.refused(m.Ready("sync/mask", Way.FORWARD, ("p",))).startswith("too late")
    rig.work()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_during_a_walk_nothing_forward_is_decided() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Undo())
    for intent in (
        m.Retry("sync/mask"),
        m.Skip("sync/mask", "x"),
        m.Probe("sync/mask"),
        m.Resolve("sync/mask", Verdict.PASSED, "x", "y"),
        m.Go(),
    ):
        assert "undo is under way" in rig.refused(intent)


def test_an_undo_that_cannot_be_started_has_failed() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.must(m.NotReady("sync/reload", Way.BACK, "no such name"))
    assert rig.word("sync/reload") is W.UNDO_FAILED
    assert rig.refused(m.NotReady("sync/reload", Way.BACK, "no such name")).startswith("too late")
    rig.must(m.Retry("sync/reload"))
    rig.work()
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_an_undo_with_its_own_place_is_retried_only_where_it_did_not_pass() -> None:
    rig = Rig().through("switch")
    rig.must(m.Go())
    rig.work()
    rig.ends("clients/kick", Way.BACK, bad("d"))
    rig.undo("clients")
    assert rig.word("clients/kick") is W.UNDO_FAILED
    rig.must(m.Owe("clients/kick", "dark"))
    assert rig.owed() == ["clients/kick@d"]
    rig.must(m.Settle("clients/kick@d"))
    rig.work()
    assert rig.word("clients/kick") is W.PENDING


def test_a_gate_that_is_open_is_left_by_an_undo() -> None:
    rig = Rig().through("sync")
    rig.undo()
    assert rig.word("switch/dns") is W.PENDING
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_what_an_earlier_run_owes_is_inherited_and_never_mixed_with_our_own() -> None:
    from handrail.engine.results import Owed

    theirs = Owed("sync/mask@p", "sync/mask", "p", "undo 2.2 mask on p", "dark", 1.0, "back", "r0")
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d"), inherited=(theirs, theirs)))
    rig.work()
    assert rig.owed() == ["r0/sync/mask@p"]
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.undo()
    rig.must(m.Owe("sync/mask", "still dark"))
    rig.work()
    assert rig.owed() == ["r0/sync/mask@p", "sync/mask@p"]
    assert "belongs to another run" in rig.refused(m.Settle("r0/sync/mask@p"))
    rig.must(m.Settle("sync/mask@p"))
    rig.work()
    assert rig.owed() == ["r0/sync/mask@p"]
    rig.must(m.Settle("r0/sync/mask@p", "unmasked by hand"))
    assert rig.owed() == []
    rig.must(m.ClaimNews(("p", "d"), inherited=(theirs,)))
    assert rig.owed() == []  # settled once is settled
    assert rig.now("sync/mask").how is How.NONE


def test_forward_again_after_a_walk_stands_at_what_is_owed() -> None:
    rig = failed_undo()
    rig.must(m.Owe("sync/mask", "dark"))
    rig.work()
    rig.stage()
    rig.stage()
    assert rig.word("sync/hold") is W.PASSED
    assert rig.refused(m.Go()) == "2.2 mask is owed: decide what to do about it first"
    rig.must(m.GoForward("sync/mask"))
    rig.work()
    assert rig.word("sync/mask") is W.PASSED
