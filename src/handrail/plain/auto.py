"""--auto: a front end that submits intents, and nothing else. It answers as a person would who agrees to everything.

At a failure, an unknown outcome or a refusal it stops: deciding is for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handrail.base.frozen import dataclass
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.decide_back import stage_of
from handrail.engine.messages import Intent
from handrail.engine.offers import Offer
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome
from handrail.session.api import SessionApi

PATIENCE: Final = 60.0  # seconds for which a gate that does not hold is looked at again


@dataclass(frozen=True)
class Auto:
    """Answers everything that is proposed. `confirms` are the only words it may type, by step; None: whatever is asked."""

    confirms: Mapping[str, str] | None = None
    undo_to: str | None = None  # walk back to this stage instead of going on
    then_undo: bool = False  # go on to the end, then walk all the way back

    def next_intent(self, session: SessionApi) -> Intent | None:
        """Return what to ask for now: the one thing proposed, with the word it wants; None when there is nothing to do."""
        state = session.snapshot.state
        if self.undo_to is not None or (self.then_undo and self._at_end(state)):
            return self._undo(state)
        if self.then_undo and any(now.undone for _, now in state.walked()):
            return None
        offer = next((o for o in session.allowed() if o.proposed and o.granted), None)
        if offer is None or order.standing(state) is not None:
            return None
        return self._filled(offer, state)

    def _filled(self, offer: Offer, state: State) -> Intent | None:
        intent = offer.intent
        if isinstance(intent, m.Reply):
            question = state.step(intent.step).question
            token = question.token if question else ""
            word = token or "pass answered by --auto"
            return replace(intent, typed=word) if self.confirms is None else None
        if isinstance(intent, m.Confirm):
            if self.confirms is not None:
                word = self.confirms.get(intent.step, "")
                return replace(intent, typed=word, reason="") if word else None
            return replace(intent, reason="answered by --auto" if state.lost else "")
        if isinstance(intent, m.Undo):
            wanted = order.put_back(state, order.to_undo(state, intent.to))
            return replace(intent, typed=wanted) if self.confirms is None else None
        return intent

    def _undo(self, state: State) -> Intent | None:
        if state.walk or state.recall or order.busy(state) or self._undo_stands(state) or not state.started:
            return None
        target = stage_of(state, self.undo_to or "")
        steps = order.to_undo(state, target) if target is not None else ()
        if self.then_undo and order.wall(state, steps):
            return None
        wanted = order.put_back(state, steps)
        known = wanted if self.confirms is None else tuple(self.confirms.get("undo", "").split())
        return m.Undo(self.undo_to or "", known) if steps and known == wanted else None

    def is_over(self, state: State) -> bool:
        """Tell whether a person has to decide, or nothing is left to do."""
        if self.undo_to is not None:  # a step that failed, or is UNKNOWN, is what most undos begin at
            moving = bool(order.busy(state) or state.recall or state.walk)
            return not moving or (self._undo_stands(state) and not order.busy(state))
        if order.busy(state) or state.recall or state.walk:
            return order.standing(state) is not None and not order.busy(state)
        if self.then_undo and self._at_end(state) and state.started:
            return order.wall(state, order.to_undo(state, "")) is not None  # there is no way back to walk
        if self.then_undo and not state.started and any(now.undone for _, now in state.walked()):
            return True
        gate = order.awaiting(state)
        unanswered = gate is not None and self.confirms is not None and gate.id not in self.confirms
        stuck = order.standing(state) is not None or bool(state.claim_refused) or unanswered or _kept_closed(state)
        return stuck or order.next_step(state) is None

    @staticmethod
    def _undo_stands(state: State) -> bool:
        return any(now.word in order.UNDO_STANDS for _, now in state.walked())

    @staticmethod
    def _at_end(state: State) -> bool:
        return order.next_step(state) is None


async def walk(session: SessionApi, auto: Auto | None = None) -> bool:
    """Walk a run to where a person would have to decide; return whether that is its end."""
    auto = auto or Auto()
    shown = session.snapshot
    while True:
        if shown.trouble or auto.is_over(shown.state):
            return outcome(shown.state) is Outcome.DONE
        intent = auto.next_intent(session)
        asked = intent is not None and session.submit(intent) is None
        shown = session.snapshot if asked else await session.changed(shown.seq)


def _kept_closed(state: State) -> bool:
    """Tell whether something keeps the way forward closed that only a person can see to: a guard, or a gate for a while."""
    if order.closed_forward(state):
        return True
    gate = order.awaiting(state)
    shows = state.step(gate.id).gate if gate else None
    if shows is None or not (shows.blocked or any(recheck.holds is False for recheck in shows.rechecks)):
        return False
    last = max((a.ended or 0.0 for _, now in state.walked() for a in now.attempts), default=0.0)
    return state.at - last > PATIENCE
