"""The plain console: reads lines, prints facts. The same session and the same rules as the full screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from handrail.base.durations import show_clock
from handrail.base.safe import safe
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.state import State
from handrail.plain import commands, words
from handrail.plain.asked import AskedLines
from handrail.plain.heard import Heard
from handrail.plain.learning import Learning
from handrail.session.api import SessionApi
from handrail.session.exits import Exit, exit_of
from handrail.session.status import status_sentence
from handrail.session.view import Relief, Snapshot

HEARTBEAT: Final = 15.0


class Answers(Protocol):
    """Who answers in a person's place: --auto, or --confirm."""

    def next_intent(self, session: SessionApi) -> Intent | None:
        """Return what to ask for now."""

    def is_over(self, state: State) -> bool:
        """Tell whether there is nothing more to answer."""


@dataclass
class Console:
    """One run on a line-by-line terminal. `put` writes one line; `lines` gives what is typed, None at its end."""

    session: SessionApi
    put: Callable[[str], None]
    lines: asyncio.Queue[str | None] | None = None
    answers: Answers | None = None
    quiet: bool = False  # with --json: events only
    follow: Callable[[], Iterable[str]] | None = None  # journal lines, for --json
    asked: AskedLines | None = None  # what connections ask; without it nobody can be asked
    learning: Learning = field(init=False)
    _before: State | None = None
    _relief: Relief | None = None
    _heard: Heard = field(init=False)
    _prompted: str = ""
    _partial: str = ""
    _said: float = 0.0

    def __post_init__(self) -> None:
        self.learning = Learning(self.session, self._tell)
        self._heard = Heard(self.session)

    async def run(self) -> Exit:
        """Drive the run until it is left or over; return the exit code."""
        for line in words.opening(self.session.snapshot):
            self._tell(line)
        typed = asyncio.create_task(self._typed()) if self.lines else None
        seq = 0
        try:
            while True:
                seq = await self._look(seq)
                if self._over():
                    return self._end()
                if typed and typed.done():
                    said = typed.result()
                    if self._take(said):
                        return self._end()
                    typed = asyncio.create_task(self._typed()) if said is not None else None
                    continue
                changed = asyncio.create_task(self.session.changed(seq))
                await asyncio.wait({t for t in (changed, typed) if t}, timeout=HEARTBEAT, return_when="FIRST_COMPLETED")
                if not changed.done():
                    changed.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await changed
                    self._heartbeat()
        finally:
            if typed:
                typed.cancel()

    async def _typed(self) -> str | None:
        assert self.lines is not None
        return await self.lines.get()

    async def _look(self, seq: int) -> int:
        """Print what is new; ask what is to be asked in a person's place."""
        shown = self.session.snapshot
        if self.asked:
            self.asked.show(shown.asked)
        for line in words.changes(self._before, shown):
            self._tell(f"{shown.wall:%H:%M:%SZ} {line}")
        for line in words.relief(self._relief, shown.relief, shown.at):
            self._tell(f"{shown.wall:%H:%M:%SZ} {line}")
        self._relief = shown.relief
        self._standing(shown)
        for said in self._heard.fresh(self._before, shown):
            self._tell(said)
        for line in self.learning.compared(self._before, shown):
            self._tell(line)
        if self.follow:
            for record in self.follow():
                self.put(record)
        self._before = shown.state
        if shown.trouble:
            self._tell(safe(f"STOPPED: {shown.trouble}"))
        if self.answers:
            intent = self.answers.next_intent(self.session)
            if intent is not None:
                self._submit(intent)
                return self.session.snapshot.seq - 1
        else:
            self.learning.look(shown)
            self._prompt(shown)
        return max(seq, shown.seq)

    def _standing(self, shown: Snapshot) -> None:
        step = order.standing(shown.state)
        word = shown.state.step(step.id).word if step else None
        before = self._before.step(step.id).word if step and self._before else None
        if step and word is not before:
            for line in words.failure_lines(shown, step):
                self._tell(line)

    def _prompt(self, shown: Snapshot) -> None:
        """Say what may be typed now, once for each thing."""
        if self.learning.asks:
            return
        text = self._question(shown)
        if text != self._prompted:
            self._prompted = text
            if text:
                self._tell(safe(text))

    def _question(self, shown: Snapshot) -> str:
        state = shown.state
        gate = order.awaiting(state)
        if gate and state.step(gate.id).gate and not state.step(gate.id).confirmed:
            shows = state.step(gate.id).gate
            assert shows is not None
            if self._prompted != f"Type {shows.token} to go on, or: no, status, who, undo, pause, note, help":
                for line in words.gate_lines(shown, gate, shows):
                    self._tell(line)
            return f"Type {shows.token} to go on, or: no, status, who, undo, pause, note, help"
        if order.asking(state):
            return "your turn: answer, or: no, status, help"
        proposed = next((o for o in self.session.allowed() if o.proposed and o.granted), None)
        if order.standing(state):
            return f"What now? {words.proposal(shown, proposed)}. menu shows all, help the words"
        if proposed:
            return f"enter: {proposed.label}. help shows the words"
        over = order.next_step(state) is None and not order.busy(state) and not state.walk
        if not over:
            return ""
        more = " debrief: what it came to, for you." if shown.info.level else ""
        return f"everything is done. leave: end here. undo: walk back.{more} help shows the words"

    def _take(self, line: str | None) -> bool:
        """Take one typed line; return whether the operator has left."""
        if self.asked and self.asked.waits:
            self.asked.take(line, self.session.answer)
            if line is not None:
                return False
        if self.answers and line is not None:
            self._tell("nothing is typed here: it goes on by itself, and ctrl+c holds it")
            return False
        if self.answers:
            return False
        if line is None:
            self._submit(m.Leave("the input ended"))
            return True
        if self.learning.asks:
            then = self.learning.take(line)
            if then is not None:
                self._submit(then)
            return False
        if self._partial:
            line, self._partial = f"{self._partial} {line}", ""
        parsed = commands.parse(line, self.session.snapshot.state)
        match parsed:
            case commands.Say(what=what):
                self._say(what)
                self._prompted = ""
            case commands.Missing(prompt=prompt):
                self._partial = line
                self._tell(safe(f"{prompt}:"))
            case _ if self.learning.before(parsed, self.session.snapshot):
                self._prompted = ""
            case _:
                self._submit(parsed)
                self._prompted = ""
                return isinstance(parsed, m.Leave | m.Close) and self._left()
        return False

    def _left(self) -> bool:
        state = self.session.snapshot.state
        return state.held or bool(state.closed)

    def _submit(self, intent: Intent) -> None:
        refused = self.session.submit(intent)
        if refused:
            self._tell(safe(f"refused: {refused.reason}"))

    def _say(self, what: str) -> None:
        shown = self.session.snapshot
        kind, _, rest = what.partition(" ")
        if kind == "help":
            lines: Iterable[str] = commands.HELP
        elif kind == "status":
            lines = (status_sentence(shown),)
        elif kind == "who":
            lines = (f"driving: {shown.state.driver}; watching: {', '.join(shown.watchers) or 'nobody'}",)
        elif kind == "menu":
            lines = [commands.menu_line(offer) for offer in self.session.allowed()]
        elif kind == "gate":
            lines, self._prompted = (), ""
        elif kind == "debrief":
            lines = ()
            self.learning.debrief()
        elif kind == "hint":
            lines = self.learning.hint(shown, rest)
        elif kind == "log":
            lines = self._log(rest)
        else:
            lines = (what,)
        for line in lines:
            self._tell(safe(line))

    def _log(self, step: str) -> list[str]:
        """Return where the output of a step lies."""
        shown = self.session.snapshot
        found = [s for s in shown.state.outline.steps if step in (s.id, s.number)] or list(shown.state.outline.steps)
        return [
            f"{s.name}: {shown.info.folder / r.output.file} ({r.output.length} bytes)"
            for s in found
            for a in shown.state.step(s.id).attempts
            for r in a.results.values()
            if r.output
        ] or ["there is no output yet"]

    def _heartbeat(self) -> None:
        shown = self.session.snapshot
        working = order.busy(shown.state)
        if not working:
            return
        live = shown.live.get(working[0].id)
        heard = max((h.last_output or 0.0 for h in live.hosts.values()), default=0.0) if live else 0.0
        ago = f", last output {show_clock(shown.at - heard)} ago" if heard else ""
        again = max((h.tries for h in live.hosts.values()), default=0) if live else 0
        asked = f", asked {again} times, does not hold yet" if again else ""
        text = asked + (f", {live.text}" if live and live.text else "")
        self._tell(safe(f"still {working[0].name}, T+{show_clock(shown.at)}{ago}{text}"))

    def _over(self) -> bool:
        state = self.session.snapshot.state
        if self.session.snapshot.trouble or state.closed or state.held:
            return True
        return self.answers is not None and self.answers.is_over(state)

    def _end(self) -> Exit:
        shown = self.session.snapshot
        code = exit_of(shown.state)
        for line in words.ending(shown, code.name.lower().replace("_", " ")):
            self._tell(line)
        if self.follow:
            for record in self.follow():
                self.put(record)
        return code

    def _tell(self, line: str) -> None:
        if not self.quiet:
            self.put(line)
