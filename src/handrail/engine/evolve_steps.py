"""The part of `evolve` that keeps account of single steps. Every change of a step's word goes through the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from handrail.engine import events as e
from handrail.engine import order
from handrail.engine.changed import replace
from handrail.engine.evolve_owed import forget, forget_step
from handrail.engine.outline import StepOutline
from handrail.engine.results import Result, verdict
from handrail.engine.state import Attempt, State, StepState, Told
from handrail.engine.table import Cause, move
from handrail.engine.words import How, StepWord, Verdict, Way

_FORWARD: Final = {Verdict.PASSED: Cause.PASSED, Verdict.FAILED: Cause.FAILED, Verdict.UNKNOWN: Cause.UNKNOWN}
_BACK: Final = {Verdict.FAILED: Cause.UNDO_FAILED, Verdict.UNKNOWN: Cause.UNDO_UNKNOWN}
_LEFT: Final = {
    StepWord.PENDING: Cause.GATE_LEFT,
    StepWord.FAILED: Cause.LEFT_FAILED,
    StepWord.UNDO_FAILED: Cause.LEFT_UNDO_FAILED,
    StepWord.OWED: Cause.LEFT_OWED,
}
_IN_UNDO: Final = frozenset({StepWord.UNDOING, StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN, StepWord.OWED})


def put(state: State, step: str, now: StepState) -> State:
    """Return the state with one step replaced."""
    return replace(state, steps={**state.steps, step: now})


def moved(now: StepState, cause: Cause) -> StepState:
    """Return a step moved along the table."""
    return replace(now, word=move(now.word, cause))


def attempt_started(state: State, event: e.AttemptStarted) -> State:
    """Open an attempt; from here on the step counts as started wherever it is sent."""
    now = state.step(event.step)
    attempt = Attempt(
        event.attempt,
        event.way,
        event.hosts,
        event.at,
        commands=event.commands,
        undo=event.undo,
        back=event.back,
        order=event.order,
    )
    forward = event.way is Way.FORWARD
    now = moved(now, Cause.STARTED if forward else Cause.UNDO_STARTED)
    now = replace(_quiet(now), attempts=(*now.attempts, attempt), gate=None, again=None, detail="", reply=None)
    now = replace(now, told=None)
    step = state.outline.step(event.step)
    return _sent_forward(state, step, now, event) if forward else _sent_back(state, step, now, event)


def _quiet(now: StepState) -> StepState:
    """Forget what only an attempt under way has."""
    return replace(now, late=False, stopping=False, question=None, no_link={})


def _sent_forward(state: State, step: StepOutline, now: StepState, event: e.AttemptStarted) -> State:
    now = replace(now, undone=False, undone_on=frozenset(), before=StepWord.PENDING)
    if not step.changes:
        return put(state, step.id, now)
    state = put(state, step.id, replace(now, touched=now.touched | frozenset(event.hosts)))
    state = _not_owed_here(state, step.id)
    if step.id in state.started:
        return state
    return replace(state, started=(*state.started, step.id))


def _sent_back(state: State, step: StepOutline, now: StepState, event: e.AttemptStarted) -> State:
    """Where an undo was sent, the step has not passed any more."""
    left = frozenset() if order.has_own_undo_places(step) else now.passed_on - frozenset(event.hosts)
    state = put(state, step.id, replace(now, passed_on=left))
    return forget_step(state, step.id, "it is being undone", "ask")


def host_ended(state: State, event: e.HostEnded) -> State:
    """Note what one host answered; nothing sent there means nothing is to be undone there."""
    now = state.step(event.step)
    attempt = next(a for a in now.attempts if a.number == event.attempt)
    result = event.result
    done = replace(attempt, results={**attempt.results, result.host: result})
    now = replace(now, attempts=tuple(done if a.number == event.attempt else a for a in now.attempts))
    now = replace(now, no_link={h: t for h, t in now.no_link.items() if h != result.host})
    passed = verdict(result) is Verdict.PASSED
    if attempt.way is Way.BACK:
        return (
            _undone_on(put(state, event.step, now), event.step, result.host) if passed else put(state, event.step, now)
        )
    if passed:
        now = replace(now, passed_on=now.passed_on | {result.host})
    if not result.sent and not _sent_before(now, attempt, result.host):
        now = replace(now, touched=now.touched - {result.host})
    return _captured(put(state, event.step, now), event.step, result, passed=passed)


def _undone_on(state: State, step: str, host: str) -> State:
    now = state.step(step)
    now = replace(now, touched=now.touched - {host}, undone_on=now.undone_on | {host})
    return forget(put(state, step, now), "undone", lambda o: (o.step, o.host, o.way) == (step, host, "back"))


def _sent_before(now: StepState, attempt: Attempt, host: str) -> bool:
    """Tell whether an earlier forward attempt, since the last undo, reached a host."""
    sent = False
    for earlier in (a for a in now.attempts[now.since :] if a.number < attempt.number):
        result = earlier.results.get(host)
        if earlier.way is Way.BACK and result and verdict(result) is Verdict.PASSED:
            sent = False
        elif earlier.way is Way.FORWARD and host in earlier.hosts:
            sent = sent or result is None or result.sent
    return sent


def _captured(state: State, step: str, result: Result, *, passed: bool) -> State:
    if not passed or not result.captures:
        return state
    role = next((p.role for p in state.outline.step(step).places if p.key == result.host), "") or result.host
    return replace(state, values={**state.values, **{f"{role}.{k}": v for k, v in result.captures.items()}})


def attempt_ended(state: State, event: e.AttemptEnded) -> State:
    """Close an attempt, a check or a probe with the engine's verdict."""
    now = replace(state.step(event.step), asking=None, again=None)
    if event.way in (Way.FORWARD, Way.BACK):
        now = replace(_quiet(now), attempts=tuple(_ended(a, event) for a in now.attempts))
    else:
        now = replace(now, told=_told(now, event))
    now = replace(now, detail=event.detail, gate=None, confirmed="" if now.gate else now.confirmed)
    if event.way is Way.FORWARD and event.attempt == 0 and event.verdict is Verdict.PASSED:
        return _still_passed(state, event, now)
    if event.way is Way.BACK or now.word in _IN_UNDO:
        if now.word is StepWord.OWED:  # it could not be done again: it stays owed
            return put(state, event.step, now)
        return put(state, event.step, moved(now, _BACK[event.verdict]))
    if now.word is StepWord.AWAITING and now.before is not StepWord.PENDING:  # it could not be done again
        return put(state, event.step, replace(moved(now, _LEFT[now.before]), before=StepWord.PENDING))
    how = event.how if event.verdict is Verdict.PASSED else How.NONE
    now = replace(moved(now, _FORWARD[event.verdict]), how=how, no_link={})
    if event.verdict is Verdict.PASSED and event.way is not Way.FORWARD:
        now = replace(now, passed_on=_here(state, event.step))
    return _known(_unstarted(put(state, event.step, now), event.step), event.step)


