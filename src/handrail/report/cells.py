"""The cells of a sheet: what every form of a report writes, and how times stand in it. Pure; it knows no section."""

from __future__ import annotations

from datetime import datetime

from handrail.base.clock import stamp
from handrail.base.frozen import dataclass
from handrail.report.data import Report


@dataclass(frozen=True)
class Cell:
    """One text. `code` is what was typed, sent or answered, letter by letter; `tone` names how much it matters."""

    text: str
    code: bool = False
    tone: str = ""  # "", good, bad, unsure, dim


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head; without a head it is a list of facts, two cells a row."""

    rows: tuple[tuple[Cell, ...], ...]
    head: tuple[str, ...] = ()


@dataclass(frozen=True)
class Items:
    """A list; each entry is cells that follow each other."""

    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Section:
    """One section. `detail` marks evidence that comes after what everybody reads."""

    title: str
    blocks: tuple[Table | Items, ...]
    detail: bool = False


def fact(label: str, text: str, tone: str = "") -> tuple[Cell, ...]:
    """Return a row of a list of facts."""
    return Cell(label), Cell(text, tone=tone)


def minute(wall: datetime) -> str:
    """Return a moment with its date, to the second, in UTC."""
    return stamp(wall)[:19].replace("T", " ") + "Z"


def time_of(wall: datetime, report: Report) -> str:
    """Return the time of day; with its date when that is not the day on which the run began."""
    text = stamp(wall)
    day = "" if wall.date() == report.started.date() else f"{text[5:10]} "
    return f"{day}{text[11:19]}Z"


def clock_of(wall: datetime, report: Report) -> Cell:
    """Return the time of day as a cell."""
    return Cell(time_of(wall, report))
