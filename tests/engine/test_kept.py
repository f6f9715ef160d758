"""What the state keeps of answers and words: what a probe said, what was sent before, what a person saw, where a link is back."""

from __future__ import annotations

import dataclasses as fields
from typing import Any

from tests.engine.rig import D, P, Rig, bad, failover, good, lost, step, unreachable

from handrail.engine import due as acts
from handrail.engine import messages as m
from handrail.engine.events import AttemptStarted, RunOpened
from handrail.engine.evolve import fold
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Check, Result
from handrail.engine.state import Told
from handrail.engine.words import Answer, How, ResultKind, StepWord, UndoKind, Verdict, Way


def two(**more: Any) -> Rig:
    """Return a run with one change on both hosts, and a read behind it."""
    change = step("a/mark", "1.1", (P, D), undo=UndoKind.ACTION, probe=True, **more)
    after = StageOutline("b", "2", "Look", (step("b/look", "2.1", (D,)),))
    routes = failover().routes
    return Rig(Outline("two", "Two", (StageOutline("a", "1", "Mark", (change,)), after), routes))


def answered(rig: Rig, name: str, answer: Answer, seen: str = "", way: Way = Way.PROBE) -> None:
    """Ask a step's probe, and have it answered so."""
    rig.must(m.Probe(name))
    rig.must(m.AskEnded(name, way, answer, (), seen))


def captures(host: str, **values: str) -> Result:
    """Return an answer that brings values."""
    return Result(host, ResultKind.EXITED, sent=True, exit=0, captures=values)


def test_values_are_those_that_stand_and_an_undo_brings_the_earlier_ones_back() -> None:
    read, first = step("a/read", "1.1", (P,)), step("b/set", "2.1", (D,), undo=UndoKind.ACTION)
    second, look = step("c/more", "3.1", (D,), undo=UndoKind.ACTION), step("c/look", "3.2", (P,))
    stages = (("a", (read,)), ("b", (first,)), ("c", (second, look)))
    outline = Outline("o", "O", tuple(StageOutline(n, n, n, steps) for n, steps in stages), failover().routes)
    rig = Rig(outline)
    remembered = {"dr.old": "9", "primary.size": "0"}
    opened = rig.journal[0]
    assert isinstance(opened, RunOpened)
    rig.journal[0] = fields.replace(opened, remembered=remembered)
    rig.state = fold(outline, rig.journal)
    assert rig.state.values == remembered
    rig.ends("a/read", Way.FORWARD, captures("p", size="1", name="x"))
    rig.ends("b/set", Way.FORWARD, captures("d", id="7", size="3"))
    rig.ends("c/more", Way.FORWARD, captures("d", id="8"))
    rig.ends("c/look", Way.FORWARD, captures("p", size="2"))
    rig.through("b")
    before = dict(rig.state.values)
    assert before == {"dr.old": "9", "primary.size": "1", "primary.name": "x", "dr.id": "7", "dr.size": "3"}
    rig.stage()
    assert rig.state.values == {**before, "primary.size": "2", "dr.id": "8"}
    rig.must(m.Undo("c"))
    rig.work()
    assert rig.state.values == before
    rig.undo("b")
    assert rig.state.values == {"dr.old": "9", "primary.size": "1", "primary.name": "x"}


# ------------------------------------------------------------------ what a probe says


def test_what_a_probe_said_is_kept_with_when_and_in_its_words() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.stage()
    assert rig.word("sync/hold") is StepWord.UNKNOWN
    answered(rig, "sync/hold", Answer.DONT_KNOW, "the unit is neither")
    now = rig.now("sync/hold")
    assert (now.word, now.asking) == (StepWord.UNKNOWN, None)
    assert now.told == Told(rig.at, Way.PROBE, "don't know", "the unit is neither")
    assert now.detail == "the unit is neither"


def test_a_probe_that_says_nothing_leaves_what_was_known() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.stage()
    before = rig.now("sync/hold").detail
    rig.must(m.Probe("sync/hold"))
    rig.must(m.AskEnded("sync/hold", Way.PROBE, Answer.DONT_KNOW))
    told = rig.now("sync/hold").told
    assert told is not None
    assert (told.answer, told.way) == ("don't know", Way.PROBE)
    assert before


