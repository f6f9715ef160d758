"""Scripted operators: they see what a person sees, answer what is proposed, and know a few moves for what goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, StepWord, Verdict
from handrail.plain.auto import Auto
from handrail.session.session import Session

PATIENCE = 400.0  # seconds for a whole drill, on a machine that is busy: it only ends a test that has failed
LOOK = 0.5
TRIES = 20


@dataclass
class Operator:
    """One person. `moves`: at a step that stands or a gate that is closed, or "guard", what is done, one after the other.

    A move is "note WORDS", "retry" (again while it fails), "undo STAGE", "emergency", "skip", "by hand", "stop", "leave" or
    "turn STAGE": walk back to it, and go home.
    `slow` are running steps that are not waited for longer than so many seconds: then their moves are done. Whatever has
    no moves left is left alone: the operator goes home.
    """

    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slow: Mapping[str, float] = field(default_factory=dict)
    at: Mapping[str, str] = field(default_factory=dict)  # when this step has passed, one move, whatever is proposed
    _done: dict[str, int] = field(default_factory=dict)
    _tries: int = 0
    _turned: bool = False

    async def work(self, session: Session) -> State:
        """Drive until it is done, or nothing more is known to do; the console is not closed."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            shown = session.snapshot
            assert not shown.trouble, shown.trouble
            if outcome(shown.state) is Outcome.DONE or await self._handled(session) == "leave":
                return session.snapshot.state
            still = self._turned or self._closed_gate(session)
            intent = None if still else Auto().next_intent(session)
            if intent is None or session.submit(intent) is not None:
                await self._wait(session, shown.seq)
        raise AssertionError(f"not done in {PATIENCE:.0f} s: {where(session.snapshot.state)}")

    @staticmethod
    async def _wait(session: Session, seq: int) -> None:
        try:
            async with asyncio.timeout(LOOK):
                await session.changed(seq)
        except TimeoutError:
            pass

    async def _handled(self, session: Session) -> str:
        """Do what is known for what stands; return "leave" when that is to go home."""
        state = session.snapshot.state
        if self._turned:
            return "" if state.walk or order.busy(state) else "leave"
        for step, move in self.at.items():
            if state.step(step).word is StepWord.PASSED and not self._done.get(f"at {step}"):
                self._done[f"at {step}"] = 1
                return await self._do(session, step, move)
        if order.busy(state) and not self._overdue(session):
            return ""
        place = self._place(session)
        if not place:
            return ""
        moves, done = self.moves.get(place, ()), self._done.get(place, 0)
        if done >= len(moves):
            waits = place == "guard" and bool(moves)  # it is asked every so often: what was mended is not seen at once
            return (
                "" if waits or not (order.standing(state) or state.tripped or self._closed_gate(session)) else "leave"
            )
        if moves[done] == "retry":
            self._tries += 1
            if self._tries > TRIES:
                return "leave"
            await asyncio.sleep(LOOK)
        else:
            self._done[place] = done + 1
        return await self._do(session, place, moves[done])

    def _overdue(self, session: Session) -> bool:
        shown = session.snapshot
        step = next(iter(order.busy(shown.state)), None)
        limit = self.slow.get(step.id) if step else None
        attempt = shown.state.step(step.id).attempt if step else None
        return limit is not None and attempt is not None and shown.at - attempt.started > limit

    def _place(self, session: Session) -> str:
        state = session.snapshot.state
        standing = order.standing(state)
        if state.tripped:
            return "guard"
        if standing:
            return standing.id
        if self._overdue(session):
            return next(iter(order.busy(state))).id
        return self._closed_gate(session)

    @staticmethod
    def _closed_gate(session: Session) -> str:
        """Return the step of a gate that something keeps closed."""
        state = session.snapshot.state
        gate = order.awaiting(state)
        shows = state.step(gate.id).gate if gate else None
        if gate is None or shows is None:
            return ""
        return gate.id if shows.blocked or any(r.holds is False for r in shows.rechecks) else ""

    async def _do(self, session: Session, place: str, move: str) -> str:
        verb, _, rest = move.partition(" ")
        if verb == "leave":
            return verb
        refused = session.submit(_intent(verb, rest, place, session.snapshot.state))
        if refused and verb != "retry":
            print(f"{place}: {move}: refused: {refused.reason}")
        self._turned = verb == "turn" and refused is None
        await self._wait(session, session.snapshot.seq)
        return ""


def _intent(verb: str, rest: str, place: str, state: State) -> m.Intent:
    match verb:
        case "note":
            return m.Note(rest)
        case "retry":
            return m.Retry(place)
        case "undo" | "turn":
            return m.Undo(rest, order.put_back(state, order.to_undo(state, rest)))
        case "emergency":
            return m.Declare("emergency", "the primary is dark, seen from both sites")
        case "skip":
            return m.Skip(place, "one of six is good enough")
        case "by":
            return m.Resolve(place, Verdict.PASSED, "it will be all right", evidence="none")
        case "stop":
            return m.StopStep(place)
    raise ValueError(verb)


def where(state: State) -> str:
    """Return where a run stands, for a failing test."""
    told = [f"{step.id} {now.word}: {now.detail}" for step, now in state.walked() if now.word is not StepWord.PENDING]
    return "; ".join(told[-3:])
