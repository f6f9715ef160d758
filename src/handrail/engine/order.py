"""Order: which step is next, what waits for what, and why not. Pure questions about a state."""

from __future__ import annotations

from handrail.engine.outline import GuardOutline, Place, StageOutline, StepOutline
from handrail.engine.state import State, StepState
from handrail.engine.words import How, Line, StepWord, UndoKind, Verdict, Way

FINISHED = frozenset({StepWord.PASSED, StepWord.SKIPPED})
STANDS = frozenset({StepWord.FAILED, StepWord.UNKNOWN, StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN, StepWord.OWED})
BUSY = frozenset({StepWord.RUNNING, StepWord.UNDOING})
UNDO_STANDS = frozenset({StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN})


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


def is_open(state: State, step: StepOutline) -> bool:
    """Tell whether a step is among those that may be started now."""
    return any(step.id == other.id for other in open_steps(state))


def waits_for(state: State, step: StepOutline) -> StepOutline | None:
    """Return the step that another one waits for; None when it may start."""
    if is_open(state, step):
        return None
    first = next_step(state)
    return first if first is None or first.id != step.id else None


def busy(state: State) -> tuple[StepOutline, ...]:
    """Return the steps in which something is being sent or asked."""
    return tuple(step for step, now in state.begun() if now.word in BUSY or now.asking)


def standing(state: State) -> StepOutline | None:
    """Return the step at which the run stands until somebody decides: failed, unknown, or an undo that failed.

    An undo comes first, and the newest of them; while a walk is on, nothing else is asked.
    """
    back = [step for step, now in state.begun() if now.word in UNDO_STANDS]
    if back:
        newest = {step: at for at, step in enumerate(state.started)}
        return max(back, key=lambda step: newest.get(step.id, -1))
    if state.walk:
        return None
    for step, now in state.begun():
        unknown = now.word is StepWord.UNKNOWN  # it is asked about first, wherever it stands; the rest wait their turn
        if now.word in STANDS and state.needed(step) and (unknown or is_open(state, step)):
            return step
    return None


def awaiting(state: State) -> StepOutline | None:
    """Return the step whose gate is open."""
    return next((step for step, now in state.begun() if now.word is StepWord.AWAITING), None)


def asking(state: State) -> StepOutline | None:
    """Return the running step that asks a question."""
    return next((step for step, now in state.begun() if now.question is not None), None)


def permitted(state: State, step: StepOutline) -> bool:
    """Tell whether the operator let this step begin: itself, its stage, or a stage from which the run goes on to it."""
    return step.id == state.allowed_step or step.stage == state.allowed_stage or _leads_on(state, step)


def _leads_on(state: State, step: StepOutline) -> bool:
    """Tell whether the stage that was let begin leads on to a step of a later one without a pause between them.

    Reads lead on to reads: there is nothing to think about between them. A stage leads on to a gate: it is a pause itself.
    """
    if not state.allowed_stage:
        return False
    stages = [s for s in state.outline.stages if any(state.needed(one) for one in s.steps)]
    at = {stage.id: n for n, stage in enumerate(stages)}
    since, here = at.get(state.allowed_stage, len(stages)), at.get(step.stage, 0)
    if since >= here:
        return False
    if all(only_reads(state, stage) for stage in stages[since : here + 1]):
        return True
    first = next(one for one in stages[here].steps if state.needed(one))
    before = stages[since:here]
    return step.confirm and first.id == step.id and (len(before) == 1 or all(only_reads(state, s) for s in before))


def only_reads(state: State, stage: StageOutline) -> bool:
    """Tell whether nothing that the route needs of a stage changes anything, or asks for a word."""
    return not any(step.changes or step.confirm for step in stage.steps if state.needed(step))


def closed_forward(state: State) -> str:
    """Return the sentence of the guard that closes the way forward, or nothing."""
    return _closed(state, "forward")


def closed_back(state: State) -> str:
    """Return the sentence of the guard that closes the way back, or nothing."""
    return _closed(state, "undo")


def watched(state: State, guard: GuardOutline) -> bool:
    """Tell whether a guard watches: from when its step is behind us (or not needed, with nothing left before it)."""
    if not guard.after or not state.outline.has_step(guard.after):
        return True
    step = state.outline.step(guard.after)
    if state.step(step.id).word in FINISHED:
        return True
    first = next_step(state)
    behind = first is None or state.outline.position(first.id) > state.outline.position(step.id)
    return behind and not state.needed(step)


