"""The part of `evolve` that keeps account of single steps. Every change of a step's word goes through the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from handrail.engine import events as e
from handrail.engine.results import Result, verdict
from handrail.engine.state import Attempt, State, StepState
from handrail.engine.table import Cause, move
from handrail.engine.words import How, StepWord, Verdict, Way

_FORWARD: Final = {Verdict.PASSED: Cause.PASSED, Verdict.FAILED: Cause.FAILED, Verdict.UNKNOWN: Cause.UNKNOWN}
_BACK: Final = {Verdict.FAILED: Cause.UNDO_FAILED, Verdict.UNKNOWN: Cause.UNDO_UNKNOWN}
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
    changes = state.outline.step(event.step).changes
    now = moved(now, Cause.STARTED if forward else Cause.UNDO_STARTED)
    touched = now.touched | frozenset(event.hosts) if forward and changes else now.touched
    now = replace(
        now,
        attempts=(*now.attempts, attempt),
        touched=touched,
        gate=None,
        again=None,
        late=False,
        stopping=False,
        detail="",
        question=None,
        reply=None,
        no_link={},
        undone=False if forward else now.undone,
    )
    state = put(state, event.step, now)
    if forward and changes and event.step not in state.started:
        state = replace(state, started=(*state.started, event.step))
    return state


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
        if passed:
            now = replace(now, touched=now.touched - {result.host})
        return put(state, event.step, now)
    if passed:
        now = replace(now, passed_on=now.passed_on | {result.host})
    if not result.sent and not _sent_before(now, attempt, result.host):
        now = replace(now, touched=now.touched - {result.host})
    return _captured(put(state, event.step, now), event.step, result, passed=passed)


def _sent_before(now: StepState, attempt: Attempt, host: str) -> bool:
    """Tell whether an earlier forward attempt, since the last undo, reached a host."""
    sent = False
    for earlier in now.attempts:
        if earlier.number >= attempt.number:
            break
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
        now = replace(now, attempts=tuple(_ended(a, event) for a in now.attempts), question=None, stopping=False)
    if event.way is Way.BACK or now.word in _IN_UNDO:
        return put(state, event.step, replace(moved(now, _BACK[event.verdict]), detail=event.detail))
    how = event.how if event.verdict is Verdict.PASSED else How.NONE
    now = replace(moved(now, _FORWARD[event.verdict]), how=how, detail=event.detail, no_link={})
    if event.verdict is Verdict.PASSED and event.way is not Way.FORWARD:
        now = replace(now, passed_on=frozenset(p.key for p in state.outline.step(event.step).places))
    return _unstarted(put(state, event.step, now), event.step)


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
    now = moved(state.step(event.step), Cause.UNDONE)
    attempts = tuple(
        a if a.ended is not None else replace(a, ended=event.at, verdict=Verdict.PASSED) for a in now.attempts
    )
    now = replace(_blank(now), attempts=attempts, undone=True, detail="", asking=None)
    state = replace(put(state, event.step, now), started=tuple(s for s in state.started if s != event.step))
    owed = tuple(o for o in state.owed if not (o.step == event.step and o.way == "back"))
    gone = tuple((o, f"undone: {event.reason or event.how.value}") for o in state.owed if o not in owed)
    state = replace(state, owed=owed, settled=state.settled + gone)
    if state.walk:
        left = tuple(s for s in state.walk.steps if s != event.step)
        state = replace(state, walk=replace(state.walk, steps=left))
    return _reset_after(state, state.outline.position(event.step))


def _blank(now: StepState) -> StepState:
    return replace(
        now,
        how=How.NONE,
        touched=frozenset(),
        passed_on=frozenset(),
        reason="",
        by="",
        confirmed="",
        gate=None,
        question=None,
        reply=None,
        again=None,
        late=False,
        no_link={},
        differs="",
    )


def walk_started(state: State, steps: tuple[str, ...]) -> State:
    """Ask anew for the undos that failed in an earlier walk."""
    for step in steps:
        if state.step(step).word in (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN):
            state = _with(state, step, again=Way.BACK)
    return state


def reset_from(state: State, stage: str) -> State:
    """Reset what was not changed from a stage on: it is asked anew on the way forward."""
    first = state.outline.stage(stage).steps[0].id if stage else state.outline.steps[0].id
    return _reset_after(state, state.outline.position(first) - 1)


def _reset_after(state: State, position: int) -> State:
    for step in state.outline.steps[position + 1 :]:
        now = state.step(step.id)
        resettable = now.word in (StepWord.PASSED, StepWord.SKIPPED, StepWord.FAILED, StepWord.UNKNOWN)
        if resettable and step.id not in state.started:
            state = put(state, step.id, replace(_blank(moved(now, Cause.RESET)), detail=""))
    return state


def gate_opened(state: State, event: e.GateOpened) -> State:
    """Show the gate."""
    now = moved(state.step(event.step), Cause.GATE_OPENED)
    return put(state, event.step, replace(now, gate=event.gate, confirmed="", again=None))


def gate_refreshed(state: State, event: e.GateRefreshed) -> State:
    """Show what the gate's rechecks say now."""
    return put(state, event.step, replace(state.step(event.step), gate=event.gate))


