"""--auto: a front end that submits intents, and nothing else. It answers as a person would who agrees to everything.

At a failure, an unknown outcome or a refusal it stops: deciding is for people.
"""

from __future__ import annotations

from dataclasses import replace

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.offers import Offer
from handrail.engine.state import State
from handrail.session.api import SessionApi


def next_intent(session: SessionApi) -> Intent | None:
    """Return what to ask for now: the one thing proposed, with the word it wants; None when there is nothing to do."""
    state = session.snapshot.state
    offer = next((o for o in session.allowed() if o.proposed and o.granted), None)
    if offer is None or order.standing(state) is not None:
        return None
    return _filled(offer, state)


def _filled(offer: Offer, state: State) -> Intent:
    intent = offer.intent
    if isinstance(intent, m.Reply):
        question = state.step(intent.step).question
        token = question.token if question else ""
        return replace(intent, typed=token or "pass answered by --auto")
    return intent


def is_stuck(state: State) -> bool:
    """Tell whether a person has to decide: something failed, is unknown, or the estate is held by another run."""
    return order.standing(state) is not None or bool(state.claim_refused)


def is_finished(state: State) -> bool:
    """Tell whether every needed step is done and nothing is being sent."""
    return order.next_step(state) is None and not order.busy(state)
