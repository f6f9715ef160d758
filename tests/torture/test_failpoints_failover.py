"""The real failover and its undo, its console killed before and after the boundaries it passes: eight of them, or all."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final

import pytest
from tests.runbooks.bed import Bed
from tests.sizes import SIZE, sized
from tests.table import Notes
from tests.torture import oracle
from tests.torture.there_and_back import EFFECTS, there_and_back
from tests.torture.walk import Walker, boundaries, places

WALKS_MOST: Final = 3  # in which a boundary may be missed
FEWEST: Final = 60
A_FEW: Final = [
    "event.attempt_started:after",
    "act.takeclaim:before",
    "job.begun:before",
    "sync.copy:after",
    "sync.exchange:before",
    "dns.send:after",
    "event.walk_started:after",
    "sync.restore:after",
]


async def _all_boundaries(bed: Bed, log: Path) -> list[str]:
    """Return every boundary that a failover and its undo reach, in order; each stands at a place of its own."""
    clean, before = Walker(bed), await oracle.look(bed)
    for way in ("forward", "back"):
        end = await clean.once(way, HANDRAIL_FAILPOINT_LOG=str(log))
        assert end.code == 0, end.said
    assert (await oracle.look(bed)).since(before) == EFFECTS
    assert len(places(log)) >= FEWEST, sorted(places(log))
    return list(dict.fromkeys(boundaries(log)))


@pytest.mark.parametrize("part", range(sized(1, 1, 4)))
async def test_killed_in_a_whole_failover(bed: Bed, tmp_path: Path, part: int, table: Notes) -> None:
    known = await _all_boundaries(bed, tmp_path / "boundaries") if SIZE == "full" else A_FEW
    armed = deque(known[part::4] if SIZE == "full" else known)
    for _ in range(WALKS_MOST):
        bed.home.drills.unlink(missing_ok=True)  # it is made once in a home, and that is one of the boundaries
        walker = Walker(bed, armed=armed)
        broken = await there_and_back(bed, walker)
        for side in walker.killed_at:
            table.note("failpoint in a failover", side, survived=not broken)
        assert not broken, (walker.killed_at, broken)
        if not armed:
            return
    pytest.fail(f"never reached: {list(armed)}")
