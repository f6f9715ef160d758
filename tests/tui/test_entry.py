"""Typing: the guard against pasting, the editing keys, what the line shows."""

from __future__ import annotations

import pytest

from handrail.tui.entry import PLEASE_TYPE, Entry
from handrail.tui.text import Ink


def typed(entry: Entry, text: str, gap: float = 0.2) -> Entry:
    for at, char in enumerate(text):
        entry.key(char, char, 10.0 + at * gap)
    return entry


def test_typing_at_a_persons_speed_is_taken() -> None:
    entry = typed(Entry(guarded=True), "10.9.0.10")
    assert entry.value == "10.9.0.10"
    assert not entry.dropped


def test_three_fast_keys_are_a_roll_of_the_fingers() -> None:
    assert typed(Entry(guarded=True), "abc", 0.001).value == "abc"


def test_more_than_three_keys_in_30_ms_are_dropped() -> None:
    entry = typed(Entry(guarded=True), "10.9.0.10", 0.001)
    assert entry.value == ""
    assert entry.dropped == PLEASE_TYPE


def test_after_a_drop_one_can_type() -> None:
    entry = typed(Entry(guarded=True), "10.9", 0.001)
    entry.key("1", "1", 50.0)
    assert entry.value == "1"
    assert not entry.dropped


def test_a_paste_is_dropped_where_guarded_and_taken_elsewhere() -> None:
    guarded, free = Entry(guarded=True), Entry()
    guarded.paste("10.9.0.10")
    free.paste("fibre cut\n")
    assert guarded.value == ""
    assert guarded.dropped == PLEASE_TYPE
    assert free.value == "fibre cut"


def test_a_paste_cannot_carry_anything_that_acts() -> None:
    entry = Entry()
    entry.paste("a\x1b]52;c;eA==\x07b\u202ec\nd")
    assert "\x1b" not in entry.value
    assert "\u202e" not in entry.value


@pytest.mark.parametrize(
    ("key", "value", "at"),
    [
        ("backspace", "one tw", 6),
        ("ctrl+w", "one ", 4),
        ("ctrl+u", "", 0),
        ("left", "one two", 6),
        ("home", "one two", 0),
    ],
)
def test_editing(key: str, value: str, at: int) -> None:
    entry = Entry("one two")
    assert entry.key(key, "", 1.0)
    assert (entry.value, entry.at) == (value, at)


def test_inserting_in_the_middle() -> None:
    entry = Entry("ab")
    entry.key("left", "", 1.0)
    entry.key("x", "x", 2.0)
    assert entry.value == "axb"


def test_the_first_wrong_character_is_underlined_and_all_after_it() -> None:
    entry = typed(Entry(guarded=True), "10.8.0")
    wrong = [span.text for span in entry.line(20, token="10.9.0.10").spans if span.ink is Ink.WRONG]
    assert wrong == ["8", ".", "0"]


def test_a_secret_shows_dots() -> None:
    assert "hunter2" not in Entry("hunter2", secret=True).line(20).plain


def test_keys_that_are_not_typing_are_left_alone() -> None:
    assert not Entry().key("enter", "", 1.0)
    assert not Entry().key("f1", "", 1.0)


def test_a_limit() -> None:
    assert len(typed(Entry(limit=4), "abcdefgh").value) == 4
