"""Looks at what moves: quick at first, as far apart as ever in a flood, and quick again after a silence."""

from __future__ import annotations

from handrail.base.spacing import QUICK, REFILL, USUAL, Spacing


def flood(spacing: Spacing, since: float, seconds: float) -> list[float]:
    found, now = [], since
    while now < since + seconds:
        found.append(spacing.next(now))
        now += found[-1]
    return found


def test_the_first_few_are_quick_and_a_flood_is_not() -> None:
    found = flood(Spacing(), 100.0, 10.0)
    assert found[:4] == [QUICK] * 4
    assert len(found) <= 10.0 / USUAL + 10.0 * REFILL + 4
    assert found.count(USUAL) >= 100


def test_after_a_silence_they_are_quick_again() -> None:
    spacing = Spacing()
    flood(spacing, 100.0, 10.0)
    assert flood(spacing, 111.0, 0.01) == [QUICK]
    assert [spacing.next(112.0) for _ in range(5)] == [QUICK] * 4 + [USUAL]
