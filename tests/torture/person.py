"""Who walks the runbook of trouble: answers each of its troubles, always in the same way, from what the run shows.

Whoever goes on in a new console sees the same run and does the same: a console's death changes nothing but the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.outcome import outcome
from handrail.engine.results import Gate
from handrail.engine.state import State, StepState
from handrail.engine.words import Outcome, Pace, Remarks, StepWord, Verdict, Way
from handrail.session.api import SessionApi

AWAY: Final = "gone for a moment"


@dataclass
class Person:
    """Answers for a person. `back`: walk back to the start, else on to the end. `slow`: look at a gate for long.

    `idle`: never answer what a person is asked to look at.
    """

    back: bool = False
    slow: bool = False
    idle: bool = False
    seen: Gate | None = None
    once: set[str] = field(default_factory=set)  # what this console has done already, and would harm nobody twice

    def next_intent(self, session: SessionApi) -> Intent | None:
        """Return what to ask for now; None when there is nothing to do but wait."""
        state = session.snapshot.state
        if state.held or state.claim_refused:
            return None
        if state.open_cards:
            return m.AnswerCard("understood")
        if state.halted:
            return None
        if session.snapshot.relief is not None:
            return self._relieved()
        asked = order.asking(state)
        if asked is not None:
            if self.idle:
                return None
            question = state.step(asked.id).question
            return m.Reply(asked.id, (question.token if question else "") or "pass seen with my own eyes")
        stands = order.standing(state)
        if stands is not None and not (self.back and state.step(stands.id).word is StepWord.OWED):
            now = state.step(stands.id)
            asked_already = order.busy(state) or state.recall or now.again or now.asking
            return None if asked_already else _DOES[stands.id](state, now, stands.id)
        return self._stop(state) or (self._go_back(state) if self.back else self._go_on(session, state))

    def _relieved(self) -> Intent:
        """Keep the run the first time somebody asks for it; hand it over the next time."""
        return m.Decline(words="two more minutes") if self._first("decline") else m.HandOver(note="all is well")

    def _stop(self, state: State) -> Intent | None:
        """Stop what never ends by itself, once it has begun."""
        now = state.step("trouble/stuck")
        begun = any("marker" in notes for notes in now.notes.values())
        if now.word is StepWord.RUNNING and begun and not now.stopping and not state.recall:
            return m.StopStep("trouble/stuck")
        return None

    def _go_on(self, session: SessionApi, state: State) -> Intent | None:
        gate = order.awaiting(state)
        if gate is not None and state.step(gate.id).gate is not None and self._first("not now"):
            return m.LeaveGate(gate.id)
        if gate is not None and self.slow and not self._looked_again(state.step(gate.id)):
            return None
        if order.next_step(state) is None:
            return None
        if order.busy(state):
            running = order.busy(state)[0]
            return m.Pause() if running.id == "trouble/late" and self._first("pause") else None
        if state.started and self._first("pace") and state.pace is Pace.STAGE:
            return m.SetPace(Pace.STEP)
        if self._first("note"):
            return m.Note("somebody was here", by="a passer-by")
        if self._first("remark"):
            return m.Remark(Remarks.HINT, "mind the alarm")
        offer = next((o for o in session.allowed() if o.proposed and o.granted), None)
        return offer.intent if offer and isinstance(offer.intent, m.Go | m.Confirm) else None

    def _go_back(self, state: State) -> Intent | None:
        """Undo all but the first change, declare the primary lost, undo the rest, and settle what is owed then."""
        if state.walk or state.recall or state.settling or order.busy(state) or order.closed_back(state):
            return None
        if AWAY not in {note.text for note in state.notes}:
            self.once.add(AWAY)
            return m.Note(AWAY)
        if AWAY in self.once:
            return m.Leave("a cup of tea")
        most = order.to_undo(state, "copy")
        if most:
            return m.Undo("copy", order.put_back(state, most))
        if state.started and not state.lost:
            return m.Declare("emergency", "the primary does not answer")
        if any(order.back_hosts(state, state.outline.step(step)) for step in state.started):
            return m.Undo("", ())
        return m.Settle(state.owed[0].id) if state.owed else None

    def _looked_again(self, now: StepState) -> bool:
        """Tell whether the gate shows something newer than at the first look at it."""
        self.seen = self.seen or now.gate
        return now.gate is not self.seen

    def _first(self, what: str) -> bool:
        if what in self.once:
            return False
        self.once.add(what)
        return True

    def is_over(self, state: State) -> bool:
        """Tell whether there is nothing left to do here."""
        if state.held or state.claim_refused:
            return True
        if (
            order.busy(state)
            or state.recall
            or state.walk
            or state.settling
            or (not self.back and order.standing(state))
        ):
            return False
        if self.back:
            return outcome(state) is Outcome.UNDONE
        return order.next_step(state) is None


def _retry(_state: State, _now: StepState, step: str) -> Intent:
    return m.Retry(step)


def _check(_state: State, _now: StepState, step: str) -> Intent:
    return m.CheckAgain(step)


def _skip(_state: State, _now: StepState, step: str) -> Intent:
    return m.Skip(step, "it never holds")


def _probe_then_say(_state: State, now: StepState, step: str) -> Intent:
    if now.told is None:
        return m.Probe(step)
    return m.Resolve(step, Verdict.PASSED, "it ran long enough", evidence="I looked")


def _ask_then_say(_state: State, now: StepState, step: str) -> Intent:
    if now.attempt is not None and not now.attempt.attach:
        return m.Reattach(step)
    return m.Resolve(step, Verdict.PASSED, "nobody else will say", evidence="I looked")


def _owe(_state: State, _now: StepState, step: str) -> Intent:
    return m.Owe(step, "its host is busy")


def _turn(state: State, now: StepState, step: str) -> Intent:
    """Its undo failed: the first time it is done again instead, the walk ends, and begins anew."""
    back = [a for a in now.attempts if a.way is Way.BACK]
    if state.walk and len(back) == 1:
        return m.LeaveUndo()
    return m.GoForward(step)


_DOES: Final[Mapping[str, Callable[[State, StepState, str], Intent]]] = {
    "checks/hopeless": _skip,
    "trouble/flaky": _retry,
    "trouble/unsure": _check,
    "trouble/stuck": _probe_then_say,
    "trouble/gone": _ask_then_say,
    "trouble/owing": _owe,
    "trouble/turning": _turn,
}
