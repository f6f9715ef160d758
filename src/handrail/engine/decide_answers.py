"""Deciding what the world's answers mean. Verdicts are made here, never by the runner."""

from __future__ import annotations

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.decide_back import owed_undo
from handrail.engine.decide_forward import finish_walk
from handrail.engine.outline import StepOutline
from handrail.engine.results import Owed, together, verdict
from handrail.engine.state import Attempt, State
from handrail.engine.words import Answer, How, ResultKind, StepWord, UndoKind, Verdict, Way

_STALE = "too late: the state has moved on"


def gate_seen(state: State, seen: m.GateSeen) -> Decision:
    """Open the gate, or show what its rechecks say now."""
    now, step = state.step(seen.step), state.outline.step(seen.step)
    if now.word is StepWord.AWAITING:
        return Batch(state).add(e.GateRefreshed(seen.at, seen.step, seen.gate)).done()
    if not _may_start(state, step):
        return refuse(_STALE)
    return Batch(state).add(e.GateOpened(seen.at, seen.step, seen.gate)).done()


def _may_start(state: State, step: StepOutline) -> bool:
    """Tell whether a forward attempt may begin at this very moment: order, leave, guards, no walk, no hold."""
    now = state.step(step.id)
    if state.held or state.closed or state.walk or state.recall or order.closed_forward(state):
        return False
    if now.again is Way.FORWARD:
        return True
    if now.word is StepWord.AWAITING:
        return bool(now.confirmed)
    in_order = any(s.id == step.id for s in order.open_steps(state))
    return now.word is StepWord.PENDING and in_order and order.permitted(state, step)


def ready(state: State, seen: m.Ready) -> Decision:
    """Journal the intent: from here on the step counts as started."""
    if seen.way is Way.BACK:
        return _ready_back(state, seen)
    now, step = state.step(seen.step), state.outline.step(seen.step)
    if not _may_start(state, step) or (step.confirm and not now.confirmed):
        return refuse(_STALE)
    if step.changes and not _claimed(state):
        return refuse("the estate is not claimed for this run")
    return Batch(state).add(_started(state, seen, seen.hosts)).done()


def _claimed(state: State) -> bool:
    return state.claim is not None and state.claim_epoch == state.epoch


def _started(state: State, seen: m.Ready, hosts: tuple[str, ...]) -> e.AttemptStarted:
    number = len(state.step(seen.step).attempts) + 1
    return e.AttemptStarted(
        seen.at, seen.step, number, seen.way, hosts, seen.commands, seen.undo, seen.back, seen.order
    )


def _ready_back(state: State, seen: m.Ready) -> Decision:
    now, step = state.step(seen.step), state.outline.step(seen.step)
    due_now = now.again is Way.BACK or bool(state.walk and state.walk.steps[:1] == (seen.step,))
    if not due_now or state.held or state.closed or not _claimed(state):
        return refuse(_STALE)
    batch = Batch(state)
    for host in lost_places(state, step):
        batch.add(e.BecameOwed(seen.at, owed_undo(state, seen.step, host, "its host is lost", seen.at)))
    if seen.hosts:
        return batch.add(_started(batch.state, seen, seen.hosts)).done()
    if step.undo is UndoKind.NOTHING or not lost_places(state, step):
        batch.add(e.StepUndone(seen.at, seen.step, How.RAN, step.stays and f"stays: {step.stays}"))
    else:
        batch.add(e.UndoSetAside(seen.at, seen.step))
    return finish_walk(batch, seen.at).done()


def lost_places(state: State, step: StepOutline) -> tuple[str, ...]:
    """Return where an undo is needed and cannot be done, because its role is lost."""
    if step.undo is UndoKind.NOTHING:
        return ()
    return tuple(p.key for p in order.back_places(state, step) if p.role in state.lost)


def not_ready(state: State, seen: m.NotReady) -> Decision:
    """A step that cannot be started has failed, with nothing sent."""
    step = state.outline.step(seen.step)
    if seen.way is Way.FORWARD and not _may_start(state, step):
        return refuse(_STALE)
    ended = e.AttemptEnded(seen.at, seen.step, 0, seen.way, Verdict.FAILED, How.NONE, f"nothing was sent: {seen.why}")
    return Batch(state).add(ended).done()


