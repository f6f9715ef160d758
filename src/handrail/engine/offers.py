"""Offers: everything that can be asked at this moment, each granted or refused with its sentence.

Key bar, palette, menus, plain console and CLI draw from this list; it asks `decide`, so it can never say otherwise.
"""

from __future__ import annotations

from handrail.base.frozen import dataclass
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.changed import replace
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
    first = next((o for o in found if o.proposed and o.granted), None)
    return tuple(replace(o, proposed=o is first) for o in found)


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
        made.append(_asked(state, Offer("confirm", f"Confirm {gate.name}", confirm, "", ("value",), proposed=True)))
        made.append(_asked(state, Offer("not-now", "Not now", m.LeaveGate(gate.id))))
    asking = order.asking(state)
    if asking:
        reply = Offer("reply", f"Answer {asking.name}", m.Reply(asking.id, ""), wants=("reply",), proposed=True)
        made.append(_asked(state, reply))
    go = m.Go()
    why = _why(state, go)
    label = _go_label(state, step)
    made.append(Offer("go", label, go, why, proposed=not why and order.interrupted(state) is None))
    made.append(Offer("pause", "Pause after this step", m.Pause(), _why(state, m.Pause())))
    working = order.busy(state)
    if working:
        stop = m.StopStep(working[0].id)
        made.append(Offer("stop", f"Stop {working[0].name}", stop, _why(state, stop)))
    other = Pace.STEP if state.pace is Pace.STAGE else Pace.STAGE
    made.append(_asked(state, Offer("pace", f"Go {other.value}", m.SetPace(other))))
    return made


def _asked(state: State, made: Offer) -> Offer:
    """Return an offer with the engine's answer to it."""
    return replace(made, why=_why(state, made.intent))


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
        if word is not StepWord.OWED:
            made.append(Offer("retry", f"Retry {of}{step.name}", again, _why(state, again), proposed=not unknown))
        made.append(Offer("probe", "Ask the host again (probe)", probe, _why(state, probe), proposed=unknown))
        if unknown:
            attach = m.Reattach(step.id)
            made.append(Offer("attach", "Ask about its job again", attach, _why(state, attach), proposed=True))
        made.append(Offer("check", "Check again, send nothing", check, _why(state, check)))
        hand = m.Resolve(step.id, Verdict.PASSED, _WORD, evidence=_WORD)
        made.append(Offer("by-hand", "Mark as done by hand", hand, _why(state, hand), ("reason", "evidence")))
        if word is StepWord.UNKNOWN:
            no = m.Resolve(step.id, Verdict.FAILED, _WORD)
            made.append(Offer("not-done", "Say that it was not done", no, _why(state, no), ("reason",)))
        if of:
            owe = m.Owe(step.id, _WORD)
            made.append(Offer("owe", "Set it aside: it stays owed", owe, _why(state, owe), ("reason",)))
        if word in (StepWord.UNDO_FAILED, StepWord.OWED):
            onward = m.GoForward(step.id)
            made.append(Offer("forward-again", f"Go forward again: {step.name}", onward, _why(state, onward)))
    if state.walk or state.settling:
        made.append(Offer("leave-undo", "Leave it here", m.LeaveUndo(), _why(state, m.LeaveUndo())))
    skipped = step or order.next_step(state)
    if skipped is not None:
        skip = m.Skip(skipped.id, _WORD)
        made.append(Offer("skip", f"Skip {skipped.name}", skip, _why(state, skip), ("reason",)))
    return made


def _back(state: State) -> list[Offer]:
    made = [_undo(state)]
    for item in state.owed:
        doing, word = m.Settle(item.id), m.Settle(item.id, _WORD)
        made.append(Offer("settle", f"Settle: {item.what}", doing, _why(state, doing)))
        made.append(Offer("settle-word", f"Settle by a word: {item.what}", word, _why(state, word), ("reason",)))
    return made


def _undo(state: State) -> Offer:
    """Offer the nearest undo that can be granted; what it puts back is still to be typed."""
    label = "Undo back to a stage"
    targets = undo_targets(state)
    left = order.interrupted(state)
    if left is not None:
        steps = order.to_undo(state, left)
        why = _barred(state) or undo_closed(state, steps)
        back = f"back to stage {state.outline.stage(left).name}" if left else "back to the start"
        wants = ("value",) * len(order.put_back(state, steps))
        proposed = not why and order.standing(state) is None
        return Offer("undo", f"Go on with the undo that was interrupted, {back}", m.Undo(left), why, wants, proposed)
    for stage, _, steps, why in targets:
        if not why:
            return Offer("undo", label, m.Undo(stage), _barred(state), ("value",) * len(order.put_back(state, steps)))
    return Offer("undo", label, m.Undo(), _barred(state) or undo_closed(state, targets[0][2] if targets else ()))


def _barred(state: State) -> str:
    if state.closed:
        return f"this run was closed: {state.closed}"
    if state.held:
        return "this run is held: resume it first"
    return f"{state.halted.by} has halted this drill: {state.halted.why}" if state.halted else ""


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
    if state.open_cards:
        answer = m.AnswerCard(_WORD)
        made.append(_asked(state, Offer("answer-card", f"Answer: {state.open_cards[0].says}", answer, "", ("text",))))
    made.append(_asked(state, Offer("leave", "Leave: the run is held", m.Leave())))
    close = m.Close(_WORD)
    made.append(Offer("close", "Close: nobody will finish it", close, _why(state, close), ("reason",)))
    return made
