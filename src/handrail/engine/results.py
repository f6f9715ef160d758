"""Results: what the world answered, as facts, and the one function that makes a verdict of them (DESIGN: passed means checked)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from handrail.base.frozen import dataclass
from handrail.engine.words import ResultKind, Verdict


@dataclass(frozen=True)
class Check:
    """One thing that had to be true: `holds` is None when it could not be asked; `warn` says what is better seen to first."""

    what: str
    holds: bool | None
    seen: str = ""
    warn: str = ""


@dataclass(frozen=True)
class Output:
    """Where the output of one host of one attempt lies, and what it weighs: file name in `out/`, bytes, SHA-256."""

    file: str
    length: int
    sha256: str


@dataclass(frozen=True)
class Result:
    """What one host of one attempt answered. `sent` tells whether anything that acts may have reached it."""

    host: str
    kind: ResultKind
    sent: bool
    exit: int | None = None
    expected: tuple[int, ...] = (0,)
    signal: str = ""
    checks: tuple[Check, ...] = ()
    captures: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""
    output: Output | None = None

    @property
    def sentence(self) -> str:
        """Return what happened, in a few words."""
        if self.kind is ResultKind.EXITED and self.exit not in self.expected:
            words = f"exit {self.exit}, expected {' or '.join(map(str, self.expected))}"
        elif self.kind is ResultKind.EXITED:
            words = f"exit {self.exit}"
        elif self.kind is ResultKind.SIGNALLED:
            words = f"ended by signal {self.signal}"
        else:
            words = self.kind.value
        wrong = next((c for c in self.checks if c.holds is not True), None)
        if wrong:
            words += f"; {wrong.what}: " + (wrong.seen or "could not be asked" if wrong.holds is None else wrong.seen)
        return f"{words}; {self.detail}" if self.detail else words


_NOTHING_SENT = frozenset({ResultKind.UNREACHABLE, ResultKind.REFUSED})
_CANNOT_SAY = frozenset({ResultKind.LOST, ResultKind.STOP_UNPROVEN})


def verdict(result: Result) -> Verdict:
    """Return what a result means: passed only when the exit is exactly as declared *and* every check holds."""
    if result.kind in _CANNOT_SAY or (result.kind is ResultKind.EXITED and result.exit is None):
        return Verdict.UNKNOWN
    if result.kind in _NOTHING_SENT and result.sent:  # it says both: then nobody knows
        return Verdict.UNKNOWN
    if result.kind is ResultKind.EXITED and result.exit in result.expected:
        return _checked(result)
    if result.kind is ResultKind.ALREADY:
        return _checked(result)
    return Verdict.FAILED


def _checked(result: Result) -> Verdict:
    if any(check.holds is False for check in result.checks):
        return Verdict.FAILED
    if any(check.holds is None for check in result.checks):
        return Verdict.UNKNOWN if result.sent else Verdict.FAILED
    return Verdict.PASSED


def did_its_part(result: Result) -> bool:
    """Tell whether the action itself did what it should, whatever the checks say."""
    if result.kind is ResultKind.EXITED:
        return result.exit is not None and result.exit in result.expected
    return result.kind is ResultKind.ALREADY


def together(results: Mapping[str, Result], need: int) -> Verdict:
    """Return the verdict of some hosts: at least one and `need` of them passed; unknown and unreachable never count."""
    verdicts = [verdict(result) for result in results.values()]
    if verdicts.count(Verdict.PASSED) >= max(1, need):
        return Verdict.PASSED
    return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.FAILED


@dataclass(frozen=True)
class Recheck:
    """A read asked again at a gate: `holds` None means it could not be asked; `at` is when, in run seconds."""

    step: str
    title: str
    holds: bool | None
    seen: str
    at: float


@dataclass(frozen=True)
class Gate:
    """What stands on the confirm screen. `token` is the new value to type; `proofs` say where each value was seen."""

    token: str
    what: str = ""
    now: str = ""
    then: str = ""
    where: str = ""
    undo: str = ""
    stays: str = ""
    proofs: tuple[str, ...] = ()
    rechecks: tuple[Recheck, ...] = ()
    blocked: str = ""  # why it cannot be confirmed at all, as now seen


@dataclass(frozen=True)
class Question:
    """A question of a running step: `token` is what must be typed to go on."""

    text: str
    token: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owed:
    """Something to do on a host that does not answer: shown until it is settled."""

    id: str
    step: str
    host: str
    what: str
    why: str
    since: float
    way: str = "back"  # what settles it: the step's undo ("back"), the step itself ("forward"), or knowing ("ask")
    run: str = ""  # the run that owes it: a successor inherits it
