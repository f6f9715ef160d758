"""The sentence for the channel: where a run stands, what clients get, what is changed, whether there is a way back.

There is one such sentence for every front end and for status.txt. It is pure, and it claims nothing that it does not
know: of a journal that is damaged it says so first.
"""

from __future__ import annotations

from typing import Final

from handrail.base.safe import Safe, safe
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import Line, Outcome, StepWord
from handrail.session.view import Mode, Snapshot

MOST: Final = 4  # changed steps that are named; of more, the rest are counted

_TOLD: Final = "the last step that is told of has passed"  # of a record that is not whole: nobody knows of the run
_WORDS: Final = {
    StepWord.PENDING: "is next",
    StepWord.AWAITING: "waits to be confirmed",
    StepWord.RUNNING: "runs",
    StepWord.FAILED: "FAILED",
    StepWord.UNKNOWN: "is UNKNOWN",
    StepWord.UNDOING: "is being undone",
    StepWord.UNDO_FAILED: "UNDO FAILED",
    StepWord.UNDO_UNKNOWN: "UNDO UNKNOWN",
    StepWord.OWED: "is owed",
}


def status_sentence(snap: Snapshot) -> Safe:
    """Return one sentence, such as "LIVE production, app-failover, 03:16Z: stage 2 of 4, 2.3 Copy CA runs. ... maria"."""
    state, info = snap.state, snap.info
    lost = f" EMERGENCY ({', '.join(sorted(state.lost))} lost)" if state.lost else ""
    head = f"{info.mode.value} {info.estate}, {info.runbook}{lost}, {snap.wall:%H:%MZ}: "
    parts = [damage_text(snap.damage), f"{_where(state, whole=not snap.damage)}.", _clients(snap), _back(snap)]
    parts += [_owed(state), _next(state), _target(snap)]
    return safe(head + " ".join(part for part in (*parts, state.driver or info.operator) if part))


def status_text(snap: Snapshot) -> str:
    """Return the lines of status.txt: the sentence, then what is owed and what guards see, a line each."""
    lines: list[str] = [status_sentence(snap)]
    lines += [f"owed: {safe(o.what)} ({safe(o.why)})" for o in snap.state.owed]
    lines += [f"guard: {safe(g)}: {safe(seen)}" for g, seen in snap.state.tripped.items()]
    return "\n".join(lines) + "\n"


def damage_text(damage: str) -> str:
    """Return what stands before anything that is told from a damaged journal; nothing when it is whole."""
    return f"THE RECORD IS NOT WHOLE ({damage}); as far as it can be read:" if damage else ""


def where_text(state: State, *, whole: bool = True) -> str:
    """Return where a run stands: "stage 2 of 4, 2.3 Copy CA", with its word where that is not "next"."""
    step = _at(state)
    if step is None:
        return "all steps are done" if whole else _TOLD
    word = state.step(step.id).word
    said = "" if word is StepWord.PENDING else f" ({word.value})"
    return f"{_stage(state, step)}, {step.name}{said}"


def changed_steps(snap: Snapshot) -> tuple[str, ...]:
    """Return what stands changed, or may, newest first: "2.2 Stop and mask the server (app-primary)"."""
    return tuple(_changed(snap, step) for step in ends.stays_changed(snap.state))


def _changed(snap: Snapshot, step: StepOutline) -> str:
    word, text = snap.state.step(step.id).word, snap.texts.get(step.id)
    parts = (text.where if text else "", "" if word is StepWord.PASSED else word.value)
    said = ", ".join(part for part in parts if part)
    return f"{step.name} ({said})" if said else step.name


def clients_word(state: State) -> str:
    """Return "moved", "not moved", or "being moved, not settled"; nothing where this runbook moves no clients."""
    moving = [s for stage in state.outline.stages if stage.line is Line.CLIENTS_MOVE for s in stage.steps if s.confirm]
    if not moving:
        return ""
    words = [_moved(state, step) for step in moving]
    if "unsettled" in words:
        return "being moved, not settled"
    return "moved" if "moved" in words else "not moved"


