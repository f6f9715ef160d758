"""A replay, line by line: what changed, when it changed, each line marked. What is typed moves the replay, never the run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from handrail.base.durations import show_clock, show_duration
from handrail.base.safe import safe
from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.plain import words
from handrail.plain.heard import Heard
from handrail.session.api import ReplayApi
from handrail.session.view import Snapshot

MARK: Final = "REPLAY"
HELP: Final = (
    "enter      pause, or go on",
    "next | before          to where the next step was begun, or the one before",
    "on [S] | back [S]      so many seconds on, or back (10)",
    "+ | -      faster, slower",
    "first | end            to the beginning, to the end",
    "leave      end the replay",
)


@dataclass
class Tape:
    """One replay on a line-by-line terminal. `put` writes one line; `lines` gives what is typed, None at its end."""

    session: ReplayApi
    put: Callable[[str], None]
    lines: asyncio.Queue[str | None] | None = None
    _heard: Heard = field(init=False)
    _before: State | None = None
    _gap: float = 0.0
    _at: float = -1.0
    _jumped: bool = False

    def __post_init__(self) -> None:
        self._heard = Heard(self.session)

    def all(self, onward: Callable[[float], bool]) -> None:
        """Print the whole of it, without waiting; `onward` goes to the next record."""
        self._open()
        self.look()
        while onward(0.0):
            self.look()
        self.look()
        self._end()

    async def run(self) -> None:
        """Play it at its pace until its end, or until it is left."""
        self._open()
        if self.lines is not None:
            self._say("type help for what can be typed; enter pauses")
        typed = asyncio.create_task(self._typed()) if self.lines else None
        seq = 0
        try:
            while True:
                self.look()
                if self.session.snapshot.playing is None or self._over():
                    break
                changed = asyncio.create_task(self.session.changed(seq))
                await asyncio.wait({t for t in (changed, typed) if t}, return_when="FIRST_COMPLETED")
                changed.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    seq = (await changed).seq
                if typed and typed.done():
                    said = typed.result()
                    if said is not None and self._take(said):
                        return
                    typed = asyncio.create_task(self._typed()) if said is not None else None
        finally:
            if typed:
                typed.cancel()
        self._end()

    def look(self) -> None:
        """Print what is new at the moment that is shown."""
        shown = self.session.snapshot
        if self._jumped or shown.at < self._at:
            self._land(shown)
        self._at = shown.at
        self._skipping(shown)
        for line in self._news(shown):
            self.put(f"{MARK} {shown.wall:%H:%M:%SZ} {line}")
        self._before = shown.state

    def _land(self, shown: Snapshot) -> None:
        """Say where one is after a jump; what lies before it is not told, but for how each step stands."""
        self._jumped, self._before = False, shown.state
        self._heard.forget()
        for _ in self._heard.fresh(None, shown):
            pass  # what was said by then
        busy = ", ".join(step.name for step in order.busy(shown.state))
        done = sum(order.finished(shown.state, step) for step in shown.state.outline.steps)
        said = f"running {busy}" if busy else "between two steps"
        self._say(f"is at T+{show_clock(shown.at)}, {shown.wall:%H:%M:%SZ}: {said}; {done} steps are behind it")

    def _news(self, shown: Snapshot) -> Iterator[str]:
        yield from words.changes(self._before, shown)
        gate = order.awaiting(shown.state)
        opened = shown.state.step(gate.id).gate if gate else None
        if gate and opened and not (self._before and self._before.step(gate.id).gate):
            yield from words.gate_lines(shown, gate, opened)
        if gate and shown.state.step(gate.id).confirmed and not (self._before and self._before.step(gate.id).confirmed):
            yield safe(f"confirmed by typing {shown.state.step(gate.id).confirmed}")
        step = order.standing(shown.state)
        if step and not (self._before and self._before.step(step.id).word is shown.state.step(step.id).word):
            yield from words.failure_lines(shown, step)
        yield from self._heard.fresh(self._before, shown)

    def _skipping(self, shown: Snapshot) -> None:
        """Say that time is passed over, once for each gap."""
        gap = shown.playing.gap if shown.playing else 0.0
        if gap and gap != self._gap:
            self._say(f"{show_duration(gap)} in which nothing happened pass in a second")
        self._gap = gap

    def _over(self) -> bool:
        playing = self.session.snapshot.playing
        return playing is not None and playing.over

    def _open(self) -> None:
        shown = self.session.snapshot
        info, playing = shown.info, shown.playing
        self._say(
            f"of a {info.mode.value} run, {info.started:%d %b %Y %H:%MZ}: {info.runbook} on {info.estate}, run {info.run}"
        )
        self._say(
            "This is over. Nothing is sent, nothing is written; long times in which nothing happened are shortened."
        )
        if playing and playing.spread:
            self._say("When output came is not recorded: it is spread over the time of its step.")
        for line in words.damage(shown):
            self._say(line)
        self._jumped = playing is not None and playing.step > 0  # it does not begin at the beginning

    def _end(self) -> None:
        shown = self.session.snapshot
        for line in words.damage(shown):
            self._say(line)
        self._say(
            f"ends: this {shown.info.mode.value} run was {outcome(shown.state).value} at T+{show_clock(shown.at)}"
        )

    def _say(self, text: str) -> None:
        self.put(f"{MARK} {safe(text)}")

    async def _typed(self) -> str | None:
        assert self.lines is not None
        return await self.lines.get()

    def _take(self, line: str) -> bool:
        """Do what was typed; tell whether the replay is left."""
        word, _, rest = line.strip().partition(" ")
        seconds = float(rest) if rest.isdigit() else 10.0
        does: dict[str, Callable[[], None]] = {
            "": self.session.toggle,
            "next": lambda: self.session.step(1),
            "before": lambda: self.session.step(-1),
            "on": lambda: self.session.skip(seconds),
            "back": lambda: self.session.skip(-seconds),
            "+": lambda: self.session.pace(1),
            "-": lambda: self.session.pace(-1),
            "first": self.session.to_first,
            "end": self.session.to_end,
        }
        if word in ("leave", "quit", "q"):
            return True
        if word in does:
            self._jumped = word not in ("", "+", "-")
            does[word]()
            if word in ("", "+", "-"):
                self._say(self._pace())
        else:
            for help_line in HELP:
                self._say(help_line)
        return False

    def _pace(self) -> str:
        playing = self.session.snapshot.playing
        if playing is None or playing.paused:
            return "paused"
        return f"plays at {playing.speed:g}x" if playing.speed else "plays as fast as it can"
