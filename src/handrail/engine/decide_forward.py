"""Deciding the intents of the way forward: go, confirm, reply, pause, stop, and what one may do at FAILED and UNKNOWN."""

from __future__ import annotations

from typing import Final

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.outline import StepOutline
from handrail.engine.results import Gate, Result, did_its_part, verdict
from handrail.engine.state import State, StepState
from handrail.engine.typed import same_value
from handrail.engine.words import How, Pace, StepWord, Verdict, Way

RECHECK_AGE: Final = 15.0  # seconds; rechecks are asked every 10 s behind the typing
_BACK: Final = order.UNDO_STANDS


def not_now(state: State) -> str:
    """Return why nothing new may be started at this moment, or nothing."""
    if state.walk:
        return "an undo is under way: finish it, or leave it first"
    gate = order.awaiting(state)
    if gate:
        return f"{gate.name} waits for its word: confirm it, or leave the gate"
    working = order.busy(state)
    if working:
        return f"{working[0].name} is running"
    if state.settling:
        return "what is owed is being settled"
    again = next((step for step, now in state.walked() if now.again), None)
    if again:
        return f"{again.name} is about to be sent again"
    return "still asking whether what has passed still holds" if state.recall else ""


def go(state: State, intent: m.Go) -> Decision:
    """Let the next stage or step begin; only the next in order is ever granted."""
    wrong = _named_wrongly(state, intent.to)
    if wrong:
        return refuse(wrong, "order")
    stop = not_now(state) or _stands(state) or order.closed_forward(state)
    if stop:
        return refuse(stop)
    step = order.next_step(state)
    if step is None:
        return refuse("nothing is left to do")
    if order.permitted(state, step):
        return refuse(f"{step.name} is already allowed")
    if state.pace is Pace.STEP:
        return Batch(state).add(e.StepAllowed(intent.at, step.id, intent.by)).done()
    return Batch(state).add(e.StageAllowed(intent.at, step.stage, intent.by)).done()


def _stands(state: State) -> str:
    step = order.standing(state)
    if step is None:
        return ""
    word = state.step(step.id).word
    shown = {StepWord.FAILED: "failed", StepWord.UNKNOWN: "is UNKNOWN"}.get(word, f"is {word.value}")
    return f"{step.name} {shown}: decide what to do about it first"


def _named_wrongly(state: State, to: str) -> str:
    """Return why what was named is not next, or nothing."""
    if not to:
        return ""
    step = find_step(state, to)
    if step is None:
        return f"there is no step or stage {to!r} in this runbook"
    if order.finished(state, step):
        word = state.step(step.id).word
        return (
            f"{step.name} is not needed on this route" if word is StepWord.PENDING else f"{step.name} is {word.value}"
        )
    first = order.waits_for(state, step)
    return f"{step.name} waits for {first.name}" if first else ""


def find_step(state: State, word: str) -> StepOutline | None:
    """Return the step that a person means: full name, number, or the first open step of a stage."""
    for step in state.outline.steps:
        if word in (step.id, step.number):
            return step
    for stage in state.outline.stages:
        if word in (stage.id, stage.number):
            unfinished = (s for s in stage.steps if not order.finished(state, s))
            return next(unfinished, stage.steps[0])
    return None


def set_pace(state: State, intent: m.SetPace) -> Decision:
    """Stop before every step, or before every stage."""
    if intent.pace is state.pace:
        return refuse(f"the pace is {intent.pace.value} already")
    return Batch(state).add(e.PaceSet(intent.at, intent.pace)).done()


def confirm(state: State, intent: m.Confirm) -> Decision:
    """Take the word typed at the gate."""
    now, gone = _known(state, intent.step)
    if gone:
        return refuse(gone)
    if now.word is not StepWord.AWAITING or now.gate is None:
        return refuse("there is no open gate at this step")
    if now.confirmed:
        return refuse("it is confirmed already")
    if not same_value(intent.typed, now.gate.token):
        return refuse(f"{intent.typed!r} is not {now.gate.token}: nothing was sent", "confirm")
    why = gate_closed(state, now.gate, intent)
    if why:
        return refuse(why, "confirm")
    return Batch(state).add(e.Confirmed(intent.at, intent.step, intent.typed, intent.by, intent.reason)).done()


