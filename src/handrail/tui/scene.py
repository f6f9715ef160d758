"""The scene: a snapshot with the clock of this very second. Pure; everything on the run screen is painted from it."""

from __future__ import annotations

import re
from dataclasses import field
from datetime import datetime, timedelta
from functools import cached_property

from handrail.base.frozen import dataclass
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.offers import Offer
from handrail.engine.outline import StageOutline, StepOutline
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.session.view import HostView, LiveStep, Snapshot, StepText
from handrail.tui.clocks import zulu
from handrail.tui.look import Look

DECIDED = frozenset({StepWord.FAILED, StepWord.UNKNOWN, StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN})


@dataclass(frozen=True)
class Scene:
    """What is painted: `at` is run seconds now, `wall` the time of day now (UTC)."""

    snap: Snapshot
    at: float
    wall: datetime
    look: Look = field(default_factory=Look)
    offers: tuple[Offer, ...] = ()
    watching: bool = False
    leaving: bool = False

    @property
    def state(self) -> State:
        """Return the engine's state."""
        return self.snap.state

    @cached_property
    def face(self) -> str:
        """Return what the run screen shows: run, gate, decide or question."""
        return face(self.state)

    @property
    def age(self) -> float:
        """Return the run seconds that ages are told at: they grow on while the run is held, and nobody drives."""
        return max(self.at, (self.wall - self.snap.info.started).total_seconds())

    def time_of_day(self, at: float) -> str:
        """Return the time of day (UTC) of a moment of the run."""
        return zulu(self.wall - timedelta(seconds=self.at - at), seconds=True)

    def host(self, key: str) -> str:
        """Return the name people know a host by."""
        return self.snap.names.get(key) or _ELSEWHERE.get(key, key)

    def named(self, words: str) -> str:
        """Return the engine's words with hosts by the names people know."""
        for whole, name in self._renamed:
            words = name.join(whole.split(words))
        return words

    @cached_property
    def _renamed(self) -> list[tuple[re.Pattern[str], str]]:
        """Return how a key stands in the engine's words, and its name, where they are not the same: of many hosts they are."""
        different = [(re.escape(key), name) for key, name in self.snap.names.items() if key != name]
        return [(re.compile(rf"(?<![\w.-]){key}(?=:)|(?<=\bon ){key}(?![\w-]|\.\w)"), name) for key, name in different]

    def text(self, step: str) -> StepText:
        """Return what the runbook says of a step."""
        return self.snap.texts.get(step) or StepText()

    def live(self, step: str) -> LiveStep:
        """Return what is moving in a step."""
        return self.snap.live.get(step) or LiveStep()

    @property
    def away(self) -> tuple[HostView, ...]:
        """Return the hosts that the standing step waits for and that do not answer."""
        return tuple(h for h in self.snap.hosts if h.away is not None and h.key in self.snap.waits_for)

    def offer(self, verb: str) -> Offer | None:
        """Return an offer by its verb."""
        return next((o for o in self.offers if o.verb == verb), None)

    def why_not(self, verb: str) -> str:
        """Return why something cannot be asked now; empty when it can."""
        found = self.offer(verb)
        if self.watching and verb != "note":
            return f"you are watching: {self.state.driver or 'somebody else'} drives"
        return found.why if found else _ABSENT.get(verb, "there is nothing to do that on")


_ELSEWHERE = {"dns": "the name servers", "person": "you", "clock": "this console"}
_ABSENT = {
    "stop": "no step is running",
    "confirm": "no gate is open",
    "reply": "no step asks anything",
    "declare": "this runbook has no other route",
    "settle": "nothing is owed",
    "settle-word": "nothing is owed",
    "retry": "no step has failed",
    "attach": "its outcome is known: there is no job to ask about",
    "not-done": "its outcome is known: retry it, or undo it",
    "owe": "no undo has failed here",
    "leave-undo": "no undo is under way",
    "forward-again": "no undo has failed here",
}


def face(state: State) -> str:
    """Return what the run screen shows: run, gate, decide or question."""
    if state.held or state.closed:
        return "run"
    if order.asking(state):
        return "question"
    gate = order.awaiting(state)
    if gate and not state.step(gate.id).confirmed:
        return "gate"
    step = order.standing(state)
    moving = any(now.word in order.BUSY for _, now in state.begun())
    if step and state.step(step.id).word in DECIDED and not moving and not state.step(step.id).again:
        return "decide"
    return "run"


def current(state: State) -> StepOutline | None:
    """Return the step that everything turns on now: asking, waiting, moving, standing, else the next one."""
    for found in (order.asking(state), order.awaiting(state), next(iter(order.busy(state)), None)):
        if found:
            return found
    if state.walk and state.walk.steps:
        return state.outline.step(state.walk.steps[0])
    return order.standing(state) or order.next_step(state)


def stage_of(state: State, step: StepOutline | None) -> StageOutline:
    """Return a step's stage; the last stage when nothing is left to do."""
    return state.outline.stage(step.stage) if step else state.outline.stages[-1]


def going_on(state: State) -> bool:
    """Tell whether something moves, or will move, without a further key."""
    if order.busy(state) or state.settling or state.recall or (state.walk and state.walk.steps):
        return True
    following = None if order.standing(state) else order.next_step(state)
    return following is not None and order.permitted(state, following) and not order.closed_forward(state)


def words_of(intent: Intent) -> str:
    """Return an intent's name in words, for messages."""
    return type(intent).__name__.lower()
