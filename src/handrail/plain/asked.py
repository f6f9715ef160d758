"""Questions of connections on a line-by-line terminal: said once, answered by the next line, which is not shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from handrail.base.safe import safe
from handrail.session.api import BriefingApi
from handrail.session.cards import BriefingView
from handrail.session.view import Asked

Lines = asyncio.Queue[str | None]
AnswerTo = Callable[[int, str | None], None]


@dataclass
class AskedLines:
    """What is asked now. `put` writes a line; `hide` turns the terminal's echo off (True) and on again."""

    put: Callable[[str], None]
    hide: Callable[[bool], None] = lambda _hidden: None
    _now: Asked | None = None
    _done: set[int] = field(default_factory=set)

    @property
    def waits(self) -> bool:
        """Tell whether the next line is an answer."""
        return self._now is not None

    def show(self, asked: Sequence[Asked]) -> None:
        """Say what is asked first, once; say it too when that is not asked any more."""
        first = next((one for one in asked if one.number not in self._done), None)
        now = self._now
        if first == now:
            return
        if now is not None:
            self.end()
            self.put("this is not asked any more")
        if first is None:
            return
        self._now = first
        if first.wrong:
            self.put(safe(first.wrong))
        self.put(safe(f"{first.title}: {first.text} (an empty line leaves it)"))
        self.hide(not first.echo)

    def take(self, line: str | None, answer: AnswerTo) -> None:
        """Take the line as the answer; an empty one, or the end of the input, declines."""
        now = self._now
        if now is not None:
            self.end()
            self._done.add(now.number)
            answer(now.number, line or None)

    def end(self) -> None:
        """Show again what is typed."""
        self._now = None
        self.hide(False)


@dataclass
class Hearing:
    """A briefing on a line-by-line terminal: who answers, and what connections ask, until every role is told of."""

    briefing: BriefingApi
    lines: Lines
    asked: AskedLines
    _told: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> BriefingView:
        """Return the briefing once every role has answered, or was given up."""
        typed = asyncio.create_task(self.lines.get())
        seq = 0
        try:
            while True:
                view = self.briefing.view
                self._say(view)
                self.asked.show(view.asked)
                if not any(pulse.reached is None for pulse in view.pulses):
                    return view
                seq = view.seq
                changed = asyncio.create_task(self.briefing.changed(seq))
                await asyncio.wait({changed, typed} if self.asked.waits else {changed}, return_when="FIRST_COMPLETED")
                changed.cancel()
                await asyncio.gather(changed, return_exceptions=True)
                if self.asked.waits and typed.done():
                    line = typed.result()
                    self.asked.take(line, self.briefing.answer)
                    if line is None:
                        self.lines.put_nowait(None)
                    typed = asyncio.create_task(self.lines.get())
        finally:
            self.asked.end()
            if typed.done() and not typed.cancelled():  # typed ahead: it belongs to what is asked next
                self.lines.put_nowait(typed.result())
            typed.cancel()

    def _say(self, view: BriefingView) -> None:
        for pulse in view.pulses:
            if pulse.reached is not None and (pulse.host, pulse.words) not in self._told:
                self._told.add((pulse.host, pulse.words))
                mark = "answers" if pulse.reached else "NOT"
                trip = f", {pulse.round_trip * 1000:.0f} ms" if pulse.round_trip is not None else ""
                self.asked.put(safe(f"{mark:7} {pulse.role} {pulse.name}: {pulse.words}{trip}"))
