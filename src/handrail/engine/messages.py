"""Messages: intents (what a person asks) and observations (what the world answered). `decide` is told one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from handrail.base.frozen import dataclass
from handrail.engine.events import ScenarioTold
from handrail.engine.results import Check, Gate, Owed, Question, Result
from handrail.engine.words import Answer, Pace, Remarks, Verdict, Way

ON_THE_HOSTS = "the claim on the hosts"  # who tells what a run before this one had done


@dataclass(frozen=True)
class Message:
    """Something `decide` is told; `at` is monotonic run seconds, filled in by the session."""

    at: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class Intent(Message):
    """What a person asks; `by` is the operator, filled in by the session."""

    by: str = field(default="", kw_only=True)


# ---------------------------------------------------------------- intents: going on


@dataclass(frozen=True)
class Go(Intent):
    """Go on: the next stage, or the next step. `to` names one, by id or number; only the next in order is granted."""

    to: str = ""


@dataclass(frozen=True)
class SetPace(Intent):
    """Stop before every step, or before every stage."""

    pace: Pace


@dataclass(frozen=True)
class Confirm(Intent):
    """The word typed at the gate; `reason` only where a recheck could not be asked on a route with lost roles."""

    step: str
    typed: str
    reason: str = ""


@dataclass(frozen=True)
class LeaveGate(Intent):
    """Not now."""

    step: str


@dataclass(frozen=True)
class Reply(Intent):
    """The word typed to a running step's question; empty means no."""

    step: str
    typed: str


@dataclass(frozen=True)
class Pause(Intent):
    """Finish this step, then stand."""


@dataclass(frozen=True)
class StopStep(Intent):
    """End the remote process group and prove it."""

    step: str


# ---------------------------------------------------------------- intents: after FAILED or UNKNOWN


@dataclass(frozen=True)
class Retry(Intent):
    """Run the step again on the hosts that did not pass; in an undo, its undo."""

    step: str


@dataclass(frozen=True)
class CheckAgain(Intent):
    """Ask the step's verifies again; send nothing that changes."""

    step: str


@dataclass(frozen=True)
class Probe(Intent):
    """Ask the host what is so."""

    step: str


@dataclass(frozen=True)
class Reattach(Intent):
    """Ask the host about the job of an attempt whose outcome is UNKNOWN; start nothing."""

    step: str


@dataclass(frozen=True)
class GoForward(Intent):
    """Do a step again whose undo failed, or was set aside: forward, not back."""

    step: str


@dataclass(frozen=True)
class Skip(Intent):
    """Skip a step that the runbook lets one skip."""

    step: str
    reason: str


@dataclass(frozen=True)
class Resolve(Intent):
    """A person's typed word: what is true of a step (or of its undo)."""

    step: str
    verdict: Verdict
    reason: str
    evidence: str = ""


# ---------------------------------------------------------------- intents: the way back, the emergency, the run


@dataclass(frozen=True)
class Undo(Intent):
    """Walk back to the pause point before stage `to` ("" is the start); `typed` are the values it puts back, if asked."""

    to: str = ""
    typed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owe(Intent):
    """Set what is left of a failed undo aside, with a reason."""

    step: str
    reason: str


@dataclass(frozen=True)
class LeaveUndo(Intent):
    """End the walk here; the steps above stay as they are. What is being settled stays owed."""


@dataclass(frozen=True)
class Settle(Intent):
    """Settle what is owed: by running it (no word), or by a typed word."""

    owed: str
    word: str = ""


@dataclass(frozen=True)
class Declare(Intent):
    """Declare the emergency (or any other route), with a reason."""

    route: str
    reason: str


@dataclass(frozen=True)
class Note(Intent):
    """A note for those who come after."""

    text: str
    step: str = ""
    owner: str = ""  # who sees to it, and until when: then it is a finding
    due: str = ""
    next_test: str = ""


@dataclass(frozen=True)
class Remark(Intent):
    """Something to be kept of a person who practises; nothing is decided by it."""

    kind: Remarks
    text: str
    step: str = ""
    about: str = ""


@dataclass(frozen=True)
class Leave(Intent):
    """Go away; the run is held."""

    why: str = ""


