"""Durations, ids, clocks and problems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from handrail.base.clock import SystemClock, stamp, unstamp
from handrail.base.durations import parse_duration, show_clock, show_duration
from handrail.base.ids import file_word, is_slug, new_run_id
from handrail.base.problems import Problem, Trouble, Where, in_order, trouble

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172_800), ("250ms", 0.25), ("1.5s", 1.5), ("1m500ms", 60.5)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "90", "s", "1 h", "-5s", "1h 30m", "1e3s", "5min", "٣s", "1s\n", "1..5s", "5S"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(Trouble) as caught:
        parse_duration(text)
    assert caught.value.problems[0].code == "duration"


@pytest.mark.parametrize(
    ("seconds", "shown", "clock"),
    [
        (0, "0s", "00:00"),
        (0.25, "250ms", "00:00"),
        (0.9996, "1s", "00:00"),
        (45, "45s", "00:45"),
        (60, "1m", "01:00"),
        (242, "4m02s", "04:02"),
        (5400, "1h30m", "1:30:00"),
        (3 * 86400 + 5, "3d", "72:00:05"),
        (-3, "0s", "00:00"),
    ],
)
def test_durations_are_shown(seconds: float, shown: str, clock: str) -> None:
    assert show_duration(seconds) == shown
    assert show_clock(seconds) == clock


@given(st.integers(1, 3599))
def test_a_short_duration_that_is_shown_can_be_read_back(seconds: int) -> None:
    assert parse_duration(show_duration(seconds)) == seconds


@given(st.text())
def test_a_file_word_is_one_safe_word(text: str) -> None:
    word = file_word(text)
    assert word
    assert len(word) <= 80
    assert word.isascii()
    assert not set(word) & set("/ \0\n\\")
    assert word[0] not in ".-"


@pytest.mark.parametrize("text", ["a", "copy-2", "0", "a" * 48])
def test_slugs(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a/b", "a" * 49, "a\n", "é", "٣"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_run_ids_sort_by_time_and_differ() -> None:
    first, second = new_run_id(NOON), new_run_id(NOON + timedelta(minutes=1))
    assert first.startswith("20261123-1200-")
    assert first < second
    assert len({new_run_id(NOON) for _ in range(50)}) == 50
    assert is_slug(first)


def test_stamps_are_utc_and_read_back() -> None:
    assert stamp(NOON) == "2026-11-23T12:00:00.123Z"
    assert unstamp(stamp(NOON)) == NOON
    assert stamp(NOON.astimezone()) == stamp(NOON)


def test_the_machines_clocks() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.mono() <= clock.mono()


def test_problems_read_well_and_in_the_order_of_the_file() -> None:
    late = Problem("b", "second", where=Where("x.toml", 9, 1))
    early = Problem("a", "first", "do this", Where("x.toml", 2))
    assert in_order([late, early]) == (early, late)
    assert str(early) == "x.toml:2: first [a]\n  do this"
    assert str(Problem("w", "hm", severity="warning")) == "warning: hm [w]"
    assert str(trouble("c", "no")) == "no [c]"
    assert str(Trouble(early, late)).count("\n") == 2