def probed(state: State, event: e.Probed) -> State:
    """Keep what a probe answered."""
    told = Told(event.at, Way.PROBE, event.answer.value, event.seen)
    return _with(state, event.step, asking=None, told=told, detail=event.seen or state.step(event.step).detail)


def _told(now: StepState, event: e.AttemptEnded) -> Told:
    """Return what a check answered, or what the checks after a probe said besides."""
    if event.way is Way.PROBE and now.told is not None and now.told.at == event.at:
        return replace(now.told, seen=event.detail or now.told.seen)
    return Told(event.at, event.way, event.verdict.value, event.detail)


def _still_passed(state: State, event: e.AttemptEnded, now: StepState) -> State:
    """Let a step pass that has passed wherever it is needed: nothing was sent, and what was sent before still stands."""
    now = replace(moved(now, Cause.PASSED), how=now.how or event.how, before=StepWord.PENDING, undone_on=frozenset())
    state = _not_owed_here(put(state, event.step, now), event.step)
    if not now.touched or event.step in state.started:
        return _unstarted(state, event.step)
    return replace(state, started=(*state.started, event.step))


def _not_owed_here(state: State, step: str) -> State:
    """Going forward again, an undo is owed only where a role is lost: the rest is to be undone like any other."""
    lost = {
        p.key for p in (*state.outline.step(step).places, *state.outline.step(step).undo_places) if p.role in state.lost
    }
    return forget(state, "the step was done again", lambda o: (o.step, o.way) == (step, "back") and o.host not in lost)


