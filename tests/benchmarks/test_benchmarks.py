"""The benchmarks run, at sizes that say nothing of speed, and their page is well-formed. No figure is asserted."""

from __future__ import annotations

import math

import pytest
from benchmarks.__main__ import PARTS, measured
from benchmarks.measured import Part, Row, figure
from benchmarks.page import lines, page


@pytest.mark.parametrize("name", PARTS)
def test_a_part_runs_and_its_figures_are_figures(name: str) -> None:
    part = measured(name, quick=True)
    assert part.rows or part.tables or part.missing
    for row in part.rows:
        assert math.isfinite(row.ours), row
        assert row.ours >= 0, row
        assert row.theirs is None or row.theirs > 0, row
        assert (row.most is None) == (row.target == ""), row
    text = page([part], 1.0)
    columns = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert len(columns) > 3
    assert len({*columns}) <= 2 + len(part.tables)
    assert list(lines(part))


def test_what_is_missed_is_said() -> None:
    slow = Row("a", 3.0, "s", "b", 1.0, 2.0, "at most 2x")
    fast = Row("c", 0.0005, "s", "d", 1.0, 2.0, "at most 2x")
    alone = Row("e", 12.0, "ms", most=10.0, target="10 ms")
    text = page([Part("One", "how", (slow, fast, alone))], 60.0)
    assert "1 of 3 targets reached" in text
    assert text.count("**falls short**") == 2
    assert "| a | 3.00 s | b | 1.00 s | 3.00x | at most 2x | **falls short** |" in text


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0000123, "12.3 us"), (0.5, "500 ms"), (1.234, "1.23 s"), (123.4, "123 s")]
)
def test_figures_are_short(value: float, shown: str) -> None:
    assert figure(value, "s") == shown
