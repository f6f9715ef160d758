"""What a part has measured, as data: rows with a ratio and a target, and tables of figures. It measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Unit = Literal["s", "ms", "us", "MiB", "KiB", "B", "MB/s", "%", "", "x"]


@dataclass(frozen=True)
class Row:
    """One figure: ours, what it was measured beside, and what is to be reached.

    `most` bounds the ratio to `beside` (or the figure itself, where nothing stands beside it); None: told, not bounded.
    """

    what: str
    ours: float
    unit: Unit
    beside: str = ""
    theirs: float | None = None
    most: float | None = None
    target: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return how many times the other's figure ours is."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def reached(self) -> bool | None:
        """Tell whether the target is reached; None where there is none."""
        if self.most is None:
            return None
        held = self.ratio if self.theirs is not None else self.ours
        return held is not None and held <= self.most


@dataclass(frozen=True)
class Table:
    """Figures that are no comparison of two: a heading, column names, rows of words."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """One part of the benchmarks, measured."""

    title: str
    how: str
    rows: tuple[Row, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[str, ...] = ()
    missing: tuple[str, ...] = field(default=())


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))]


def figure(value: float, unit: Unit) -> str:
    """Return a figure as people read it, three digits that count."""
    if unit == "s" and abs(value) < 1:
        return figure(value * 1000, "ms")
    if unit == "ms" and abs(value) < 1:
        return figure(value * 1000, "us")
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
