"""The real failover and its undo, its console killed before and after the boundaries it passes: eight of them, or all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from tests.runbooks.bed import Bed
from tests.sizes import SIZE, sized
from tests.table import Notes
from tests.torture import oracle
from tests.torture.nest import Nest
from tests.torture.there_and_back import EFFECTS, there_and_back
from tests.torture.walk import Walker, boundaries, places

PARTS: Final = sized(1, 1, 4)
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


@pytest.fixture
async def nest() -> AsyncIterator[Nest]:
    made = await Nest.made()
    try:
        yield made
    finally:
        await made.close()


async def _all_boundaries(walker: Walker) -> list[str]:
    """Return every boundary that a failover and its undo reach, in order; each stands at a place of its own."""
    before, lines = await oracle.look(walker.bed), ""
    for way in ("forward", "back"):
        end = await walker.once(way)
        assert end.code == 0, end.said
        lines += (walker.place / "log").read_text()
    assert (await oracle.look(walker.bed)).since(before) == EFFECTS
    assert len(places(lines)) >= FEWEST, sorted(places(lines))
    return list(dict.fromkeys(boundaries(lines)))


@pytest.mark.parametrize("part", range(PARTS))
async def test_killed_in_a_whole_failover(bed: Bed, nest: Nest, tmp_path: Path, part: int, table: Notes) -> None:
    known = await _all_boundaries(Walker(bed, nest, tmp_path)) if SIZE == "full" else A_FEW
    # The list of drills is made once in a home: the walk before this one has made it.
    armed = {side for side in known[part::PARTS] if SIZE != "full" or not side.startswith("drills.create.")}
    for _ in range(WALKS_MOST):
        walker = Walker(bed, nest, tmp_path, armed=armed)
        broken = await there_and_back(bed, walker)
        for side in walker.killed_at:
            table.note("failpoint in a failover", side, survived=not broken)
        assert not broken, (walker.killed_at, broken)
        if not armed:
            return
    pytest.fail(f"never reached: {sorted(armed)}")
