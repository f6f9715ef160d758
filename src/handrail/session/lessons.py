"""What is taught while somebody drills: notes that are due, hints, what is hidden, what is to be foretold. Pure.

It reads a run's state and says what to show. It decides nothing: the run goes on in the same way whatever it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from handrail.base.frozen import dataclass
from handrail.base.safe import safe, safe_line
from handrail.engine import order
from handrail.engine.foretold import foretold
from handrail.engine.state import State
from handrail.engine.words import Pace, Remarks, StepWord
from handrail.session.levels import Level
from handrail.session.view import CACHES, MACHINE, REACH, CoachNote, RunInfo, Snapshot, StepText, meaning

if TYPE_CHECKING:
    from handrail.session.api import StepOutput

_STANDS: Final = (StepWord.FAILED, StepWord.UNKNOWN)


def counted(state: State, kind: Remarks) -> dict[str, int]:
    """Return how many remarks of a kind there are, by step ("" for those about no step)."""
    return dict(Counter(remark.step for remark in state.remarks if remark.kind is kind))


def is_ones_own(shown: Snapshot) -> bool:
    """Tell whether whoever looks is who drilled here: hints, slips and answers are shown to nobody else."""
    opened = shown.state.opened
    return bool(shown.info.level) and opened is not None and opened.operator == shown.info.operator


def taught(shown: Snapshot, *, drives: bool = True) -> Snapshot:
    """Return a snapshot with what follows from the level and from what is kept of who practises; `drives`: at this console."""
    info, state = shown.info, shown.state
    notes = due_notes(info.coach, state) if drives and info.level == Level.GUIDED else ()
    return replace(
        shown,
        texts=texts_shown(shown.texts, state, info.level),
        whole=shown.texts,
        slips=counted(state, Remarks.SLIP) or shown.slips,
        hints=counted(state, Remarks.HINT) or shown.hints,
        notes=notes,
        foretell=to_foretell(state, info) if drives else (),
    )


# ---------------------------------------------------------------- coach


def due_notes(notes: Iterable[CoachNote], state: State) -> tuple[CoachNote, ...]:
    """Return the notes whose moment it is and that were not shown yet; none once nobody drives."""
    if state.held or state.closed:
        return ()
    shown = {remark.about for remark in state.remarks if remark.kind is Remarks.COACH}
    return tuple(note for note in notes if note.id not in shown and _now(note, state))


def _now(note: CoachNote, state: State) -> bool:
    kind, step = note.when, note.step
    if kind == "opened":
        return not any(now.attempts for _, now in state.walked())
    if kind == "over":
        return _over(state)
    if not state.outline.has_step(step):
        return False
    now = state.step(step)
    gate = now.gate if now.word is StepWord.AWAITING else None
    match kind:
        case "next":
            following = order.next_step(state)
            return following is not None and following.id == step and not (order.busy(state) or state.walk)
        case "starts":
            return bool(now.attempts)
        case "passed":
            return now.word is StepWord.PASSED
        case "failed":
            return now.word in _STANDS
        case "gate":
            return gate is not None
        case "shut":
            return gate is not None and any(recheck.holds is False for recheck in gate.rechecks)
        case "undone":
            return now.undone and not state.walk
    return False


def _over(state: State) -> bool:
    moving = order.busy(state) or state.walk or order.standing(state)
    return not moving and order.next_step(state) is None


def notes_from(told: object) -> tuple[CoachNote, ...]:
    """Return the notes as a run's inputs keep them."""
    return tuple(CoachNote(*map(str, one)) for one in told if len(one) == 4) if isinstance(told, list) else ()


def notes_kept(notes: Iterable[CoachNote]) -> list[list[Any]]:
    """Return the notes as a run's inputs keep them: a run shows its own copy."""
    return [[note.id, note.when, note.step, note.say] for note in notes]


# ---------------------------------------------------------------- hidden, and hints


def texts_shown(texts: Mapping[str, StepText], state: State, level: str) -> Mapping[str, StepText]:
    """Return what is shown of each step at a level: at `titles` nothing of what was neither begun nor asked for."""
    if level != Level.TITLES:
        return texts
    asked = counted(state, Remarks.HINT)
    return {step: _shown(text, state.step(step).attempts, asked.get(step, 0)) for step, text in texts.items()}


def _shown(text: StepText, begun: object, asked: int) -> StepText:
    if begun or asked >= 2:
        return text
    hidden = replace(text, commands=(), undo=(), sample="", hidden=True)
    return hidden if asked else replace(hidden, why="", good="")


def hint_of(shown: Snapshot, step: str) -> tuple[str, ...]:
    """Return the next hint for a step, a paragraph each: what it is for, what is sent and undone, what goes wrong.

    For a step that stands failed, what its answer means comes first.
    """
    text = shown.whole_text(step)
    now = shown.state.step(step)
    if now.word in _STANDS and now.attempt is not None:
        means = meaning(text.wrong, now.attempt.results.values())
        if means:
            return (means,)
    ladder = [part for part in (_purpose(text), _sent(text), _trouble(text)) if part]
    asked = counted(shown.state, Remarks.HINT).get(step, 0)
    return ladder[min(asked, len(ladder) - 1)] if ladder else ("The runbook says nothing more of this step.",)


def _purpose(text: StepText) -> tuple[str, ...]:
    return (*((text.why,) if text.why else ()), *((f"Good: {text.good}",) if text.good else ()))


