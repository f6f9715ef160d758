"""Which hosts do not answer, asked again quietly while a step stands, and what that makes the one thing proposed.

It opens connections and starts nothing. A lost role is never spoken to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.offers import Offer
from handrail.engine.outline import StepOutline
from handrail.engine.results import verdict
from handrail.engine.state import State
from handrail.engine.words import Verdict
from handrail.runbook.bind import Binding
from handrail.session.core import Core

EVERY: Final = 5.0  # seconds between two askings
MOST: Final = 12  # hosts that are asked at a time


@dataclass
class Reach:
    """Asks again whether hosts answer; `asked` is when each was asked last, in run seconds."""

    core: Core
    asked: dict[str, float] = field(default_factory=dict)

    async def keep_asking(self) -> None:
        """Ask, as long as a step stands and somebody drives: for ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.ask()

    async def ask(self) -> None:
        """Ask every host that the standing step needs and that has no connection."""
        hosts = [
            h
            for h in concerned_hosts(self.core.state, self.core.binding)
            if not self.core.links.is_up(self.core.target(h))
        ]
        if hosts:
            await asyncio.gather(*(self._ask(host) for host in hosts[:MOST]))
            self.core.teller.nudge()

    async def _ask(self, host: str) -> None:
        self.asked[host] = self.core.now()
        try:
            await self.core.links.connection(self.core.target(host))
        except Trouble:
            return  # the links keep since when it is away


def away_hosts(core: Core) -> dict[str, tuple[float, str]]:
    """Return the hosts that do not answer: since when (run seconds), and what was seen."""
    return {key: (core.now() - seconds, why) for key, (seconds, why) in core.links.away().items()}


def concerned_hosts(state: State, binding: Binding) -> tuple[str, ...]:
    """Return the hosts that the standing step waits for; none while nobody drives, never one of a lost role.

    A step may wait for what is no host, the name servers: those are not asked here.
    """
    step = order.standing(state)
    if step is None or state.held or state.closed or order.busy(state):
        return ()
    own = _not_passed(state, step)
    hosts = {host.key for host in binding.estate.every_host()}
    places = {p.key: p.role for s in state.outline.steps for p in (*s.places, *s.undo_places) if p.key in hosts}
    needed = step.requires | _asked_roles(state, binding, step)
    return tuple(key for key, role in places.items() if role not in state.lost and (key in own or role in needed))


def _not_passed(state: State, step: StepOutline) -> frozenset[str]:
    """Return the hosts of a step, or of its undo, that have not passed."""
    attempt = state.step(step.id).attempt
    if attempt is not None and attempt.results:
        return frozenset(h for h, r in attempt.results.items() if verdict(r) is not Verdict.PASSED)
    places = step.undo_places if state.step(step.id).word in order.UNDO_STANDS else ()
    return frozenset(p.key for p in places or step.places)


def _asked_roles(state: State, binding: Binding, step: StepOutline) -> frozenset[str]:
    """Return the roles that a step's verifies ask, where one of them could not be asked."""
    attempt = state.step(step.id).attempt
    checks = [c for r in attempt.results.values() for c in r.checks] if attempt else []
    if all(check.holds is not None for check in checks):
        return frozenset()
    return frozenset(role for ask in binding.runbook.place(step.id).step.verify for role in ask.on)


def proposing(offers: tuple[Offer, ...], state: State, binding: Binding, away: Collection[str]) -> tuple[Offer, ...]:
    """Return the offers with the emergency proposed, where a step stands because the role it needs does not answer.

    Where hosts are away and no route does without them nothing is proposed: what is left is to wait.
    """
    step, gone = order.standing(state), frozenset(away) & frozenset(concerned_hosts(state, binding))
    if step is None or not gone:
        return offers
    first = next((o for o in offers if _does_without(o, state, step, gone)), None)
    if first is None and _not_passed(state, step) - gone and not gone - _not_passed(state, step):
        return offers  # others did not pass either, and they answer
    return tuple(replace(o, proposed=o is first) for o in offers)


def _does_without(offer: Offer, state: State, step: StepOutline, gone: frozenset[str]) -> bool:
    """Tell whether an offer declares a route on which just roles that do not answer are lost."""
    if not isinstance(offer.intent, m.Declare) or not offer.granted or state.step(step.id).word in order.UNDO_STANDS:
        return False
    lost = state.outline.lost(offer.intent.route)
    roles = {p.role for s in state.outline.steps for p in s.places if p.key in gone}
    return bool(lost) and lost <= roles
