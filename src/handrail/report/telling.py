"""Telling: one event of the journal as one line of the timeline, or none. Pure; the engine's verdicts are only repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from handrail.engine import events as e
from handrail.engine.outline import Outline
from handrail.engine.words import Verdict, Way
from handrail.report.data import Happening, Kind, TimelineEntry
from handrail.report.words import place_name, shown

Told = tuple[Kind, str] | None
Teller = Callable[[Outline, Mapping[str, str], Any], Told]

_TELLERS: Final[dict[type[e.Event], Teller]] = {}
_VERDICTS: Final = {Verdict.PASSED: Kind.PASSED, Verdict.FAILED: Kind.FAILED, Verdict.UNKNOWN: Kind.UNKNOWN}
_MARKED: Final = frozenset({Kind.FAILED, Kind.UNKNOWN, Kind.EMERGENCY, Kind.GUARD, Kind.NOTE})


def tell(outline: Outline, names: Mapping[str, str], told: Happening) -> TimelineEntry | None:
    """Return the line of one record; None when it is not worth one."""
    teller = _TELLERS.get(type(told.event))
    found = teller(outline, names, told.event) if teller else None
    if found is None:
        return None
    kind, text = found
    by, step = getattr(told.event, "by", ""), getattr(told.event, "step", "")
    mark = kind in _MARKED or isinstance(told.event, (e.Confirmed, e.Answered, e.WalkStarted))
    return TimelineEntry(told.event.at, told.wall, kind, shown(text), shown(by), shown(step), mark)


def step_name(outline: Outline, step: str) -> str:
    """Return "2.3 Copy" for a step's full name; the name itself when the runbook has no such step."""
    return outline.step(step).name if outline.has_step(step) else step


def stage_name(outline: Outline, stage: str) -> str:
    """Return "2 Sync" for a stage's id; "the start" for none."""
    if not stage:
        return "the start"
    return outline.stage(stage).name if outline.has_stage(stage) else stage


def _on(kind: type[e.Event]) -> Callable[[Teller], Teller]:
    def register(teller: Teller) -> Teller:
        _TELLERS[kind] = teller
        return teller

    return register


def _with(text: str, *more: str) -> str:
    """Return a sentence with what is known besides: the parts that are not empty, after a colon."""
    kept = "; ".join(part for part in more if part)
    return f"{text}: {kept}" if kept else text


@_on(e.RunOpened)
def _(_outline: Outline, _names: Mapping[str, str], event: e.RunOpened) -> Told:
    return Kind.RUN, f"{event.mode} opened by {event.operator} on {event.host}, route {event.route}"


@_on(e.StageAllowed)
def _(outline: Outline, _names: Mapping[str, str], event: e.StageAllowed) -> Told:
    return Kind.STAGE, f"stage {stage_name(outline, event.stage)}"


@_on(e.GateOpened)
def _(outline: Outline, _names: Mapping[str, str], event: e.GateOpened) -> Told:
    return Kind.CONFIRM, f"{step_name(outline, event.step)} waits for its value to be typed"


@_on(e.GateLeft)
def _(outline: Outline, _names: Mapping[str, str], event: e.GateLeft) -> Told:
    return Kind.CONFIRM, f"{step_name(outline, event.step)}: not now"


@_on(e.Confirmed)
def _(outline: Outline, _names: Mapping[str, str], event: e.Confirmed) -> Told:
    return Kind.CONFIRM, _with(f"{step_name(outline, event.step)} confirmed by typing {event.typed}", event.reason)


@_on(e.Answered)
def _(outline: Outline, _names: Mapping[str, str], event: e.Answered) -> Told:
    said = f"answered with {event.typed}" if event.typed else "answered with no"
    return Kind.CONFIRM, f"{step_name(outline, event.step)}: {said}"


@_on(e.AttemptStarted)
def _(outline: Outline, names: Mapping[str, str], event: e.AttemptStarted) -> Told:
    hosts = [place_name(names, host) for host in event.hosts]
    where = ", ".join(hosts) if len(hosts) < 4 else f"{len(hosts)} hosts"
    if event.way is Way.BACK:
        return Kind.UNDO, f"undo of {step_name(outline, event.step)} on {where}"
    again = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return Kind.START, f"{step_name(outline, event.step)} on {where}{again}"


@_on(e.AttemptEnded)
def _(outline: Outline, _names: Mapping[str, str], event: e.AttemptEnded) -> Told:
    if event.way is Way.PROBE:  # a probe asks; "not done" is its answer, not its failure
        return Kind.RUN, _with(f"{step_name(outline, event.step)}: {_PROBED[event.verdict]}", event.detail)
    what = {Way.FORWARD: "", Way.BACK: "undo of ", Way.CHECK: "check of "}[event.way]
    how = f" ({event.how.value})" if event.verdict is Verdict.PASSED and event.how.value not in ("", "ran") else ""
    return _VERDICTS[event.verdict], _with(
        f"{what}{step_name(outline, event.step)} {_LOUD[event.verdict]}{how}", event.detail
    )


