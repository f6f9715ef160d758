"""Offers: everything that can be asked at this moment, each granted or refused with its sentence.

Key bar, palette, menus, plain console and CLI draw from this list; it asks `decide`, so it can never say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from handrail.engine import decide_forward, order
from handrail.engine import messages as m
from handrail.engine.decide import decide
from handrail.engine.decide_back import undo_closed
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import Pace, StepWord, Verdict


@dataclass(frozen=True)
class Offer:
    """One thing that can be asked. `why` is empty when it is granted; `wants` names the words still to be typed."""

    verb: str
    label: str
    intent: m.Intent
    why: str = ""
    wants: tuple[str, ...] = ()
    proposed: bool = False

    @property
    def granted(self) -> bool:
        """Tell whether it may be asked now."""
        return not self.why


_WORD = "…"  # stands for words that the operator has yet to type


def offers(state: State) -> tuple[Offer, ...]:
    """Return every offer, in the order in which menus show them; exactly one at most is proposed."""
    found = [*_going_on(state), *_at_step(state), *_back(state), *_run(state)]
    return tuple(found)


def offer(state: State, verb: str) -> Offer | None:
    """Return one offer by its verb."""
    return next((o for o in offers(state) if o.verb == verb), None)


def _why(state: State, intent: m.Intent) -> str:
    answer = decide(state, intent)
    return answer.reason if isinstance(answer, m.Refused) else ""


def _going_on(state: State) -> list[Offer]:
    step = order.next_step(state)
    made = []
    gate = order.awaiting(state)
    if gate and not state.step(gate.id).confirmed:
        shown = state.step(gate.id).gate
        confirm = m.Confirm(gate.id, shown.token if shown else "", _WORD, at=state.at)
        closed = decide_forward.gate_closed(state, shown, confirm) if shown else ""
        made.append(Offer("confirm", f"Confirm {gate.name}", confirm, closed, ("value",), proposed=True))
        made.append(Offer("not-now", "Not now", m.LeaveGate(gate.id)))
    asking = order.asking(state)
    if asking:
        made.append(Offer("reply", f"Answer {asking.name}", m.Reply(asking.id, ""), wants=("reply",), proposed=True))
    go = m.Go()
    why = _why(state, go)
    label = _go_label(state, step)
    made.append(Offer("go", label, go, why, proposed=not why))
    made.append(Offer("pause", "Pause after this step", m.Pause(), _why(state, m.Pause())))
    working = order.busy(state)
    if working:
        stop = m.StopStep(working[0].id)
        made.append(Offer("stop", f"Stop {working[0].name}", stop, _why(state, stop)))
    other = Pace.STEP if state.pace is Pace.STAGE else Pace.STAGE
    made.append(Offer("pace", f"Go {other.value}", m.SetPace(other)))
    return made


def _go_label(state: State, step: StepOutline | None) -> str:
    if step is None:
        return "Everything is done"
    if state.pace is Pace.STEP:
        return f"Start {step.name}"
    stage = state.outline.stage(step.stage)
    begun = any(state.step(s.id).word is not StepWord.PENDING for s in stage.steps)
    return f"{'Go on with' if begun else 'Start'} stage {stage.name}"


def _at_step(state: State) -> list[Offer]:
    step = order.standing(state)
    made: list[Offer] = []
    if step is not None:
        word = state.step(step.id).word
        unknown = word in (StepWord.UNKNOWN, StepWord.UNDO_UNKNOWN)
        of = "the undo of " if word in (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN) else ""
        probe, again, check = m.Probe(step.id), m.Retry(step.id), m.CheckAgain(step.id)
        made.append(Offer("retry", f"Retry {of}{step.name}", again, _why(state, again), proposed=not unknown))
        made.append(Offer("probe", "Ask the host again (probe)", probe, _why(state, probe), proposed=unknown))
        made.append(Offer("check", "Check again, send nothing", check, _why(state, check)))
        hand = m.Resolve(step.id, Verdict.PASSED, _WORD, evidence=_WORD)
        made.append(Offer("by-hand", "Mark as done by hand", hand, _why(state, hand), ("reason", "evidence")))
        if unknown:
            no = m.Resolve(step.id, Verdict.FAILED, _WORD)
            made.append(Offer("not-done", "Say that it was not done", no, _why(state, no), ("reason",)))
        if of:
            owe = m.Owe(step.id, _WORD)
            made.append(Offer("owe", "Set it aside: it stays owed", owe, _why(state, owe), ("reason",)))
            made.append(Offer("leave-undo", "Leave the undo here", m.LeaveUndo(), _why(state, m.LeaveUndo())))
    skipped = step or order.next_step(state)
    if skipped is not None:
        skip = m.Skip(skipped.id, _WORD)
        made.append(Offer("skip", f"Skip {skipped.name}", skip, _why(state, skip), ("reason",)))
    return made


def _back(state: State) -> list[Offer]:
    steps = order.to_undo(state, "")
    made = [Offer("undo", "Undo back to a stage", m.Undo(), undo_closed(state, _above_wall(state, steps)))]
    settles = [(item, m.Settle(item.id)) for item in state.owed]
    return made + [Offer("settle", f"Settle: {item.what}", settle, _why(state, settle)) for item, settle in settles]


def _above_wall(state: State, steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of a walk that stands above the first irreversible step, if there is any such part."""
    walled = order.wall(state, steps)
    if walled is None:
        return steps
    return steps[: steps.index(walled.id)] or steps


def undo_targets(state: State) -> tuple[tuple[str, str, tuple[str, ...], str], ...]:
    """Return where an undo may go back to: stage id, name, the steps it undoes (newest first), why not."""
    seen: list[tuple[str, str, tuple[str, ...], str]] = []
    for stage in reversed(state.outline.stages):
        steps = order.to_undo(state, stage.id)
        if steps and (not seen or seen[-1][2] != steps):
            seen.append((stage.id, stage.name, steps, undo_closed(state, steps)))
        elif steps:
            seen[-1] = (stage.id, stage.name, steps, seen[-1][3])
    return tuple(seen)


def _run(state: State) -> list[Offer]:
    made = []
    for route in state.outline.routes:
        if route != state.route:
            declare = m.Declare(route, _WORD)
            lost = ", ".join(sorted(state.outline.lost(route)))
            label = f"Declare the {route}: {lost} lost" if lost else f"Back to the {route} route"
            made.append(Offer("declare", label, declare, _why(state, declare), ("reason",)))
    made.append(Offer("note", "Note", m.Note(_WORD), wants=("text",)))
    made.append(Offer("leave", "Leave: the run is held", m.Leave()))
    close = m.Close(_WORD)
    made.append(Offer("close", "Close: nobody will finish it", close, _why(state, close), ("reason",)))
    return made
