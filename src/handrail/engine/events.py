"""Events: what is now so. The only thing written to the journal; `at` is monotonic run seconds (see session).

An event's class name in snake case is its name in the journal. Fields are added with a default, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from handrail.base.frozen import dataclass
from handrail.engine.results import Check, Gate, Owed, Question, Result
from handrail.engine.words import Answer, How, Pace, Remarks, Verdict, Way


@dataclass(frozen=True)
class Event:
    """Something that is now so."""

    at: float


@dataclass(frozen=True)
class RunOpened(Event):
    """The first record: what is run, where, by whom and as what. Later events add to it, nothing changes it."""

    run: str
    mode: str
    route: str
    operator: str
    host: str
    runbook: str
    digest: str
    estate: str
    tool: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    known_hosts: str = ""
    reason: str = ""
    incident: str = ""
    disrupted: str = ""
    pace: Pace = Pace.STAGE
    epoch: int = 1
    emergency: str = ""  # why the run was opened on a route with lost roles
    remembered: Mapping[str, str] = field(default_factory=dict)  # captures of the last good CHECK, "primary.x" -> value
    remembered_at: str = ""  # when that CHECK was, as a journal writes it
    approved: tuple[str, ...] = ()  # who signed for it, and until when
    scenario: str = ""  # a drill's scenario by its name; "unannounced": it is told at the end
    level: str = ""  # how much the person who drills is helped; empty where nobody practises
    predict: bool = False  # they say before each step what it will print, and what undoes it
    known: str = ""  # how the operator is known: login, sudo, a variable
    revision: str = ""  # the runbook's commit in git, and whether the file differs from it
    estate_digest: str = ""  # of the estate file's bytes


@dataclass(frozen=True)
class StageAllowed(Event):
    """The operator let a stage begin."""

    stage: str
    by: str = ""


@dataclass(frozen=True)
class StepAllowed(Event):
    """The operator let one step begin (pace by step)."""

    step: str
    by: str = ""


@dataclass(frozen=True)
class PaceSet(Event):
    """How far one enter goes."""

    pace: Pace


@dataclass(frozen=True)
class GateOpened(Event):
    """The gate before a step is open, with what it shows."""

    step: str
    gate: Gate


@dataclass(frozen=True)
class GateRefreshed(Event):
    """The gate's rechecks were asked again."""

    step: str
    gate: Gate


@dataclass(frozen=True)
class GateLeft(Event):
    """Not now: the gate was left without confirming."""

    step: str


@dataclass(frozen=True)
class Confirmed(Event):
    """A person typed the new value."""

    step: str
    typed: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class AttemptStarted(Event):
    """The intent, on disk before the first byte goes out: what is sent where, and what undoes it, resolved."""

    step: str
    attempt: int
    way: Way
    hosts: tuple[str, ...]
    commands: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    back: str = ""  # the value an undo puts back, to be typed when it crosses a confirmed step
    order: Mapping[str, str] = field(default_factory=dict)  # resolved orders by host, as JSON (the session's own form)


@dataclass(frozen=True)
class Noted(Event):
    """A fact an action must find again: a snapshot's place, the TTL before, a position in a log."""

    step: str
    host: str
    data: Mapping[str, str]


@dataclass(frozen=True)
class HostEnded(Event):
    """One host of an attempt has answered."""

    step: str
    attempt: int
    result: Result


@dataclass(frozen=True)
class AttemptEnded(Event):
    """All hosts of an attempt have answered; the verdict is the engine's."""

    step: str
    attempt: int
    way: Way
    verdict: Verdict
    how: How = How.RAN
    detail: str = ""


@dataclass(frozen=True)
class RetryAsked(Event):
    """A person asked that a step, or its undo, be sent again."""

    step: str
    way: Way
    by: str = ""


@dataclass(frozen=True)
class Reattached(Event):
    """The job of an attempt whose outcome is UNKNOWN is asked again; nothing is started."""

    step: str
    attempt: int


@dataclass(frozen=True)
class AskStarted(Event):
    """A check or a probe was asked: reads only, the step's state stands until it is answered."""

    step: str
    way: Way


@dataclass(frozen=True)
class Probed(Event):
    """A probe answered."""

    step: str
    answer: Answer
    seen: str = ""


@dataclass(frozen=True)
class Asked(Event):
    """A running step asks a question that a person must answer by typing."""

    step: str
    question: Question


@dataclass(frozen=True)
class Answered(Event):
    """The question was answered; `typed` empty means no."""

    step: str
    typed: str
    by: str = ""


@dataclass(frozen=True)
class StopAsked(Event):
    """A person asked that the running step be stopped."""

    step: str
    by: str = ""


@dataclass(frozen=True)
class BecameLate(Event):
    """A change is past its time; it is not ended by a clock."""

    step: str


@dataclass(frozen=True)
class LinkLost(Event):
    """The link to a host was lost in mid-command; the job goes on there."""

    step: str
    host: str
    why: str = ""


@dataclass(frozen=True)
class LinkBack(Event):
    """The link is back and the job re-attached."""

    step: str
    host: str