def _moved(state: State, step: StepOutline) -> str:
    """Tell whether one step has moved clients: what was sent and has not passed is not settled."""
    now = state.step(step.id)
    word = now.before if now.word is StepWord.AWAITING else now.word
    if word is StepWord.PASSED:
        return "moved"
    return "unsettled" if step.id in state.started or word is StepWord.OWED or word in order.BUSY else "not moved"


def _at(state: State) -> StepOutline | None:
    step = order.asking(state) or order.awaiting(state) or next(iter(order.busy(state)), None)
    return step or order.standing(state) or order.next_step(state)


def _stage(state: State, step: StepOutline) -> str:
    return f"stage {state.outline.stage(step.stage).number} of {len(state.outline.stages)}"


def _where(state: State, *, whole: bool) -> str:
    made = ends.outcome(state)
    if state.closed:
        return f"closed unfinished ({state.closed})"
    if made is Outcome.DONE and whole:
        return "done"
    if made is Outcome.UNDONE and whole:
        return "undone, everything is as it was"
    step = _at(state)
    if step is None:
        return _TOLD
    at = f"{_stage(state, step)}, {step.name} {_word(state, step)}"
    return f"held, {at}" if state.held else at


def _word(state: State, step: StepOutline) -> str:
    now = state.step(step.id)
    if now.question:
        return "waits for an answer"
    if now.no_link:
        return "runs, link lost"
    if now.word is StepWord.RUNNING and now.late:
        return "is late"
    return _WORDS.get(now.word, now.word.value)


def _clients(snap: Snapshot) -> str:
    """Return whether clients were moved; where they were not, what is changed all the same: it may be felt by them."""
    word = clients_word(snap.state)
    said = f"Clients: {word}" if word else ""
    changed = changed_steps(snap)
    if word == "moved" or not changed:
        return said and f"{said}."
    more = f", and {len(changed) - MOST} more" if len(changed) > MOST else ""
    so_far = f"{', '.join(changed[:MOST])}{more}"
    link = ", but changed" if word == "not moved" else ". Changed" if said else "Changed"
    return f"{said}{link} so far: {so_far}."


def _back(snap: Snapshot) -> str:
    state = snap.state
    steps = order.to_undo(state, "")
    if not steps:
        return "" if ends.stays_changed(state) else "Nothing stands changed."
    if snap.info.mode is Mode.DRILL and ends.is_over(state) and not state.claimed:
        return "Its simulated estate is taken down."
    walled = order.wall(state, steps)
    if walled:
        return f"No way back past {walled.name}."
    closed = order.closed_back(state)
    if closed:
        return f"Way back closed: {closed}"
    seconds = sum(snap.undo_seconds.get(s, 0.0) for s in steps)
    count = f"{len(steps)} step{'s' * (len(steps) != 1)}"
    return f"Way back open, {count}" + (f", {_in_words(seconds)}." if seconds else ".")


def _owed(state: State) -> str:
    return f"Owed: {'; '.join(o.what for o in state.owed)}." if state.owed else ""


def _next(state: State) -> str:
    if state.held or state.closed:
        return ""
    if order.standing(state):
        return "Next: a decision."
    following = order.next_step(state)
    if following is None:
        return ""
    if order.busy(state) or order.awaiting(state):
        after = [s for s in state.outline.steps if not order.finished(state, s) and s.id != following.id]
        return f"Next: {after[0].title}." if after else ""
    return f"Next: {following.title}."


def _target(snap: Snapshot) -> str:
    if snap.restored is not None:
        return f"Restored in {_in_words(snap.restored)}."
    if not snap.info.rto or snap.state.closed or ends.outcome(snap.state) is Outcome.UNDONE:
        return ""
    left = snap.info.rto - snap.at
    target = _in_words(snap.info.rto)
    return f"{_in_words(left)} left of {target}." if left >= 0 else f"{_in_words(-left)} over target."


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{max(1, round(seconds / 60))} min"
