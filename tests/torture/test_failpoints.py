"""The console is killed before and after every boundary of a failover and its undo; what comes after must be as if it never was."""

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
from tests.torture.walk import STARTS_MOST, Walker, boundaries, places

PARTS = sized(1, 2, 2)
FEWEST = 60
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
    """Return every boundary that a walk there and back reaches, in order; each stands at a place of its own."""
    clean, before = Walker(bed), await oracle.look(bed)
    for way in ("forward", "back"):
        end = await clean.once(way, HANDRAIL_FAILPOINT_LOG=str(log))
        assert end.code == 0, end.said
    assert (await oracle.look(bed)).since(before) == EFFECTS
    assert len(places(log)) >= FEWEST, sorted(places(log))
    return list(dict.fromkeys(boundaries(log)))


@pytest.mark.parametrize("part", range(PARTS))
async def test_killed_at_every_boundary(bed: Bed, tmp_path: Path, part: int, table: Notes) -> None:
    known = list(A_FEW) if SIZE == "small" else await _all_boundaries(bed, tmp_path / "boundaries")
    wanted = known[part::PARTS]
    armed = deque(wanted)
    hit: list[str] = []
    for _ in range(STARTS_MOST):
        if not armed:
            break
        walker = Walker(bed, armed=armed)
        broken = await there_and_back(bed, walker)
        hit += walker.killed_at
        assert not broken, (walker.killed_at, broken)
    for name in wanted:
        table.note("failpoint", name, survived=name in hit)
    assert not armed, f"never reached: {list(armed)}"
