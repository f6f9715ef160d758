"""The snapshot: everything a front end may show of a run, frozen. Foreign text in it is raw: a front end makes it safe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.base.patterns import SlowPatternError, first_match
from handrail.engine.results import Result, verdict
from handrail.engine.state import State
from handrail.engine.words import Verdict


class Mode(StrEnum):
    """What a run may touch. The word stands on every screen."""

    DRILL = "DRILL"  # a simulated estate, nothing real
    CHECK = "CHECK"  # real hosts, reads only
    REHEARSAL = "REHEARSAL"  # LIVE's rules on an estate of class staging
    LIVE = "LIVE"
    REPLAY = "REPLAY"


@dataclass(frozen=True)
class Wrong:
    """What a wrong answer means, and what to do next."""

    when: str  # "exit 35 or 56", "output matches ..."
    means: str
    next: str = ""
    match: str = ""  # the pattern itself, where it is one

    def fits(self, result: Result) -> bool:
        """Tell whether this is what a result's exit status, or a line of what was seen, means."""
        if verdict(result) is Verdict.PASSED:
            return False
        if self.match:
            seen = [result.sentence, result.detail, *(check.seen for check in result.checks)]
            lines = [line.strip(" '\"`") for text in seen for line in text.splitlines()]
            with suppress(re.error, SlowPatternError):
                return first_match(self.match, lines) is not None
        codes = re.findall(r"\d+", self.when) if self.when.startswith("exit") else []
        return result.exit is not None and str(result.exit) in codes


def meaning(wrongs: Iterable[Wrong], results: Iterable[Result]) -> str:
    """Return what the runbook says that such results mean, and what to do next; nothing when it says nothing."""
    found = list(results)
    first = next((wrong for wrong in wrongs if any(wrong.fits(result) for result in found)), None)
    return "" if first is None else first.means + (f" Next: {first.next}" if first.next else "")


REACH: Final = "reach-"  # what the derived steps that reach each role are called
MACHINE: Final = "machine"
PERSON: Final = "person"
CACHES: Final = "DNS"


@dataclass(frozen=True)
class CoachNote:
    """A coach's note: shown once, when it is its moment (`when`, of a step where that is about one)."""

    id: str
    when: str
    step: str
    say: str


@dataclass(frozen=True)
class StepText:
    """What the runbook says of a step for people, with its commands as far as they are resolved."""

    why: str = ""
    good: str = ""
    wrong: tuple[Wrong, ...] = ()
    sample: str = ""
    stays: str = ""
    kind: str = "run"
    commands: tuple[str, ...] = ()  # one line a command; several lines for a script
    undo: tuple[str, ...] = ()
    undo_gist: str = ""  # what a scripted undo puts back, in its own words
    where: str = ""  # "app-dr", "6 clients", "ns1, ns2"
    waits: str = ""  # "asked again for 45m", "late after 10m"
    hidden: bool = False  # what is sent, and what undoes it, is not shown until it is asked for
    spends: str = MACHINE  # whose time it takes: the machines', a person's, or that of caches
    par: float = 0.0  # seconds a practised operator takes; 0: not said


@dataclass(frozen=True)
class LiveHost:
    """One host of a running step: what it said last, and how long ago (run seconds)."""

    host: str
    text: str = ""
    last_output: float | None = None
    no_link_since: float | None = None
    tries: int = 0  # how often a read was asked that does not hold yet; `text` is what was seen
    next_at: float | None = None  # run seconds at which it is asked again ...
    until: float | None = None  # ... and at which it is given up


@dataclass(frozen=True)
class LiveStep:
    """What is moving in a running step. `total` 0 means that the size of the work is not known."""

    done: float = 0.0
    total: float = 0.0
    text: str = ""
    hosts: Mapping[str, LiveHost] = field(default_factory=dict)  # "" for a question that goes to several
    silent: tuple[str, ...] = ()  # names a meter has not seen


@dataclass(frozen=True)
class HeadLine:
    """A value in the header: "good copy 4m02s", as it was seen; `over` when it was beyond its target then.

    `seen` is when it was captured (run seconds; before the run: less than 0), `grows` the seconds of an age at that moment.
    """

    label: str
    value: str = "-"
    over: bool = False
    seen: float | None = None
    grows: float | None = None
    target: float = 0.0  # seconds, of an age
    note: str = ""  # "CHECK 22 Nov 03:00Z": where it comes from, if it is not from this run

    def shown(self, at: float) -> tuple[str, bool]:
        """Return what is so at a moment of the run, as far as this console knows, and whether that is over the target."""
        note = f" ({self.note})" if self.note else ""
        if self.grows is None or self.seen is None:
            return self.value + note, self.over
        now = self.grows + max(0.0, at - self.seen)
        return show_duration(now) + note, bool(self.target) and now > self.target

    def old(self, at: float) -> float:
        """Return for how many seconds nobody has looked; 0 for an age, which says so itself."""
        return 0.0 if self.seen is None or self.grows is not None else max(0.0, at - self.seen)


