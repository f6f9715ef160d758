"""Verdicts: what every kind of answer means, and what is typed against what had to be typed."""

from __future__ import annotations

import pytest

from handrail.engine.results import Check, Result, did_its_part, together, verdict
from handrail.engine.typed import first_wrong, same_value
from handrail.engine.words import ResultKind as R
from handrail.engine.words import Verdict

V = Verdict
HOLDS, FAILS, SILENT = Check("c", True), Check("c", False, "no"), Check("c", None)


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        (Result("h", R.EXITED, sent=True, exit=0), V.PASSED),
        (Result("h", R.EXITED, sent=True, exit=1), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=None), V.UNKNOWN),
        (Result("h", R.EXITED, sent=True, exit=2, expected=(0, 2)), V.PASSED),
        (Result("h", R.EXITED, sent=True, exit=0, expected=(2,)), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=0, expected=()), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=-1), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=0, checks=(HOLDS, HOLDS)), V.PASSED),
        (Result("h", R.EXITED, sent=True, exit=0, checks=(HOLDS, FAILS)), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=0, checks=(SILENT, FAILS)), V.FAILED),
        (Result("h", R.EXITED, sent=True, exit=0, checks=(HOLDS, SILENT)), V.UNKNOWN),
        (Result("h", R.EXITED, sent=True, exit=1, checks=(HOLDS,)), V.FAILED),
        (Result("h", R.SIGNALLED, sent=True, signal="9"), V.FAILED),
        (Result("h", R.LOST, sent=True), V.UNKNOWN),
        (Result("h", R.LOST, sent=True, exit=0), V.UNKNOWN),
        (Result("h", R.STOPPED, sent=True), V.FAILED),
        (Result("h", R.STOP_UNPROVEN, sent=True), V.UNKNOWN),
        (Result("h", R.UNREACHABLE, sent=False), V.FAILED),
        (Result("h", R.UNREACHABLE, sent=True), V.UNKNOWN),
        (Result("h", R.REFUSED, sent=False), V.FAILED),
        (Result("h", R.REFUSED, sent=True), V.UNKNOWN),
        (Result("h", R.TIMED_OUT, sent=True), V.FAILED),
        (Result("h", R.NOT_POSSIBLE, sent=False), V.FAILED),
        (Result("h", R.ALREADY, sent=False), V.PASSED),
        (Result("h", R.ALREADY, sent=False, checks=(FAILS,)), V.FAILED),
        (Result("h", R.ALREADY, sent=False, checks=(SILENT,)), V.FAILED),
    ],
)
def test_what_an_answer_means(result: Result, wanted: V) -> None:
    assert verdict(result) is wanted
    assert result.sentence


def test_every_kind_is_judged() -> None:
    for kind in R:
        assert verdict(Result("h", kind, sent=True)) in V
        assert did_its_part(Result("h", kind, sent=True)) == (kind is R.ALREADY)


def test_unknown_and_unreachable_never_count() -> None:
    good = Result("a", R.EXITED, sent=True, exit=0)
    lost, dark = Result("b", R.LOST, sent=True), Result("c", R.UNREACHABLE, sent=False)
    every = {"a": good, "b": lost, "c": dark}
    assert [together(every, n) for n in (1, 2, 3)] == [V.PASSED, V.UNKNOWN, V.UNKNOWN]
    assert together({"a": good, "c": dark}, 2) is V.FAILED
    assert together({}, 0) is V.FAILED


def test_a_sentence_says_what_was_expected_and_what_does_not_hold() -> None:
    assert Result("h", R.EXITED, sent=True, exit=3, expected=(0, 2)).sentence == "exit 3, expected 0 or 2"
    assert Result("h", R.EXITED, sent=True, exit=0, checks=(FAILS,), detail="x").sentence == "exit 0; c: no; x"
    assert Result("h", R.EXITED, sent=True, exit=0, checks=(SILENT,)).sentence == "exit 0; c: could not be asked"
    assert Result("h", R.SIGNALLED, sent=True, signal="9").sentence == "ended by signal 9"


@pytest.mark.parametrize(
    ("typed", "token", "same"),
    [
        ("10.9.0.10", "10.9.0.10", True),
        (" 10.9.0.10 ", "10.9.0.10", True),
        ("10.9.0.1", "10.9.0.10", False),
        ("10.9.10", "10.9.0.10", False),
        ("010.9.0.10", "10.9.0.10", False),
        ("2001:db8::1", "2001:0DB8:0:0::0001", True),
        ("2001:db8::2", "2001:db8::1", False),
        ("::ffff:10.9.0.10", "10.9.0.10", False),
        ("Puppet.Example.test.", "puppet.example.test", True),
        ("puppet", "puppet.example.test", False),
        ("yes", "sign", False),
        ("", "", False),
        ("", "3", False),
        ("3", "3", True),
        (" ", " ", False),
    ],
)
def test_only_the_value_itself_is_the_value(typed: str, token: str, same: bool) -> None:
    assert same_value(typed, token) is same


@pytest.mark.parametrize(
    ("typed", "token", "wrong"),
    [
        ("", "10.9.0.10", None),
        ("10.9", "10.9.0.10", None),
        ("10.8", "10.9.0.10", 3),
        ("10.9.0.100", "10.9.0.10", 9),
        ("PUP", "puppet", None),
        ("2001:DB8:0::1", "2001:db8::1", None),
    ],
)
def test_the_first_wrong_character_is_pointed_at(typed: str, token: str, wrong: int | None) -> None:
    assert first_wrong(typed, token) == wrong
