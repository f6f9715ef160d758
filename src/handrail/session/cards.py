"""What the home screen and the briefing show: cards, frozen. Foreign text in them is raw: a front end makes it safe."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from handrail.base.frozen import dataclass
from handrail.base.safe import Safe
from handrail.session.view import Asked, Mode


@dataclass(frozen=True)
class RunbookCard:
    """One runbook on the home screen. `changed` says what is different since the last drill, a line each."""

    id: str
    path: Path
    title: str
    summary: str
    stages: int
    steps: int  # every step that a run has, with the checks that are derived
    target: float  # RTO in seconds; 0: none
    digest: str
    derived: int = 0  # how many of them are checks of reach, which no author wrote
    problems: tuple[str, ...] = ()
    last_drill: datetime | None = None
    last_by: str = ""
    restored: float | None = None  # what the last drill took, seconds
    due: datetime | None = None  # when the next drill is due; None: now
    undo_drilled: int = 0  # steps whose undo was drilled at this digest
    undoable: int = 0
    changed: tuple[str, ...] = ()
    undo_never: tuple[str, ...] = ()  # steps whose undo was never drilled at this digest, by number and title
    took: float | None = None  # how long the last drill was, seconds
    people_due: tuple[str, ...] = ()  # who drilled it and is due to do so again


def counted(steps: int, derived: int) -> str:
    """Return how many steps there are: one way of counting, wherever it is said."""
    checks = f", {derived} of them checks of reach" if derived else ""
    return f"{steps} step{'' if steps == 1 else 's'}{checks}"


@dataclass(frozen=True)
class RunCard:
    """One run in the record."""

    run: str
    mode: Mode
    runbook: str
    estate: str
    outcome: str  # done, held, undone, undo-failed, closed
    where: str  # "stage 2, 2.3 Copy CA"
    operator: str
    started: datetime
    driven: bool = False  # a console drives it now
    holder: str = ""
    owed: tuple[str, ...] = ()
    folder: Path = Path()
    since: datetime | None = None  # held or driven since when; else when the last record was written
    damage: str = ""  # which record is damaged: outcome, where and owed follow from those before it


@dataclass(frozen=True)
class Home:
    """The home screen's content."""

    runbooks: tuple[RunbookCard, ...]
    runs: tuple[RunCard, ...]  # newest first
    simulator: str  # "namespaces", or "folders: <why>"
    folder: Path
    unreadable: tuple[str, ...] = ()  # runs of which nothing can be read, a line each


@dataclass(frozen=True)
class HostKey:
    """A host key that is not pinned, as a person compares it. Fingerprints are as `ssh-keygen -lf` prints them."""

    name: str  # the name it would be pinned under
    address: str  # "192.0.2.10 port 22"
    algorithm: str
    fingerprint: str
    known_hosts: Path
    pinned: tuple[str, ...] = ()  # what is pinned for that name; empty at a first contact


@dataclass(frozen=True)
class RolePulse:
    """What a briefing saw of one role: reachable or not, from where, and how long it took."""

    role: str
    host: str
    name: str
    address: str
    reached: bool | None  # None: still asking
    words: str = ""
    round_trip: float | None = None
    key: HostKey | None = None  # why it is not spoken to: the key it shows is not the one that is pinned


@dataclass(frozen=True)
class Wanted:
    """A value the briefing asks for. `secret` is never shown nor stored."""

    name: str
    type: str
    help: str
    default: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanLine:
    """One step in the plan: what is sent where, what undoes it."""

    step: str
    number: str
    title: str
    stage: str
    where: str
    commands: tuple[str, ...]
    undo: tuple[str, ...]
    confirm: str = ""
    changes: bool = False
    needed: bool = True
    line: str = ""  # a line drawn above it
    undo_gist: str = ""  # what a scripted undo puts back, in its own words


@dataclass(frozen=True)
class Start:
    """What the operator answered in the briefing."""

    route: str = "planned"
    values: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    incident: str = ""
    since: str = ""
    typed: str = ""
    step_by_step: bool = False
    emergency: str = ""  # why, when the route has lost roles
    successor_of: str = ""  # who holds the estate's claim, typed: this run goes on from theirs
    level: str = ""  # of a drill: how much is helped; empty: as the desk proposes
    predict: bool = False  # of a drill: say before each step what it will print, and what undoes it
    seed: int | None = None  # of a drill at a level with an unannounced scenario: the same number, the same scenario


@dataclass(frozen=True)
class BriefingView:
    """The briefing at one moment."""

    seq: int
    mode: Mode
    runbook: RunbookCard
    estate: str
    route: str  # proposed
    routes: tuple[tuple[str, str], ...]  # (name, title)
    evidence: tuple[str, ...]
    pulses: tuple[RolePulse, ...]
    wanted: tuple[Wanted, ...]
    plan: tuple[PlanLine, ...]
    type_name: str = ""  # what must be typed to start: the estate's name, for LIVE
    needs_reason: str = ""  # why a typed reason is asked: an undrilled digest
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()  # what connections ask; the first is to be answered first
    follows: str = ""  # the runbook that comes before; what it owes is taken over by its holder's name
    holder: str = ""  # who held the run of it that still owes something, as far as this console knows
    level: str = ""  # proposed, where a person may practise
    told: Start = Start()  # what the command line said already


@dataclass(frozen=True)
class DrillView:
    """One drill: who walks it, where they are, and whom or what it waits for. Times are seconds; all texts are showable."""

    run: str
    who: Safe
    runbook: Safe
    scenario: Safe
    where: Safe
    waits: Safe  # "ana: to type 10.9.0.10"
    at: float  # run seconds
    silent: float  # since anything was written into its record
    driven: bool
    halted: str = ""
    slips: int = 0
    last_slip: str = ""
    cards: int = 0  # messages nobody has answered
    faults: int = 0  # what instructors did to its estate
    folder: Path = Path()
    estate: Path | None = None