def _sent(text: StepText) -> tuple[str, ...]:
    if not text.commands:
        return ()
    back = "; ".join(text.undo).replace("\n", "; ")
    return (*(f"$ {command}" for command in text.commands[:6]), *((f"Undo: {back}",) if back else ()))


def _trouble(text: StepText) -> tuple[str, ...]:
    return tuple(
        f"If it {wrong.when}: {wrong.means}" + (f" Next: {wrong.next}." if wrong.next else "") for wrong in text.wrong
    )


# ---------------------------------------------------------------- foretelling


def to_foretell(state: State, info: RunInfo) -> tuple[str, ...]:
    """Return the steps that going on now would start and of which nothing was foretold; not those that only reach a role."""
    following = order.next_step(state)
    busy = order.busy(state) or state.walk or state.held or state.closed or order.standing(state)
    if not info.predict or following is None or busy or order.awaiting(state):
        return ()
    told = {remark.step for remark in state.remarks if remark.kind is Remarks.PREDICTED}
    steps = [following]
    if state.pace is Pace.STAGE:
        begun = replace(state, allowed_stage=following.stage)  # with that stage come those that it leads on to
        steps = [s for s in state.outline.steps if state.needed(s) and not order.finished(state, s)]
        steps = [s for s in steps if order.permitted(begun, s)]
    written = (step.id for step in steps if not step.id.partition("/")[2].startswith(REACH))
    return tuple(step for step in written if step not in told)


# ---------------------------------------------------------------- the debrief

QUESTIONS: Final = (
    ("surprised", "What surprised you?"),
    ("runbook", "What would you change in the runbook?"),
    ("next-time", "What will you do differently next time?"),
)


@dataclass(frozen=True)
class Spent:
    """Whose time a run took, in seconds; what ran side by side is counted once."""

    machine: float
    person: float
    caches: float
    halted: float = 0.0  # an instructor had it stand still, and nothing ran


def spent(shown: Snapshot) -> Spent:
    """Return how long machines worked, caches were waited for, an instructor halted it, and a person took: the rest."""
    work: dict[str, list[tuple[float, float]]] = {MACHINE: [], CACHES: []}
    end = 0.0
    for step, now in shown.state.walked():
        whose = shown.whole_text(step.id).spends
        for attempt in now.attempts:
            ended = shown.at if attempt.ended is None else attempt.ended
            end = max(end, ended)
            if whose in work:
                work[whose].append((attempt.started, ended))
    machine, caches = _length(work[MACHINE]), _length(work[CACHES])
    moving = [*work[MACHINE], *work[CACHES]]
    both = _length(moving)
    stood = _length([*moving, *((since, min(until, end)) for since, until in halts(shown) if since < end)])
    return Spent(machine, max(0.0, end - stood), caches, stood - both)


def halts(shown: Snapshot) -> tuple[tuple[float, float], ...]:
    """Return from when to when an instructor had the run stand still, in run seconds; up to now while they still do."""
    return shown.state.halts_until(shown.at)


def halted_for(shown: Snapshot) -> float:
    """Return the seconds for which an instructor had the run stand still."""
    return _length(halts(shown))


def _length(spans: Iterable[tuple[float, float]]) -> float:
    total, upto = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, upto))
        upto = max(upto, end)
    return total


def in_production(shown: Snapshot) -> float | None:
    """Return how long this takes at least where the waits are not shortened; None where none was waited for."""
    waited = any(now.attempts and shown.whole_text(step.id).spends == CACHES for step, now in shown.state.walked())
    if not waited or not shown.info.adds or shown.restored is None:
        return None
    return shown.restored + shown.info.adds


SO: Final = "so"
NOT_SO: Final = "not so"


def to_judge(shown: Snapshot) -> str:
    """Return the first step of which nobody has said yet whether it came as foretold; nothing where there is none."""
    return next((one.step for one in foretold(shown.state) if not one.judged), "")


def last_lines(output: StepOutput, most: int = 3) -> tuple[str, ...]:
    """Return the last lines that a step's first host has said, as showable text."""
    for host in output.hosts()[:1]:
        reader = output.reader(host)
        if reader is None:
            continue
        try:
            reader.refresh()
            return tuple(safe_line(line.raw) for line in reader.tail_lines(most, 300) if line.stream != "note")
        finally:
            reader.close()
    return ()


def reflections(state: State) -> dict[str, str]:
    """Return the answers to the open questions of the debrief, the last one to each."""
    return {remark.about: remark.text for remark in state.remarks if remark.kind is Remarks.REFLECTION}


def slips_told(state: State) -> tuple[tuple[str, str], ...]:
    """Return what was refused, with the step's number, in order."""
    return tuple(
        (state.outline.step(r.step).number if state.outline.has_step(r.step) else "-", r.text)
        for r in state.remarks
        if r.kind is Remarks.SLIP
    )


def slip(state: State, intent: object, reason: str) -> tuple[str, str]:
    """Return the step and the words of something that was refused."""
    step = str(getattr(intent, "step", "") or getattr(intent, "to", ""))
    known = next((s.id for s in state.outline.steps if step in (s.id, s.number)), "")
    here = order.standing(state) or order.awaiting(state) or order.next_step(state)
    return known or (here.id if here else ""), safe(f"{type(intent).__name__.lower()}: {reason}", 200)
