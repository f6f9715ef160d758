"""A failover and its undo, walked by consoles that die on the way: each is ended at a boundary, the next goes on from there."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.runbooks.bed import RUNBOOKS, Bed

from handrail.store.run_folder import list_runs

Way = Literal["forward", "back"]
ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 120.0  # seconds in which a console has to get where it was sent
LIFE: Final = (0.4, 4.0)  # seconds that a console has when it is killed at random
STARTS_MOST: Final = 3  # whole walks in which a boundary may be missed


@dataclass(frozen=True)
class End:
    """How one console ended."""

    code: int
    said: str

    @property
    def killed(self) -> bool:
        """Tell whether it was killed."""
        return self.code == -signal.SIGKILL


@dataclass
class Walker:
    """Walks one run on an estate; `armed` are the boundaries that are still to kill a console."""

    bed: Bed
    book: Path = RUNBOOKS / "puppet-failover.toml"
    run: str = "new"
    armed: deque[str] = field(default_factory=deque)
    killed_at: list[str] = field(default_factory=list)
    others: frozenset[str] | None = None  # the runs that were there before this one

    async def start(self, way: Way, **variables: str) -> asyncio.subprocess.Process:
        """Start a console."""
        if self.others is None:
            self.others = frozenset(r.run_id for r in list_runs(self.bed.home))
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL")}
        argv = (str(self.bed.home.path), str(self.bed.up.folder), str(self.book), self.run, way)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.torture.console",
            *argv,
            env={**clean, **variables},
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def end(self, console: asyncio.subprocess.Process) -> End:
        """Wait for a console's end, and learn which run it drove."""
        async with asyncio.timeout(PATIENCE):
            said, _ = await console.communicate()
        if self.run == "new":
            found = [r for r in list_runs(self.bed.home) if r.run_id not in (self.others or ())]
            begun = [r.run_id for r in found if r.first is not None]
            self.run = begun[-1] if begun else "new"
        assert console.returncode is not None
        return End(console.returncode, said.decode(errors="replace"))

    async def once(self, way: Way, **variables: str) -> End:
        """Run one console to its end."""
        return await self.end(await self.start(way, **variables))

    async def go(self, way: Way) -> End:
        """Walk one way, however many consoles die; return how the last one ended."""
        while (end := await self.one(way)).killed:
            pass
        return end

    async def one(self, way: Way) -> End:
        """Run one console until it ends, or is killed at the next boundary that is armed."""
        if not self.armed:
            return await self.once(way)
        end = await self.once(way, HANDRAIL_FAILPOINT=self.armed[0])
        if end.killed:
            self.killed_at.append(self.armed.popleft())
        return end


@dataclass
class RandomWalker(Walker):
    """Kills so many consoles, each after a time that a seeded generator picks."""

    kills: int = 0
    dice: random.Random = field(default_factory=random.Random)

    async def one(self, way: Way) -> End:
        """Run one console until it ends, or its time has come."""
        if not self.kills:
            return await self.once(way)
        console, seconds = await self.start(way), self.dice.uniform(*LIFE)
        ending = asyncio.create_task(self.end(console))
        done, _ = await asyncio.wait({ending}, timeout=seconds)
        if not done:
            console.kill()
            self.kills -= 1
            self.killed_at.append(f"after {seconds:.2f} s")
        return await ending


def boundaries(log: Path) -> list[str]:
    """Return the boundaries that a recorded walk has reached, in their order."""
    return [line.split()[0] for line in log.read_text().splitlines()]


def places(log: Path) -> set[str]:
    """Return where in the source they stand."""
    return {line.split()[1] for line in log.read_text().splitlines()}