def test_a_check_that_was_asked_again_says_what_did_not_hold() -> None:
    rig = Rig().through("checks")
    wrong = Result(
        "d", ResultKind.EXITED, sent=True, exit=0, checks=(Check("serials agree", holds=False, seen="7, 8"),)
    )
    rig.ends("sync/copy", Way.FORWARD, wrong)
    rig.stage()
    assert rig.word("sync/copy") is StepWord.FAILED
    rig.must(m.CheckAgain("sync/copy"))
    held = (Check("owner", holds=True, seen="ops"), Check("serials agree", holds=False, seen="7, 9"))
    rig.must(m.AskEnded("sync/copy", Way.CHECK, Answer.DONE, held))
    now = rig.now("sync/copy")
    assert (now.word, now.asking, now.detail) == (StepWord.FAILED, None, "serials agree: 7, 9")
    assert now.told == Told(rig.at, Way.CHECK, "failed", "serials agree: 7, 9")


# ------------------------------------------------------------------ an undo's probe when a role is lost


def back_failed_on_d() -> Rig:
    """Return a run whose undo failed on d, passed nowhere, and whose primary is lost then."""
    rig = two()
    rig.stage()
    rig.ends("a/mark", Way.BACK, bad("p"), bad("d"))
    rig.undo()
    assert rig.word("a/mark") is StepWord.UNDO_FAILED
    rig.must(m.Declare("emergency", "it burns"))
    return rig


def test_an_undo_that_is_found_done_is_owed_on_the_role_that_could_not_be_asked() -> None:
    rig = back_failed_on_d()
    answered(rig, "a/mark", Answer.NOT_DONE, "it is not there")
    (owed,) = rig.state.owed
    assert (owed.step, owed.host, owed.way, owed.why) == ("a/mark", "p", "back", "it burns")
    assert rig.word("a/mark") is StepWord.OWED
    assert rig.state.started == ()
    assert rig.state.walk is None


def test_an_undo_that_is_found_undone_everywhere_ends_the_walk() -> None:
    rig = two()
    rig.stage()
    rig.ends("a/mark", Way.BACK, bad("p"), bad("d"))
    rig.undo()
    answered(rig, "a/mark", Answer.NOT_DONE, "it is not there")
    assert (rig.word("a/mark"), rig.state.walk, rig.state.owed) == (StepWord.PENDING, None, ())
    assert rig.now("a/mark").undone
    undone = next(ev for ev in reversed(rig.journal) if type(ev).__name__ == "StepUndone")
    assert (undone.how, undone.reason) == (How.CHECKED, "it is not there")  # type: ignore[attr-defined]


def test_an_undo_whose_change_is_still_there_has_failed() -> None:
    rig = back_failed_on_d()
    answered(rig, "a/mark", Answer.DONE, "it is there")
    assert rig.word("a/mark") is StepWord.UNDO_FAILED
    assert [owed.host for owed in rig.state.owed] == ["p"]


# ------------------------------------------------------------------ what was sent before


def test_what_was_sent_before_is_to_be_undone_whatever_a_later_attempt_met() -> None:
    rig = two()
    rig.ends("a/mark", Way.FORWARD, bad("p"), bad("d"), unreachable("p"), unreachable("d"))
    rig.stage()
    rig.must(m.Retry("a/mark"))
    rig.work()
    assert rig.now("a/mark").touched == {"p", "d"}
    assert rig.state.started == ("a/mark",)


def test_where_nothing_was_ever_sent_nothing_is_to_be_undone() -> None:
    rig = two()
    rig.ends("a/mark", Way.FORWARD, unreachable("p"), bad("d"), unreachable("p"), unreachable("d"))
    rig.stage()
    assert rig.now("a/mark").touched == {"d"}
    rig.must(m.Retry("a/mark"))
    rig.work()
    assert rig.now("a/mark").touched == {"d"}
    rig.undo()
    assert rig.undone == ["a/mark@d"]