_PROBED: Final = {
    Verdict.PASSED: "passed, as its probe says",
    Verdict.FAILED: "not passed, as its probe says",
    Verdict.UNKNOWN: "still UNKNOWN, its probe cannot say",
}
_LOUD: Final = {Verdict.PASSED: "passed", Verdict.FAILED: "FAILED", Verdict.UNKNOWN: "UNKNOWN"}


@_on(e.RetryAsked)
def _(outline: Outline, _names: Mapping[str, str], event: e.RetryAsked) -> Told:
    what = "undo of " if event.way is Way.BACK else ""
    return Kind.START, f"{what}{step_name(outline, event.step)}: asked for again"


@_on(e.Reattached)
def _(outline: Outline, _names: Mapping[str, str], event: e.Reattached) -> Told:
    return Kind.LINK, f"{step_name(outline, event.step)}: its job is asked again, nothing is started"


@_on(e.Probed)
def _(outline: Outline, _names: Mapping[str, str], event: e.Probed) -> Told:
    return Kind.RUN, _with(f"probe of {step_name(outline, event.step)} says {event.answer.value}", event.seen)


@_on(e.StopAsked)
def _(outline: Outline, _names: Mapping[str, str], event: e.StopAsked) -> Told:
    return Kind.RUN, f"{step_name(outline, event.step)}: stop asked for"


@_on(e.BecameLate)
def _(outline: Outline, _names: Mapping[str, str], event: e.BecameLate) -> Told:
    return Kind.UNKNOWN, f"{step_name(outline, event.step)} is late; it goes on"


@_on(e.LinkLost)
def _(outline: Outline, names: Mapping[str, str], event: e.LinkLost) -> Told:
    where = place_name(names, event.host)
    return Kind.LINK, _with(f"no link to {where}; {step_name(outline, event.step)} goes on there", event.why)


@_on(e.LinkBack)
def _(_outline: Outline, names: Mapping[str, str], event: e.LinkBack) -> Told:
    return Kind.LINK, f"link to {place_name(names, event.host)} is back"


@_on(e.Skipped)
def _(outline: Outline, _names: Mapping[str, str], event: e.Skipped) -> Told:
    return Kind.RUN, _with(f"{step_name(outline, event.step)} skipped", event.reason)


@_on(e.Resolved)
def _(outline: Outline, _names: Mapping[str, str], event: e.Resolved) -> Told:
    said = f"{step_name(outline, event.step)} {_LOUD[event.verdict]} by a person's word"
    return _VERDICTS[event.verdict], _with(said, event.reason, event.evidence)


@_on(e.WalkStarted)
def _(outline: Outline, _names: Mapping[str, str], event: e.WalkStarted) -> Told:
    typed = f", {' and '.join(event.typed)} typed" if event.typed else ""
    return Kind.UNDO, f"undo back to {stage_name(outline, event.to)}, {len(event.steps)} steps{typed}"


@_on(e.WalkEnded)
def _(_outline: Outline, _names: Mapping[str, str], event: e.WalkEnded) -> Told:
    return Kind.UNDO, "the undo is at its target" if event.reached else "the undo was left"


@_on(e.StepUndone)
def _(outline: Outline, _names: Mapping[str, str], event: e.StepUndone) -> Told:
    how = f" ({event.how.value})" if event.how.value not in ("", "ran") else ""
    return Kind.UNDO, _with(f"{step_name(outline, event.step)} undone{how}", event.reason)


@_on(e.BecameOwed)
def _(_outline: Outline, _names: Mapping[str, str], event: e.BecameOwed) -> Told:
    return Kind.OWED, _with(f"owed: {event.owed.what}", event.owed.why)


@_on(e.UndoSetAside)
def _(outline: Outline, _names: Mapping[str, str], event: e.UndoSetAside) -> Told:
    return Kind.OWED, f"undo of {step_name(outline, event.step)} set aside"


@_on(e.SettleStarted)
def _(_outline: Outline, _names: Mapping[str, str], event: e.SettleStarted) -> Told:
    return Kind.OWED, f"settling {event.owed}"


@_on(e.SettleFailed)
def _(_outline: Outline, _names: Mapping[str, str], event: e.SettleFailed) -> Told:
    return Kind.FAILED, _with(f"{event.owed} could not be settled", event.detail)


@_on(e.Settled)
def _(_outline: Outline, _names: Mapping[str, str], event: e.Settled) -> Told:
    return Kind.OWED, _with(f"settled {event.owed}", event.reason or event.how.value)


