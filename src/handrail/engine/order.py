"""Order: which step is next, what waits for what, and why not. Pure questions about a state."""

from __future__ import annotations

from handrail.engine.outline import Place, StepOutline
from handrail.engine.state import State, StepState
from handrail.engine.words import How, StepWord, UndoKind

FINISHED = frozenset({StepWord.PASSED, StepWord.SKIPPED})
STANDS = frozenset({StepWord.FAILED, StepWord.UNKNOWN, StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN, StepWord.OWED})
BUSY = frozenset({StepWord.RUNNING, StepWord.UNDOING})


def finished(state: State, step: StepOutline) -> bool:
    """Tell whether nothing after a step has to wait for it."""
    return state.step(step.id).word in FINISHED or not state.needed(step)


def next_step(state: State) -> StepOutline | None:
    """Return the first unfinished needed step from the top."""
    return next((step for step in state.outline.steps if not finished(state, step)), None)


def open_steps(state: State) -> tuple[StepOutline, ...]:
    """Return the steps that may be started now: the next one, or all of a stage whose reads run together."""
    first = next_step(state)
    if first is None:
        return ()
    stage = state.outline.stage(first.stage)
    if not stage.together:
        return (first,)
    return tuple(step for step in stage.steps if not finished(state, step))


def waits_for(state: State, step: StepOutline) -> StepOutline | None:
    """Return the step that another one waits for; None when it may start."""
    if any(step.id == other.id for other in open_steps(state)):
        return None
    first = next_step(state)
    return first if first is None or first.id != step.id else None


def busy(state: State) -> tuple[StepOutline, ...]:
    """Return the steps in which something is being sent or asked."""
    return tuple(step for step, now in state.walked() if now.word in BUSY or now.asking)


def standing(state: State) -> StepOutline | None:
    """Return the step at which the run stands until somebody decides: failed, unknown, or an undo that failed."""
    back = (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN)
    for step, now in state.walked():
        if now.word in back:
            return step
    return next((s for s, now in state.walked() if now.word in STANDS and state.needed(s)), None)


def awaiting(state: State) -> StepOutline | None:
    """Return the step whose gate is open."""
    return next((step for step, now in state.walked() if now.word is StepWord.AWAITING), None)


def asking(state: State) -> StepOutline | None:
    """Return the running step that asks a question."""
    return next((step for step, now in state.walked() if now.question is not None), None)


def permitted(state: State, step: StepOutline) -> bool:
    """Tell whether the operator let this step begin."""
    return step.id == state.allowed_step or step.stage == state.allowed_stage


def closed_forward(state: State) -> str:
    """Return the sentence of the guard that closes the way forward, or nothing."""
    return _closed(state, "forward")


def closed_back(state: State) -> str:
    """Return the sentence of the guard that closes the way back, or nothing."""
    return _closed(state, "undo")


def _closed(state: State, way: str) -> str:
    for guard in state.outline.guards:
        if guard.id in state.tripped and guard.closes == way:
            return f"{guard.title}. {guard.means}".strip()
    return ""


def forward_hosts(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where a step is to be run now: where it has not passed yet, never on a lost role."""
    now = state.step(step.id)
    return tuple(p.key for p in state.outline.places(step, state.route) if p.key not in now.passed_on)


def back_places(state: State, step: StepOutline) -> tuple[Place, ...]:
    """Return where a step's undo is to be run: where something was started, or where the undo says."""
    now = state.step(step.id)
    own = {p.key for p in step.places}
    if step.undo_places and {p.key for p in step.undo_places} != own:
        return step.undo_places
    return tuple(p for p in step.places if p.key in now.touched)


def to_undo(state: State, to: str) -> tuple[str, ...]:
    """Return the steps that a walk back to the pause point before stage `to` undoes: newest first, none left out."""
    since = 0 if not to else state.outline.position(state.outline.stage(to).steps[0].id)
    inside = [at for at, step in enumerate(state.started) if state.outline.position(step) >= since]
    return tuple(reversed(state.started[min(inside) :])) if inside else ()


def wall(state: State, steps: tuple[str, ...]) -> StepOutline | None:
    """Return the first irreversible step that a walk would run into."""
    found = (state.outline.step(step) for step in steps)
    return next((step for step in found if step.undo is UndoKind.IRREVERSIBLE), None)


def put_back(state: State, steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values that a walk puts back at confirmed steps: each has to be typed once."""
    values: list[str] = []
    for step_id in steps:
        forward = state.step(step_id).forward
        if state.outline.step(step_id).confirm and forward and forward.back and forward.back not in values:
            values.append(forward.back)
    return tuple(values)


def is_changed(step: StepOutline, now: StepState) -> bool:
    """Tell whether a step has changed, or may have changed, something that is not undone."""
    return step.changes and (bool(now.touched) or now.how is How.BY_HAND)
