"""Order: nothing starts before its turn, and every refusal says why."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.rig import DNS, TOKEN, D, Rig, bad, failover, good, lost, step, unreachable

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Check, Gate, Question, Result
from handrail.engine.state import StepState, fresh
from handrail.engine.words import Answer, How, Outcome, Pace, ResultKind, StepWord, UndoKind, Verdict, Way

W = StepWord


def test_a_whole_run_passes_in_order() -> None:
    rig = Rig().through("sign")
    forward = [s.split()[1].split("@")[0] for s in rig.sent]
    assert list(dict.fromkeys(forward)) == [s.id for s in rig.outline.steps]
    assert ends.outcome(rig.state) is Outcome.DONE
    assert ends.is_over(rig.state)
    assert rig.refused(m.Go()) == "nothing is left to do"


def test_there_is_no_jump() -> None:
    rig = Rig().through("checks")
    assert rig.refused(m.Go("sync/copy")) == "2.3 copy waits for 2.1 hold"
    assert rig.refused(m.Go("switch")) == "3.1 dns waits for 2.1 hold"
    assert rig.refused(m.Go("3")) == "3.1 dns waits for 2.1 hold"
    assert rig.refused(m.Go("nowhere")) == "there is no step or stage 'nowhere' in this runbook"
    assert rig.refused(m.Go("checks/a")) == "1.1 a is passed"
    rig.must(m.Go("sync"))


def test_a_stage_that_is_named_means_its_first_open_step() -> None:
    rig = Rig().through("checks")
    assert rig.refused(m.Go("checks")) == "1.1 a is passed"  # all of it is: its first step stands for it
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.stage()
    assert rig.refused(m.Go("sync")) == "2.2 mask failed: decide what to do about it first"
    assert rig.refused(m.Go("2.1")) == "2.1 hold is passed"


def test_a_step_to_which_nothing_has_happened_is_left_out_of_those_begun() -> None:
    rig = Rig().through("checks")
    begun = [(s, now) for s, now in rig.state.walked() if now != StepState()]
    assert 0 < len(begun) < len(rig.outline.steps)
    assert rig.state.begun() == begun
    assert fresh(rig.outline).begun() == []


def test_stages_never_start_by_themselves() -> None:
    rig = Rig().through("checks")
    assert rig.due() == ()
    assert rig.refused(m.Pause()).startswith("nothing is going on")


def test_ready_is_only_taken_for_the_next_step_and_its_own_hosts() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d")))
    for message in (
        m.Ready("sync/mask", Way.FORWARD, ("p",)),
        m.Ready("sync/hold", Way.FORWARD, ("p",)),
        m.Ready("sync/hold", Way.FORWARD, ()),
        m.Ready("sync/hold", Way.BACK, ("d",)),
        m.NotReady("sync/mask", Way.FORWARD, "no"),
        m.NotReady("sync/hold", Way.BACK, "no"),
        m.GateSeen("switch/dns", Gate(TOKEN)),
    ):
        assert rig.refused(message) == "too late: the state has moved on"
    rig.must(m.Ready("sync/hold", Way.FORWARD, ("d",)))
    assert rig.refused(m.Ready("sync/hold", Way.FORWARD, ("d",))) == "too late: the state has moved on"


def test_nothing_that_changes_starts_without_the_claim_of_this_epoch() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    assert rig.due() == (acts.TakeClaim(1),)
    assert "not claimed" in rig.refused(m.Ready("sync/hold", Way.FORWARD, ("d",)))
    rig.work(until=lambda act: isinstance(act, acts.Prepare) and act.step == "sync/mask")
    rig.crash()
    rig.must(m.Go())
    assert rig.due() == (acts.TakeClaim(2),)
    assert "not claimed" in rig.refused(m.Ready("sync/mask", Way.FORWARD, ("p",)))


def test_a_claim_of_another_run_stands_and_can_be_tried_again() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(holder="bob", detail="run r0"))
    assert rig.state.claim_refused == "bob: run r0"
    assert rig.due() == ()
    rig.must(m.Go())
    rig.work()
    assert rig.word("sync/reload") is W.PASSED


def test_a_refused_claim_does_not_block_retry_undo_or_settling_for_ever() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, bad("d"))
    rig.must(m.Go())
    rig.work()
    rig.crash()
    rig.must(m.Retry("sync/hold"))
    rig.must(m.ClaimNews(holder="bob"))
    assert [event for event in rig.journal if event.at == rig.at] == [e.ClaimRefused(rig.at, "bob", "")]
    assert rig.due() == ()
    rig.must(m.Undo())
    rig.must(m.ClaimNews(holder="bob"))
    refused = [event for event in rig.journal if event.at == rig.at]
    assert refused == [e.WalkEnded(rig.at, reached=False), e.ClaimRefused(rig.at, "bob", "")]
    assert rig.state.walk is None
    rig.undo()
    assert rig.undone == ["sync/hold@d"]


def test_together_one_failing_does_not_stop_the_rest_and_each_is_decided() -> None:
    rig = Rig()
    rig.ends("checks/a", Way.FORWARD, bad("p"))
    rig.ends("checks/b", Way.FORWARD, bad("d"))
    rig.stage()
    assert rig.words() == {"checks/a": "failed", "checks/b": "failed", "checks/canary": "passed"}
    first = order.standing(rig.state)
    assert first is not None
    assert first.id == "checks/a"
    assert "1.1 a failed" in rig.refused(m.Go())
    rig.must(m.Retry("checks/a"))
    rig.work()
    assert rig.sent[-1] == "forward checks/a@p"  # not again on d, where it had passed
    second = order.standing(rig.state)
    assert second is not None
    assert second.id == "checks/b"
    rig.must(m.Retry("checks/b"))
    rig.work()
    assert order.standing(rig.state) is None


def test_together_a_failed_read_is_retried_while_the_others_run() -> None:
    rig = Rig()
    rig.must(m.Go())
    for act in rig.due():
        rig.do(act)
    rig.must(m.Ended("checks/b", 1, bad("d")))
    rig.must(m.Retry("checks/b"))
    rig.work()
    assert set(rig.words().values()) == {"passed"}


def test_a_skip_needs_the_runbooks_leave_its_turn_and_a_reason() -> None:
    rig = Rig()
    assert "not skippable" in rig.refused(m.Skip("checks/a", "x"))
    assert "waits for" in rig.refused(m.Skip("sync/reload", "x"))
    assert rig.refused(m.Skip("checks/canary", " ")) == "a skip needs a reason"
    rig.must(m.Skip("checks/canary", "no client at hand"))
    assert rig.word("checks/canary") is W.SKIPPED
    assert "no step" in rig.refused(m.Skip("x/y", "z"))


def test_pace_by_step_asks_before_every_step() -> None:
    rig = Rig().through("checks")
    rig.must(m.SetPace(Pace.STEP))
    rig.must(m.Go())
    rig.work()
    assert rig.words()["sync/hold"] == "passed"
    assert rig.word("sync/mask") is W.PENDING
    rig.must(m.Go("2.2"))
    rig.must(m.SetPace(Pace.STAGE))
    assert "already" in rig.refused(m.SetPace(Pace.STAGE))
    rig.work()
    assert rig.word("sync/copy") is W.PENDING


def test_switching_to_by_step_in_a_stage_stands_after_the_step_that_runs() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.SetPace(Pace.STEP))
    rig.work()
    assert (rig.word("sync/hold"), rig.word("sync/mask")) == (W.PASSED, W.PENDING)


def test_pause_finishes_the_step_and_stands() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Pause())
    rig.work()
    assert (rig.word("sync/hold"), rig.word("sync/mask")) == (W.PASSED, W.PENDING)


def test_stop_is_asked_once_and_what_cannot_be_proven_is_unknown() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.StopStep("sync/hold"))
    assert "already" in rig.refused(m.StopStep("sync/hold"))
    assert "not running" in rig.refused(m.StopStep("sync/mask"))
    rig.must(m.Ended("sync/hold", 1, Result("d", ResultKind.STOP_UNPROVEN, sent=True)))
    assert rig.word("sync/hold") is W.UNKNOWN


def test_unknown_is_never_blindly_sent_again() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.must(m.Go())
    rig.work()
    assert rig.word("sync/hold") is W.UNKNOWN
    assert "never sent blindly" in rig.refused(m.Retry("sync/hold"))
    assert "2.1 hold is UNKNOWN" in rig.refused(m.Go())
    assert "nothing to skip" in rig.refused(m.Skip("sync/hold", "x"))
    rig.must(m.Probe("sync/hold"))
    rig.must(m.AskEnded("sync/hold", Way.PROBE, Answer.DONT_KNOW))
    assert rig.word("sync/hold") is W.UNKNOWN
    rig.must(m.Probe("sync/hold"))
    rig.must(m.AskEnded("sync/hold", Way.PROBE, Answer.NOT_DONE))
    assert rig.word("sync/hold") is W.FAILED
    rig.must(m.Retry("sync/hold"))
    rig.work()
    assert rig.word("sync/reload") is W.PASSED


def test_an_unknown_read_is_asked_again() -> None:
    rig = Rig()
    rig.ends("checks/b", Way.FORWARD, lost("d"))
    rig.stage()
    rig.must(m.Retry("checks/b"))
    rig.work()
    assert rig.word("checks/b") is W.PASSED


def test_re_attaching_asks_the_job_and_starts_nothing() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"), good(acts.Perform("", Way.FORWARD, 1), "d"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Reattach("sync/hold"))
    asked = rig.now("sync/hold").attempts[-1]
    assert (asked.asked, asked.attach) == (True, True)
    assert rig.due() == (acts.Perform("sync/hold", Way.FORWARD, 1),)
    attempt = rig.now("sync/hold").attempt
    assert attempt is not None
    assert attempt.attach
    rig.work()
    assert rig.word("sync/hold") is W.PASSED
    assert len(rig.now("sync/hold").attempts) == 1
    assert "nothing to re-attach" in rig.refused(m.Reattach("sync/hold"))


def test_a_persons_word_on_unknown_is_recorded_and_by_hand_is_undone_like_the_rest() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, unreachable("d"))
    rig.must(m.Go())
    rig.work()
    assert rig.state.started == ()
    for wrong in (
        m.Resolve("sync/hold", Verdict.UNKNOWN, "x"),
        m.Resolve("sync/hold", Verdict.PASSED, "did it"),
        m.Resolve("sync/hold", Verdict.FAILED, ""),
    ):
        rig.refused(wrong)
    rig.must(m.Resolve("sync/hold", Verdict.PASSED, "did it on the console", "timer is off"))
    assert rig.now("sync/hold").how is How.BY_HAND
    rig.must(m.Pause())
    rig.undo()
    assert rig.undone == ["sync/hold@d"]


def test_passed_means_checked() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/copy", Way.FORWARD, Result("d", ResultKind.EXITED, sent=True, exit=0))
    rig.must(m.Go())
    rig.work()
    assert rig.word("sync/copy") is W.FAILED
    assert rig.now("sync/copy").detail == "its verify was not asked"
    rig.must(m.CheckAgain("sync/copy"))
    rig.must(m.AskEnded("sync/copy", Way.CHECK, Answer.DONE))
    assert rig.word("sync/copy") is W.FAILED  # no check was asked: nobody knows
    rig.must(m.Probe("sync/copy"))
    rig.must(m.AskEnded("sync/copy", Way.PROBE, Answer.DONE))
    assert rig.word("sync/copy") is W.FAILED
    rig.must(m.CheckAgain("sync/copy"))
    rig.work()
    assert rig.now("sync/copy").how is How.CHECKED
    assert rig.word("sync/reload") is W.PASSED


def test_checking_again_mends_a_verify_but_never_an_exit_or_an_expect() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/copy", Way.FORWARD, bad("d"))
    rig.must(m.Go())
    rig.work()
    assert "did not do what it should" in rig.refused(m.CheckAgain("sync/copy"))
    expected = Result("d", ResultKind.EXITED, sent=True, exit=0, checks=(Check("answers '200'", False, "500"),))
    rig.ends("sync/copy", Way.FORWARD, expected)
    rig.must(m.Retry("sync/copy"))
    rig.work()
    rig.must(m.CheckAgain("sync/copy"))
    rig.must(m.AskEnded("sync/copy", Way.CHECK, Answer.DONE, (Check("it holds", True),)))
    assert rig.word("sync/copy") is W.FAILED
    assert rig.now("sync/copy").detail.startswith("answers '200' did not hold")


def test_fan_out_retries_only_where_it_did_not_pass_and_counts_its_need() -> None:
    rig = Rig().through("switch")
    rig.ends("clients/kick", Way.FORWARD, bad("c1"), unreachable("c2"))
    rig.must(m.Go())
    rig.work()
    assert rig.word("clients/kick") is W.FAILED
    assert rig.now("clients/kick").touched == {"c1", "c3"}
    rig.sent.clear()
    rig.ends("clients/kick", Way.FORWARD, lost("c2"))
    rig.must(m.Retry("clients/kick"))
    rig.work()
    assert [s for s in rig.sent if "kick" in s] == ["forward clients/kick@c1", "forward clients/kick@c2"]
    assert rig.word("clients/kick") is W.PASSED  # two of three
    assert "c2: lost" in rig.now("clients/kick").detail


def test_already_so_is_nothing_to_undo() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, Result("d", ResultKind.ALREADY, sent=False))
    rig.must(m.Go())
    rig.work()
    assert rig.now("sync/hold").how is How.ALREADY
    assert rig.state.started == ("sync/mask", "sync/copy", "sync/reload")


def test_already_so_after_a_failed_attempt_is_still_to_be_undone() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, bad("d"), Result("d", ResultKind.ALREADY, sent=False))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Retry("sync/hold"))
    rig.work()
    assert rig.now("sync/hold").how is How.RAN
    assert rig.state.started[0] == "sync/hold"


def test_not_ready_is_failed_with_nothing_sent() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d")))
    rig.must(m.NotReady("sync/hold", Way.FORWARD, "{{ x }} is not known"))
    assert rig.word("sync/hold") is W.FAILED
    assert rig.now("sync/hold").detail == "nothing was sent: {{ x }} is not known"
    assert rig.state.started == ()


def test_questions_take_their_word_and_no_other() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    assert rig.refused(m.Asks("sync/mask", Question("?", "3"))).startswith("too late")
    rig.must(m.Asks("sync/hold", Question("3 would be removed", "3")))
    assert "is not 3" in rig.refused(m.Reply("sync/hold", "4"))
    rig.must(m.Reply("sync/hold", "3"))
    assert rig.now("sync/hold").reply == "3"
    assert rig.refused(m.Reply("sync/hold", "3")) == "this step asks nothing"


def test_late_and_no_link_are_shown_and_are_no_verdict() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Late("sync/hold"))
    rig.must(m.LinkNews("sync/hold", "d", up=False))
    assert rig.now("sync/hold").late
    assert dict(rig.now("sync/hold").no_link)
    rig.refused(m.Late("sync/hold"))
    rig.refused(m.LinkNews("sync/hold", "d", up=False))
    rig.must(m.LinkNews("sync/hold", "d", up=True))
    assert rig.word("sync/hold") is W.RUNNING
    assert not rig.now("sync/hold").no_link


def test_not_possible_is_owed_and_when_done_since_it_is_undone_like_the_rest() -> None:
    rig = Rig().through("switch")
    rig.ends("clients/fence", Way.FORWARD, Result("person", ResultKind.NOT_POSSIBLE, sent=False, detail="no console"))
    rig.must(m.Go())
    rig.work()
    assert rig.word("clients/fence") is W.SKIPPED
    assert rig.owed() == ["clients/fence@person"]
    assert "clients/fence" not in rig.state.started
    attempt = rig.now("clients/fence").attempt
    assert attempt is not None
    assert attempt.ended is not None
    assert "done by a person" in rig.refused(m.Settle("clients/fence@person"))
    rig.must(m.Settle("clients/fence@person", "fenced by the data centre", by="ana"))
    now = rig.now("clients/fence")
    assert (now.word, now.how, now.reason, now.by) == (W.PASSED, How.BY_HAND, "fenced by the data centre", "ana")
    assert (now.passed_on, now.touched) == (frozenset({"person"}), frozenset({"person"}))
    assert rig.state.started[-1] == "clients/fence"
    rig.undo("clients")
    assert rig.undone == ["clients/fence@person", "clients/kick@d"]


def test_what_was_skipped_as_not_possible_can_be_undone_when_something_was_sent_before() -> None:
    rig = Rig().through("switch")
    refused = Result("person", ResultKind.NOT_POSSIBLE, sent=False, detail="no")
    rig.ends("clients/fence", Way.FORWARD, bad("person"), refused)
    rig.must(m.Go())
    rig.work()
    rig.must(m.Retry("clients/fence"))
    rig.work()
    assert rig.word("clients/fence") is W.SKIPPED
    rig.undo("clients")
    assert rig.undone[0] == "clients/fence@person"
    assert rig.owed() == []  # it is to be asked anew


def test_held_and_closed_runs_take_nothing_and_send_nothing() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d")))
    rig.must(m.Leave())
    assert acts.due(rig.state) == ()
    assert rig.refused(m.Go()) == "this run is held: resume it first"
    assert rig.refused(m.Leave()) == "this run is held: resume it first"
    rig.refused(m.Ready("sync/hold", Way.FORWARD, ("d",)))
    rig.must(m.Note("called the network people"))
    assert "not newer" in rig.refused(m.Resume("b2", 1))
    rig.must(m.Resume("b2", 2, "ana is ill", "sshd: key tom@laptop", by="tom"))
    assert rig.journal[-1] == e.Resumed(rig.at, "tom", "b2", 2, "ana is ill", "sshd: key tom@laptop")
    assert rig.refused(m.Close(" ")) == "closing a run needs a reason"
    rig.must(m.Close("superseded"))
    assert acts.due(rig.state) == ()
    assert "closed" in rig.refused(m.Resume("b2", 9))
    assert "empty note" in rig.refused(m.Note(""))
    assert ends.outcome(rig.state) is Outcome.CLOSED


def test_a_step_that_runs_keeps_a_run_from_being_closed() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    assert "is running" in rig.refused(m.Close("x"))
    assert "is running" in rig.refused(m.Go())
    assert "is running" in rig.refused(m.Undo())


def test_facts_are_kept_for_later() -> None:
    rig = Rig()
    rig.must(m.Go())
    for act in rig.due():
        rig.do(act)
    rig.must(m.Remember("checks/b", "d", {"offset": "10"}))
    rig.must(m.Remember("checks/b", "d", {"inode": "7"}))
    assert rig.now("checks/b").notes["d"] == {"offset": "10", "inode": "7"}
    done = Result("d", ResultKind.EXITED, sent=True, exit=0, captures={"ca_dir": "/etc"})
    rig.must(m.Ended("checks/b", 1, done))
    assert rig.state.values == {"dr.ca_dir": "/etc"}
    rig.refused(m.Ended("checks/b", 1, done))
    rig.refused(m.Ended("checks/a", 1, Result("zz", ResultKind.EXITED, sent=True, exit=0)))


def test_a_step_of_one_place_in_a_plain_outline() -> None:
    only = step("s/one", "1.1", (DNS, D), undo=UndoKind.NOTHING, stays="a line in a log")
    rig = Rig(Outline("x", "X", (StageOutline("s", "1", "S", (only,)),)))
    rig.stage()
    assert ends.stays_changed(rig.state) == (only,)
    rig.undo()
    assert ends.outcome(rig.state) is Outcome.UNDONE
    assert ends.left_behind(rig.state) == (only,)
    assert ends.not_run(rig.state) == ()


def test_reads_lead_on_to_reads_and_any_stage_to_a_gate_and_nothing_else() -> None:
    look = StageOutline("look", "0", "Look", (step("look/x", "0.1", (D,)),))
    book = failover()
    rig = Rig(replace(book, stages=(look, *book.stages)))
    rig.must(m.Go())
    rig.work()
    assert rig.word("checks/canary") is W.PASSED, "nothing changes between them: there is no pause"
    assert rig.word("sync/hold") is W.PENDING
    rig.must(m.Go())
    rig.work()
    assert rig.word("switch/dns") is W.AWAITING, "a gate is a pause itself"
    assert "forward switch/dns@dns" not in rig.sent
    rig.must(m.LeaveGate("switch/dns"))
    rig.work()
    assert rig.word("switch/dns") is W.PENDING, "left, it stays shut until somebody goes on"
    rig.stage()
    assert rig.word("switch/dns") is W.PASSED
    assert rig.word("clients/kick") is W.PENDING, "after a change the run stands"


def test_step_by_step_nothing_leads_on() -> None:
    rig = Rig().through("checks")
    rig.must(m.SetPace(Pace.STEP))
    for _ in range(4):
        rig.must(m.Go())
        rig.work()
    assert rig.word("switch/dns") is W.PENDING
    rig.must(m.Go())
    rig.work()
    assert rig.word("switch/dns") is W.AWAITING
