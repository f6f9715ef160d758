"""The sentence for the channel: where the run stands, what clients get, whether there is a way back, what is next. Pure."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import Line, Outcome, StepWord
from handrail.session.view import Snapshot
from handrail.tui.clocks import in_words, zulu


def status_sentence(snap: Snapshot) -> str:
    """Return one sentence, such as "LIVE production, app-failover, 03:16Z: stage 2 of 4, copying. ... maria"."""
    state, info = snap.state, snap.info
    lost = f" EMERGENCY ({', '.join(sorted(state.lost))} lost)" if state.lost else ""
    head = f"{info.mode.value} {info.estate}, {info.runbook}{lost}, {zulu(snap.wall)}: {_where(state)}."
    parts = [head, _clients(state), _back(snap), _owed(state), _next(state), _target(snap)]
    return " ".join(part for part in (*parts, info.operator) if part)


def _where(state: State) -> str:
    made = ends.outcome(state)
    if state.closed:
        return f"closed unfinished ({state.closed})"
    if made is Outcome.DONE:
        return "done"
    if made is Outcome.UNDONE:
        return "undone, everything is as it was"
    step = order.asking(state) or order.awaiting(state) or next(iter(order.busy(state)), None)
    step = step or order.standing(state) or order.next_step(state)
    if step is None:
        return "done"
    stage = state.outline.stage(step.stage)
    at = f"stage {stage.number} of {len(state.outline.stages)}, {step.name} {_word(state, step)}"
    return f"held, {at}" if state.held else at


def _word(state: State, step: StepOutline) -> str:
    now = state.step(step.id)
    if now.question:
        return "waits for an answer"
    if now.no_link:
        return "runs, link lost"
    return {
        StepWord.PENDING: "is next",
        StepWord.AWAITING: "waits to be confirmed",
        StepWord.RUNNING: "is late" if now.late else "runs",
        StepWord.FAILED: "FAILED",
        StepWord.UNKNOWN: "is UNKNOWN",
        StepWord.UNDOING: "is being undone",
        StepWord.UNDO_FAILED: "UNDO FAILED",
        StepWord.UNDO_UNKNOWN: "UNDO UNKNOWN",
        StepWord.OWED: "is owed",
    }.get(now.word, now.word.value)


def _clients(state: State) -> str:
    """Return whether clients were moved, as far as this run did that; it says nothing that it does not know."""
    moving = [s for stage in state.outline.stages if stage.line is Line.CLIENTS_MOVE for s in stage.steps if s.confirm]
    if not moving:
        return ""
    words = {state.step(s.id).word for s in moving}
    if words & {StepWord.UNKNOWN, StepWord.RUNNING, StepWord.UNDOING, StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN}:
        return "Clients: being moved, not settled."
    if any(state.step(s.id).word is StepWord.PASSED for s in moving):
        return "Clients: moved."
    return "Clients: not moved."


def _back(snap: Snapshot) -> str:
    state = snap.state
    steps = order.to_undo(state, "")
    if not steps:
        return "Nothing stands changed."
    walled = order.wall(state, steps)
    if walled:
        return f"No way back past {walled.name}."
    closed = order.closed_back(state)
    if closed:
        return f"Way back closed: {closed}"
    seconds = sum(snap.undo_seconds.get(s, 0.0) for s in steps)
    return f"Way back open, {len(steps)} steps" + (f", {in_words(seconds)}." if seconds else ".")


def _owed(state: State) -> str:
    return f"Owed: {'; '.join(o.what for o in state.owed)}." if state.owed else ""


def _next(state: State) -> str:
    step = order.standing(state)
    if step:
        return "Next: a decision."
    following = order.next_step(state)
    if following is None or state.held:
        return ""
    if order.busy(state) or order.awaiting(state):
        after = [s for s in state.outline.steps if not order.finished(state, s) and s.id != following.id]
        return f"Next: {after[0].title}." if after else ""
    return f"Next: {following.title}."


def _target(snap: Snapshot) -> str:
    if snap.restored is not None:
        return f"Restored in {in_words(snap.restored)}."
    if not snap.info.rto:
        return ""
    left = snap.info.rto - snap.at
    return f"{in_words(left)} left of {in_words(snap.info.rto)}." if left >= 0 else f"{in_words(-left)} over target."
