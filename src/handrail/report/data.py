"""The report as frozen data: what was done in a run, and what it came to. Times are UTC; `at` and `seconds` are seconds.

All text in a `Report` has been through `handrail.base.safe`; a form only has to escape it for its own syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Final

from handrail.base.frozen import dataclass
from handrail.engine.events import Event

UNANNOUNCED: Final = "unannounced"  # what the first record says of a scenario that is told at the end only
FORMAT: Final = 1  # raised when a key changes its meaning or goes; new keys do not raise it


class StateWord(StrEnum):
    """What a report says of a step. More than the engine's words: it tells undone and not needed from pending."""

    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    NOT_NEEDED = "not-needed"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"
    UNDO_UNKNOWN = "undo-unknown"
    OWED = "owed"


@dataclass(frozen=True)
class Happening:
    """One record of the journal, as far as a report needs it."""

    seq: int
    wall: datetime
    actor: str
    host: str
    epoch: int
    event: Event


@dataclass(frozen=True)
class Facts:
    """What a report is told besides the state and the records. `restored` and `rto` are seconds."""

    rto: float = 0.0
    rto_until: str = ""
    restored: float | None = None
    simulated: str = ""
    shortened: str = ""
    names: Mapping[str, str] = field(default_factory=dict)  # host key -> the name people know it by
    records: int = 0
    head: str = ""  # the hash of the last record
    damage: str = ""  # why the journal could not be read to its end
    pars: Mapping[str, float] = field(default_factory=dict)  # step -> seconds that a practised operator takes
    objectives: tuple[str, ...] = ()  # what the runbook sets out to reach, a line each
    risks: Mapping[str, str] = field(default_factory=dict)  # label of a header's figure -> the captured name it shows
    ages: Mapping[str, str] = field(default_factory=dict)  # the same of figures that are ages
    clocks: tuple[ReportClock, ...] = ()
    anchors: str = ""  # what hosts said of this journal; empty: they were not asked
    came: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # step -> its last lines, of what was foretold


@dataclass(frozen=True)
class ReportClock:
    """How far a host's clock was from the console's: `offset` seconds ahead, give or take `within`."""

    name: str
    offset: float
    within: float


@dataclass(frozen=True)
class ReportOutput:
    """A file of output: its path in the run's folder, its bytes, and its SHA-256."""

    file: str
    length: int
    sha256: str


@dataclass(frozen=True)
class ReportCheck:
    """One thing that had to be true; `holds` None could not be asked."""

    what: str
    holds: bool | None
    seen: str
    warn: str = ""


@dataclass(frozen=True)
class ReportHost:
    """What one host answered in one attempt. `result` is passed, failed, unknown, or running when it has not answered."""

    host: str
    name: str
    result: str
    exit: int | None = None
    kind: str = ""
    sent: bool = True
    said: str = ""
    checks: tuple[ReportCheck, ...] = ()
    output: ReportOutput | None = None


@dataclass(frozen=True)
class ReportAttempt:
    """One attempt at a step, forward or back."""

    number: int
    way: str
    at: float
    started: datetime
    until: float | None
    ended: datetime | None
    result: str
    commands: tuple[str, ...]
    undo: tuple[str, ...]
    hosts: tuple[ReportHost, ...]

    @property
    def seconds(self) -> float | None:
        """Return how long it took; None while it is not over."""
        return None if self.until is None else round(max(0.0, self.until - self.at), 3)


@dataclass(frozen=True)
class ReportUndone:
    """How a step was taken back."""

    wall: datetime
    how: str
    reason: str
    by: str


@dataclass(frozen=True)
class ReportStep:
    """One step: what it came to, and all its attempts."""

    id: str
    number: str
    title: str
    stage: str
    state: StateWord
    how: str
    needed: bool
    changes: bool
    detail: str = ""
    reason: str = ""
    by: str = ""
    differs: str = ""
    stays: str = ""
    attempts: tuple[ReportAttempt, ...] = ()
    undone: ReportUndone | None = None
    planned: bool = True  # whether the route that the run was opened on needs it
    par: float | None = None  # seconds that a practised operator takes

    @property
    def name(self) -> str:
        """Return the form in which sentences speak of a step: "2.3 Copy"."""
        return f"{self.number} {self.title}"

    @property
    def seconds(self) -> float:
        """Return how long its attempts took together."""
        return round(sum(a.seconds or 0.0 for a in self.attempts), 3)


@dataclass(frozen=True)
class ReportOwed:
    """Something that is owed, or was: then `settled` says by what."""

    id: str
    step: str
    host: str
    name: str
    what: str
    why: str
    since: datetime | None
    run: str
    settled: str = ""


@dataclass(frozen=True)
class Confirmation:
    """A value that a person typed. `kind` is step, undo or question; `what` says what it was typed for."""

    kind: str
    wall: datetime
    at: float
    step: str
    what: str
    typed: str
    by: str
    reason: str = ""
    now: str = ""
    then: str = ""
    rechecks: tuple[ReportCheck, ...] = ()


@dataclass(frozen=True)
class Reason:
    """A reason that a person gave."""

    wall: datetime
    what: str
    reason: str
    by: str
    step: str = ""