def gate_closed(state: State, gate: Gate, intent: m.Confirm) -> str:
    """Return why a gate cannot be passed at this moment, or nothing."""
    closed = order.closed_forward(state) or gate.blocked or _not_asked(state, gate, intent.step)
    if closed:
        return closed
    at = max(intent.at, state.at)
    for recheck in gate.rechecks:
        if recheck.holds is False:
            return f"{recheck.title} does not hold: {recheck.seen}"
        if recheck.holds is None and not state.lost:
            return f"{recheck.title} could not be asked: {recheck.seen}"
        if recheck.holds is None and not intent.reason.strip():
            return f"{recheck.title} could not be asked: type a reason to go on without it"
        if at - recheck.at > RECHECK_AGE:
            return f"{recheck.title} was last asked {at - recheck.at:.0f} s ago: it is being asked again"
    return ""


def _not_asked(state: State, gate: Gate, step_id: str) -> str:
    """Return which recheck the gate does not show yet, or nothing; one that the route does without is not asked."""
    seen = {recheck.step for recheck in gate.rechecks}
    for wanted in state.outline.step(step_id).recheck:
        known = state.outline.has_step(wanted)
        if wanted not in seen and (not known or state.needed(state.outline.step(wanted))):
            return f"{state.outline.step(wanted).name if known else wanted} has not been asked again yet"
    return ""


def leave_gate(state: State, intent: m.LeaveGate) -> Decision:
    """Not now."""
    now, gone = _known(state, intent.step)
    if gone or now.word is not StepWord.AWAITING or now.confirmed:
        return refuse(gone or "there is no open gate at this step")
    return Batch(state).add(e.GateLeft(intent.at, intent.step)).done()


def reply(state: State, intent: m.Reply) -> Decision:
    """Take the word typed to a running step's question."""
    now, gone = _known(state, intent.step)
    if gone or now.question is None:
        return refuse(gone or "this step asks nothing")
    token = now.question.token
    if intent.typed and token and not same_value(intent.typed, token):
        return refuse(f"{intent.typed!r} is not {token}", "confirm")
    return Batch(state).add(e.Answered(intent.at, intent.step, intent.typed, intent.by)).done()


def pause(state: State, intent: m.Pause) -> Decision:
    """Finish this step, then stand; in an undo, stand after this undo."""
    if state.walk:
        return Batch(state).add(e.WalkEnded(intent.at, reached=False)).done()
    step = order.next_step(state)
    if not order.busy(state) and (step is None or not order.permitted(state, step)):
        return refuse("nothing is going on: the run stands at a pause point")
    return Batch(state).add(e.Paused(intent.at, intent.by)).done()


def stop_step(state: State, intent: m.StopStep) -> Decision:
    """End the remote process group."""
    now, gone = _known(state, intent.step)
    if gone or now.word not in order.BUSY:
        return refuse(gone or "this step is not running")
    if now.stopping:
        return refuse("it is being stopped already")
    batch = Batch(state).add(e.StopAsked(intent.at, intent.step, intent.by))
    if now.word is StepWord.UNDOING and state.walk:
        batch.add(e.WalkEnded(intent.at, reached=False))
    return batch.done()


def _known(state: State, step: str) -> tuple[StepState, str]:
    if not state.outline.has_step(step):
        return StepState(), f"there is no step {step!r} in this runbook"
    return state.step(step), ""


def _at_rest(state: State, step: str, words: frozenset[StepWord], verb: str) -> str:
    """Return why a decision about a step cannot be taken now, or nothing."""
    now, gone = _known(state, step)
    if gone:
        return gone
    outline = state.outline.step(step)
    if now.word not in words:
        return f"{outline.name} is {now.word.value}: there is nothing to {verb}"
    if now.asking or now.again:
        return f"{outline.name} is being asked already"
    if state.walk and now.word not in _BACK:
        return "an undo is under way: finish it, or leave it first"
    beside = state.outline.stage(outline.stage).together and now.word not in _BACK
    others = [s for s in order.busy(state) if s.id != step and not (beside and s.stage == outline.stage)]
    if others:
        return f"{others[0].name} is running"
    if now.word not in (*_BACK, StepWord.UNKNOWN) and not order.finished(state, outline):
        first = order.waits_for(state, outline)
        return f"{outline.name} waits for {first.name}" if first else ""
    return ""


