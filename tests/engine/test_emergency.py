"""The emergency: it changes only which steps are needed, and what needs the lost role is owed."""

from __future__ import annotations

import pytest
from tests.engine.rig import BACK, TOKEN, Rig, bad, lost

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.results import Result
from handrail.engine.words import Answer, How, Outcome, ResultKind, StepWord, Verdict, Way

W = StepWord
DARK = m.Declare("emergency", "the primary was switched off")


def test_the_primary_goes_dark_during_the_final_copy() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "sync/copy")
    assert "2.3 copy is being sent" in rig.refused(DARK)
    rig.must(m.LinkNews("sync/copy", "p", up=False, why="no answer"))
    rig.must(DARK)
    assert rig.word("sync/copy") is W.UNKNOWN
    assert rig.owed() == ["sync/mask@p", "sync/copy@d?"]
    assert rig.state.allowed_stage == ""
    assert rig.due() == ()
    for _ in ("what is left of the sync: the reload", "switch", "clients"):
        rig.stage()
    assert not any(s.endswith("@p") for s in rig.sent[rig.sent.index("forward sync/reload@d") :])
    assert ends.outcome(rig.state) is Outcome.HELD
    rig.stage()
    assert ends.outcome(rig.state) is Outcome.DONE
    assert not ends.is_over(rig.state)  # the mask and the half copy are still owed
    assert "how 2.3 copy ended is not known" in rig.refused(m.Settle("sync/copy@d?"))
    rig.must(m.Probe("sync/copy"))
    rig.must(m.AskEnded("sync/copy", Way.PROBE, Answer.NOT_DONE))
    assert rig.owed() == ["sync/mask@p"]
    rig.must(m.Settle("sync/mask@p"))
    rig.work()
    assert rig.owed() == []
    assert (rig.word("sync/mask"), rig.word("clients/seen")) == (W.PENDING, W.PASSED)  # nothing is asked anew
    assert ends.is_over(rig.state)


def test_what_was_to_be_asked_is_asked_no_more_once_it_is_undone() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "sync/copy")
    rig.must(m.LinkNews("sync/copy", "p", up=False, why="no answer"))
    rig.must(DARK)
    assert rig.owed() == ["sync/mask@p", "sync/copy@d?"]
    rig.undo()
    assert rig.undone == ["sync/copy@d", "sync/hold@d"]
    assert rig.owed() == ["sync/mask@p"]
    assert [(item.id, why) for item, why in rig.state.settled] == [("sync/copy@d?", "it is being undone")]


def test_the_way_back_in_an_emergency_owes_what_the_lost_role_needs() -> None:
    rig = Rig().through("switch")
    rig.must(DARK)
    assert rig.owed() == ["sync/mask@p"]
    rig.undo("", BACK)
    assert rig.undone == ["switch/dns@dns", "sync/copy@d", "sync/hold@d"]
    assert rig.word("sync/mask") is W.OWED
    assert rig.owed() == ["sync/mask@p"]
    assert [s.id for s in ends.stays_changed(rig.state)] == ["sync/mask"]
    rig.must(m.Settle("sync/mask@p", "scrapped"))
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_calling_the_emergency_off_makes_the_way_back_ordinary_again() -> None:
    rig = Rig().through("switch")
    rig.must(DARK)
    rig.must(m.Declare("planned", "power is back"))
    assert rig.owed() == []
    rig.undo("", BACK)
    assert rig.undone == ["switch/dns@dns", "sync/copy@d", "sync/mask@p", "sync/hold@d"]
    assert ends.outcome(rig.state) is Outcome.UNDONE


def test_it_needs_a_reason_and_another_route() -> None:
    rig = Rig()
    assert "needs a reason" in rig.refused(m.Declare("emergency", " "))
    assert "no route" in rig.refused(m.Declare("moon", "x"))
    assert "already" in rig.refused(m.Declare("planned", "x"))


