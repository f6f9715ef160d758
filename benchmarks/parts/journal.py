"""The journal: what one event costs beside the write and the sync it cannot do without; reading 100,000 of them back."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from benchmarks.measured import Part, Row, middle
from benchmarks.parts.start import NOBODY
from benchmarks.place import HANDRAIL, Place
from benchmarks.rounds import interleaved, timed
from benchmarks.runbooks import estate, long_runbook
from benchmarks.spawned import must
from handrail.base.clock import SystemClock
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.codec import encode_event
from handrail.session.opening import Opening, open_run
from handrail.session.recorded import replayed
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.disk import Disk
from handrail.store.home import Home
from handrail.store.journal import Journal, walk_journal
from handrail.store.lock import acquire
from handrail.store.run_folder import RunFolder

EACH = 20  # events in one measurement
WORDS = "the agents at the second site are late, as they always are on a Monday; nothing to be done about it: "


def measure(place: Place) -> Part:
    """Return what the journal costs."""
    book = place.file("book.toml", long_runbook(40))
    where = place.file("estate.toml", estate(place.file("known_hosts", ""), {"one": NOBODY}))
    written = asyncio.run(_written(place, book, where))
    many = place.size(100_000, 500)
    folder = _long(place, book, where, many)
    lines = (folder / "journal.jsonl").read_bytes().splitlines()
    read = _read(place, folder, lines)
    bare, parsed = middle(written["bare"]), middle(read["json"])
    sized = f"{len(lines):,} events"
    return Part(
        "Journal",
        f"Events of about {len(lines[-1])} bytes, {EACH} a measurement, into files of one folder on the disk of "
        "this machine; reading is timed in one process, the commands from their start to their end.",
        (
            Row("one event on the disk", middle(written["append"]), "s", "bare write + fdatasync", bare, 2, "at most 2x"),
            Row(
                "one intent: decided, on the disk, made so, told to all",
                middle(written["intent"]), "s", "bare write + fdatasync", bare, 2, "at most 2x",
            ),
            Row(f"chain verified, {sized}", middle(read["walk"]), "s", "`json.loads` of its lines", parsed),
            Row(
                f"resume: verified, decoded, folded, {sized}",
                middle(read["resume"]), "s", "`json.loads` of its lines", parsed, 4, "at most 4x",
            ),
            Row(f"`handrail audit`, {sized}", middle(read["audit"]), "s", "`json.loads` of its lines", parsed),
        ),
    )  # fmt: skip


async def _written(place: Place, book: Path, where: Path) -> dict[str, list[float]]:
    session = open_run(Home(place.folder / "home"), Opening(book, where, Mode.LIVE))
    folder = session.snapshot.info.folder
    line = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)[-1]
    aside = RunFolder.create(Home(place.folder / "home"), "aside", runbook=b"", inputs={}, estate=b"")
    journal = Journal.create(aside.path, SystemClock(), "ann", 1)
    bare = os.open(aside.path / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    event, body = encode_event(e.NoteMade(at=1.0, text=WORDS, by="ann"))

    def written() -> None:
        os.write(bare, line)
        os.fdatasync(bare)

    contenders = {
        "bare": _often(written),
        "append": _often(lambda: journal.append(event, body)),
        "intent": _often(lambda: session.submit(m.Note(WORDS, by="ann"))),
    }
    taken = interleaved(contenders, place.rounds(30))
    os.close(bare)
    journal.close()
    await session.close()
    return taken


def _often(work: Callable[[], object]) -> Callable[[], float]:
    """Return the work as a contender: the seconds of one, as the mean of many."""

    def once() -> float:
        begun = time.perf_counter()
        for _ in range(EACH):
            work()
        return (time.perf_counter() - begun) / EACH

    return once


def _long(place: Place, book: Path, where: Path, events: int) -> Path:
    """Write the journal of a long night: a link that flaps, a guard, values noted, reads asked anew; return its folder."""

    async def begin() -> Session:
        session = open_run(Home(place.folder / "home"), Opening(book, where, Mode.LIVE))
        await session.close()
        return session

    folder = asyncio.run(begin()).snapshot.info.folder
    lock = acquire(folder, "ann", SystemClock())
    journal = Journal.open(folder, SystemClock(), "ann", lock.epoch, disk=_Unsynced())
    for number, event in zip(range(events), _night(), strict=False):
        journal.append(*encode_event(replace(event, at=1.0 + number)))
    journal.close()
    lock.release()
    return folder


def _night() -> Iterator[e.Event]:
    """Yield what keeps happening to a run that stands for days."""
    for number in count():
        step = f"s1/step{number % 10 + 1}"
        yield e.LinkLost(0.0, step, "one", "the link was lost: connection reset by peer")
        yield e.LinkBack(0.0, step, "one")
        yield e.GuardTripped(0.0, "primary-back", "HTTP 200: the old primary answers again")
        yield e.GuardCleared(0.0, "primary-back")
        yield e.Noted(0.0, step, "one", {"inode": "131845", "offset": str(number * 4096), "mark": "3915528286.256"})
        yield e.Reverified(0.0, step, holds=True, seen="running, since 05:12Z, pid 4123")


class _Unsynced(Disk):
    """A disk that is not waited for: only what is read back later counts here."""

    def sync_data(self, at: str, fd: int) -> None:
        """Do nothing."""


def _walked(folder: Path) -> int:
    with walk_journal(folder / "journal.jsonl") as walk:
        return sum(1 for _ in walk)


def _read(place: Place, folder: Path, lines: list[bytes]) -> dict[str, list[float]]:
    run = RunFolder(folder)
    contenders = {
        "json": timed(lambda: [json.loads(line) for line in lines]),
        "walk": timed(lambda: _walked(folder)),
        "resume": timed(lambda: replayed(run)),
        "audit": lambda: must([HANDRAIL, "audit", run.run_id], env=place.env()).wall,
    }
    return interleaved(contenders, place.rounds(5))
