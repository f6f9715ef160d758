"""The sizes of a terminal that make a difference. Data only."""

from __future__ import annotations

from typing import Final

WIDE: Final = 140
NARROW: Final = 80
LOW: Final = 24
LEAST: Final = (60, 18)