def gate_left(state: State, event: e.GateLeft) -> State:
    """Close the gate; nothing was sent."""
    now = moved(state.step(event.step), Cause.GATE_LEFT)
    return put(state, event.step, replace(now, gate=None, confirmed=""))


def confirmed(state: State, event: e.Confirmed) -> State:
    """Keep the word that was typed: the step may be sent."""
    now = replace(state.step(event.step), confirmed=event.typed, reason=event.reason, by=event.by)
    return put(state, event.step, now)


def settled(state: State, event: e.Settled) -> State:
    """Take something off the list of what is owed."""
    item = next((o for o in state.owed if o.id == event.owed), None)
    if item is None:
        return state
    said = event.reason or event.how.value
    return replace(state, owed=tuple(o for o in state.owed if o.id != item.id), settled=(*state.settled, (item, said)))


def picked_up(state: State) -> State:
    """Mark what was in flight when a console went away: to be re-attached, never blindly started again."""
    recall: list[str] = []
    for step, now in state.walked():
        if now.word is StepWord.AWAITING:
            state = put(state, step.id, replace(moved(now, Cause.GATE_LEFT), gate=None, confirmed=""))
        elif now.word in (StepWord.RUNNING, StepWord.UNDOING) and now.attempts:
            last = replace(now.attempts[-1], attach=True)
            now = replace(now, attempts=(*now.attempts[:-1], last), no_link={}, question=None)
            state = put(state, step.id, now)
        elif now.asking or now.again:
            state = put(state, step.id, replace(now, asking=None, again=None))
        elif now.word is StepWord.PASSED and step.verify:
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
    now = moved(state.step(event.step), Cause.SKIPPED)
    return put(state, event.step, replace(now, reason=event.reason, by=event.by, detail=""))


def resolved(state: State, event: e.Resolved) -> State:
    """Take a person's word: what was done by hand is to be undone like what was run."""
    step = state.outline.step(event.step)
    now = moved(state.step(event.step), _FORWARD[event.verdict])
    passed = event.verdict is Verdict.PASSED
    now = replace(now, reason=event.reason, by=event.by, detail=event.evidence, how=How.BY_HAND if passed else How.NONE)
    if passed and step.changes:
        now = replace(now, touched=now.touched | frozenset(p.key for p in step.places))
    state = put(state, event.step, now)
    if passed and step.changes and event.step not in state.started:
        state = replace(state, started=(*state.started, event.step))
    return state


def set_aside(state: State, event: e.UndoSetAside) -> State:
    """Leave an undo owed; the walk goes on above it."""
    now = replace(moved(state.step(event.step), Cause.SET_ASIDE), asking=None)
    state = put(state, event.step, now)
    if state.walk:
        left = tuple(s for s in state.walk.steps if s != event.step)
        state = replace(state, walk=replace(state.walk, steps=left))
    return replace(state, started=tuple(s for s in state.started if s != event.step))


def reverified(state: State, event: e.Reverified) -> State:
    """Keep what differs from when the step passed."""
    words = event.seen if event.holds is False else ("" if event.holds else f"could not be asked: {event.seen}")
    state = _with(state, event.step, differs=words)
    return replace(state, recall=tuple(s for s in state.recall if s != event.step))


FOLDS: Final[dict[type[e.Event], Callable[[State, Any], State]]] = {
    e.AttemptStarted: attempt_started,
    e.HostEnded: host_ended,
    e.AttemptEnded: attempt_ended,
    e.StepUndone: step_undone,
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
    e.RetryAsked: lambda s, ev: _with(s, ev.step, again=ev.way, confirmed=""),
    e.AskStarted: lambda s, ev: _with(s, ev.step, asking=ev.way),
    e.Probed: lambda s, ev: _with(s, ev.step, asking=None, detail=ev.seen or s.step(ev.step).detail),
    e.Asked: lambda s, ev: _with(s, ev.step, question=ev.question, reply=None),
    e.Answered: lambda s, ev: _with(s, ev.step, question=None, reply=ev.typed),
    e.StopAsked: lambda s, ev: _with(s, ev.step, stopping=True),
    e.BecameLate: lambda s, ev: _with(s, ev.step, late=True),
}