def remember(state: State, seen: m.Remember) -> Decision:
    """Keep a fact that an action must find again."""
    return Batch(state).add(e.Noted(seen.at, seen.step, seen.host, seen.data)).done()


def ended(state: State, seen: m.Ended) -> Decision:
    """Take one host's answer; with the last one comes the verdict."""
    attempt = _open_attempt(state, seen.step, seen.attempt)
    if attempt is None or seen.result.host in attempt.results:
        return refuse(_STALE)
    batch = Batch(state).add(e.HostEnded(seen.at, seen.step, seen.attempt, seen.result))
    return end_attempt(batch, seen.step, seen.attempt, seen.at).done()


def _open_attempt(state: State, step: str, number: int) -> Attempt | None:
    now = state.step(step)
    if now.word not in order.BUSY:
        return None
    return next((a for a in now.attempts if a.number == number and a.ended is None), None)


def end_attempt(batch: Batch, step: str, number: int, at: float) -> Batch:
    """Give the verdict once every host has answered."""
    attempt = _open_attempt(batch.state, step, number)
    if attempt is None or attempt.missing:
        return batch
    if attempt.way is Way.BACK:
        return _end_back(batch, step, attempt, at)
    return _end_forward(batch, step, attempt, at)


def _end_forward(batch: Batch, step: str, attempt: Attempt, at: float) -> Batch:
    outline, now = batch.state.outline.step(step), batch.state.step(step)
    refused = [r for r in attempt.results.values() if r.kind is ResultKind.NOT_POSSIBLE]
    if refused:
        owed = Owed(f"{step}@{refused[0].host}", step, refused[0].host, outline.name, refused[0].detail, at, "forward")
        batch.add(e.BecameOwed(at, owed))
        return batch.add(e.Skipped(at, step, f"not possible: {refused[0].detail}"))
    need = outline.need or len(outline.places)
    here = len(batch.state.outline.places(outline, batch.state.route)) or len(attempt.hosts)
    passed_before = len(now.passed_on - set(attempt.hosts))
    made = together(attempt.results, max(0, min(need, max(here, len(attempt.hosts))) - passed_before))
    how = How.RAN
    if all(r.kind is ResultKind.ALREADY for r in attempt.results.values()):
        how = How.ALREADY
    return batch.add(e.AttemptEnded(at, step, attempt.number, Way.FORWARD, made, how, _detail(attempt, made)))


def _end_back(batch: Batch, step: str, attempt: Attempt, at: float) -> Batch:
    made = together(attempt.results, len(attempt.hosts))
    if made is not Verdict.PASSED:
        return batch.add(e.AttemptEnded(at, step, attempt.number, Way.BACK, made, How.NONE, _detail(attempt, made)))
    if any(o.step == step and o.way == "back" for o in batch.state.owed):
        batch.add(e.UndoSetAside(at, step))
    else:
        batch.add(e.StepUndone(at, step))
    return finish_walk(batch, at)


def _detail(attempt: Attempt, made: Verdict) -> str:
    if made is Verdict.PASSED:
        return "; ".join(f"{h}: {r.sentence}" for h, r in attempt.results.items() if verdict(r) is not Verdict.PASSED)
    wrong = [(h, r) for h, r in attempt.results.items() if verdict(r) is not Verdict.PASSED]
    unknown = [(h, r) for h, r in wrong if verdict(r) is Verdict.UNKNOWN]
    host, result = (unknown or wrong)[0]
    rest = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{host}: {result.sentence}{rest}"


