"""A replay: a run that was, played again on the same screens. It reads; nothing is sent, and nothing is ever written.

What follows from the journal is exact. What moved besides (how far a step was, which links were up) was kept beside it, and
is missing in runs of an older Handrail; output appears when it came.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock, SystemClock
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.engine.events import AttemptStarted
from handrail.engine.messages import Intent, Refused
from handrail.engine.offers import Offer, offers
from handrail.engine.state import State
from handrail.engine.table import ImpossibleError
from handrail.session.core import spool_name
from handrail.session.moving import Moment, Moved, moments
from handrail.session.reach import proposing
from handrail.session.recorded import reading_trouble, replayed
from handrail.session.reel import Frame, Reel, frames_of, reel_of
from handrail.session.snapshots import still
from handrail.session.view import Playing, Snapshot
from handrail.store.past_reader import PastReader, Span, came_at
from handrail.store.run_folder import RunFolder

SPEEDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0)  # the last one: as fast as it can be
TICK: Final = 0.1  # seconds between two looks while it plays
BACK: Final = 1.0  # seconds into a step within which "back" means the step before
_SOON: Final = 0.25  # seconds after a record in which what moved with it was kept
NOTHING: Final = "this is a replay of what was: nothing is sent, and nothing is kept"


class Replaying:
    """A run that is played again; `playing` lets it go on by itself."""

    def __init__(
        self, folder: RunFolder, clock: Clock | None = None, *, speed: float = 1.0, paused: bool = False
    ) -> None:
        self._folder, self._clock = folder, clock or SystemClock()
        try:
            self._run = replayed(folder, self._clock)
            frames = frames_of(self._run.state.outline, self._run.records)
        except (LookupError, ValueError, TypeError, ImpossibleError) as err:
            why = "its journal is not of the runbook that lies beside it"
            raise reading_trouble(folder.run_id, why) from err
        if not frames:
            raise reading_trouble(folder.run_id, "it holds nothing that could be shown")
        self._came: dict[Path, list[int]] = {}  # output file -> when its pieces came, in ms since 1970
        self._reel = reel_of(frames, self._said(frames))
        self._moments = moments(folder.path)
        self._spread = any(not path.with_suffix(".idx").exists() for path in folder.out.glob("*.log"))
        self._at, self._count = frames[0].at, 1
        self._speed, self._paused, self._seq = speed, paused, 1
        self._still: tuple[int, Snapshot] | None = None
        self._changed = asyncio.Event()
        self._last = self._clock.mono()
        self._task: asyncio.Task[None] | None = None

    def _said(self, frames: tuple[Frame, ...]) -> Iterator[float]:
        """Yield when output came, in run seconds; a tenth of a second is told apart."""
        plain = Reel(frames)
        began = frames[0].wall
        for path in sorted(self._folder.out.glob("*.log")):
            self._came[path] = came_at(path)
            for tenth in {at_ms // 100 for at_ms in self._came[path]}:
                yield plain.at_wall(began + timedelta(seconds=tenth / 10 - began.timestamp()))

    # ------------------------------------------------------------ what front ends know of every session

    @property
    def snapshot(self) -> Snapshot:
        """Return the run as it was at the moment that is shown."""
        frame, moved = self._frame, self._moved()
        base = self._base(frame)
        return replace(
            base,
            seq=self._seq,
            at=self._at,
            wall=self._reel.wall(self._at, self._count),
            live=moved.live,
            hosts=tuple(moved.hosts.get(host.key, host) for host in base.hosts),
            waits_for=moved.waits_for,
            playing=self._playing(),
        )

    async def changed(self, seq: int) -> Snapshot:
        """Return the next snapshot whose `seq` is greater."""
        if self._task is None:
            self._task = asyncio.create_task(self._play())
        while self._seq <= seq:
            await self._changed.wait()
        return self.snapshot

    def allowed(self) -> tuple[Offer, ...]:
        """Return what could be asked then: it is shown as it was, and asking is refused."""
        made = offers(replace(self._frame.state, at=self._at))
        away = [key for key, host in self._moved().hosts.items() if host.away is not None]
        return proposing(made, self._frame.state, self._run.binding, away)

    def submit(self, intent: Intent) -> Refused | None:
        """Refuse."""
        return Refused(NOTHING)

    def answer(self, number: int, words: str | None) -> None:
        """Nothing is asked in a replay."""

    def output(self, step: str) -> PastOutput:
        """Return the output of a step, as far as it had come."""
        return PastOutput(self._folder, self, step)

    async def close(self) -> None:
        """Stop playing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # ------------------------------------------------------------ what only a replay knows

    @property
    def reel(self) -> Reel:
        """Return what is played."""
        return self._reel

    @property
    def count(self) -> int:
        """Return how many frames have led to the moment that is shown."""
        return self._count

    @property
    def state(self) -> State:
        """Return what was so."""
        return self._frame.state

    @property
    def now_ms(self) -> int:
        """Return the time of day that is shown, in ms since 1970."""
        return round(self._reel.wall(self._at, self._count).timestamp() * 1000)

    def begun(self, path: Path) -> bool:
        """Tell whether an output had begun."""
        times = self._came.get(path, [])
        return path in self._came and (not times or times[0] <= self.now_ms)

    def toggle(self) -> None:
        """Pause, or go on; at the end, begin anew."""
        if self._over:
            self._go(0)
            self._paused = False
        else:
            self._paused = not self._paused
        self._bump()

    def skip(self, seconds: float) -> None:
        """Go some run seconds on, or back."""
        self._move(min(max(self._reel.frames[0].at, self._at + seconds), self._reel.length))

    def step(self, by: int) -> None:
        """Go to where the next step was begun, or the one before; beyond the last one, to the end."""
        if by > 0:
            following = self._reel.mark_after(self._count)
            self._go(len(self._reel.frames) - 1 if following is None else following)
            return
        before = self._reel.mark_before(self._count)
        mine = self._reel.marks[self._reel.passed(self._count) - 1] if self._reel.passed(self._count) else None
        if mine is not None and self._at - self._reel.frames[mine].at > BACK:
            before = mine
        self._go(0 if before is None else before)

    def to_first(self) -> None:
        """Go to the beginning."""
        self._go(0)

    def to_end(self) -> None:
        """Go to the end."""
        self._go(len(self._reel.frames) - 1)

    def begin_at(self, word: str) -> None:
        """Go to where a step was first begun, named "2.3" or "stage/step"; raise `Trouble` `no-step` when it never was."""
        for number in self._reel.marks:
            event = self._reel.frames[number].event
            if isinstance(event, AttemptStarted) and word in (event.step, self._number(event.step)):
                self._go(number)
                return
        raise trouble(
            "no-step", f"no step {safe(word, 60)} was begun in run {self._folder.run_id}", "name it such as 2.3"
        )

    def _number(self, step: str) -> str:
        outline = self._run.state.outline
        return outline.step(step).number if outline.has_step(step) else ""

    def to_record(self, number: int) -> None:
        """Go to where the journal had so many records."""
        found = [n for n, frame in enumerate(self._reel.frames) if frame.records <= number]
        self._go(found[-1] if found else 0)

    def pace(self, by: int) -> None:
        """Play faster, or slower."""
        at = SPEEDS.index(self._speed) if self._speed in SPEEDS else 0
        self._speed = SPEEDS[min(max(0, at + by), len(SPEEDS) - 1)]
        self._bump()

    def onward(self, seconds: float) -> bool:
        """Play on by so many seconds of this console's time; tell whether there is more to come."""
        if self._speed:
            self._move(self._reel.onward(self._at, seconds * self._speed))
        elif not self._over:
            self._go(min(self._count, len(self._reel.frames) - 1))
        return not self._over

    def onto(self, seconds: float) -> bool:
        """Play on at single speed, but not past where a step was begun, or had said everything; tell whether there was more."""
        if self._over:
            return False
        at, stop = self._reel.onward(self._at, seconds), self._reel.stop_after(self._count)
        if stop is not None and self._reel.frames[stop].at <= at:
            self._go(stop)
        else:
            self._move(at)
        return True

    # ------------------------------------------------------------ inside

    @property
    def _frame(self) -> Frame:
        return self._reel.frames[self._count - 1]

    @property
    def _over(self) -> bool:
        return self._count == len(self._reel.frames) and self._at >= self._reel.length

    def _go(self, number: int) -> None:
        """Show the moment of a frame, by its number from 0."""
        self._count, self._at = number + 1, self._reel.frames[number].at
        self._bump()

    def _move(self, at: float) -> None:
        self._at, self._count = at, self._reel.seen(at)
        self._bump()

    def _bump(self) -> None:
        self._seq += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _play(self) -> None:
        self._last = self._clock.mono()
        while True:
            await asyncio.sleep(TICK)
            now = self._clock.mono()
            passed, self._last = now - self._last, now
            if not self._paused and not self._over:
                self.onward(passed)

    def _base(self, frame: Frame) -> Snapshot:
        """Return what follows from the journal; made once for each record."""
        if self._still is None or self._still[0] != self._count:
            run = self._run.at(frame.state, self._run.records[: frame.records], self._run.damage)
            self._still = (self._count, still(run, self._seq, frame.at, frame.wall))
        return self._still[1]

    def _playing(self) -> Playing:
        reel, paused = self._reel, self._paused or self._over
        return Playing(
            length=reel.length,
            speed=self._speed,
            paused=paused,
            over=self._over,
            gap=0.0 if paused else reel.gap(self._at),
            spread=self._spread,
            kept=bool(self._moments),
            step=reel.passed(self._count),
            steps=len(reel.marks),
        )

    def _moved(self) -> Moved:
        """Return what moved besides the journal, as it stood: what was kept right after a record belongs to it."""
        records, kept = self._frame.records, self._moments
        found = bisect_right(kept, (records, self._at), key=_place)
        mine = found > 0 and kept[found - 1].records == records
        if not mine and found < len(kept) and _place(kept[found]) <= (records, self._at + _SOON):
            found += 1
        return kept[found - 1].moved if found else Moved()


