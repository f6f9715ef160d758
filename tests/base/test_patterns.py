"""No pattern hangs anybody: matching ends after a moment, and what could take forever is found beforehand."""

from __future__ import annotations

import signal
import threading

import pytest

from handrail.actions import judge
from handrail.actions.port import Said
from handrail.base.patterns import SlowPatternError, explodes, first_match
from handrail.engine.words import Answer, ResultKind
from handrail.runbook.checks import Expect, Outcome, Probe

SLOW = "^(a+)+$"
BAIT = b"a" * 60 + b"!\n"


def test_a_pattern_that_takes_forever_is_ended_and_the_timer_is_put_back() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(SlowPatternError):
        first_match(SLOW, ["fine", BAIT.decode()], seconds=0.05)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
    assert first_match("a(b)", ["x", "ab"]) is not None


def test_outside_the_main_thread_it_still_matches() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(first_match("b", ["ab"]) is not None))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", r"^(\w+\s?)*$", "(.*,)*x", "(ab|ab)*$", "(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_what_takes_forever_is_found(pattern: str) -> None:
    assert explodes(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(\d+\.)*\d+$",
        r'"(?:POST|GET) /puppet/v3/catalog/(?P<node>[^?/ ]+)\?[^"]*" 200',
        r"^serial = ([0-9A-Fa-f]+)\s*$",
        r"(?:[a-z0-9-]+\.)+test",
        r"^\S+$",
        r"^\w+(\s\w+)*$",
        "",
    ],
)
def test_what_does_not_is_left_alone(pattern: str) -> None:
    assert explodes(pattern) == ""


def test_what_cannot_be_told_is_open_never_passed() -> None:
    for wanted in (Expect(match=(SLOW,)), Expect(absent=(SLOW,))):
        (check,) = judge.output_checks(wanted, BAIT)
        assert check.holds is None
        assert "takes too long" in check.seen
    found, missing = judge.captured({"x": "^((a+)+)$"}, BAIT)
    assert found == {}
    assert [check.holds for check in missing] == [None]
    said = Said(ResultKind.EXITED, sent=True, exit=0, stdout=BAIT)
    probe = Probe(run=("true",), done=Outcome(match=(SLOW,)), not_done=Outcome(exit=(1,)))
    assert judge.answer(probe, said) is Answer.DONT_KNOW