def _waits(state: State) -> str:
    """Return why nothing that changes anything may be sent at this moment, whatever it is, or nothing."""
    if state.settling:
        return "what is owed is being settled"
    return "still asking whether what has passed still holds" if state.recall else ""


def retry(state: State, intent: m.Retry) -> Decision:
    """Send a failed step again where it did not pass, or a failed undo; UNKNOWN is never blindly sent twice."""
    words = frozenset({StepWord.FAILED, StepWord.UNKNOWN, StepWord.OWED}) | _BACK
    why = _at_rest(state, intent.step, words, "retry") or _waits(state)
    if why:
        return refuse(why)
    outline, now = state.outline.step(intent.step), state.step(intent.step)
    back = now.word in _BACK
    why = _no_retry_back(state, outline) if back else _no_retry_forward(state, outline)
    if why:
        return refuse(why)
    way = Way.BACK if back else Way.FORWARD
    return Batch(state).add(e.RetryAsked(intent.at, intent.step, way, intent.by)).done()


def _no_retry_forward(state: State, step: StepOutline) -> str:
    if state.step(step.id).word is StepWord.UNKNOWN and (step.changes or step.confirm):
        return f"{step.name} is UNKNOWN: a change is never sent blindly again; ask, probe, or say what is true"
    if not state.needed(step):
        return f"{step.name} is not needed on this route"
    first = order.waits_for(state, step)
    return f"{step.name} waits for {first.name}" if first else order.closed_forward(state)


def _no_retry_back(state: State, step: StepOutline) -> str:
    if state.step(step.id).word is StepWord.UNDO_UNKNOWN:
        return f"the undo of {step.name} is UNKNOWN: ask the host, or say what is true"
    if state.walk and state.walk.steps[:1] != (step.id,):
        return f"{state.outline.step(state.walk.steps[0]).name} is undone first"
    if not state.walk and step.id in state.started and state.started[-1] != step.id:
        return f"{state.outline.step(state.started[-1]).name} was started later: undo walks strictly backwards"
    return order.closed_back(state)


def go_forward(state: State, intent: m.GoForward) -> Decision:
    """Do a step again whose undo failed or is owed; it ends the walk."""
    words = frozenset({StepWord.UNDO_FAILED, StepWord.OWED})
    gone = _known(state, intent.step)[1]
    if gone:
        return refuse(gone)
    step, now = state.outline.step(intent.step), state.step(intent.step)
    if now.word not in words:
        return refuse(f"{step.name} is {now.word.value}: nothing of it was undone in vain")
    batch = Batch(state)
    if state.walk and not order.busy(state):
        batch.add(e.WalkEnded(intent.at, reached=False))
    why = _at_rest(batch.state, intent.step, words, "do again") or _waits(state) or _no_retry_forward(state, step)
    if why:
        return refuse(why)
    return batch.add(e.RetryAsked(intent.at, intent.step, Way.FORWARD, intent.by)).done()


def reattach(state: State, intent: m.Reattach) -> Decision:
    """Ask the host about the job of an attempt whose outcome is UNKNOWN; nothing is started."""
    why = _at_rest(state, intent.step, frozenset({StepWord.UNKNOWN, StepWord.UNDO_UNKNOWN}), "re-attach")
    why = why or _waits(state)
    if why:
        return refuse(why)
    step, now = state.outline.step(intent.step), state.step(intent.step)
    way = Way.BACK if now.word is StepWord.UNDO_UNKNOWN else Way.FORWARD
    attempt = next((a for a in reversed(now.attempts) if a.way is way), None)
    asked = {h for h, r in attempt.results.items() if verdict(r) is Verdict.UNKNOWN} if attempt else set()
    if attempt is None or not asked:
        return refuse(f"{step.name} left no job that could be asked: probe it, or say what is true")
    roles = {p.key: p.role for p in (*step.places, *step.undo_places)}
    if any(roles.get(h) in state.lost for h in asked) or (way is Way.FORWARD and step.requires & state.lost):
        return refuse(f"{step.name}: its host is declared lost and is not spoken to")
    return Batch(state).add(e.Reattached(intent.at, intent.step, attempt.number)).done()


