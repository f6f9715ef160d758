"""Walks on a real file system that is too small: one line of JSON for each, with what was broken.

    unshare -rm python -m tests.torture.small_disk HOME ESTATE_FOLDER PLACE FREE...

The file system is mounted here, over the runs of this home, and goes with this process. FREE are the kilobytes that are
left on it when a walk begins; when a console has stopped at its end, there is room again, and another goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from tests.runbooks.bed import Bed
from tests.torture.nest import Nest
from tests.torture.trial import Ground, Walk

from handrail.session.simulator import Simulated
from handrail.store.home import Home
from handrail.store.journal import read_journal

BOOK: Final = Path(__file__).parents[1] / "stories" / "books" / "small.toml"
SIZE: Final = 1 << 20


def mount(folder: Path) -> None:
    """Mount a small file system here, for this process and its children."""
    folder.mkdir(mode=0o700, exist_ok=True)
    argv = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(folder)]
    subprocess.run(argv, check=True)


def fill(folder: Path, free: int) -> Path:
    """Leave so many kilobytes; return what has to go to make room again."""
    ballast = folder / ".ballast"
    now = os.statvfs(folder)
    ballast.write_bytes(b"\0" * max(0, now.f_bavail * now.f_bsize - free * 1024))
    return ballast


async def walk(ground: Ground, free: int) -> dict[str, Any]:
    """Walk into the end of the disk, go on when there is room, and back."""
    runs = ground.bed.home.runs
    ballast, one = fill(runs, free), Walk(ground, book=BOOK)
    first = await one.one("forward")
    said = one.said
    ballast.unlink()
    torn = one.run != "new" and read_journal(one.folder.journal).state
    if first:
        await one.go("forward")
    ran = await ground.bed.said("two", "cat /srv/ran")
    await one.go("back")
    broken = list(one.broken)
    if ran != "x":
        broken.append(f"I2 executed more than once, or never: {ran!r}")
    if one.run == "new" or read_journal(one.folder.journal).state != "clean":
        broken.append("I7 the journal is not whole")
    subprocess.run(["rm", "-rf", str(one.folder.path)], check=True)
    return {"free": free, "first": first, "said": said[-300:], "journal": torn, "broken": broken}


async def walks(home: str, estate: str, place: str, *free: str) -> AsyncIterator[dict[str, Any]]:
    """Yield what became of each walk."""
    here = Home(Path(home))
    mount(here.runs)
    up = Simulated(Path(estate), Path(estate) / "estate.toml", "namespaces")
    ground = Ground(Bed(here, up), await Nest.made(), Path(place))
    try:
        for one in free:
            yield await walk(ground, int(one))
    finally:
        await ground.nest.close()


async def main() -> None:
    """Print them."""
    async for told in walks(*sys.argv[1:]):
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
