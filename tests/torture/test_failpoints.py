"""A console is killed before and after every named boundary; what comes after must be as if it never was.

The runbook of trouble passes nearly all of them in ten seconds, there and back; those that need something else to go
wrong are in `test_failpoints_apart.py`, the real failover in `test_failpoints_failover.py`.
"""

from __future__ import annotations

from typing import Final

import pytest
from tests.sizes import sized
from tests.table import Notes
from tests.torture.failpoints import APART, named, sides
from tests.torture.trial import Ground, Walk

WALKED: Final = sides(named() - APART)
PARTS: Final = sized(1, 6, 12)
EACH: Final = sized(14, 1, 1)  # every so many-th of them
WALKS_MOST: Final = 3  # in which one may be missed


@pytest.mark.parametrize("part", range(PARTS))
async def test_killed_at_every_boundary(ground: Ground, part: int, table: Notes) -> None:
    armed = set(WALKED[::EACH][part::PARTS])
    for _ in range(WALKS_MOST):
        walk = Walk(ground, armed)
        broken = await walk.there_and_back()
        for side in walk.killed_at:
            table.note("failpoint", side, survived=not broken)
        assert not broken, (walk.killed_at, broken)
        if not armed:
            return
    for side in armed:
        table.note("failpoint", side, survived=False)
    pytest.fail(f"never reached: {sorted(armed)}")
