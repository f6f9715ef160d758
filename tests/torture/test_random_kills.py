"""Consoles are killed at random moments, there and back: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import random

import pytest
from tests.sizes import sized
from tests.table import Notes
from tests.torture.trial import Ground, RandomWalk

WALKS = sized(1, 4, 40)
KILLS = sized(3, 25, 25)  # in each walk
SEED = int(os.environ.get("HANDRAIL_TORTURE_SEED", "1"))


@pytest.mark.parametrize("walk", range(WALKS))
async def test_killed_at_random(ground: Ground, walk: int, table: Notes) -> None:
    dice, left = random.Random(f"{SEED}.{walk}"), KILLS
    while left:
        walker = RandomWalk(ground, kills=left, dice=dice)
        broken = await walker.there_and_back()
        for number, when in enumerate(walker.killed_at):
            table.note("random kill", f"walk {walk}, {number} {when}", survived=not broken)
        assert not broken, (walker.killed_at, broken)
        left = walker.kills
