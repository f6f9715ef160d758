"""A failover and its undo, walked by consoles that die on the way: each is ended at a boundary, the next goes on from there."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.runbooks.bed import RUNBOOKS, Bed
from tests.torture.nest import Nest

from handrail.store.run_folder import list_runs

Way = Literal["forward", "back"]
PATIENCE: Final = 120.0  # seconds in which a console has to get where it was sent


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
    """Walks one run on an estate; `armed` are the boundaries that are still to kill a console, whichever comes first."""

    bed: Bed
    nest: Nest
    place: Path
    book: Path = RUNBOOKS / "puppet-failover.toml"
    run: str = "new"
    armed: set[str] = field(default_factory=set)
    killed_at: list[str] = field(default_factory=list)

    async def once(self, way: Way) -> End:
        """Run one console to its end, and learn which run it drove, and where it was killed."""
        out, log = self.place / "out", self.place / "log"
        log.write_text("")
        known = {r.run_id for r in list_runs(self.bed.home)}
        argv = (str(self.bed.home.path), str(self.bed.up.folder), str(self.book), self.run, way)
        env = {"HANDRAIL_FAILPOINT": "|".join(sorted(self.armed)), "HANDRAIL_FAILPOINT_LOG": str(log)}
        await self.nest.hatch(argv, env, out)
        async with asyncio.timeout(PATIENCE):
            code = await self.nest.ended()
        if self.run == "new":
            begun = [r.run_id for r in list_runs(self.bed.home) if r.run_id not in known and r.first is not None]
            self.run = begun[-1] if begun else "new"
        for line in log.read_text().splitlines():
            if line.startswith("struck "):
                self.killed_at.append(line.split()[1])
                self.armed.discard(line.split()[1])
        return End(code, out.read_text(errors="replace"))

    async def go(self, way: Way) -> End:
        """Walk one way, however many consoles die; return how the last one ended."""
        while (end := await self.once(way)).killed:
            pass
        return end


def boundaries(log: str) -> list[str]:
    """Return the boundaries that a recorded walk has reached, in their order."""
    return [line.split()[0] for line in log.splitlines()]


def places(log: str) -> set[str]:
    """Return where in the source they stand."""
    return {line.split()[1] for line in log.splitlines()}