@dataclass(frozen=True)
class ReportNote:
    """A person's note."""

    wall: datetime
    by: str
    text: str
    step: str = ""
    owner: str = ""  # who sees to it: then it is a finding
    due: str = ""


@dataclass(frozen=True)
class Deviation:
    """Something that did not go as planned, and the reason that was given, or seen."""

    what: str
    reason: str
    by: str = ""
    wall: datetime | None = None
    step: str = ""


@dataclass(frozen=True)
class Risk:
    """Something that was at risk: `verdict` is fine, lost, or unknown from `since` to `until`."""

    label: str
    name: str
    verdict: str
    since: datetime | None
    until: datetime | None
    why: str


@dataclass(frozen=True)
class ReportGuard:
    """One time that a guard saw what it watches for; `until` None: it still does."""

    id: str
    title: str
    since: datetime
    until: datetime | None
    seen: str
    means: str


@dataclass(frozen=True)
class Epoch:
    """One person at one console, from then on."""

    epoch: int
    by: str
    host: str
    since: datetime
    reason: str = ""
    known: str = ""  # how this person is known


@dataclass(frozen=True)
class Crossing:
    """A line across the rail; `at` None: it was never crossed. `back` is when all that was changed behind it was undone."""

    line: str
    stage: str
    at: float | None = None
    wall: datetime | None = None
    back: float | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """Something worth a line: `kind` is one word of `Kind`; `mark` tells whether it is marked in the picture too."""

    at: float
    wall: datetime
    kind: str
    text: str
    by: str = ""
    step: str = ""
    mark: bool = False


class Kind(StrEnum):
    """What a line of the timeline is about."""

    RUN = "run"
    STAGE = "stage"
    START = "start"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CONFIRM = "confirm"
    UNDO = "undo"
    OWED = "owed"
    EMERGENCY = "emergency"
    GUARD = "guard"
    NOTE = "note"
    LINK = "link"


@dataclass(frozen=True)
class ReportScenario:
    """What a drill's scenario was, what it did, and how the end was judged."""

    name: str
    title: str
    acts: tuple[str, ...]
    checks: tuple[ReportCheck, ...]
    good: str
    par: float

    @property
    def holds(self) -> bool:
        """Tell whether everything is as it should be."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True)
class ReportForetold:
    """What somebody who drills said before a step, beside what came; `judged` is their own word on it: so, not so, or none."""

    step: str
    prints: str
    came: tuple[str, ...]
    undone: str
    undo: tuple[str, ...]
    judged: str


@dataclass(frozen=True)
class Report:
    """A whole run, as it is told."""

    run: str
    mode: str
    outcome: str
    runbook: str
    title: str
    digest: str
    estate: str
    route: str
    started: datetime
    ended: datetime | None
    at: float
    took: float  # seconds from its start to its end, or to its last record
    operator: str = ""
    host: str = ""
    tool: str = ""
    incident: str = ""
    disrupted: str = ""
    emergency: str = ""
    closed: str = ""
    approved: tuple[str, ...] = ()
    simulated: str = ""
    shortened: str = ""
    announced: str = ""  # what the first record says of the scenario: its name, or "unannounced"
    scenario: ReportScenario | None = None
    level: str = ""  # how much the person who drilled was helped; empty where nobody practised
    predict: bool = False  # whether each step was to be foretold
    foretold: tuple[ReportForetold, ...] = ()
    halted: float = 0.0  # seconds for which an instructor had it stand still
    values: Mapping[str, str] = field(default_factory=dict)
    captured: Mapping[str, str] = field(default_factory=dict)
    rto_target: float | None = None
    rto_until: str = ""
    rto_actual: float | None = None
    steps: tuple[ReportStep, ...] = ()
    not_run: tuple[str, ...] = ()
    stays_changed: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    owed: tuple[ReportOwed, ...] = ()
    settled: tuple[ReportOwed, ...] = ()
    confirmed: tuple[Confirmation, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notes: tuple[ReportNote, ...] = ()
    guards: tuple[ReportGuard, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    lines: tuple[Crossing, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    records: int = 0
    head: str = ""
    damage: str = ""
    revision: str = ""
    declared: datetime | None = None  # when the emergency was declared, or the planned run was opened
    restored: datetime | None = None
    outage: float | None = None  # seconds from the disruption, as the operator put it, to the restoration
    scope: tuple[str, ...] = ()  # the roles, each with its hosts
    objectives: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    risks: tuple[Risk, ...] = ()
    vouched: tuple[Reason, ...] = ()  # what people did or looked at with their own hands, in their words
    clocks: tuple[ReportClock, ...] = ()
    anchors: str = ""
    next_test: str = ""

    @property
    def findings(self) -> tuple[ReportNote, ...]:
        """Return the notes that somebody sees to."""
        return tuple(note for note in self.notes if note.owner)

    @property
    def rto_met(self) -> bool | None:
        """Tell whether it was restored in time; None without a target, or while it is not restored."""
        if self.rto_target is None or self.rto_actual is None:
            return None
        return self.rto_actual <= self.rto_target

    def step(self, step_id: str) -> ReportStep:
        """Return a step by its full name; KeyError if there is none."""
        return next(s for s in self.steps if s.id == step_id)
