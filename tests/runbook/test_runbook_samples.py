"""A sample of good output, held against what comes: what fits, what deviates, what is missing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.runbook.samples import Held, SampleLine, sample_of


@pytest.mark.parametrize(
    ("written", "line", "fits"),
    [
        ("at risk: none", "at risk: none", True),
        ("at risk: none", "  at risk: none \r", True),
        ("at risk: none", "at risk: none of them", False),
        ("serial = ...", "serial = 0A1F", True),
        ("serial = ...", "serial =", False),
        ("serial ... -> ...", "serial 0007 -> 1007", True),
        ("serial ... -> ...", "serial 0007", False),
        ("... MB free for ...", "5120 MB free for /etc", True),
        ("a...a", "a", False),
        ("a...a", "aa", True),
        ("a.b", "axb", False),
    ],
)
def test_what_fits(written: str, line: str, fits: bool) -> None:
    assert SampleLine(written).fits(line) is fits


@given(st.lists(st.text("ab ", max_size=4), min_size=1, max_size=5), st.lists(st.text("ab ", max_size=4), min_size=6))
def test_what_is_filled_in_fits(parts: list[str], fillings: list[str]) -> None:
    """Whatever stands for `...`, the line fits, blanks at the ends apart."""
    written = "...".join(["x", *parts, "x"])
    filled = "x" + "".join(f + p for f, p in zip(fillings, [*parts, "x"], strict=False))
    assert SampleLine(written).fits(filled)


def test_a_name_that_is_not_known_may_be_anything() -> None:
    assert sample_of("cadir = {{ dr.ca_dir }}").lines[0].fits("cadir = /etc/puppetlabs/ca")


def test_what_deviates_and_what_is_missing_are_told_apart() -> None:
    held = Held(sample_of("served ...\ncanaries served: ...\n\nend"))
    held.take(["served web01", "served web02", "not served: db01", "", "end"])
    assert (held.deviating, held.missing, held.as_expected) == (1, ("canaries served: ...",), False)
    held.take(["canaries served: 2"])
    assert held.missing == ()


def test_a_long_line_takes_no_time() -> None:
    """Ten places for anything, and a line that nearly fits: a regular expression would still be at it tomorrow."""
    began = time.process_time()
    assert not SampleLine("a".join(["..."] * 12) + "b").fits("a" * 100_000)
    assert time.process_time() - began < 5