def _here(state: State, step: str) -> frozenset[str]:
    return frozenset(p.key for p in state.outline.places(state.outline.step(step), state.route))


def _known(state: State, step: str) -> State:
    """Once it is known how a step ended, nobody owes the asking."""
    if state.step(step).word is StepWord.UNKNOWN:
        return state
    return forget_step(state, step, "it is known now", "ask")


def _ended(attempt: Attempt, event: e.AttemptEnded) -> Attempt:
    if attempt.number != event.attempt:
        return attempt
    return replace(attempt, ended=event.at, verdict=event.verdict)


def _unstarted(state: State, step: str) -> State:
    """Drop a step from the started ones when nothing was sent anywhere: there is nothing to undo."""
    now = state.step(step)
    if now.touched or now.how is How.BY_HAND or step not in state.started:
        return state
    return replace(state, started=tuple(s for s in state.started if s != step))


def step_undone(state: State, event: e.StepUndone) -> State:
    """Put a step back to pending, with its history; what only read after it is to be asked anew."""
    was = state.step(event.step)
    now = moved(was, Cause.UNDONE)
    attempts = tuple(
        a if a.ended is not None else replace(a, ended=event.at, verdict=Verdict.PASSED) for a in now.attempts
    )
    now = replace(_blank(now), attempts=attempts, undone=True, since=len(attempts), detail="", asking=None)
    state = _leave_started(put(state, event.step, now), event.step)
    state = forget_step(state, event.step, f"undone: {event.reason or event.how.value}")
    walked = bool(state.walk) or was.word in (*order.UNDO_STANDS, StepWord.UNDOING)
    # one that the route does without was settled while others stand on what came after: those are not asked anew
    if not walked and not state.needed(state.outline.step(event.step)):
        return state
    return _values_again(_reset_after(state, state.outline.position(event.step)))


def _values_again(state: State) -> State:
    """Take the captures from what has passed and stands: a value that was captured behind an undo is known no more."""
    found = dict(state.opened.remembered) if state.opened else {}
    passed = [(now.forward, step) for step, now in state.walked() if now.word is StepWord.PASSED and now.forward]
    for attempt, step in sorted(passed, key=lambda one: one[0].ended or 0.0):
        for result in attempt.results.values():
            role = next((p.role for p in step.places if p.key == result.host), "") or result.host
            found |= {f"{role}.{name}": value for name, value in result.captures.items()}
    return replace(state, values=found)


def _leave_started(state: State, step: str) -> State:
    state = replace(state, started=tuple(s for s in state.started if s != step))
    if not state.walk:
        return state
    left = tuple(s for s in state.walk.steps if s != step)
    return replace(state, walk=replace(state.walk, steps=left))


def _blank(now: StepState) -> StepState:
    blank = StepState(now.word, attempts=now.attempts, notes=now.notes, undone=now.undone, since=now.since)
    return replace(blank, asking=now.asking, detail=now.detail)


def walk_started(state: State, steps: tuple[str, ...]) -> State:
    """Ask anew for the undos that failed in an earlier walk, each in its turn; an unknown one has to be asked about."""
    state = asks_dropped(state)
    for step in steps:
        if state.step(step).word is StepWord.UNDO_FAILED:
            state = _with(state, step, again=Way.BACK)
    return state


def asks_dropped(state: State) -> State:
    """Take back every asking to send again that has not been sent."""
    for step, now in state.walked():
        if now.again:
            state = _with(state, step.id, again=None)
    return state


