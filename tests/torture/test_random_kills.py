"""Consoles are killed at random moments of a failover and its undo: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import random

import pytest
from tests.runbooks.bed import Bed
from tests.sizes import sized
from tests.table import Notes
from tests.torture.there_and_back import there_and_back
from tests.torture.walk import RandomWalker

WALKS = sized(1, 4, 40)
KILLS = sized(3, 25, 25)  # in each walk
SEED = int(os.environ.get("HANDRAIL_TORTURE_SEED", "1"))


@pytest.mark.parametrize("walk", range(WALKS))
async def test_killed_at_random(bed: Bed, walk: int, table: Notes) -> None:
    dice, left = random.Random(f"{SEED}.{walk}"), KILLS
    while left:
        walker = RandomWalker(bed, kills=left, dice=dice)
        broken = await there_and_back(bed, walker)
        for when in walker.killed_at:
            table.note("random kill", f"walk {walk} {when}", survived=not broken)
        assert not broken, (walker.killed_at, broken)
        left = walker.kills