@dataclass(frozen=True)
class HandOver(Intent):
    """Give the run to somebody who asks for it: it is held, with a note for them. What runs at a host goes on there."""

    to: str = ""
    note: str = ""
    at_once: bool = True  # else once the running step has ended


@dataclass(frozen=True)
class Decline(Intent):
    """Go on driving, and say so to somebody who asks for the run."""

    to: str = ""
    words: str = ""


@dataclass(frozen=True)
class Resume(Intent):
    """Drive again, from this console, in a new epoch."""

    host: str
    epoch: int
    reason: str = ""
    known: str = ""


@dataclass(frozen=True)
class Close(Intent):
    """Nobody will finish this run."""

    reason: str


# ---------------------------------------------------------------- observations


@dataclass(frozen=True)
class Observation(Message):
    """What the world answered."""


@dataclass(frozen=True)
class GateSeen(Observation):
    """What the gate shows, as read just now."""

    step: str
    gate: Gate


@dataclass(frozen=True)
class Ready(Observation):
    """A step is resolved and may be started: what will be sent where, and what undoes it."""

    step: str
    way: Way
    hosts: tuple[str, ...]
    commands: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    back: str = ""
    order: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NotReady(Observation):
    """A step cannot be started: nothing was sent."""

    step: str
    way: Way
    why: str


@dataclass(frozen=True)
class Remember(Observation):
    """A fact an action must find again after a crash."""

    step: str
    host: str
    data: Mapping[str, str]


@dataclass(frozen=True)
class Ended(Observation):
    """One host of an attempt answered."""

    step: str
    attempt: int
    result: Result


@dataclass(frozen=True)
class AskEnded(Observation):
    """A check or probe was answered: `answer` for a probe, `checks` of the verifies."""

    step: str
    way: Way
    answer: Answer
    checks: tuple[Check, ...] = ()
    seen: str = ""


@dataclass(frozen=True)
class Asks(Observation):
    """A running step asks."""

    step: str
    question: Question


@dataclass(frozen=True)
class Late(Observation):
    """A change is past its time."""

    step: str


@dataclass(frozen=True)
class LinkNews(Observation):
    """The link to a host under a running step went or came back."""

    step: str
    host: str
    up: bool
    why: str = ""


@dataclass(frozen=True)
class GuardNews(Observation):
    """What a guard sees."""

    guard: str
    tripped: bool
    seen: str = ""


@dataclass(frozen=True)
class ClaimNews(Observation):
    """What came of claiming the estate: `holder` is set when another run holds it."""

    hosts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    holder: str = ""
    detail: str = ""
    inherited: tuple[Owed, ...] = ()
    released: bool = False
    found: tuple[str, ...] = ()  # what a run before this one had come to and changed, in words


@dataclass(frozen=True)
class SettleEnded(Observation):
    """What came of running what is owed."""

    owed: str
    result: Result


@dataclass(frozen=True)
class Recalled(Observation):
    """After a resume: whether what has passed still holds."""

    step: str
    holds: bool | None
    seen: str = ""


@dataclass(frozen=True)
class Refused:
    """Why not, in one sentence; nothing was sent."""

    reason: str
    code: str = "refused"


@dataclass(frozen=True)
class ScenarioNews(Observation):
    """The scenario of a drill has told what it was, and judged the end."""

    told: ScenarioTold


# ---------------------------------------------------------------- a drill's instructor, and its message cards


@dataclass(frozen=True)
class ShowCard(Observation):
    """A message for the operator of a drill has come; one that was shown before is shown once only."""

    card: str
    says: str
    by: str = ""


@dataclass(frozen=True)
class AnswerCard(Intent):
    """Answer a message; without a name the oldest that waits."""

    words: str
    card: str = ""


@dataclass(frozen=True)
class FaultNews(Observation):
    """An instructor has done something to the estate."""

    what: str
    by: str
    problem: str = ""


@dataclass(frozen=True)
class Halt(Observation):
    """An instructor stops a drill."""

    by: str
    why: str


@dataclass(frozen=True)
class EndHalt(Observation):
    """An instructor lets a drill go on."""

    by: str