def rerouted(state: State) -> State:
    """Take back what was asked on another route."""
    for step, now in state.walked():
        if now.again or now.asking:
            state = _with(state, step.id, again=None, asking=None)
    return replace(state, recall=tuple(s for s in state.recall if state.needed(state.outline.step(s))))


def reset_from(state: State, stage: str) -> State:
    """Reset what was not changed from a stage on: it is asked anew on the way forward."""
    first = state.outline.stage(stage).steps[0].id if stage else state.outline.steps[0].id
    return _reset_after(state, state.outline.position(first) - 1)


def _reset_after(state: State, position: int) -> State:
    for step in state.outline.steps[position + 1 :]:
        now = state.step(step.id)
        resettable = now.word in (StepWord.PASSED, StepWord.SKIPPED, StepWord.FAILED, StepWord.UNKNOWN)
        if resettable and step.id not in state.started:
            state = put(state, step.id, replace(_blank(moved(now, Cause.RESET)), detail="", asking=None))
            state = forget_step(state, step.id, "to be asked anew")
    return state


def gate_opened(state: State, event: e.GateOpened) -> State:
    """Show the gate."""
    before = state.step(event.step).word
    now = moved(state.step(event.step), Cause.GATE_OPENED)
    return put(state, event.step, replace(now, gate=event.gate, confirmed="", again=None, before=before))


def gate_refreshed(state: State, event: e.GateRefreshed) -> State:
    """Show what the gate's rechecks say now."""
    return put(state, event.step, replace(state.step(event.step), gate=event.gate))


def gate_left(state: State, event: e.GateLeft) -> State:
    """Close the gate; nothing was sent."""
    return put(state, event.step, _gate_shut(state.step(event.step)))


def _gate_shut(now: StepState) -> StepState:
    """Put a step back to what its gate hid."""
    return replace(moved(now, _LEFT[now.before]), gate=None, confirmed="", before=StepWord.PENDING)


def confirmed(state: State, event: e.Confirmed) -> State:
    """Keep the word that was typed: the step may be sent, and what follows in its stage; after a pause, the step alone."""
    now = replace(state.step(event.step), confirmed=event.typed, reason=event.reason, by=event.by)
    if state.allowed_stage:  # the gate was opened from the stage before
        state = replace(state, allowed_stage=state.outline.step(event.step).stage)
    return put(state, event.step, now)


def picked_up(state: State) -> State:
    """Mark what was in flight when a console went away: to be re-attached, never blindly started again."""
    recall: list[str] = []
    for step, now in state.walked():
        if now.word is StepWord.AWAITING:
            state = put(state, step.id, _gate_shut(now))
        elif now.word in (StepWord.RUNNING, StepWord.UNDOING) and now.attempts:
            last = replace(now.attempts[-1], attach=True)
            now = replace(now, attempts=(*now.attempts[:-1], last), no_link={}, question=None, stopping=False)
            state = put(state, step.id, now)
        elif now.asking or now.again:
            state = put(state, step.id, replace(now, asking=None, again=None))
        elif now.word is StepWord.PASSED and step.verify and state.needed(step):
            recall.append(step.id)
    return replace(state, recall=tuple(recall))


def _with(state: State, step: str, **changes: Any) -> State:  # noqa: ANN401  the fields of StepState
    return put(state, step, replace(state.step(step), **changes))


def noted(state: State, event: e.Noted) -> State:
    """Keep a fact an action must find again."""
    notes = state.step(event.step).notes
    mine = {**notes.get(event.host, {}), **event.data}
    return _with(state, event.step, notes={**notes, event.host: mine})


def link_lost(state: State, event: e.LinkLost) -> State:
    """Keep since when a link is gone."""
    return _with(state, event.step, no_link={**state.step(event.step).no_link, event.host: event.at})


def link_back(state: State, event: e.LinkBack) -> State:
    """Forget that a link was gone."""
    left = {h: t for h, t in state.step(event.step).no_link.items() if h != event.host}
    return _with(state, event.step, no_link=left)


