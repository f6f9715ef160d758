"""Each write, sync, rename and open of a console is refused in turn: it stops before it sends, says so, and can be resumed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.sizes import sized
from tests.table import Notes
from tests.torture.trial import Ground, Walk

from handrail.store.journal import read_journal

BOOK: Final = Path(__file__).parents[1] / "stories" / "books" / "small.toml"
STEP = sized(40, 12, 1)  # every so many-th call is refused
MOST = sized(1, 1000, 10000)
ALL: Final = ("*.write:ENOSPC", "*.sync_data:EIO", "*.sync:EIO", "*.rename:EIO", "*.open:ENOSPC")
FAULTS: Final = ALL[: sized(2, len(ALL), len(ALL))]
FREE: Final = [str(free) for free in range(8, 200, sized(64, 16, 4))]  # kilobytes
ROOT: Final = Path(__file__).parents[2]
STOPPED: Final = 4
LIVES: Final = ("/srv/ran", "/srv/mark", "/srv/data")


async def _meet(walk: Walk, fault: str) -> None:
    """Walk forward into a refusal, go on from it and back."""
    walk.armed = {fault}
    code = await walk.one("forward")
    walk.armed = set()
    if code:
        assert await walk.one("forward") == 0, (fault, walk.said)
    ran = await walk.ground.bed.sh("two", "cat /srv/ran")
    assert ran == "x\n", (fault, "I2 executed more than once, or never", ran)
    assert await walk.one("back") == 0, (fault, walk.said)
    assert not walk.broken, (fault, walk.broken)


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_call_is_refused_in_turn(ground: Ground, fault: str, table: Notes) -> None:
    before = [await ground.bed.said("two", f"ls -lR {path} 2>&1") for path in LIVES]
    number = STEP // 2 or 1
    for _ in range(MOST):
        walk = Walk(ground, book=BOOK)
        await _meet(walk, f"{fault}:{number}")
        if not walk.struck:
            break
        assert read_journal(walk.folder.journal).state == "clean", number
        assert [await ground.bed.said("two", f"ls -lR {path} 2>&1") for path in LIVES] == before
        table.note(f"disk {fault}", str(number))
        number += STEP
    assert number > STEP, "not one call was refused"


@pytest.mark.skipif(sys.platform != "linux", reason="a file system for one process is a thing of Linux")
async def test_a_disk_that_is_really_full(ground: Ground, tmp_path: Path, table: Notes) -> None:
    bed, place = ground.bed, tmp_path / "inside"
    place.mkdir()
    argv = (sys.executable, "-m", "tests.torture.small_disk", str(bed.home.path), str(bed.up.folder), str(place))
    inside = await asyncio.create_subprocess_exec(
        "unshare", "-rm", *argv, *FREE, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await inside.communicate()
    assert inside.returncode == 0
    told = [json.loads(line) for line in out.splitlines()]
    assert len(told) == len(FREE)
    for one in told:
        table.note("disk really full", f"{one['free']} KiB free: {one['first']}", survived=not one["broken"])
    assert not [one for one in told if one["broken"]]
    assert any(one["first"] == STOPPED for one in told), "nothing was too small"
    assert any("No space left" in one["said"] for one in told)
