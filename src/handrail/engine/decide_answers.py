"""Deciding what the world's answers mean. Verdicts are made here, never by the runner."""

from __future__ import annotations

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.changed import replace
from handrail.engine.decide_back import owed_undo
from handrail.engine.decide_forward import finish_walk, gate_closed, last_answers
from handrail.engine.outline import StepOutline
from handrail.engine.results import Owed, Result, together, verdict
from handrail.engine.state import Attempt, State, StepState
from handrail.engine.typed import same_value
from handrail.engine.words import Answer, How, ResultKind, StepWord, Verdict, Way

_STALE = "too late: the state has moved on"


def gate_seen(state: State, seen: m.GateSeen) -> Decision:
    """Open the gate, or show what its rechecks say now."""
    now, step = state.step(seen.step), state.outline.step(seen.step)
    if now.word is StepWord.AWAITING:
        batch = Batch(state).add(e.GateRefreshed(seen.at, seen.step, seen.gate))
        if now.confirmed and _void(batch.state, now, seen):
            batch.add(e.GateLeft(seen.at, seen.step))
        return batch.done()
    if not _may_start(state, step) or (step.changes and not state.claimed):
        return refuse(_STALE)
    return Batch(state).add(e.GateOpened(seen.at, seen.step, seen.gate)).done()


def _void(state: State, now: StepState, seen: m.GateSeen) -> bool:
    """Tell whether a word that was typed and not acted on yet is worth nothing any more."""
    typed = m.Confirm(seen.step, now.confirmed, now.reason, at=seen.at)
    return not same_value(now.confirmed, seen.gate.token) or bool(gate_closed(state, seen.gate, typed))


def _may_start(state: State, step: StepOutline) -> bool:
    """Tell whether a forward attempt may begin at this very moment: order, leave, guards, no walk, no hold."""
    now = state.step(step.id)
    if state.held or state.closed or state.walk or state.recall or state.settling or order.closed_forward(state):
        return False
    if not order.is_open(state, step):
        return False
    if now.again is Way.FORWARD:
        return True
    if now.word is StepWord.AWAITING:
        return bool(now.confirmed)
    return now.word is StepWord.PENDING and order.permitted(state, step)


def ready(state: State, seen: m.Ready) -> Decision:
    """Journal the intent: from here on the step counts as started."""
    if seen.way is Way.BACK:
        return _ready_back(state, seen)
    now, step = state.step(seen.step), state.outline.step(seen.step)
    if not _may_start(state, step) or (step.confirm and not now.confirmed):
        return refuse(_STALE)
    if step.changes and not state.claimed:
        return refuse("the estate is not claimed for this run")
    hosts = order.forward_hosts(state, step)
    if set(seen.hosts) != set(hosts):
        return refuse(_STALE)
    if not hosts:
        return _nothing_left(state, seen)
    return Batch(state).add(_started(state, seen, hosts)).done()


def _nothing_left(state: State, seen: m.Ready) -> Decision:
    """Pass a step that has passed wherever the present route needs it: nothing is sent."""
    words = "it has passed wherever this route needs it"
    return Batch(state).add(e.AttemptEnded(seen.at, seen.step, 0, Way.FORWARD, Verdict.PASSED, How.RAN, words)).done()


def _started(state: State, seen: m.Ready, hosts: tuple[str, ...]) -> e.AttemptStarted:
    number = len(state.step(seen.step).attempts) + 1
    return e.AttemptStarted(
        seen.at, seen.step, number, seen.way, hosts, seen.commands, seen.undo, seen.back, seen.order
    )


def _ready_back(state: State, seen: m.Ready) -> Decision:
    step = state.outline.step(seen.step)
    hosts = order.back_hosts(state, step)
    if not order.back_is_due(state, step) or set(seen.hosts) != set(hosts):
        return refuse(_STALE)
    batch, lost = Batch(state), order.lost_places(state, step)
    for host in lost:
        batch.add(e.BecameOwed(seen.at, owed_undo(state, seen.step, host, "its host is lost", seen.at)))
    if hosts:
        return batch.add(_started(batch.state, seen, hosts)).done()
    if not lost:
        batch.add(e.StepUndone(seen.at, seen.step, How.RAN, step.stays and f"stays: {step.stays}"))
    else:
        batch.add(e.UndoSetAside(seen.at, seen.step))
    return finish_walk(batch, seen.at).done()


