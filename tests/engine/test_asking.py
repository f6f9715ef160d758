"""What a probe or a check answers, what it makes of a step, and what is kept of it to be shown."""

from __future__ import annotations

import pytest
from tests.engine.rig import D, P, Rig, bad, lost, step

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Check, Owed, Result
from handrail.engine.state import Told
from handrail.engine.words import Answer, How, ResultKind, StepWord, UndoKind, Verdict, Way

W = StepWord
COPY = "sync/copy"
HOLDS, FAILS, SILENT = (
    Check("one CA", True, "yes"),
    Check("its size", False, "7, not 8"),
    Check("its serial", None, "?"),
)
YES, NO, DUNNO = Answer.DONE, Answer.NOT_DONE, Answer.DONT_KNOW


def standing(word: StepWord, result: Result | None = None) -> Rig:
    """Return a run that stands at the copy, which has a probe and a verify."""
    rig = Rig().through("checks")
    rig.ends(COPY, Way.FORWARD, result or (lost("d") if word is W.UNKNOWN else bad("d")))
    rig.must(m.Go())
    rig.work()
    assert rig.word(COPY) is word
    return rig


def ended(rig: Rig, way: Way, made: Verdict, words: str) -> e.AttemptEnded:
    return e.AttemptEnded(rig.at, COPY, 0, way, made, How.CHECKED, words)


@pytest.mark.parametrize(
    ("stands", "answer", "checks", "word"),
    [
        (W.UNKNOWN, YES, (HOLDS,), W.PASSED),
        (W.UNKNOWN, YES, (HOLDS, FAILS), W.FAILED),
        (W.UNKNOWN, YES, (SILENT, FAILS), W.FAILED),
        (W.UNKNOWN, YES, (HOLDS, SILENT), W.UNKNOWN),
        (W.UNKNOWN, YES, (), W.UNKNOWN),
        (W.UNKNOWN, NO, (HOLDS,), W.FAILED),
        (W.UNKNOWN, DUNNO, (HOLDS,), W.UNKNOWN),
        (W.FAILED, YES, (HOLDS,), W.PASSED),
        (W.FAILED, YES, (HOLDS, SILENT), W.FAILED),
        (W.FAILED, YES, (), W.FAILED),
        (W.FAILED, NO, (), W.FAILED),
        (W.FAILED, DUNNO, (HOLDS,), W.FAILED),
    ],
)
def test_what_a_probe_makes_of_a_step(
    stands: StepWord, answer: Answer, checks: tuple[Check, ...], word: StepWord
) -> None:
    rig = standing(stands)
    attempts = rig.now(COPY).attempts
    rig.must(m.Probe(COPY))
    assert rig.now(COPY).asking is Way.PROBE
    before = len(rig.journal)
    rig.must(m.AskEnded(COPY, Way.PROBE, answer, checks, "12 files"))
    made = {W.PASSED: Verdict.PASSED, W.FAILED: Verdict.FAILED, W.UNKNOWN: Verdict.UNKNOWN}[word]
    asked = [e.Probed(rig.at, COPY, answer, "12 files"), ended(rig, Way.PROBE, made, "12 files")]
    assert rig.journal[before:] == asked
    now = rig.now(COPY)
    assert (now.word, now.asking, now.detail) == (word, None, "12 files")
    assert now.told == Told(rig.at, Way.PROBE, answer.value, "12 files")
    assert now.how is (How.CHECKED if word is W.PASSED else How.NONE)
    assert now.attempts == attempts, "an asking is no attempt"
    assert COPY in rig.state.started, "what was sent is to be undone, whatever a probe says"


def test_what_does_not_hold_is_said_where_the_probe_says_nothing() -> None:
    rig = standing(W.UNKNOWN)
    rig.must(m.Probe(COPY))
    rig.must(m.AskEnded(COPY, Way.PROBE, YES, (HOLDS, FAILS, SILENT)))
    assert rig.now(COPY).detail == "its size: 7, not 8; its serial: ?"
    assert rig.now(COPY).told == Told(rig.at, Way.PROBE, "done", "its size: 7, not 8; its serial: ?")


def test_a_probe_is_its_own_witness_of_what_the_run_left_open() -> None:
    rig = standing(W.FAILED, Result("d", ResultKind.EXITED, sent=True, exit=0, checks=(FAILS,)))
    rig.must(m.Probe(COPY))
    rig.must(m.AskEnded(COPY, Way.PROBE, YES, (HOLDS,)))
    assert (rig.word(COPY), rig.now(COPY).detail) == (W.PASSED, "")
    assert rig.now(COPY).passed_on == {"d"}


