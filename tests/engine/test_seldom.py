"""What seldom happens: steps without hosts, undos that were set aside and are done again, owed things of others, odd refusals."""

from __future__ import annotations

import pytest
from tests.engine.rig import BACK, D, P, Rig, bad, lost, step, unreachable
from tests.engine.test_asking import FAILS, HOLDS, both, undo_unknown

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.foretold import Foretold, foretold
from handrail.engine.outline import GuardOutline, Outline, Place, StageOutline, StepOutline
from handrail.engine.results import Owed, Result
from handrail.engine.words import Answer, How, Remarks, ResultKind, StepWord, UndoKind, Verdict, Way

W = StepWord
DARK, LIGHT = m.Declare("emergency", "site A is dark"), m.Declare("planned", "site A is back")
ONE = "one/x"


def one(places: tuple[Place, ...] = (P,), *guards: GuardOutline, **more: object) -> Rig:
    """Return a run of one step; an emergency does without the primary."""
    only: StepOutline = step(ONE, "1.1", places, **more)
    routes = {"planned": frozenset[str](), "emergency": frozenset({"primary"})}
    return Rig(Outline("one", "One", (StageOutline("one", "1", "One", (only,)),), routes, guards))


def set_aside(rig: Rig, name: str) -> Rig:
    """Let an undo be owed on the lost primary, and call the emergency off."""
    rig.must(DARK)
    rig.undo(*(("", BACK) if name == "sync/mask" and rig.word("switch/dns") is W.PASSED else ()))
    assert rig.word(name) is W.OWED
    rig.must(LIGHT)
    return rig


def test_an_undo_that_a_person_cannot_do_is_owed_and_the_walk_goes_on() -> None:
    rig = Rig().through("clients")
    no = Result("person", ResultKind.NOT_POSSIBLE, sent=False, detail="nobody is there")
    rig.ends("clients/fence", Way.BACK, no)
    rig.undo("", BACK)
    assert (rig.word("clients/fence"), rig.owed()) == (W.OWED, ["clients/fence@person"])
    assert rig.undone[-1] == "sync/hold@d"


def test_what_passed_where_it_was_sent_has_not_passed_where_another_route_needs_it() -> None:
    rig = Rig(both())
    rig.must(DARK)
    rig.ends("two/both", Way.FORWARD, lost("d"))
    rig.stage()
    assert rig.word("two/both") is W.UNKNOWN
    rig.must(LIGHT)
    rig.must(m.Reattach("two/both"))
    rig.must(m.Ended("two/both", 1, Result("d", ResultKind.EXITED, sent=True, exit=0)))
    words = "it passed where it was sent; this route needs it on more hosts: retry it there"
    assert (rig.word("two/both"), rig.now("two/both").detail) == (W.FAILED, words)


def test_an_owed_step_at_its_gate_is_not_settled_meanwhile() -> None:
    rig = one(undo=UndoKind.ACTION, confirm=True)
    rig.stage()
    set_aside(rig, ONE)
    rig.must(m.GoForward(ONE))
    rig.work()
    assert rig.word(ONE) is W.AWAITING
    assert "waits for its word" in rig.refused(m.Settle(f"{ONE}@p", "scrapped"))
    rig.must(m.Confirm(ONE, "sign"))
    rig.must(m.NotReady(ONE, Way.FORWARD, "its key is gone"))
    assert (rig.word(ONE), rig.owed()) == (W.OWED, [f"{ONE}@p"]), "it could not be done again: it stays owed"


def test_an_owed_step_that_cannot_be_sent_again_stays_owed() -> None:
    rig = one(undo=UndoKind.ACTION)
    rig.stage()
    set_aside(rig, ONE)
    rig.must(m.GoForward(ONE))
    rig.must(m.NotReady(ONE, Way.FORWARD, "its key is gone"))
    assert (rig.word(ONE), rig.owed()) == (W.OWED, [f"{ONE}@p"])
    last = rig.journal[-1]
    assert isinstance(last, e.AttemptEnded)
    assert (last.attempt, last.detail) == (0, "nothing was sent: its key is gone")


def test_an_owed_step_that_has_passed_where_it_is_needed_is_to_be_undone_again() -> None:
    rig = one(undo=UndoKind.ACTION)
    rig.stage()
    set_aside(rig, ONE)
    assert not rig.state.started
    rig.must(m.GoForward(ONE))
    rig.work()
    assert (rig.word(ONE), [*rig.state.started], rig.owed()) == (W.PASSED, [ONE], [])