def not_ready(state: State, seen: m.NotReady) -> Decision:
    """A step that cannot be started has failed, with nothing sent."""
    step = state.outline.step(seen.step)
    due_now = order.back_is_due(state, step) if seen.way is Way.BACK else _may_start(state, step)
    if not due_now:
        return refuse(_STALE)
    ended = e.AttemptEnded(seen.at, seen.step, 0, seen.way, Verdict.FAILED, How.NONE, f"nothing was sent: {seen.why}")
    return Batch(state).add(ended).done()


def remember(state: State, seen: m.Remember) -> Decision:
    """Keep a fact that an action must find again."""
    return Batch(state).add(e.Noted(seen.at, seen.step, seen.host, seen.data)).done()


def ended(state: State, seen: m.Ended) -> Decision:
    """Take one host's answer; with the last one comes the verdict."""
    attempt = _open_attempt(state, seen.step, seen.attempt)
    if attempt is None or seen.result.host not in attempt.missing:
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
    outline = batch.state.outline.step(step)
    refused = [r for r in attempt.results.values() if r.kind is ResultKind.NOT_POSSIBLE]
    if refused:
        host, why = refused[0].host, refused[0].detail
        owed = Owed(f"{step}@{host}", step, host, outline.name, why, at, "forward", batch.state.run)
        batch.add(e.BecameOwed(at, owed))
        return batch.add(e.Skipped(at, step, f"not possible: {why}"))
    made = order.reached(batch.state, outline)
    if made is not Verdict.PASSED and any(verdict(r) is Verdict.UNKNOWN for r in attempt.results.values()):
        made = Verdict.UNKNOWN
    if made is Verdict.PASSED and _unchecked(batch.state, outline):
        words = "its verify was not asked"
        return batch.add(e.AttemptEnded(at, step, attempt.number, Way.FORWARD, Verdict.FAILED, How.NONE, words))
    already = all(r.kind is ResultKind.ALREADY for r in attempt.results.values())
    how = How.ALREADY if already and not batch.state.step(step).touched else How.RAN
    return batch.add(e.AttemptEnded(at, step, attempt.number, Way.FORWARD, made, how, _detail(attempt, made)))


def _unchecked(state: State, step: StepOutline) -> bool:
    """Tell whether a step has a verify of which no answer says anything; on a lost role it cannot be asked."""
    answers = last_answers(state.step(step.id)).values()
    return step.verify and not state.lost and not any(result.checks for result in answers)


def _end_back(batch: Batch, step: str, attempt: Attempt, at: float) -> Batch:
    for host, result in attempt.results.items():
        if result.kind is ResultKind.NOT_POSSIBLE:  # a person's word: it is owed, and the walk goes on above it
            batch.add(e.BecameOwed(at, owed_undo(batch.state, step, host, result.detail, at)))
    done = {h: r for h, r in attempt.results.items() if r.kind is not ResultKind.NOT_POSSIBLE}
    made = together(done, len(done)) if done else Verdict.PASSED
    if made is not Verdict.PASSED:
        return batch.add(e.AttemptEnded(at, step, attempt.number, Way.BACK, made, How.NONE, _detail(attempt, made)))
    if batch.state.owes(step, "back"):
        batch.add(e.UndoSetAside(at, step))
    else:
        batch.add(e.StepUndone(at, step))
    return finish_walk(batch, at)


def _detail(attempt: Attempt, made: Verdict) -> str:
    if made is Verdict.PASSED:
        return "; ".join(f"{h}: {r.sentence}" for h, r in attempt.results.items() if verdict(r) is not Verdict.PASSED)
    wrong = [(h, r) for h, r in attempt.results.items() if verdict(r) is not Verdict.PASSED]
    if not wrong:
        return "it passed where it was sent; this route needs it on more hosts: retry it there"
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
    back = now.word in order.UNDO_STANDS
    made = _said_back(now, seen) if back else _said(state, seen)
    if back and made is Verdict.PASSED:
        return _undone_where_asked(batch, seen).done()
    still = _still_wrong(state, seen) if seen.way is Way.CHECK and not back else ""
    words = seen.seen or still or "; ".join(f"{c.what}: {c.seen}" for c in seen.checks if c.holds is not True)
    return batch.add(e.AttemptEnded(seen.at, seen.step, 0, seen.way, made, How.CHECKED, words)).done()


def _undone_where_asked(batch: Batch, seen: m.AskEnded) -> Batch:
    """A probe says that the change is not there: undone, but for what is owed on a lost role, which was not asked."""
    step = batch.state.outline.step(seen.step)
    if not order.lost_places(batch.state, step):
        return finish_walk(batch.add(e.StepUndone(seen.at, seen.step, How.CHECKED, seen.seen)), seen.at)
    for host in order.lost_places(batch.state, step):
        batch.add(e.BecameOwed(seen.at, owed_undo(batch.state, seen.step, host, "its host is lost", seen.at)))
    return finish_walk(batch.add(e.UndoSetAside(seen.at, seen.step)), seen.at)