def _closed(state: State, way: str) -> str:
    for guard in state.outline.guards:
        if guard.id in state.tripped and guard.closes == way and watched(state, guard):
            return f"{guard.title}. {guard.means}".strip()
    return ""


def forward_hosts(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where a step is to be run now: where it has not passed yet, never on a lost role."""
    now = state.step(step.id)
    return tuple(p.key for p in state.outline.places(step, state.route) if p.key not in now.passed_on)


def needed_hosts(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where a step is done on the present route."""
    return tuple(p.key for p in state.outline.places(step, state.route))


def back_places(state: State, step: StepOutline) -> tuple[Place, ...]:
    """Return where a step's undo is to be run: where something was started, or where the undo says; never twice."""
    now = state.step(step.id)
    if step.undo is UndoKind.NOTHING:
        return ()
    if has_own_undo_places(step):
        return tuple(p for p in step.undo_places if p.key not in now.undone_on)
    return tuple(p for p in step.places if p.key in now.touched)


def has_own_undo_places(step: StepOutline) -> bool:
    """Tell whether a step is undone somewhere else than where it was done."""
    return bool(step.undo_places) and {p.key for p in step.undo_places} != {p.key for p in step.places}


def back_hosts(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where a step's undo can be run now: never on a lost role."""
    return tuple(p.key for p in back_places(state, step) if p.role not in state.lost)


def lost_places(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where an undo is needed and cannot be done, because its role is lost."""
    return tuple(p.key for p in back_places(state, step) if p.role in state.lost)


def back_is_due(state: State, step: StepOutline) -> bool:
    """Tell whether a step's undo may be sent at this moment: first of the walk, or asked again; never while it stands."""
    now = state.step(step.id)
    if state.held or state.closed or state.recall or state.settling or busy(state) or not state.claimed:
        return False
    if state.halted:
        return False
    if state.walk:
        first = state.walk.steps[:1] == (step.id,)
        return first and (now.word not in UNDO_STANDS or now.again is Way.BACK)
    return now.again is Way.BACK


def reached(state: State, step: StepOutline) -> Verdict:
    """Return what the places of the present route make of a step: as many as it needs have passed, or not."""
    here = {p.key for p in state.outline.places(step, state.route)}
    need = min(step.need or len(here), len(here))
    passed = len(state.step(step.id).passed_on & here)
    return Verdict.PASSED if here and passed >= need else Verdict.FAILED


def to_undo(state: State, to: str) -> tuple[str, ...]:
    """Return the steps that a walk back to the pause point before stage `to` undoes: newest first, none left out."""
    since = 0 if not to else state.outline.position(state.outline.stage(to).steps[0].id)
    inside = [at for at, step in enumerate(state.started) if state.outline.position(step) >= since]
    return tuple(reversed(state.started[min(inside) :])) if inside else ()


def interrupted(state: State) -> str | None:
    """Return the target of an undo that a crash or a take-over interrupted, while something of it is left."""
    return state.left_walk if state.left_walk is not None and to_undo(state, state.left_walk) else None


def wall(state: State, steps: tuple[str, ...]) -> StepOutline | None:
    """Return the first irreversible step that a walk would run into."""
    found = (state.outline.step(step) for step in steps)
    return next((step for step in found if step.undo is UndoKind.IRREVERSIBLE), None)


def put_back(state: State, steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values that a walk puts back at confirmed steps: each has to be typed once."""
    values: list[str] = []
    for step_id in steps:
        now, step = state.step(step_id), state.outline.step(step_id)
        first = now.first or now.forward
        if not step.confirm or step.undo is UndoKind.NOTHING:
            continue
        if first and first.back and first.back not in values:
            values.append(first.back)
    return tuple(values)


def warnings(state: State) -> tuple[tuple[StepOutline, str], ...]:
    """Return what checks that hold would rather have seen to before clients move, with their steps; nothing once they have."""
    moved = next((at for at, stage in enumerate(state.outline.stages) if stage.line is Line.CLIENTS_MOVE), None)
    if moved is not None and any(finished(state, s) for s in state.outline.stages[moved].steps if state.needed(s)):
        return ()
    passed = ((step, now.attempt) for step, now in state.begun() if now.word is StepWord.PASSED and now.attempt)
    return tuple(
        (step, check.warn)
        for step, attempt in passed
        for result in attempt.results.values()
        for check in result.checks
        if check.warn
    )


def is_changed(step: StepOutline, now: StepState) -> bool:
    """Tell whether a step has changed, or may have changed, something that is not undone."""
    return step.changes and (bool(now.touched) or now.how is How.BY_HAND)