def test_what_a_run_before_owes_of_a_step_that_is_not_here_is_settled_by_a_word_only() -> None:
    rig = one(undo=UndoKind.ACTION)
    strange = Owed("z/z@p", "z/z", "p", "undo z on p", "its host is lost", 1.0, "back", "r0")
    own = Owed("mine", ONE, "p", "undo x on p", "its host is lost", 1.0, "back", "r1")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p",), inherited=(strange, own)))
    assert rig.owed() == ["r0/z/z@p"], "a claim of this very run has nothing to say of it"
    rig.work()
    assert "belongs to another run: do it, then settle it by a word" in rig.refused(m.Settle("r0/z/z@p"))
    assert "nothing of the name" in rig.refused(m.Settle("mine"))
    was = rig.state
    rig.take(e.Settled(rig.at, "mine", How.BY_HAND))
    assert rig.state.owed == was.owed


def test_a_step_of_the_past_is_not_asked_while_another_is_sent() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "sync/copy")
    rig.must(m.LinkNews("sync/copy", "p", up=False))
    rig.must(DARK)
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    assert rig.refused(m.Probe("sync/copy")) == "2.4 reload is running"


def undo_of_the_mask_failed() -> Rig:
    """Return a run whose mask could not be undone; without the primary, the copy was made again behind it."""
    rig = Rig().through("sync")
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.undo()
    assert rig.word("sync/mask") is W.UNDO_FAILED
    rig.must(m.LeaveUndo())
    return rig


def test_an_undo_is_asked_for_again_only_where_the_way_back_stands() -> None:
    rig = undo_of_the_mask_failed()
    rig.must(m.Undo())
    rig.ends("sync/mask", Way.BACK, bad("p"))
    rig.work()
    assert rig.word("sync/mask") is W.UNDO_FAILED
    rig.must(m.Retry("sync/mask"))
    rig.work()
    assert rig.undone[-2:] == ["sync/mask@p", "sync/hold@d"]


def test_what_is_done_again_waits_for_what_stands_before_it() -> None:
    rig = set_aside(Rig().through("sync"), "sync/mask")
    assert rig.word("sync/hold") is W.PENDING
    assert rig.refused(m.GoForward("sync/mask")) == "2.2 mask waits for 1.1 a"


@pytest.mark.parametrize(("answer", "word"), [(Answer.DONT_KNOW, W.UNDO_FAILED), (Answer.DONE, W.UNDO_FAILED)])
def test_a_probe_that_cannot_say_leaves_a_failed_undo_as_it_was(answer: Answer, word: StepWord) -> None:
    rig = Rig(both())
    rig.stage()
    rig.ends("two/both", Way.BACK, bad("p"), bad("d"))
    rig.undo()
    rig.must(m.Probe("two/both"))
    rig.must(m.AskEnded("two/both", Way.PROBE, answer, (), "no answer"))
    assert (rig.word("two/both"), rig.now("two/both").detail) == (word, "no answer")


def test_a_read_is_not_checked_but_done_again() -> None:
    rig = one((D,), verify=True)
    rig.ends(ONE, Way.FORWARD, Result("d", ResultKind.EXITED, sent=False, exit=0, checks=(HOLDS, FAILS)))
    rig.stage()
    assert rig.word(ONE) is W.FAILED
    assert "only reads: retry it" in rig.refused(m.CheckAgain(ONE))


def test_a_remark_is_kept_as_it_was_made() -> None:
    rig = one()
    rig.must(m.Remark(Remarks.HINT, "look first", ONE, "begin"))
    assert rig.state.remarks == (e.Remarked(rig.at, Remarks.HINT, "look first", ONE, "ana", "begin"),)


def test_what_was_foretold_stands_in_the_order_of_the_steps_and_of_two_words_the_last() -> None:
    rig = Rig()
    said = (
        ("sync/mask", Remarks.PREDICTED, "a link"),
        ("sync/hold", Remarks.PREDICTED, "something"),
        ("sync/hold", Remarks.PREDICTED, "nothing"),
        ("sync/hold", Remarks.PREDICTED_UNDO, "start"),
        ("sync/hold", Remarks.JUDGED, "came so"),
        ("sync/copy", Remarks.JUDGED, "nobody foretold it"),
        ("checks/a", Remarks.HINT, "look first"),
    )
    for at, kind, text in said:
        rig.must(m.Remark(kind, text, at))
    mask, hold = Foretold("sync/mask", "a link"), Foretold("sync/hold", "nothing", "start", "came so")
    assert foretold(rig.state) == (hold, mask)


