"""Looking on: a run as its journal says it is, read only, live. Every intent but a note is refused."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.engine import messages as m
from handrail.engine.codec import decode_event
from handrail.engine.evolve import evolve
from handrail.engine.messages import Intent, Refused
from handrail.engine.offers import Offer
from handrail.engine.state import State
from handrail.session import mailbox
from handrail.session.output import FolderOutput
from handrail.session.people import operator
from handrail.session.recorded import replayed
from handrail.session.snapshots import Replayed, still
from handrail.session.view import Snapshot
from handrail.store.journal import read_run
from handrail.store.run_folder import RunFolder

LOOK: Final = 0.3


class Watching:
    """A run that somebody else drives, or nobody."""

    def __init__(self, folder: RunFolder, clock: Clock | None = None) -> None:
        self._folder, self._clock = folder, clock or SystemClock()
        self._run: Replayed = replayed(folder, self._clock)
        self._records, self._seq, self._size = len(self._run.records), 1, -1
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._follow())
        self._here: Path | None = None

    @property
    def snapshot(self) -> Snapshot:
        """Return the run as its journal says it is."""
        last = self._run.records[-1]
        away = 0.0 if self._run.state.held or self._run.state.closed else _since(last.ts, self._clock)
        watchers = mailbox.present(self._folder.path)
        return still(self._run, self._seq, self._run.state.at + away, self._clock.now(), watchers)

    async def changed(self, seq: int) -> Snapshot:
        """Return the next snapshot whose `seq` is greater."""
        while self._seq <= seq:
            await self._changed.wait()
        return self.snapshot

    def allowed(self) -> tuple[Offer, ...]:
        """Return the only thing one who looks on may do."""
        return (Offer("note", "Note", m.Note("…"), wants=("text",)),)

    def submit(self, intent: Intent) -> Refused | None:
        """Leave a note; refuse everything else."""
        if isinstance(intent, m.Note) and intent.text.strip():
            mailbox.leave_note(self._folder.path, intent.text, operator())
            return None
        return Refused("you are watching: this console drives nothing")

    def answer(self, number: int, words: str | None) -> None:
        """Nothing is asked of one who looks on."""

    def output(self, step: str) -> FolderOutput:
        """Return the output of a step."""
        return FolderOutput(self._folder, self._run.state, step)

    async def close(self) -> None:
        """Stop looking."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._here:
            self._here.unlink(missing_ok=True)

    async def _follow(self) -> None:
        while True:
            self._here = mailbox.be_present(self._folder.path, operator())
            size = self._folder.journal.stat().st_size
            if size != self._size:
                self._size = size
                self._take()
            await asyncio.sleep(LOOK)

    def _take(self) -> None:
        reading = read_run(self._folder.path)
        fresh = list(reading.records)
        state: State = self._run.state
        for record in fresh[self._records :]:
            event = decode_event(record.event, record.body)
            if event is not None:
                state = evolve(state, event)
        self._records = len(fresh)
        self._run = self._run.at(state, tuple(fresh), reading.damage)
        self._seq += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _since(ts: str, clock: Clock) -> float:
    return max(0.0, (clock.now() - unstamp(ts)).total_seconds())
