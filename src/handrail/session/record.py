"""What is written beside the journal for people and for lists: status.txt and the summary. Both can be made anew at any time."""

from __future__ import annotations

from typing import Any

from handrail.base.durations import show_clock, show_duration
from handrail.base.safe import safe
from handrail.engine import order
from handrail.engine.outcome import outcome, stays_changed
from handrail.engine.state import State
from handrail.engine.words import Line, StepWord
from handrail.session.snapshots import Shown
from handrail.session.view import Snapshot


def where_text(state: State) -> str:
    """Return where a run stands: "stage 2 of 4, 2.3 Copy CA"."""
    step = order.standing(state) or next(iter(order.busy(state)), None) or order.next_step(state)
    if step is None:
        return "all steps are done"
    word = state.step(step.id).word
    said = "" if word is StepWord.PENDING else f" ({word.value})"
    return f"stage {state.outline.stage(step.stage).number} of {len(state.outline.stages)}, {step.name}{said}"


def clients_text(state: State) -> str:
    """Return where the clients are: what has been done at the lines across the rail."""
    moved = [
        step
        for stage in state.outline.stages
        if stage.line is Line.CLIENTS_MOVE
        for step in stage.steps
        if step.id in state.started
    ]
    return "moved" if moved else "not moved"


def status_sentence(shown: Snapshot) -> str:
    """Return the one sentence for the channel."""
    state, info = shown.state, shown.info
    undo = show_duration(sum(shown.undo_seconds.values())) if state.started else "nothing to undo"
    owed = f" Owed: {len(state.owed)}." if state.owed else ""
    return safe(
        f"{info.mode.value} {info.estate}, {info.runbook} ({state.route}), {shown.wall:%H:%MZ}: {where_text(state)}. "
        f"Clients: {clients_text(state)}. T+{show_clock(shown.at)}. Way back: {undo}.{owed} {state.driver}"
    )


def status_text(shown: Snapshot) -> str:
    """Return the lines of status.txt."""
    lines = [status_sentence(shown)]
    lines += [f"owed: {safe(o.what)} ({safe(o.why)})" for o in shown.state.owed]
    lines += [f"guard: {g}: {safe(seen)}" for g, seen in shown.state.tripped.items()]
    return "\n".join(lines) + "\n"


def summary(state: State, shown: Shown) -> dict[str, Any]:
    """Return what lists of runs show: derived from the journal, never the truth."""
    return {
        "outcome": outcome(state).value,
        "where": where_text(state),
        "owed": [o.what for o in state.owed],
        "stays": [step.id for step in stays_changed(state)],
        "mode": shown.info.mode.value,
        "runbook": shown.info.runbook,
        "estate": shown.info.estate,
        "operator": state.driver,
        "held": state.held,
        "closed": state.closed,
    }
