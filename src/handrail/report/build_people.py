"""Building what people said and did in a run: what they typed, why, their notes, who drove; and what the guards saw. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from handrail.engine import events as e
from handrail.engine import foretold as told_before
from handrail.engine.foretold import Foretold
from handrail.engine.outline import Outline
from handrail.engine.results import Gate, Question
from handrail.engine.state import State
from handrail.report.data import (
    Confirmation,
    Epoch,
    Happening,
    Reason,
    ReportCheck,
    ReportForetold,
    ReportGuard,
    ReportNote,
)
from handrail.report.telling import guard_title, stage_name, step_name
from handrail.report.words import shown


def confirmations(outline: Outline, happenings: Sequence[Happening]) -> tuple[Confirmation, ...]:
    """Return every value that a person typed: at gates, to undo, as answers; with what was shown to them."""
    gates: dict[str, Gate] = {}
    questions: dict[str, Question] = {}
    found: list[Confirmation] = []
    for told in happenings:
        match told.event:
            case e.GateOpened(step=step, gate=gate) | e.GateRefreshed(step=step, gate=gate):
                gates[step] = gate
            case e.Asked(step=step, question=question):
                questions[step] = question
            case e.Confirmed() as event:
                found.append(_at_gate(outline, told, event, gates.get(event.step)))
            case e.Answered() as event:
                asked = questions.get(event.step)
                what = asked.text if asked else step_name(outline, event.step)
                found.append(_typed("question", told, event.step, what, event.typed, event.by))
            case e.WalkStarted() as event if event.typed:
                what = f"undo back to {stage_name(outline, event.to)}"
                found += [_typed("undo", told, "", what, typed, event.by) for typed in event.typed]
    return tuple(found)


def _typed(kind: str, told: Happening, step: str, what: str, typed: str, by: str) -> Confirmation:
    who = shown(by or told.actor)
    return Confirmation(kind, told.wall, told.event.at, shown(step), shown(what), shown(typed), who)


def _at_gate(outline: Outline, told: Happening, event: e.Confirmed, gate: Gate | None) -> Confirmation:
    rechecks = gate.rechecks if gate else ()
    return Confirmation(
        kind="step",
        wall=told.wall,
        at=event.at,
        step=shown(event.step),
        what=shown(step_name(outline, event.step)),
        typed=shown(event.typed),
        by=shown(event.by or told.actor),
        reason=shown(event.reason),
        now=shown(gate.now if gate else ""),
        then=shown(gate.then if gate else ""),
        rechecks=tuple(ReportCheck(shown(r.title), r.holds, shown(r.seen)) for r in rechecks),
    )


def reasons(outline: Outline, happenings: Sequence[Happening]) -> tuple[Reason, ...]:
    """Return every reason that a person gave, in order."""
    found = []
    for told in happenings:
        for what, reason, step in _reasons(outline, told.event):
            if reason:
                by = getattr(told.event, "by", "") or told.actor
                found.append(Reason(told.wall, shown(what), shown(reason), shown(by), shown(step)))
    return tuple(found)


def _reasons(outline: Outline, event: e.Event) -> Iterator[tuple[str, str, str]]:
    """Yield what an event gives a reason for, the reason, and the step."""
    match event:
        case e.RunOpened():
            yield "opened", event.reason, ""
            yield "opened on a route with lost roles", event.emergency, ""
        case e.Confirmed():
            yield "confirmed though a recheck could not be asked", event.reason, event.step
        case e.Skipped():
            yield f"skipped {step_name(outline, event.step)}", event.reason, event.step
        case e.Resolved():
            yield f"said of {step_name(outline, event.step)}: {event.verdict.value}", event.reason, event.step
        case e.StepUndone() if event.by:
            yield f"undone by hand: {step_name(outline, event.step)}", event.reason, event.step
        case e.Settled() if event.by:
            yield f"settled {event.owed}", event.reason, ""
        case e.RouteChanged():
            yield f"route {event.route}", event.reason, ""
        case e.Resumed():
            yield f"driven again by {event.by}", event.reason, ""
        case e.RunClosed():
            yield "closed unfinished", event.reason, ""


def notes(happenings: Sequence[Happening]) -> tuple[ReportNote, ...]:
    """Return the notes, in order."""
    return tuple(_note(told.wall, told.event) for told in happenings if isinstance(told.event, e.NoteMade))


def _note(wall: datetime, event: e.NoteMade) -> ReportNote:
    words = map(shown, (event.by, event.text, event.step, event.owner, event.due))
    return ReportNote(wall, *words)


def foretold(state: State, came: Mapping[str, tuple[str, ...]]) -> tuple[ReportForetold, ...]:
    """Return what was foretold of steps, in their order, beside what came; `came` are the last lines of each step."""
    return tuple(_foretold(state, one, came.get(one.step, ())) for one in told_before.foretold(state))


def _foretold(state: State, one: Foretold, came: tuple[str, ...]) -> ReportForetold:
    undo = next((attempt.undo for attempt in state.step(one.step).attempts if attempt.undo), ())
    step, prints, undone, judged = map(shown, (one.step, one.prints, one.undone, one.judged))
    return ReportForetold(step, prints, tuple(map(shown, came)), undone, tuple(map(shown, undo)), judged)


def guards(outline: Outline, happenings: Sequence[Happening]) -> tuple[ReportGuard, ...]:
    """Return each time a guard saw something, until it did not see it any more."""
    found: list[ReportGuard] = []
    for at, told in enumerate(happenings):
        if not isinstance(told.event, e.GuardTripped):
            continue
        guard = told.event.guard
        cleared = (t.wall for t in happenings[at:] if isinstance(t.event, e.GuardCleared) and t.event.guard == guard)
        means = next((g.means for g in outline.guards if g.id == guard), "")
        title = shown(guard_title(outline, guard))
        seen = shown(told.event.seen)
        found.append(ReportGuard(shown(guard), title, told.wall, next(cleared, None), seen, shown(means)))
    return tuple(found)


def epochs(happenings: Sequence[Happening]) -> tuple[Epoch, ...]:
    """Return who drove, from where, since when."""
    found = []
    for told in happenings:
        match told.event:
            case e.RunOpened() as event:
                found.append(
                    Epoch(event.epoch, shown(event.operator), shown(event.host), told.wall, "", shown(event.known))
                )
            case e.Resumed() as event:
                found.append(
                    Epoch(
                        event.epoch,
                        shown(event.by),
                        shown(event.host),
                        told.wall,
                        shown(event.reason),
                        shown(event.known),
                    )
                )
    return tuple(found)
