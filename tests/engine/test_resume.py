"""Resume: a fold, then reads only. What was in flight is asked about, and no leave to go on outlives a console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import pytest
from tests.engine.rig import BACK, TOKEN, Rig, bad, lost

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.codec import decode_event, encode_event
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve, fold
from handrail.engine.offers import offers
from handrail.engine.results import Question, Result
from handrail.engine.state import State
from handrail.engine.words import Answer, Outcome, ResultKind, StepWord, Verdict, Way

W = StepWord


def plain() -> Rig:
    """Walk a whole run."""
    return Rig().through("sign")


def there_and_back() -> Rig:
    """Fail, retry, go on, and walk back over a failed undo."""
    rig = Rig().through("checks")
    rig.ends("sync/mask", Way.FORWARD, bad("p"), lost("p"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Retry("sync/mask"))
    rig.work()
    rig.must(m.Probe("sync/mask"))
    rig.must(m.AskEnded("sync/mask", Way.PROBE, Answer.DONE))
    rig.work()
    rig.stage()
    rig.ends("sync/copy", Way.BACK, bad("d"))
    rig.undo("sync", BACK)
    rig.must(m.Retry("sync/copy"))
    rig.work()
    return rig


def dark() -> Rig:
    """Lose the primary in the middle, go on, and settle what is owed."""
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "sync/copy")
    rig.must(m.LinkNews("sync/copy", "p", up=False))
    rig.must(m.Declare("emergency", "dark"))
    for _ in range(4):
        rig.stage()
    rig.must(m.Settle("sync/mask@p"))
    rig.work()
    rig.must(m.Leave("done for tonight"))
    return rig


WAYS_ON = {"go", "retry", "probe", "by-hand", "owe", "undo", "settle", "forward-again"}
STORIES = [plain, there_and_back, dark]


def withdrawn(state: State) -> State:
    """Take back, by ordinary means, every leave to go on that a living console holds."""
    gate = order.awaiting(state)
    if gate:
        state = evolve(state, e.GateLeft(state.at, gate.id))
    if state.walk:
        # an undo that was under way is the one thing that is proposed again
        state = replace(evolve(state, e.WalkEnded(state.at, reached=False)), left_walk=state.walk.to)
    state = evolve(state, e.Paused(state.at))
    steps = {
        k: replace(now, again=None, asking=None, question=None, stopping=False, no_link={})
        for k, now in state.steps.items()
    }
    return replace(state, steps=steps, held=False)


def told(state: State, message: m.Message) -> State:
    """Return the state after a message that must be taken."""
    said = decide(state, message)
    assert not isinstance(said, m.Refused), said
    return reduce(evolve, said, state)


def allowed(state: State) -> set[tuple[str, str]]:
    """Return what is offered, granted or not."""
    return {(o.verb, o.why or repr(replace(o.intent, at=0.0))) for o in offers(state)}


@pytest.mark.parametrize("story", STORIES)
def test_for_every_prefix_resume_allows_what_a_console_that_never_died_allows(story: Callable[[], Rig]) -> None:
    rig = story()
    state = fold(rig.outline, [])
    for at, event in enumerate(rig.journal, 1):
        state = evolve(state, event)
        if at not in rig.marks:
            continue
        again = told(state, m.Resume("b2", state.epoch + 1, by="tom", at=state.at))
        assert not [a for a in acts.due(again) if isinstance(a, (acts.Prepare, acts.WatchGate, acts.Ask))]
        for step in again.recall:
            again = evolve(again, e.Reverified(again.at, step, holds=True))
        assert not [a for a in acts.due(again) if isinstance(a, (acts.Prepare, acts.WatchGate, acts.Ask))]
        assert allowed(again) == allowed(withdrawn(state)), event


@pytest.mark.parametrize("story", STORIES)
def test_the_journal_is_the_state(story: Callable[[], Rig]) -> None:
    rig = story()
    read = [decode_event(*encode_event(event)) for event in rig.journal]
    assert read == rig.journal
    assert fold(rig.outline, rig.journal) == rig.state


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_after_every_event_ends_with_nothing_sent_twice(story: Callable[[], Rig]) -> None:
    journal = story().journal
    for cut in range(1, len(journal)):
        rig = Rig(journal=[])
        rig.state = fold(rig.outline, [])
        rig.journal.clear()
        rig.take(*journal[:cut])
        rig.at = rig.state.at
        if rig.state.closed:
            continue
        started = sum(isinstance(x, e.AttemptStarted) for x in journal[:cut])
        in_flight = [s.id for s, now in rig.state.walked() if now.word in order.BUSY]
        rig.crash()
        rig.work()
        assert sum(isinstance(x, e.AttemptStarted) for x in rig.journal) == started
        assert not order.busy(rig.state), in_flight
        assert (
            any(o.granted and o.verb in WAYS_ON for o in offers(rig.state)) or ends.outcome(rig.state) is Outcome.DONE
        )
        if rig.state.lost and "sync/mask" in rig.state.started:
            assert "sync/mask@p" in rig.owed(), "a decision cut off in the middle is decided to its end"


def test_what_is_in_flight_is_re_attached_and_the_run_stands_after_it() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.StopStep("sync/hold"))
    rig.crash()
    attempt = rig.now("sync/hold").attempt
    assert attempt is not None
    assert attempt.attach
    rig.must(m.StopStep("sync/hold"))  # it can be asked again
    assert rig.due() == (acts.TakeClaim(2),), "what may go on changing things needs the claim of this epoch"
    rig.must(m.ClaimNews(("d",), without=("p",)))
    assert rig.due() == (acts.Perform("sync/hold", Way.FORWARD, 1),)
    rig.work()
    assert (rig.word("sync/hold"), rig.word("sync/mask")) == (W.PASSED, W.PENDING)


def test_of_what_is_in_flight_every_attempt_stays_and_nothing_of_the_lost_console() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, bad("d"))
    rig.stage()
    rig.must(m.Retry("sync/hold"))
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Asks("sync/hold", Question("which?", "3")))
    rig.must(m.LinkNews("sync/hold", "d", up=False, why="no answer"))
    rig.must(m.StopStep("sync/hold"))
    assert (rig.now("sync/hold").stopping, list(rig.now("sync/hold").no_link)) == (True, ["d"])
    rig.crash()
    now = rig.now("sync/hold")
    assert [(a.number, a.attach) for a in now.attempts] == [(1, False), (2, True)]
    assert (now.question, now.stopping, now.no_link) == (None, False, {})


def test_a_claim_broken_meanwhile_leaves_what_was_in_flight_unknown() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.crash()
    rig.must(m.ClaimNews(holder="bob"))
    assert rig.word("sync/hold") is W.UNKNOWN
    assert "claimed by bob" in rig.now("sync/hold").detail


def test_an_undo_in_flight_goes_on_but_not_the_walk() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.crash()
    rig.work()
    assert rig.undone == ["sync/copy@d"]
    assert rig.word("sync/mask") is W.PASSED
    rig.undo()
    assert rig.undone == ["sync/copy@d", "sync/mask@p", "sync/hold@d"]


def test_a_word_typed_at_a_gate_does_not_outlive_the_console() -> None:
    rig = Rig().through("sync")
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
    rig.must(m.Confirm("switch/dns", TOKEN))
    rig.crash()
    rig.work()
    assert rig.word("switch/dns") is W.PENDING
    assert "forward switch/dns@dns" not in rig.sent


def test_what_is_being_settled_is_asked_about_not_done_twice() -> None:
    rig = Rig().through("sync")
    rig.must(m.Declare("emergency", "dark"))
    rig.must(m.Settle("sync/mask@p"))
    rig.crash()
    rig.work(until=lambda act: isinstance(act, acts.DoOwed))
    assert rig.due() == (acts.DoOwed("sync/mask@p", 1, attach=True),)
    rig.must(m.LeaveUndo())
    rig.must(m.Settle("sync/mask@p"))
    assert rig.due() == (acts.DoOwed("sync/mask@p", 2),)


def test_the_verifies_of_what_passed_are_asked_again_and_shown_before_anything_goes_on() -> None:
    rig = Rig().through("sync")
    rig.crash()
    assert rig.due() == (acts.Recall("sync/copy"),)
    assert "still asking" in rig.refused(m.Go())
    rig.must(m.Recalled("sync/copy", holds=False, seen="serial 7, not 8"))
    assert rig.refused(m.Recalled("sync/copy", holds=True)).startswith("too late")
    assert rig.now("sync/copy").differs == "serial 7, not 8"
    rig.must(m.Go())


def test_on_the_emergency_route_only_what_it_needs_is_recalled() -> None:
    rig = Rig().through("sync")
    rig.crash()
    rig.must(m.Declare("emergency", "dark"))
    assert rig.state.recall == ()
    rig.crash()
    assert rig.state.recall == ()


def test_results_that_arrive_while_nobody_drives_are_kept() -> None:
    rig = Rig().through("checks")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Leave())
    rig.must(m.Ended("sync/hold", 1, Result("d", ResultKind.EXITED, sent=True, exit=0)))
    assert rig.word("sync/hold") is W.PASSED
    assert acts.due(rig.state) == ()
    rig.crash()
    rig.work()
    assert rig.word("sync/mask") is W.PENDING


def test_a_word_given_before_the_crash_is_kept() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Resolve("sync/hold", Verdict.PASSED, "seen", "is-active: inactive"))
    rig.crash()
    assert rig.word("sync/hold") is W.PASSED
    assert rig.state.started == ("sync/hold",)


def test_an_interrupted_undo_is_proposed_again_and_forgotten_by_going_forward() -> None:
    rig = there_and_back()
    at = next(n for n, event in enumerate(rig.journal, 1) if isinstance(event, e.StepUndone))
    state = fold(rig.outline, rig.journal[:at])
    left = state.walk
    assert left is not None
    assert left.steps
    state = told(state, m.Resume("b2", state.epoch + 1, by="tom", at=state.at))
    for step in state.recall:
        state = evolve(state, e.Reverified(state.at, step, holds=True))
    proposed = [o for o in offers(state) if o.proposed]
    assert [o.verb for o in proposed] == ["undo"]
    assert proposed[0].intent == m.Undo(left.to)
    assert order.interrupted(state) == left.to
    values = order.put_back(state, order.to_undo(state, left.to))
    assert order.interrupted(told(state, m.Undo(left.to, values, at=state.at))) is None
    assert order.interrupted(told(state, m.Go(at=state.at))) is None


def test_a_value_captured_behind_an_undo_is_known_no_more() -> None:
    rig = there_and_back()
    for at in range(1, len(rig.journal) + 1):
        state = fold(rig.outline, rig.journal[:at])
        if isinstance(rig.journal[at - 1], e.StepUndone):
            passed = {
                k
                for _, now in state.walked()
                if now.how
                for a in now.attempts
                for r in a.results.values()
                for k in r.captures
            }
            assert {name.partition(".")[2] for name in state.values} <= passed