def ask_ended(state: State, seen: m.AskEnded) -> Decision:
    """Take what a check or a probe said."""
    now = state.step(seen.step)
    if now.asking is not seen.way:
        return refuse(_STALE)
    batch = Batch(state)
    if seen.way is Way.PROBE:
        batch.add(e.Probed(seen.at, seen.step, seen.answer, seen.seen))
    back = now.word in (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN)
    made = _said_back(seen) if back else _said(seen, now.word)
    if back and made is Verdict.PASSED:
        return finish_walk(batch.add(e.StepUndone(seen.at, seen.step, How.CHECKED, seen.seen)), seen.at).done()
    words = seen.seen or "; ".join(f"{c.what}: {c.seen}" for c in seen.checks if c.holds is not True)
    return batch.add(e.AttemptEnded(seen.at, seen.step, 0, seen.way, made, How.CHECKED, words)).done()


def _holds(seen: m.AskEnded) -> bool | None:
    answers = [check.holds for check in seen.checks]
    return False if False in answers else (None if None in answers else True)


def _said(seen: m.AskEnded, word: StepWord) -> Verdict:
    """Make a verdict of a forward check or probe: passed only if it is done *and* every verify holds."""
    unsure = Verdict.UNKNOWN if word is StepWord.UNKNOWN else Verdict.FAILED
    if seen.way is Way.PROBE and seen.answer is not Answer.DONE:
        return Verdict.FAILED if seen.answer is Answer.NOT_DONE else unsure
    holds = _holds(seen)
    if holds is None:
        return unsure
    return Verdict.PASSED if holds else Verdict.FAILED


def _said_back(seen: m.AskEnded) -> Verdict:
    """Make a verdict of a check or probe of an undo: undone when the change is not there."""
    if seen.way is Way.PROBE:
        return {Answer.NOT_DONE: Verdict.PASSED, Answer.DONE: Verdict.FAILED}.get(seen.answer, Verdict.UNKNOWN)
    holds = _holds(seen)
    return Verdict.UNKNOWN if holds is None else (Verdict.PASSED if holds else Verdict.FAILED)


def asks(state: State, seen: m.Asks) -> Decision:
    """Show a running step's question."""
    if state.step(seen.step).word not in order.BUSY:
        return refuse(_STALE)
    return Batch(state).add(e.Asked(seen.at, seen.step, seen.question)).done()


def late(state: State, seen: m.Late) -> Decision:
    """Show that a change is past its time."""
    now = state.step(seen.step)
    if now.word not in order.BUSY or now.late:
        return refuse(_STALE)
    return Batch(state).add(e.BecameLate(seen.at, seen.step)).done()


def link_news(state: State, seen: m.LinkNews) -> Decision:
    """Keep since when a link under a running step is gone."""
    now = state.step(seen.step)
    if now.word not in order.BUSY or seen.up == (seen.host not in now.no_link):
        return refuse(_STALE)
    if seen.up:
        return Batch(state).add(e.LinkBack(seen.at, seen.step, seen.host)).done()
    return Batch(state).add(e.LinkLost(seen.at, seen.step, seen.host, seen.why)).done()


def guard_news(state: State, seen: m.GuardNews) -> Decision:
    """Raise or lower a guard's banner."""
    if seen.tripped == (seen.guard in state.tripped):
        return refuse(_STALE)
    if seen.tripped:
        return Batch(state).add(e.GuardTripped(seen.at, seen.guard, seen.seen)).done()
    return Batch(state).add(e.GuardCleared(seen.at, seen.guard)).done()


def claim_news(state: State, seen: m.ClaimNews) -> Decision:
    """Take what came of claiming the estate."""
    if seen.released:
        return Batch(state).add(e.ClaimReleased(seen.at, seen.hosts)).done()
    if seen.holder:
        batch = Batch(state)
        if state.walk:
            batch.add(e.WalkEnded(seen.at, reached=False))
        return batch.add(e.ClaimRefused(seen.at, seen.holder, seen.detail)).done()
    return Batch(state).add(e.ClaimTaken(seen.at, seen.hosts, seen.without, seen.inherited)).done()


def recalled(state: State, seen: m.Recalled) -> Decision:
    """Keep whether what has passed still holds."""
    if seen.step not in state.recall:
        return refuse(_STALE)
    return Batch(state).add(e.Reverified(seen.at, seen.step, seen.holds, seen.seen)).done()