def _holds(state: State, seen: m.AskEnded) -> bool | None:
    """Tell whether every verify holds; none was asked of a step that has some: nobody knows."""
    answers = [check.holds for check in seen.checks]
    if not answers and state.outline.step(seen.step).verify and not state.lost:
        return None
    return False if False in answers else (None if None in answers else True)


def _said(state: State, seen: m.AskEnded) -> Verdict:
    """Make a verdict of a forward check or probe: passed only if it is done *and* every verify holds."""
    unsure = Verdict.UNKNOWN if state.step(seen.step).word is StepWord.UNKNOWN else Verdict.FAILED
    if seen.way is Way.PROBE and seen.answer is not Answer.DONE:
        return Verdict.FAILED if seen.answer is Answer.NOT_DONE else unsure
    if seen.way is Way.CHECK and _still_wrong(state, seen):
        return Verdict.FAILED
    holds = _holds(state, seen)
    if holds is None:
        return unsure
    return Verdict.PASSED if holds else Verdict.FAILED


def _still_wrong(state: State, seen: m.AskEnded) -> str:
    """Return what did not hold when the step ran and was not asked again: an `expect` is judged by the action alone."""
    asked = {check.what for check in seen.checks}
    wrong = (c.what for r in last_answers(state.step(seen.step)).values() for c in r.checks if c.holds is not True)
    left = next((what for what in wrong if what not in asked), "")
    return f"{left} did not hold when the step ran: retry it" if left else ""


def _said_back(now: StepState, seen: m.AskEnded) -> Verdict:
    """Make a verdict of the probe of an undo: undone when the change is not there; one that cannot say changes nothing."""
    unsure = Verdict.UNKNOWN if now.word is StepWord.UNDO_UNKNOWN else Verdict.FAILED
    return {Answer.NOT_DONE: Verdict.PASSED, Answer.DONE: Verdict.FAILED}.get(seen.answer, unsure)


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
        batch = Batch(state).add(e.GuardTripped(seen.at, seen.guard, seen.seen))
        gate = order.awaiting(batch.state)
        if gate and batch.state.step(gate.id).confirmed and order.closed_forward(batch.state):
            batch.add(e.GateLeft(seen.at, gate.id))  # what was typed may not be acted on later, on old rechecks
        return batch.done()
    return Batch(state).add(e.GuardCleared(seen.at, seen.guard)).done()


def claim_news(state: State, seen: m.ClaimNews) -> Decision:
    """Take what came of claiming the estate."""
    if seen.released:
        return Batch(state).add(e.ClaimReleased(seen.at, seen.hosts, seen.without)).done()
    if seen.holder:
        return _claim_refused(Batch(state), seen).done()
    batch = Batch(state).add(e.ClaimTaken(seen.at, seen.hosts, seen.without, seen.inherited))
    for words in seen.found:
        batch.add(e.NoteMade(seen.at, words, m.ON_THE_HOSTS))
    return batch.done()


def _claim_refused(batch: Batch, seen: m.ClaimNews) -> Batch:
    """Another run holds the estate: nothing of this one goes on, and what it had in flight is UNKNOWN."""
    state = batch.state
    if state.walk:
        batch.add(e.WalkEnded(seen.at, reached=False))
    if state.settling:
        batch.add(e.SettleFailed(seen.at, state.settling, f"the estate is claimed by {seen.holder}"))
    batch.add(e.ClaimRefused(seen.at, seen.holder, seen.detail))
    for step, now in state.walked():
        attempt = now.attempt
        if not step.changes or now.word not in order.BUSY or attempt is None or not attempt.attach or state.claimed:
            continue
        for host in attempt.missing:
            lost = Result(host, ResultKind.LOST, sent=True, detail=f"the estate is claimed by {seen.holder}")
            batch.add(e.HostEnded(seen.at, step.id, attempt.number, lost))
        end_attempt(batch, step.id, attempt.number, seen.at)
    return batch


def recalled(state: State, seen: m.Recalled) -> Decision:
    """Keep whether what has passed still holds."""
    if seen.step not in state.recall:
        return refuse(_STALE)
    return Batch(state).add(e.Reverified(seen.at, seen.step, seen.holds, seen.seen)).done()


def scenario_news(state: State, seen: m.ScenarioNews) -> Decision:
    """Take what a drill's scenario tells at the end; it decides nothing."""
    return Batch(state).add(replace(seen.told, at=seen.at)).done()