def skipped(state: State, event: e.Skipped) -> State:
    """Pass a step by, with its reason."""
    now = _quiet(moved(state.step(event.step), Cause.SKIPPED))
    attempts = tuple(
        a if a.ended is not None else replace(a, ended=event.at, verdict=Verdict.FAILED) for a in now.attempts
    )
    now = replace(now, attempts=attempts, reason=event.reason, by=event.by, detail="", again=None)
    return _unstarted(put(state, event.step, now), event.step)


def resolved(state: State, event: e.Resolved) -> State:
    """Take a person's word: what was done by hand is to be undone like what was run."""
    step = state.outline.step(event.step)
    now = moved(state.step(event.step), _FORWARD[event.verdict])
    passed = event.verdict is Verdict.PASSED
    now = replace(now, reason=event.reason, by=event.by, detail=event.evidence, how=How.BY_HAND if passed else How.NONE)
    if passed:
        here = _here(state, event.step)
        now = replace(now, passed_on=here, touched=now.touched | here if step.changes else now.touched)
    state = _known(put(state, event.step, now), event.step)
    if passed and step.changes and event.step not in state.started:
        state = replace(state, started=(*state.started, event.step))
    return state


def set_aside(state: State, event: e.UndoSetAside) -> State:
    """Leave an undo owed; the walk goes on above it."""
    now = replace(moved(state.step(event.step), Cause.SET_ASIDE), asking=None, again=None)
    return _reset_after(_leave_started(put(state, event.step, now), event.step), state.outline.position(event.step))


def reverified(state: State, event: e.Reverified) -> State:
    """Keep what differs from when the step passed."""
    words = event.seen if event.holds is False else ("" if event.holds else f"could not be asked: {event.seen}")
    state = _with(state, event.step, differs=words)
    return replace(state, recall=tuple(s for s in state.recall if s != event.step))


def reattached(state: State, event: e.Reattached) -> State:
    """Open an attempt again whose outcome is UNKNOWN: its job is asked, nothing is started."""
    now = moved(state.step(event.step), Cause.REATTACHED)
    attempts = tuple(_reopened(a) if a.number == event.attempt else a for a in now.attempts)
    return replace(put(state, event.step, replace(_quiet(now), attempts=attempts, detail="")), claim_refused="")


def _reopened(attempt: Attempt) -> Attempt:
    known = {h: r for h, r in attempt.results.items() if verdict(r) is not Verdict.UNKNOWN}
    return replace(attempt, results=known, ended=None, verdict=None, attach=True, asked=True)


def retry_asked(state: State, event: e.RetryAsked) -> State:
    """Keep that a step, or its undo, is to be sent again."""
    return replace(_with(state, event.step, again=event.way, confirmed=""), claim_refused="")


FOLDS: Final[dict[type[e.Event], Callable[[State, Any], State]]] = {
    e.AttemptStarted: attempt_started,
    e.HostEnded: host_ended,
    e.AttemptEnded: attempt_ended,
    e.Reattached: reattached,
    e.GateOpened: gate_opened,
    e.GateRefreshed: gate_refreshed,
    e.Confirmed: confirmed,
    e.Noted: noted,
    e.LinkLost: link_lost,
    e.LinkBack: link_back,
    e.Skipped: skipped,
    e.Resolved: resolved,
    e.UndoSetAside: set_aside,
    e.Reverified: reverified,
    e.RetryAsked: retry_asked,
    e.AskStarted: lambda s, ev: _with(s, ev.step, asking=ev.way),
    e.Probed: probed,
    e.Asked: lambda s, ev: _with(s, ev.step, question=ev.question, reply=None),
    e.Answered: lambda s, ev: _with(s, ev.step, question=None, reply=ev.typed),
    e.StopAsked: lambda s, ev: _with(s, ev.step, stopping=True),
    e.BecameLate: lambda s, ev: _with(s, ev.step, late=True),
}
