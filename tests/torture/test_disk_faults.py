"""Each write, sync, rename and open of a console is refused in turn: it stops before it sends, says so, and can be resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from tests.runbooks.bed import Bed
from tests.sizes import sized
from tests.table import Notes
from tests.torture.walk import Walker

from handrail.session import simulator
from handrail.store.home import Home
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunFolder

BOOKS: Final = Path(__file__).parents[1] / "stories" / "books"
STEP = sized(40, 6, 1)  # every so many-th call is refused
MOST = sized(1, 1000, 10000)
ALL: Final = ("*.write:ENOSPC", "*.sync_data:EIO", "*.sync:EIO", "*.rename:EIO", "*.open:ENOSPC")
FAULTS: Final = ALL[: sized(2, len(ALL), len(ALL))]
LIVES: Final = ("/srv/ran", "/srv/mark", "/srv/data")


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Bed]:
    """Return the small estate of the stories."""
    home = Home(tmp_path / "home").make()
    up = await simulator.up(home, "bed", BOOKS / "sim" / "small" / "estate.toml", "--mode", "auto")
    try:
        yield Bed(home, up)
    finally:
        await simulator.down(up.folder)


async def _meet(walker: Walker, fault: str, log: Path) -> bool:
    """Walk forward into a refusal, go on from it and back; tell whether it was ever met."""
    end = await walker.once("forward", HANDRAIL_FAILPOINT=fault, HANDRAIL_FAILPOINT_LOG=str(log))
    assert not end.killed, end.said
    if end.code:
        end = await walker.once("forward")
    assert end.code == 0, (fault, end.said)
    ran = await walker.bed.sh("two", "cat /srv/ran")
    assert ran == "x\n", (fault, "I2 executed more than once, or never", ran)
    end = await walker.once("back")
    assert end.code == 0, (fault, end.said)
    return any(line.startswith("struck ") for line in log.read_text().splitlines())


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_call_is_refused_in_turn(small: Bed, tmp_path: Path, fault: str, table: Notes) -> None:
    before = [await small.said("two", f"ls -lR {path} 2>&1") for path in LIVES]
    number = STEP // 2 or 1
    for _ in range(MOST):
        log = tmp_path / f"log{number}"
        walker = Walker(small, BOOKS / "small.toml")
        if not await _meet(walker, f"{fault}:{number}", log):
            break
        if walker.run != "new":
            folder = RunFolder.open(small.home, walker.run)
            assert read_journal(folder.journal).state == "clean", number
        assert [await small.said("two", f"ls -lR {path} 2>&1") for path in LIVES] == before
        table.note(f"disk {fault}", str(number))
        number += STEP
    assert number > STEP, "not one call was refused"