@pytest.mark.parametrize("where", ["pause", "gate", "failed", "unknown", "retry", "asking", "undo-failed", "walk"])
def test_it_may_be_declared_whenever_nothing_is_being_sent(where: str) -> None:
    rig = Rig().through("checks")
    if where in ("failed", "retry", "asking", "unknown"):
        rig.ends("sync/mask", Way.FORWARD, lost("p") if where == "unknown" else bad("p"))
    rig.must(m.Go())
    rig.work()
    if where == "retry":
        rig.must(m.Retry("sync/mask"))
    if where == "asking":
        rig.must(m.Probe("sync/mask"))
    if where == "gate":
        rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
        rig.must(m.Confirm("switch/dns", TOKEN))
    if where in ("undo-failed", "walk"):
        rig.ends("sync/mask", Way.BACK, bad("p"))
        rig.must(m.Undo())
        if where == "undo-failed":
            rig.work()
    rig.must(DARK)
    assert rig.due() == (), "every leave to go on is taken back"
    assert not rig.state.walk
    assert "sync/mask@p" in rig.owed()
    if where == "asking":
        assert rig.refused(m.AskEnded("sync/mask", Way.PROBE, Answer.DONE)).startswith("too late")
    assert "sync/mask" not in [o.id for o in order.open_steps(rig.state)]


def test_a_failed_undo_on_the_lost_host_is_set_aside_by_the_next_walk() -> None:
    rig = Rig().through("sync")
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.undo()
    rig.must(DARK)
    rig.undo()
    assert rig.word("sync/mask") is W.OWED
    assert rig.word("sync/hold") is W.PENDING
    assert rig.owed() == ["sync/mask@p"]


def test_a_step_that_is_not_needed_is_neither_retried_nor_skipped() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.must(m.Go())
    rig.work()
    rig.must(DARK)
    assert "not needed" in rig.refused(m.Retry("sync/mask"))
    assert "not needed" in rig.refused(m.Go("sync/mask")) or "failed" in rig.refused(m.Go("sync/mask"))
    assert "declared lost" in rig.refused(m.Probe("sync/mask"))
    rig.must(m.Go())


def test_a_step_on_both_sites_goes_on_with_the_one_that_is_left() -> None:
    rig = Rig()
    rig.ends("checks/a", Way.FORWARD, bad("p"))
    rig.stage()
    assert rig.word("checks/a") is W.FAILED
    rig.must(DARK)
    rig.must(m.Retry("checks/a"))
    assert rig.due() == (acts.Prepare("checks/a", Way.FORWARD, (), 2),)
    rig.work()
    assert rig.word("checks/a") is W.PASSED
    assert len(rig.now("checks/a").attempts) == 1


def test_a_host_that_passed_and_was_lost_does_not_count_for_one_that_fails() -> None:
    rig = Rig()
    rig.ends("checks/a", Way.FORWARD, bad("d"), bad("d"))
    rig.stage()
    rig.must(DARK)
    rig.must(m.Retry("checks/a"))
    rig.work()
    assert rig.word("checks/a") is W.FAILED


def test_what_was_prepared_before_it_is_not_sent_after_it() -> None:
    rig = Rig()
    rig.must(m.Go())
    rig.must(DARK)
    rig.must(m.Go())
    assert rig.refused(m.Ready("checks/a", Way.FORWARD, ("p", "d"))).startswith("too late")
    rig.work()
    assert "forward checks/a@p" not in rig.sent


def test_on_the_lost_route_a_recheck_that_could_not_be_asked_needs_a_reason() -> None:
    rig = Rig(route="emergency").through("sync")
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns", holds=None)))
    assert "type a reason" in rig.refused(m.Confirm("switch/dns", TOKEN))
    rig.must(m.Confirm("switch/dns", TOKEN, "d is slow, web03 said 200"))
    rig.work()
    assert rig.word("switch/dns") is W.PASSED


def test_no_link_to_another_host_is_not_taken_for_the_lost_role() -> None:
    rig = Rig()
    rig.must(m.Go())
    for act in rig.due():
        rig.do(act)
    rig.must(m.LinkNews("checks/a", "d", up=False))
    assert "is being sent" in rig.refused(DARK)  # p is still spoken to
    rig.must(m.LinkNews("checks/a", "p", up=False))
    assert "1.2 b is being sent" in rig.refused(DARK)