def test_a_check_is_no_probe_and_judges_only_what_it_asked() -> None:
    rig = standing(W.FAILED, Result("d", ResultKind.EXITED, sent=True, exit=0, checks=(FAILS,)))
    rig.must(m.CheckAgain(COPY))
    assert rig.refused(m.AskEnded(COPY, Way.PROBE, YES, (HOLDS,))).startswith("too late")
    before = len(rig.journal)
    rig.must(m.AskEnded(COPY, Way.CHECK, YES, (HOLDS,)))
    words = "its size did not hold when the step ran: retry it"
    assert rig.journal[before:] == [ended(rig, Way.CHECK, Verdict.FAILED, words)]
    assert rig.now(COPY).told == Told(rig.at, Way.CHECK, "failed", words)
    rig.must(m.CheckAgain(COPY))
    rig.must(m.AskEnded(COPY, Way.CHECK, DUNNO, (Check("its size", True, "8"),), "8"))
    assert (rig.word(COPY), rig.now(COPY).how) == (W.PASSED, How.CHECKED)


def test_what_is_asked_once_more_is_told_with_its_own_time() -> None:
    rig = standing(W.UNKNOWN)
    rig.must(m.Probe(COPY))
    rig.must(m.AskEnded(COPY, Way.PROBE, DUNNO, (), "no answer yet"))
    first = rig.now(COPY).told
    rig.must(m.Probe(COPY))
    rig.must(m.AskEnded(COPY, Way.PROBE, YES, (HOLDS,), "12 files"))
    assert first is not None
    assert rig.now(COPY).told == Told(rig.at, Way.PROBE, "done", "12 files") != first


def both() -> Outline:
    """Return a runbook of one change on both servers; an emergency does without the primary."""
    steps = (step("two/both", "1.1", (P, D), undo=UndoKind.ACTION, probe=True),)
    lost_roles = {"planned": frozenset[str](), "emergency": frozenset({"primary"})}
    return Outline("two", "Two", (StageOutline("two", "1", "Two", steps),), lost_roles)


def undo_unknown(rig: Rig) -> Rig:
    """Let the undo of `both` end on one host and be lost on the other."""
    rig.stage()
    rig.ends("two/both", Way.BACK, bad("p"), lost("d"))
    rig.undo()
    assert rig.word("two/both") is W.UNDO_UNKNOWN
    return rig


def test_a_change_that_a_probe_does_not_find_is_undone_and_the_walk_ends() -> None:
    rig = undo_unknown(Rig(both()))
    rig.must(m.Probe("two/both"))
    before = len(rig.journal)
    rig.must(m.AskEnded("two/both", Way.PROBE, NO, (), "not there"))
    assert rig.journal[before:] == [
        e.Probed(rig.at, "two/both", NO, "not there"),
        e.StepUndone(rig.at, "two/both", How.CHECKED, "not there"),
        e.WalkEnded(rig.at, reached=True),
    ]
    assert (rig.word("two/both"), rig.state.started, rig.owed()) == (W.PENDING, (), [])


def test_a_probe_speaks_for_no_host_that_is_lost() -> None:
    rig = undo_unknown(Rig(both()))
    rig.must(m.Declare("emergency", "site A is dark"))
    rig.must(m.Probe("two/both"))
    before = len(rig.journal)
    rig.must(m.AskEnded("two/both", Way.PROBE, NO, (), "not there"))
    owed = Owed("two/both@p", "two/both", "p", "undo 1.1 both on p", "its host is lost", rig.at, "back", "r1")
    assert rig.journal[before:] == [
        e.Probed(rig.at, "two/both", NO, "not there"),
        e.BecameOwed(rig.at, owed),
        e.UndoSetAside(rig.at, "two/both"),
    ]
    assert (rig.word("two/both"), rig.owed()) == (W.OWED, ["two/both@p"])


@pytest.mark.parametrize(("answer", "word"), [(YES, W.UNDO_FAILED), (DUNNO, W.UNDO_UNKNOWN)])
def test_a_change_that_is_still_there_is_not_undone(answer: Answer, word: StepWord) -> None:
    rig = undo_unknown(Rig(both()))
    rig.must(m.Probe("two/both"))
    rig.must(m.AskEnded("two/both", Way.PROBE, answer, (), "seen"))
    assert (rig.word("two/both"), rig.state.started) == (word, ("two/both",))