def test_what_was_undone_in_between_is_not_undone_twice() -> None:
    """The undo passed on d and failed on p; done again instead, d was not reached: only p is left to be undone."""
    rig = two()
    rig.stage()
    rig.ends("a/mark", Way.BACK, bad("p"))
    rig.undo()
    rig.ends("a/mark", Way.FORWARD, bad("p"), unreachable("d"))
    rig.must(m.GoForward("a/mark"))
    rig.work()
    assert rig.now("a/mark").touched == {"p"}
    assert rig.word("a/mark") is StepWord.FAILED


def test_an_attempt_without_an_answer_counts_as_sent() -> None:
    """A console died before d answered: when it was asked again and could not be reached, it may still have run there."""
    rig = two()
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.crash()
    rig.ends("a/mark", Way.FORWARD, unreachable("p"), lost("d"))
    rig.work()
    assert rig.now("a/mark").touched == {"d"}
    assert rig.word("a/mark") is StepWord.UNKNOWN


# ------------------------------------------------------------------ a person's word, a link, a job asked again


def test_a_persons_word_is_kept_and_what_they_did_is_undone_like_the_rest() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, bad("d", sent=False))
    rig.stage()
    rig.must(m.Resolve("sync/hold", Verdict.PASSED, "I stopped it", evidence="inactive", by="ann"))
    now = rig.now("sync/hold")
    assert (now.word, now.how) == (StepWord.PASSED, How.BY_HAND)
    assert (now.reason, now.by, now.detail) == ("I stopped it", "ann", "inactive")
    assert now.passed_on == {"d"}
    assert now.touched == {"d"}
    assert rig.state.started[-1] == "sync/hold"


def test_a_persons_word_that_it_was_not_done_fails_it() -> None:
    rig = Rig().through("checks")
    rig.ends("sync/hold", Way.FORWARD, lost("d"))
    rig.stage()
    rig.must(m.Resolve("sync/hold", Verdict.FAILED, "nothing happened", by="ann"))
    now = rig.now("sync/hold")
    assert (now.word, now.how, now.reason, now.by) == (StepWord.FAILED, How.NONE, "nothing happened", "ann")
    assert now.passed_on == frozenset()


def test_a_persons_word_on_a_read_leaves_nothing_to_undo() -> None:
    rig = Rig()
    rig.ends("checks/b", Way.FORWARD, bad("d"))
    rig.stage()
    rig.must(m.Resolve("checks/b", Verdict.PASSED, "I looked", evidence="seen"))
    assert rig.now("checks/b").touched == frozenset()
    assert rig.state.started == ()


def test_a_link_that_is_back_is_no_news_of_the_others() -> None:
    rig = two()
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.LinkNews("a/mark", "p", up=False, why="cut"))
    since = rig.at
    rig.must(m.LinkNews("a/mark", "d", up=False, why="cut"))
    assert dict(rig.now("a/mark").no_link) == {"p": since, "d": rig.at}
    rig.must(m.LinkNews("a/mark", "d", up=True))
    assert dict(rig.now("a/mark").no_link) == {"p": since}


def test_only_the_attempt_that_is_unknown_is_asked_again() -> None:
    rig = two()
    rig.ends("a/mark", Way.FORWARD, bad("p"), bad("d"), good(acts.Perform("a/mark", Way.FORWARD, 2), "p"), lost("d"))
    rig.stage()
    rig.must(m.Retry("a/mark"))
    rig.work()
    assert rig.word("a/mark") is StepWord.UNKNOWN
    rig.must(m.Reattach("a/mark"))
    first, second = rig.now("a/mark").attempts
    assert (first.attach, first.missing, first.ended is not None) == (False, (), True)
    assert (second.attach, second.missing, second.ended, second.verdict) == (True, ("d",), None, None)


def test_what_is_sent_is_journalled_with_its_number() -> None:
    rig = two()
    rig.ends("a/mark", Way.FORWARD, bad("p"), bad("d"))
    rig.stage()
    rig.must(m.Retry("a/mark"))
    rig.work()
    numbers = [event.attempt for event in rig.journal if isinstance(event, AttemptStarted)]
    assert numbers == [1, 2]
