"""One walk through the runbook of trouble and back, by consoles that die on the way; and what the world says of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.runbooks.bed import Bed
from tests.torture.nest import Nest
from tests.torture.oracle import SLACK, passed_without_exit, serial_of

from handrail.base.clock import unstamp
from handrail.session import simulator
from handrail.store.audit import audit
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunFolder, list_runs

HERE: Final = Path(__file__).parent
BOOK: Final = HERE / "books" / "torture.toml"
ESTATE: Final = HERE.parent / "stories" / "books" / "sim" / "small" / "estate.toml"
PATIENCE: Final = 60.0  # seconds in which a console has to get where it was sent
LIFE: Final = (0.05, 1.5)  # seconds that a console has when it is killed at random
LEFT: Final = 5  # the exit status of a console that has left: the run is held, another goes on
HOSTS: Final = ("one", "two", "web01", "web02")
LOOKS: Final = "cd /srv && ls -A | grep -v -e effects -e handrail; cat data/* 2>/dev/null; true"
# What each host is asked for, there and back, in this order, whatever becomes of consoles on the way.
EFFECTS: Final = {
    "one": ("+ hold/mark", "- hold/mark"),
    "two": (
        *("+ hold/mark", "+ trouble/flaky", "+ trouble/flaky", "+ trouble/unsure", "+ trouble/gone", "+ trouble/late"),
        *(
            "+ trouble/owing",
            "+ trouble/turning",
            "+ clients/heard",
            "- clients/heard",
            "- trouble/turning",
            "+ trouble/turning",
        ),
        *("- trouble/turning", "- trouble/owing", "- trouble/late", "- trouble/gone", "- trouble/unsure"),
        *("- trouble/flaky", "- trouble/flaky", "- hold/mark", "- trouble/owing", "- trouble/owing"),
    ),
    "web01": ("+ clients/call", "- clients/call"),
    "web02": ("+ clients/call", "- clients/call"),
}
# At most once: stopped before it did anything, or after. `hold/again` is never sent: its probe says that it is so, whoever asks.
MAYBE: Final = ("+ trouble/stuck", "- trouble/stuck")


@dataclass(frozen=True)
class Look:
    """The world: the effects of each host so far, its files, and the zone's serial."""

    effects: dict[str, tuple[tuple[float, str], ...]]
    files: dict[str, str]
    serial: int


@dataclass
class Ground:
    """An estate and a nest, for one walk after another."""

    bed: Bed
    nest: Nest
    place: Path

    @classmethod
    async def made(cls, place: Path) -> Ground:
        """Bring an estate up."""
        home = Home(place / "home").make()
        up = await simulator.up(home, "bed", ESTATE, "--mode", "auto")
        return cls(Bed(home, up), await Nest.made(), place)

    async def close(self) -> None:
        """Take it down."""
        await self.nest.close()
        await simulator.down(self.bed.up.folder)

    async def look(self) -> Look:
        """Return the world as it is."""
        effects, files = {}, {}
        for host in HOSTS:
            lines = (await self.bed.said(host, "cat /srv/effects 2>/dev/null")).splitlines()
            effects[host] = tuple((float(at), what) for at, _, what in (line.partition(" ") for line in lines))
            files[host] = await self.bed.said(host, LOOKS)
        return Look(effects, files, serial_of(self.bed))


@dataclass(frozen=True)
class Console:
    """One console that was started."""

    nest: Nest
    pid: int
    out: Path
    log: Path
    known: frozenset[str]  # the runs that were there before

    async def ended(self) -> int:
        """Return how it ended; one that does not get where it was sent is stopped, and says so."""
        ending = asyncio.create_task(self.nest.ended())
        done, _ = await asyncio.wait({ending}, timeout=PATIENCE)
        if not done:
            os.kill(self.pid, signal.SIGKILL)
            await ending
            return 124
        return ending.result()