@pytest.mark.parametrize("after", ["", "no/such"])
def test_a_guard_that_follows_nothing_watches_from_the_start(after: str) -> None:
    guard = GuardOutline("alarm", "The alarm rings", after, "forward", "Wait.")
    rig = one((P,), guard)
    assert order.watched(rig.state, guard)


def test_nothing_that_never_reached_a_host_is_set_aside() -> None:
    rig = Rig(both())
    rig.ends("two/both", Way.FORWARD, unreachable("p"), unreachable("d"))
    rig.must(m.Go())
    rig.work()
    assert "nothing" in rig.refused(m.Undo())


def test_an_unknown_undo_is_not_sent_again_blindly() -> None:
    rig = undo_unknown(Rig(both()))
    assert "UNKNOWN: ask the host, or say what is true" in rig.refused(m.Retry("two/both"))


def test_no_undo_begins_while_an_instructor_has_it_stand_still() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    (prepare,) = (act for act in rig.due() if isinstance(act, acts.Prepare))
    rig.must(m.Halt("ann", "what comes next?"))
    assert rig.refused(m.Ready(prepare.step, Way.BACK, prepare.hosts)).startswith("too late")
    rig.must(m.EndHalt("ann"))
    rig.must(m.Ready(prepare.step, Way.BACK, prepare.hosts))


def done_again_behind_a_failed_undo() -> Rig:
    """Return a run in which the later of two changes was done again, while the undo of the first one stands failed."""
    first, later = step("one/x", "1.1", (P,), undo=UndoKind.ACTION), step("two/y", "2.1", (D,), undo=UndoKind.ACTION)
    stages = (StageOutline("one", "1", "One", (first,)), StageOutline("two", "2", "Two", (later,)))
    rig = Rig(Outline("two", "Two", stages, {"planned": frozenset(), "emergency": frozenset({"primary"})}))
    rig.through("two")
    rig.ends("two/y", Way.BACK, bad("d"))
    rig.ends("one/x", Way.BACK, bad("p"))
    rig.undo()
    rig.must(m.Owe("two/y", "its disk is full"))
    rig.work()
    assert (rig.word("one/x"), rig.word("two/y")) == (W.UNDO_FAILED, W.OWED)
    rig.must(DARK)
    rig.must(m.GoForward("two/y"))
    rig.work()
    assert (rig.word("two/y"), rig.state.started) == (W.PASSED, ("one/x", "two/y"))
    return rig


def test_a_failed_undo_is_not_sent_again_before_what_was_started_later_is_undone() -> None:
    rig = done_again_behind_a_failed_undo()
    assert rig.refused(m.Retry("one/x")) == "2.1 y was started later: undo walks strictly backwards"
    rig.must(LIGHT)
    rig.ends("two/y", Way.BACK, bad("d"))
    rig.undo("two")
    assert rig.refused(m.Retry("one/x")) == "2.1 y is undone first"
    rig.must(m.Retry("two/y"))
    rig.work()
    rig.must(m.Retry("one/x"))
    rig.work()
    assert (rig.undone[-2:], rig.state.started) == (["two/y@d", "one/x@p"], ())


def test_an_outcome_that_no_host_was_asked_for_has_no_job_to_ask_about() -> None:
    rig = one(undo=UndoKind.ACTION)
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.take(
        e.AttemptEnded(rig.at, ONE, 1, Way.FORWARD, Verdict.UNKNOWN)
    )  # no engine of today ends one so; a journal may
    assert rig.word(ONE) is W.UNKNOWN
    assert rig.refused(m.Reattach(ONE)) == "1.1 x left no job that could be asked: probe it, or say what is true"
    rig.must(m.Resolve(ONE, Verdict.FAILED, "I looked"))


def test_an_undo_that_is_ready_too_late_is_not_sent() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    (prepare,) = (act for act in rig.due() if isinstance(act, acts.Prepare))
    ready = m.Ready(prepare.step, Way.BACK, prepare.hosts)
    rig.must(m.Leave())
    assert rig.refused(ready).startswith("too late")
    assert rig.undone == []