def _place(moment: Moment) -> tuple[int, float]:
    return moment.records, moment.at


class PastOutput:
    """The output of one step as far as it had come; one file per host and attempt."""

    def __init__(self, folder: RunFolder, replay: Replaying, step: str) -> None:
        self._out, self._replay, self._step = folder.out, replay, step

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that had said something, newest attempt first."""
        found: dict[str, None] = {}
        for attempt in reversed(self._replay.state.step(self._step).attempts):
            for host in attempt.hosts:
                path = self._out / spool_name(self._step, attempt.number, host)
                if self._replay.begun(path):
                    found[host] = None
        return tuple(found)

    def reader(self, host: str) -> PastReader | None:
        """Return a reader over what a host had said in its latest attempt; None when it had said nothing yet."""
        attempts = reversed(self._replay.state.step(self._step).attempts)
        latest = next((a for a in attempts if host in a.hosts), None)
        if latest is None:
            return None
        path = self._out / spool_name(self._step, latest.number, host)
        return self._past(path) if path.exists() else None

    def _past(self, path: Path) -> PastReader:
        number = int(path.name.split(".")[1])
        return PastReader(path, lambda: self._replay.now_ms, self._span(number))

    def _span(self, number: int) -> Span:
        """Return when an attempt ran, in ms since 1970."""
        reel = self._replay.reel
        last = reel.frames[-1]
        attempt = next(a for a in last.state.step(self._step).attempts if a.number == number)
        ended = attempt.ended if attempt.ended is not None else reel.length
        first, until = (reel.wall(at, reel.seen(at)).timestamp() for at in (attempt.started, ended))
        return Span(round(first * 1000), round(until * 1000))