def check_again(state: State, intent: m.CheckAgain) -> Decision:
    """Ask the verifies again; nothing that changes is sent."""
    why = _at_rest(state, intent.step, frozenset({StepWord.FAILED}), "check")
    if why:
        return refuse(why)
    outline = state.outline.step(intent.step)
    if not state.needed(outline):
        return refuse(f"{outline.name} is not needed on this route")
    if not ran_well(state, outline):
        return refuse(f"{outline.name} itself did not do what it should: retry it, or probe it")
    if not outline.verify:
        return refuse(f"{outline.name} has no verify to ask: retry it, or probe it")
    if not outline.changes:
        return refuse(f"{outline.name} only reads: retry it")
    return Batch(state).add(e.AskStarted(intent.at, intent.step, Way.CHECK)).done()


def probe(state: State, intent: m.Probe) -> Decision:
    """Ask the host what is so."""
    why = _at_rest(state, intent.step, frozenset({StepWord.FAILED, StepWord.UNKNOWN}) | _BACK, "ask")
    if why:
        return refuse(why)
    outline = state.outline.step(intent.step)
    if not outline.probe:
        return refuse(f"{outline.name} has no probe: look for yourself and say what is true")
    if not state.outline.places(outline, state.route):
        return refuse(f"{outline.name}: its host is declared lost and is not spoken to")
    return Batch(state).add(e.AskStarted(intent.at, intent.step, Way.PROBE)).done()


def last_answers(now: StepState) -> dict[str, Result]:
    """Return what every host answered last on the way forward, since the step was last undone."""
    last: dict[str, Result] = {}
    for attempt in now.attempts[now.since :]:
        if attempt.way is Way.FORWARD:
            last.update(attempt.results)
    return last


def ran_well(state: State, step: StepOutline) -> bool:
    """Tell whether as many hosts as needed did their part, but for its checks: then those alone may be asked again."""
    last = last_answers(state.step(step.id))
    here = order.needed_hosts(state, step)
    well = sum(1 for host in here if host in last and did_its_part(last[host]))
    return bool(here) and well >= min(step.need or len(here), len(here))


def skip(state: State, intent: m.Skip) -> Decision:
    """Skip a step where the runbook allows it, with a reason."""
    why = _at_rest(state, intent.step, frozenset({StepWord.PENDING, StepWord.FAILED}), "skip")
    if why:
        return refuse(why)
    if not state.needed(state.outline.step(intent.step)):
        return refuse(f"{state.outline.step(intent.step).name} is not needed on this route")
    outline, now = state.outline.step(intent.step), state.step(intent.step)
    if not outline.skippable:
        return refuse(f"{outline.name} is not skippable: the runbook does not allow it", "skip")
    if not intent.reason.strip():
        return refuse("a skip needs a reason")
    if now.touched:
        return refuse(f"{outline.name} was started on {', '.join(sorted(now.touched))}: undo it, or finish it")
    return Batch(state).add(e.Skipped(intent.at, intent.step, intent.reason, intent.by)).done()


def resolve(state: State, intent: m.Resolve) -> Decision:
    """Take a person's typed word for what is true."""
    why = _at_rest(state, intent.step, frozenset({StepWord.FAILED, StepWord.UNKNOWN}) | _BACK, "resolve")
    if why:
        return refuse(why)
    now = state.step(intent.step)
    if intent.verdict is Verdict.UNKNOWN:
        return refuse("say what is true: that it was done, or that it was not")
    if not intent.reason.strip() or (intent.verdict is Verdict.PASSED and not intent.evidence.strip()):
        return refuse("a person's word needs a reason, and what was done by hand needs evidence")
    if now.word in _BACK:
        if intent.verdict is Verdict.FAILED:
            return refuse("an undo that did not work is retried, owed, or left")
        return finish_walk(
            Batch(state).add(e.StepUndone(intent.at, intent.step, How.BY_HAND, intent.reason, intent.by)), intent.at
        ).done()
    word = e.Resolved(intent.at, intent.step, intent.verdict, intent.reason, intent.by, intent.evidence)
    return Batch(state).add(word).done()


def finish_walk(batch: Batch, at: float) -> Batch:
    """End the walk when nothing is left of it."""
    if batch.state.walk and not batch.state.walk.steps:
        batch.add(e.WalkEnded(at, reached=True))
    return batch