def test_the_guard_behind_a_step_that_is_not_needed_watches_all_the_same() -> None:
    rig = Rig(route="emergency").through("checks")
    assert acts.Watch("back") not in acts.due(rig.state)
    rig.stage()
    assert acts.Watch("back") in acts.due(rig.state)
    rig.must(m.GuardNews("back", tripped=True))
    rig.must(m.LeaveGate("switch/dns"))
    assert "The old primary answers" in rig.refused(m.Go())


def test_an_undo_in_flight_is_cut_off_only_by_its_own_host() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.LinkNews("sync/copy", "d", up=False))
    assert "is being sent" in rig.refused(DARK)  # the restore is done on the DR alone
    rig.must(m.Ended("sync/copy", 2, Result("d", ResultKind.EXITED, sent=True, exit=0)))
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.LinkNews("sync/mask", "p", up=False))
    rig.must(DARK)
    assert rig.word("sync/mask") is W.UNDO_UNKNOWN
    assert "declared lost" in rig.refused(m.Reattach("sync/mask"))
    rig.must(m.Owe("sync/mask", "dark"))
    assert rig.owed() == ["sync/mask@p"]


def test_a_half_known_step_may_be_said_to_be_done_on_what_is_left() -> None:
    rig = Rig()
    rig.ends("checks/a", Way.FORWARD, lost("p"))
    rig.stage()
    rig.must(DARK)
    rig.must(m.Resolve("checks/a", Verdict.PASSED, "seen on d", "ls -l"))
    assert rig.now("checks/a").passed_on == {"d"}


def test_settling_and_declaring_do_not_meet() -> None:
    rig = Rig().through("sync")
    rig.must(DARK)
    rig.must(m.Settle("sync/mask@p"))
    assert "being settled" in rig.refused(m.Declare("planned", "x"))
    rig.must(m.LeaveUndo())
    rig.must(m.Declare("planned", "x"))


@pytest.mark.parametrize("result", [bad("d"), lost("d")])
def test_when_it_is_called_off_the_run_goes_on_from_the_top_past_what_failed_below(result: Result) -> None:
    rig = Rig(route="emergency").through("clients")
    rig.ends("sign/first", Way.FORWARD, result)
    rig.stage()
    rig.must(m.Declare("planned", "power is back"))
    if result.kind is ResultKind.LOST:
        assert "is UNKNOWN" in rig.refused(m.Go())
        rig.must(m.Resolve("sign/first", Verdict.FAILED, "looked: the file is still there"))
    assert order.standing(rig.state) is None
    assert rig.refused(m.Retry("sign/first")) == "5.1 first waits for 2.2 mask"
    rig.stage()
    assert rig.word("sync/mask") is W.PASSED
    assert rig.word("sync/copy") is W.PASSED
    rig.must(m.Retry("sign/first"))


def test_a_claim_taken_again_without_the_lost_role_is_still_given_back_there() -> None:
    rig = Rig().through("switch")
    assert rig.state.claim is not None
    assert set(rig.state.claim.hosts) == {"p", "d"}
    rig.must(DARK)
    rig.crash()
    rig.must(m.ClaimNews(("d",)))
    assert rig.state.claim is not None
    assert list(rig.state.claim.hosts) == ["d", "p"], "the primary carries it, whether or not it is spoken to"
    rig.must(m.ClaimNews(("d",), without=("p",), released=True))
    assert rig.state.claim is not None
    assert list(rig.state.claim.hosts) == ["p"]


def test_what_is_said_of_a_step_that_has_passed_without_being_sent_again() -> None:
    rig = Rig()
    rig.ends("checks/a", Way.FORWARD, bad("p"))
    rig.stage()
    rig.must(DARK)
    rig.must(m.Retry("checks/a"))
    rig.work()
    ended = rig.journal[-1]
    words = "it has passed wherever this route needs it"
    assert ended == e.AttemptEnded(rig.at, "checks/a", 0, Way.FORWARD, Verdict.PASSED, How.RAN, words)
    now = rig.now("checks/a")
    assert (now.how, now.before, now.undone_on) == (How.RAN, W.PENDING, frozenset())