@dataclass
class Walk:
    """One run; `armed` are the sides of boundaries at which a console is still to die, whichever comes first."""

    ground: Ground
    armed: set[str] = field(default_factory=set)
    killed_at: list[str] = field(default_factory=list)
    run: str = "new"
    broken: list[str] = field(default_factory=list)
    said: str = ""
    consoles: int = 0
    book: Path = BOOK
    struck: int = 0  # how often a fault has struck
    effects: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EFFECTS)

    async def there_and_back(self) -> list[str]:
        """Walk; return what is broken."""
        before = await self.ground.look()
        slow = "+slow" if any(one.startswith("event.gate_refreshed:") for one in self.armed) else ""
        if await self.go(f"forward{slow}"):
            there = await self.ground.look()
            if await self.go("back"):
                after = await self.ground.look()
                self.broken += self.judged(before, there, after)
        return self.broken

    async def go(self, way: str) -> bool:
        """Walk one way, however many consoles die; tell whether it was reached."""
        while True:
            code = await self.one(way)
            if code == 0:
                return True
            if code not in (-signal.SIGKILL, LEFT):
                self.broken.append(f"{way}: a console ended with {code} after {self.killed_at[-1:]}: {self.said}")
                return False

    async def one(self, way: str) -> int:
        """Run one console to its end, and learn what can be learnt of it."""
        started = await self.start(way)
        return await self.end(started)

    async def start(self, way: str, *, nest: Nest | None = None, operator: str = "") -> Console:
        """Start a console; `way` may say more, as `tests.torture.console` knows it."""
        number = len(list(self.ground.place.glob("out*")))
        out, log = self.ground.place / f"out{number}", self.ground.place / f"log{number}"
        log.write_text("")
        argv = (str(self.ground.bed.home.path), str(self.ground.bed.up.folder), str(self.book), self.run, way)
        env = {"HANDRAIL_FAILPOINT": "|".join(sorted(self.armed)), "HANDRAIL_FAILPOINT_LOG": str(log)}
        if operator:
            env["HANDRAIL_OPERATOR"] = operator
        known = frozenset(r.run_id for r in list_runs(self.ground.bed.home))
        nest = nest or self.ground.nest
        return Console(nest, await nest.hatch(argv, env, out), out, log, known)

    async def end(self, console: Console) -> int:
        """Wait for a console's end."""
        code = await console.ended()
        self.consoles += 1
        self.said = console.out.read_text(errors="replace")[-2000:]
        self.learn(console)
        self._struck(console.log)
        self._lost(console.out)
        return code

    def learn(self, console: Console) -> None:
        """Learn which run was begun, if one was."""
        if self.run == "new":
            found = list_runs(self.ground.bed.home)
            fresh = [r.run_id for r in found if r.run_id not in console.known and r.first is not None]
            self.run = fresh[-1] if fresh else "new"

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return RunFolder.open(self.ground.bed.home, self.run)

    def _struck(self, log: Path) -> None:
        for line in log.read_text().splitlines():
            if line.startswith("struck "):
                self.struck += 1
                name = line.split()[1]
                self.killed_at.append(name)
                self.armed.discard(name)

    def _lost(self, out: Path) -> None:
        """What a console was told is on the disk is on the disk, when it is dead too."""
        acked = [int(line.split()[1]) for line in out.read_text(errors="replace").splitlines() if line[:6] == "acked "]
        if self.run != "new" and acked:
            found = len(read_journal(self.folder.journal).records)
            if found < acked[-1]:
                self.broken.append(
                    f"{acked[-1]} records were acknowledged, {found} are there, after {self.killed_at[-1:]}"
                )

    def judged(self, before: Look, there: Look, after: Look) -> Iterator[str]:
        """Yield each invariant that does not hold, in words."""
        yield from _wrong(self.effects, before, there, after)
        reading = read_journal(self.folder.journal)
        if reading.state != "clean":
            yield f"I7 the journal is {reading.state}"
        yield from (f"I7 audit: {finding}" for finding in audit(self.folder.path).problems)
        yield from passed_without_exit(reading.records)
        yield from _unintended(reading.records, before, after)


def _wrong(effects: Mapping[str, tuple[str, ...]], before: Look, there: Look, after: Look) -> Iterator[str]:
    """I2, I3, I6, I10, I11: what was asked for, in which order, and what is left of it."""
    for host in HOSTS:
        asked = [what for _, what in after.effects[host][len(before.effects[host]) :]]
        if any(asked.count(one) > 1 for one in MAYBE):
            yield f"I2 {host} was asked more than once for what was stopped: {asked}"
        if tuple(one for one in asked if one not in MAYBE) != effects[host]:
            yield f"I2, I3, I6 {host} was asked for {asked}"
        if after.files[host] != before.files[host]:
            yield f"I11 {host} was {before.files[host]!r} and is {after.files[host]!r}"
    if there.files["two"].splitlines()[-1] != there.files["one"].splitlines()[-1]:
        yield f"I11 the copy is not what was copied: {there.files}"
    if (there.serial, after.serial) != (before.serial + 1, before.serial + 2):
        yield f"I2, I10 the zone went {before.serial} -> {there.serial} -> {after.serial}"


def _unintended(records: tuple[Record, ...], before: Look, after: Look) -> Iterator[str]:
    """I1: the nth time a host is asked for something, n intents of just that are on the disk, each written before."""
    intents = []
    for record in records:
        if record.event == "attempt_started":
            sign = "+" if record.body["way"] == "forward" else "-"
            intents.append((unstamp(record.ts).timestamp(), f"{sign} {record.body['step']}"))
        if record.event == "settle_started":
            intents.append((unstamp(record.ts).timestamp(), f"- {str(record.body['owed']).partition('@')[0]}"))
    for host in HOSTS:
        count: Counter[str] = Counter()
        for at, what in after.effects[host][len(before.effects[host]) :]:
            count[what] += 1
            meant = sum(1 for when, one in intents if one == what and when <= at + SLACK)
            if meant < count[what]:
                yield f"I1 {host} was asked for `{what}` {count[what]} times, with {meant} intents on the disk by then"


@dataclass
class RandomWalk(Walk):
    """Kills so many consoles, each after a time that a seeded generator picks."""

    kills: int = 0
    dice: random.Random = field(default_factory=random.Random)

    async def one(self, way: str) -> int:
        """Run one console until it ends, or its time has come."""
        console, seconds = await self.start(way), self.dice.uniform(*LIFE)
        ending = asyncio.create_task(self.end(console))
        if self.kills:
            done, _ = await asyncio.wait({ending}, timeout=seconds)
            if not done:
                os.kill(console.pid, signal.SIGKILL)
                self.kills -= 1
                self.killed_at.append(f"after {seconds:.2f} s")
        return await ending