@dataclass(frozen=True)
class HostView:
    """One machine of the estate as this console sees it. `round_trip` is seconds."""

    key: str
    name: str
    role: str
    address: str
    site: str = ""
    link: str = ""  # "", "up", "no link", "away"
    round_trip: float | None = None
    away: float | None = None  # run seconds since which it does not answer when it is asked
    asked: float | None = None  # run seconds at which it was asked last
    why: str = ""  # what was seen when it did not answer


@dataclass(frozen=True)
class Asked:
    """Something a connection asks the person at the console: a passphrase, a code, sudo's password. All of it is showable.

    Unless `echo`, the answer is not shown while it is typed; `wrong` says why it is asked again.
    """

    number: int
    title: str
    text: str
    echo: bool = False
    wrong: str = ""


@dataclass(frozen=True)
class Before:
    """What the same person's drills of a runbook came to before this one."""

    drills: int = 0
    every: int = 0  # days after which this one was due
    restored: float | None = None  # seconds, the last time
    times: Mapping[str, float] = field(default_factory=dict)  # step -> seconds it took, the last time


@dataclass(frozen=True)
class RunInfo:
    """What does not change in a run."""

    run: str
    mode: Mode
    runbook: str
    title: str
    summary: str
    digest: str
    estate: str
    operator: str
    folder: Path
    started: datetime
    rto: float = 0.0  # seconds; 0: none
    rto_until: str = ""
    simulated: str = ""  # "namespaces" or "folders" in a drill
    reason: str = ""  # why an undrilled digest, or a broken claim
    differences: str = ""
    scenario: str = ""  # a drill's scenario by name, or "unannounced"
    told: str = ""  # what the scenario tells the operator
    shortened: str = ""  # what a drill shortens: "TTL 5 s for 300 s"
    sim_dir: Path | None = None  # where the simulated estate lies
    adds: float = 0.0  # seconds that production's TTL would add
    level: str = ""  # how much the person who drills is helped; empty where nobody practises
    predict: bool = False
    coach: tuple[CoachNote, ...] = ()
    before: Before = field(default_factory=lambda: Before())


@dataclass(frozen=True)
class Relief:
    """Somebody asks for the run this console drives; from run seconds `until` on they may take it."""

    id: str
    who: str
    host: str
    note: str = ""
    until: float = 0.0
    handing: bool = False  # it is handed over once the running step has ended


@dataclass(frozen=True)
class Playing:
    """How a replay goes: run seconds `length` in all; `speed` 0 is as fast as it can be; `gap` seconds pass shortened."""

    length: float
    speed: float = 1.0
    paused: bool = False
    over: bool = False
    gap: float = 0.0
    spread: bool = False  # it is not recorded when the output in view came: it is spread over the step's duration
    kept: bool = True  # whether what moved besides the journal was kept
    step: int = 0  # the mark (a step that was begun) that was passed last, from 1
    steps: int = 0


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. `seq` grows with every change; `at` is run seconds now, `wall` the clock on the wall."""

    seq: int
    at: float
    wall: datetime
    info: RunInfo
    state: State
    texts: Mapping[str, StepText] = field(default_factory=dict)
    live: Mapping[str, LiveStep] = field(default_factory=dict)
    headline: tuple[HeadLine, ...] = ()
    hosts: tuple[HostView, ...] = ()
    restored: float | None = None  # run seconds at which the RTO clock stopped
    turn_back_by: float | None = None  # run seconds: later, an undo would end beyond the RTO
    undo_seconds: Mapping[str, float] = field(default_factory=dict)  # what an undo took, or is thought to take
    watchers: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()  # what connections ask the person here; the first is to be answered first
    trouble: str = ""  # the journal cannot be written, another console took over: nothing is sent any more
    names: Mapping[str, str] = field(default_factory=dict)  # host key -> the name people know it by
    slips: Mapping[str, int] = field(default_factory=dict)  # step -> what was refused or typed wrongly there (drills)
    hints: Mapping[str, int] = field(default_factory=dict)  # step -> hints asked for (drills)
    whole: Mapping[str, StepText] = field(default_factory=dict)  # the texts with what a level hides
    notes: tuple[CoachNote, ...] = ()  # of the coach, due and not yet shown
    foretell: tuple[str, ...] = ()  # steps of which it is to be said what they will print, before going on
    relief: Relief | None = None  # somebody asks for this run
    damage: str = ""  # which record of the journal is damaged: what is shown follows from those before it
    waits_for: tuple[str, ...] = ()  # the hosts (keys) that the standing step waits for
    playing: Playing | None = None  # this is a replay: what is shown is over

    def whole_text(self, step: str) -> StepText:
        """Return all that a step says for people, whatever a level hides of it."""
        return self.whole.get(step) or self.texts.get(step) or StepText()