@dataclass(frozen=True)
class Skipped(Event):
    """A step was skipped where the runbook allows it."""

    step: str
    reason: str
    by: str = ""


@dataclass(frozen=True)
class Resolved(Event):
    """A person's word on a step: what is true, why, and with what evidence."""

    step: str
    verdict: Verdict
    reason: str
    by: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class WalkStarted(Event):
    """An undo began: `steps` newest first, back to the pause point before stage `to`."""

    to: str
    steps: tuple[str, ...]
    by: str = ""
    typed: tuple[str, ...] = ()


@dataclass(frozen=True)
class WalkEnded(Event):
    """The undo is at its target, or was left."""

    reached: bool


@dataclass(frozen=True)
class StepUndone(Event):
    """A step is back to the state before its first started attempt."""

    step: str
    how: How = How.RAN
    reason: str = ""
    by: str = ""


@dataclass(frozen=True)
class BecameOwed(Event):
    """Something is owed."""

    owed: Owed


@dataclass(frozen=True)
class UndoSetAside(Event):
    """What is left of a step's undo is owed; the walk goes on above it."""

    step: str


@dataclass(frozen=True)
class SettleStarted(Event):
    """What is owed is being done."""

    owed: str


@dataclass(frozen=True)
class SettleFailed(Event):
    """What is owed could not be done; it stays owed."""

    owed: str
    detail: str = ""


@dataclass(frozen=True)
class Settled(Event):
    """What was owed is done, or a person said so."""

    owed: str
    how: How
    reason: str = ""
    by: str = ""


@dataclass(frozen=True)
class RouteChanged(Event):
    """The emergency was declared, or called off."""

    route: str
    reason: str
    by: str = ""


@dataclass(frozen=True)
class Paused(Event):
    """Finish this step, then stand."""

    by: str = ""


@dataclass(frozen=True)
class GuardTripped(Event):
    """A guard sees what it watches for."""

    guard: str
    seen: str = ""


@dataclass(frozen=True)
class GuardCleared(Event):
    """A guard does not see it any more."""

    guard: str


@dataclass(frozen=True)
class ClaimTaken(Event):
    """The estate is claimed for this run on these hosts; `without` could not be reached."""

    hosts: tuple[str, ...]
    without: tuple[str, ...] = ()
    inherited: tuple[Owed, ...] = ()


@dataclass(frozen=True)
class ClaimRefused(Event):
    """Another run holds the estate."""

    holder: str
    detail: str = ""


@dataclass(frozen=True)
class ClaimReleased(Event):
    """The claim is gone from these hosts; `without` did not answer, and keep it until it is given back later."""

    hosts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoteMade(Event):
    """A person's note."""

    text: str
    by: str
    step: str = ""
    owner: str = ""  # who sees to it: then it is a finding
    due: str = ""
    next_test: str = ""  # when this runbook is to be tested next


@dataclass(frozen=True)
class Remarked(Event):
    """Something is kept of a person who practises: `about` is the coach's note, or the question of the debrief."""

    kind: Remarks
    text: str
    step: str = ""
    by: str = ""
    about: str = ""


@dataclass(frozen=True)
class Held(Event):
    """Nobody drives: safe on disk, nothing is sent."""

    by: str
    why: str = ""


@dataclass(frozen=True)
class Resumed(Event):
    """Somebody drives again, from this console."""

    by: str
    host: str
    epoch: int
    reason: str = ""
    known: str = ""  # how this person is known


@dataclass(frozen=True)
class Reverified(Event):
    """After a resume: the verifies of what has passed were asked again; `holds` None could not be asked."""

    step: str
    holds: bool | None
    seen: str = ""


@dataclass(frozen=True)
class ScenarioTold(Event):
    """What a drill's scenario was, what it did, and whether the estate is at the end as it should be."""

    name: str
    title: str
    checks: tuple[Check, ...] = ()
    acts: tuple[str, ...] = ()  # what happened, a line each
    good: str = ""  # what a good operator does
    par: float = 0.0  # seconds

    @property
    def holds(self) -> bool:
        """Tell whether everything is as it should be."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True)
class RunClosed(Event):
    """A held run that nobody will finish."""

    reason: str
    by: str


@dataclass(frozen=True)
class CardShown(Event):
    """A message reached the operator of a drill: from the scenario, or from an instructor."""

    card: str
    says: str
    by: str = ""


@dataclass(frozen=True)
class CardAnswered(Event):
    """The operator answered a message, in their own words."""

    card: str
    words: str
    by: str = ""


@dataclass(frozen=True)
class FaultMade(Event):
    """An instructor did something to the estate of a drill; `problem` is what refused it. The operator is not told."""

    what: str
    by: str
    problem: str = ""


@dataclass(frozen=True)
class Halted(Event):
    """An instructor stopped a drill: what runs ends, and nothing else begins until they let it go on."""

    by: str
    why: str


@dataclass(frozen=True)
class HaltEnded(Event):
    """An instructor lets a drill go on."""

    by: str
