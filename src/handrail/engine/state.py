"""The state of a run: what `evolve` folds the journal into. Frozen; equal journals give equal states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from handrail.base.frozen import dataclass
from handrail.engine.events import (
    CardAnswered,
    CardShown,
    ClaimTaken,
    FaultMade,
    Halted,
    NoteMade,
    Remarked,
    RunOpened,
    ScenarioTold,
)
from handrail.engine.outline import Outline, StepOutline
from handrail.engine.results import Gate, Owed, Question, Result
from handrail.engine.words import How, Pace, StepWord, Verdict, Way


@dataclass(frozen=True)
class Attempt:
    """One attempt at a step, in one direction: what was sent where, and what came back. Times are run seconds."""

    number: int
    way: Way
    hosts: tuple[str, ...]
    started: float
    ended: float | None = None
    results: Mapping[str, Result] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    back: str = ""
    order: Mapping[str, str] = field(default_factory=dict)
    attach: bool = False  # in flight when a console went away: re-attach, never start blindly
    asked: bool = False  # its outcome was UNKNOWN and a person asks: nothing may be started
    verdict: Verdict | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the hosts that have not answered yet."""
        return tuple(h for h in self.hosts if h not in self.results)


@dataclass(frozen=True)
class Told:
    """What the last probe or check of a step answered, and when (run seconds): a person who asked wants to see it."""

    at: float
    way: Way
    answer: str
    seen: str = ""


@dataclass(frozen=True)
class StepState:
    """One step: its word, its history, and what a way back has to know."""

    word: StepWord = StepWord.PENDING
    how: How = How.NONE
    attempts: tuple[Attempt, ...] = ()
    touched: frozenset[str] = frozenset()  # places where something was started and not yet undone
    passed_on: frozenset[str] = frozenset()
    detail: str = ""
    reason: str = ""
    by: str = ""
    gate: Gate | None = None
    confirmed: str = ""
    question: Question | None = None
    reply: str | None = None
    asking: Way | None = None
    told: Told | None = None  # what was asked of it since it was last sent
    again: Way | None = None  # a person asked that it be sent again, and it is not yet
    late: bool = False
    stopping: bool = False
    no_link: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    undone: bool = False
    differs: str = ""
    before: StepWord = StepWord.PENDING  # the word that an open gate hides
    since: int = 0  # attempts made before it was last undone
    undone_on: frozenset[str] = frozenset()  # places where its undo has passed, since it was last sent

    @property
    def attempt(self) -> Attempt | None:
        """Return the last attempt, if any."""
        return self.attempts[-1] if self.attempts else None

    @property
    def forward(self) -> Attempt | None:
        """Return the last forward attempt, if any."""
        return next((a for a in reversed(self.attempts) if a.way is Way.FORWARD), None)

    @property
    def first(self) -> Attempt | None:
        """Return the first forward attempt since the last undo that may have sent anything: an undo goes back before it."""
        mine = [a for a in self.attempts[self.since :] if a.way is Way.FORWARD]
        return next((a for a in mine if a.missing or any(r.sent for r in a.results.values())), None)


@dataclass(frozen=True)
class Walk:
    """An undo under way: back to the pause point before stage `to`; `steps` are still to be undone, newest first."""

    to: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """A whole run."""

    outline: Outline
    opened: RunOpened | None = None
    route: str = "planned"
    epoch: int = 0
    driver: str = ""
    steps: Mapping[str, StepState] = field(default_factory=dict)
    started: tuple[str, ...] = ()  # changing steps in the order of their first start; undone ones leave
    pace: Pace = Pace.STAGE
    allowed_stage: str = ""
    allowed_step: str = ""
    walk: Walk | None = None
    left_walk: str | None = None  # the target of an undo that a crash or a take-over interrupted
    owed: tuple[Owed, ...] = ()
    settled: tuple[tuple[Owed, str], ...] = ()
    settling: str = ""
    settles: Mapping[str, int] = field(default_factory=dict)  # how often what is owed was begun to be done
    settle_attach: bool = False  # being settled when a console went away: re-attach, never start blindly
    tripped: Mapping[str, str] = field(default_factory=dict)  # guard -> what it sees
    values: Mapping[str, str] = field(default_factory=dict)  # captures: "dr.ca_dir" -> value
    claim: ClaimTaken | None = None
    claim_epoch: int = 0
    claim_refused: str = ""
    recall: tuple[str, ...] = ()
    held: bool = False
    held_why: str = ""
    closed: str = ""
    emergency: str = ""
    notes: tuple[NoteMade, ...] = ()
    remarks: tuple[Remarked, ...] = ()
    scenario: ScenarioTold | None = None
    cards: tuple[CardShown, ...] = ()
    answers: Mapping[str, CardAnswered] = field(default_factory=dict)  # by card
    faults: tuple[FaultMade, ...] = ()  # what an instructor did to the estate
    halted: Halted | None = None
    halts: tuple[tuple[float, float], ...] = ()  # from when to when it was halted, once it went on
    at: float = 0.0

    def step(self, step_id: str) -> StepState:
        """Return the state of a step."""
        return self.steps.get(step_id, _FRESH)

    def walked(self) -> list[tuple[StepOutline, StepState]]:
        """Return every step with its state, from the top."""
        now = self.steps.get
        return [(step, now(step.id, _FRESH)) for step in self.outline.steps]

    def begun(self) -> list[tuple[StepOutline, StepState]]:
        """Return every step to which anything has happened, from the top: of the others there is nothing to tell."""
        now = self.steps
        return [(step, now[step.id]) for step in self.outline.steps if step.id in now]

    def needed(self, step: StepOutline) -> bool:
        """Tell whether the present route needs a step."""
        return self.outline.needed(step, self.route)

    def halts_until(self, at: float) -> tuple[tuple[float, float], ...]:
        """Return from when to when an instructor had it stand still, in run seconds; up to `at` while they still do."""
        return self.halts if self.halted is None else (*self.halts, (self.halted.at, at))

    @property
    def run(self) -> str:
        """Return the run's id."""
        return self.opened.run if self.opened else ""

    @property
    def claimed(self) -> bool:
        """Tell whether the estate is claimed for this run and this epoch."""
        return self.claim is not None and self.claim_epoch == self.epoch

    def owes(self, step: str, way: str = "") -> tuple[Owed, ...]:
        """Return what this run (not one before it) owes of a step; `way` narrows it down."""
        mine = (o for o in self.owed if o.step == step and o.run in ("", self.run))
        return tuple(o for o in mine if way in ("", o.way))

    @property
    def open_cards(self) -> tuple[CardShown, ...]:
        """Return the messages that nobody has answered, oldest first."""
        return tuple(card for card in self.cards if card.card not in self.answers)

    @property
    def lost(self) -> frozenset[str]:
        """Return the roles that are lost on the present route."""
        return self.outline.lost(self.route)


_FRESH = StepState()


def fresh(outline: Outline) -> State:
    """Return the state before the first event."""
    return State(outline)
