"""Levels: how much a person who drills is helped. A level hides and explains; it never decides, and nothing is sent otherwise."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """A level, as it is asked for and written down."""

    NONE = "none"  # an ordinary drill: the screens of a real run
    GUIDED = "guided"
    TITLES = "titles"
    FAULTS = "faults"


MEANS: Final = {
    Level.GUIDED: "a coach says what matters, step by step",
    Level.TITLES: "commands are hidden until asked for",
    Level.FAULTS: "something goes wrong, unannounced",
    Level.NONE: "as a real run, without a coach",
}
_HARDER: Final = {Level.NONE: Level.TITLES, Level.GUIDED: Level.TITLES, Level.TITLES: Level.FAULTS}


def harder(level: str) -> Level:
    """Return the level after one."""
    return _HARDER.get(Level(level), Level.FAULTS)