@_on(e.RouteChanged)
def _(outline: Outline, _names: Mapping[str, str], event: e.RouteChanged) -> Told:
    lost = ", ".join(sorted(outline.lost(event.route)))
    said = f"EMERGENCY declared, {lost} lost" if lost else f"back to the route {event.route}"
    return Kind.EMERGENCY, _with(said, event.reason)


@_on(e.Paused)
def _(_outline: Outline, _names: Mapping[str, str], _event: e.Paused) -> Told:
    return Kind.RUN, "pause"


@_on(e.GuardTripped)
def _(outline: Outline, _names: Mapping[str, str], event: e.GuardTripped) -> Told:
    return Kind.GUARD, _with(f"GUARD {guard_title(outline, event.guard)}", event.seen)


@_on(e.GuardCleared)
def _(outline: Outline, _names: Mapping[str, str], event: e.GuardCleared) -> Told:
    return Kind.GUARD, f"guard {guard_title(outline, event.guard)}: not any more"


def guard_title(outline: Outline, guard: str) -> str:
    """Return a guard's title by its id; the id itself when the runbook has no such guard."""
    return next((g.title for g in outline.guards if g.id == guard), guard)


@_on(e.ClaimTaken)
def _(_outline: Outline, names: Mapping[str, str], event: e.ClaimTaken) -> Told:
    without = ", ".join(place_name(names, host) for host in event.without)
    owed = f"{len(event.inherited)} owed things inherited" if event.inherited else ""
    hosts = ", ".join(place_name(names, host) for host in event.hosts)
    return Kind.RUN, _with(f"estate claimed on {hosts}", without and f"without {without}", owed)


@_on(e.ClaimRefused)
def _(_outline: Outline, _names: Mapping[str, str], event: e.ClaimRefused) -> Told:
    return Kind.FAILED, _with(f"the estate is claimed by {event.holder}", event.detail)


@_on(e.ClaimReleased)
def _(_outline: Outline, names: Mapping[str, str], event: e.ClaimReleased) -> Told:
    left = ", ".join(place_name(names, host) for host in event.without)
    return Kind.RUN, _with("the claim on the estate was given back", left and f"not on {left}, which did not answer")


@_on(e.ScenarioTold)
def _(_outline: Outline, _names: Mapping[str, str], event: e.ScenarioTold) -> Told:
    held = "the end is as it should be" if event.holds else "the end is not as it should be"
    return Kind.RUN, f"scenario {event.name}: {event.title}; {held}"


@_on(e.NoteMade)
def _(_outline: Outline, _names: Mapping[str, str], event: e.NoteMade) -> Told:
    due = f", due {event.due}" if event.due else ""
    return Kind.NOTE, f"finding for {event.owner}{due}: {event.text}" if event.owner else event.text


@_on(e.CardShown)
def _(_outline: Outline, _names: Mapping[str, str], event: e.CardShown) -> Told:
    return Kind.NOTE, f"a message{f' from {event.by}' if event.by else ''}: {event.says}"


@_on(e.CardAnswered)
def _(_outline: Outline, _names: Mapping[str, str], event: e.CardAnswered) -> Told:
    return Kind.NOTE, f"answered: {event.words}"


@_on(e.FaultMade)
def _(_outline: Outline, _names: Mapping[str, str], event: e.FaultMade) -> Told:
    refused = event.problem and f"it was refused: {event.problem}"
    return Kind.RUN, _with(f"instructor {event.by} did to the estate: {event.what}", refused)


@_on(e.Halted)
def _(_outline: Outline, _names: Mapping[str, str], event: e.Halted) -> Told:
    return Kind.RUN, _with(f"halted by instructor {event.by}", event.why)


@_on(e.HaltEnded)
def _(_outline: Outline, _names: Mapping[str, str], event: e.HaltEnded) -> Told:
    return Kind.RUN, f"instructor {event.by} lets it go on"


@_on(e.Held)
def _(_outline: Outline, _names: Mapping[str, str], event: e.Held) -> Told:
    return Kind.RUN, _with("held: nobody drives", event.why)


@_on(e.Resumed)
def _(_outline: Outline, _names: Mapping[str, str], event: e.Resumed) -> Told:
    return Kind.RUN, _with(f"driven again by {event.by} on {event.host}, epoch {event.epoch}", event.reason)


@_on(e.Reverified)
def _(outline: Outline, _names: Mapping[str, str], event: e.Reverified) -> Told:
    if event.holds:
        return None
    said = "does not hold any more" if event.holds is False else "could not be asked again"
    return Kind.UNKNOWN, _with(f"{step_name(outline, event.step)} {said}", event.seen)


@_on(e.RunClosed)
def _(_outline: Outline, _names: Mapping[str, str], event: e.RunClosed) -> Told:
    return Kind.RUN, _with("closed unfinished", event.reason)
