"""What the run does at this moment, in one sentence: the line above the key bar. Pure."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.state import State
from handrail.engine.words import How, Outcome, Pace, StepWord, Way
from handrail.tui.clocks import clock
from handrail.tui.scene import Scene
from handrail.tui.text import Ink, Line, ink


def doing(scene: Scene) -> Line:
    """Return what goes on, and whether anything is to be pressed."""
    if scene.leaving:
        return ink(" Leaving: links and files are being closed. What runs at a host goes on there.", Ink.CALM)
    sentence, how = _stopped(scene) or _waiting(scene) or _moving(scene) or _standing(scene)
    if scene.watching and not scene.state.held:
        sentence = f"You watch, {scene.state.driver or 'somebody'} drives. {sentence}"
    return ink(f" {sentence}", how)


Said = tuple[str, Ink]


def _stopped(scene: Scene) -> Said | None:
    state = scene.state
    if scene.snap.trouble:
        return "Nothing is sent any more. Leave, and look at the record.", Ink.ERROR
    if state.halted and not order.busy(state):
        return f"Nothing begins until {state.halted.by}, who instructs, lets it go on.", Ink.LOUD
    if state.closed:
        return "This run was closed. Nothing more is sent.", Ink.WARNING
    if state.held:
        return "This run is held: nobody drives, nothing is sent.", Ink.WARNING
    return None


def _waiting(scene: Scene) -> Said | None:
    state = scene.state
    asking = order.asking(state)
    if asking:
        attempt = state.step(asking.id).attempt
        what = f"the undo of {asking.number}" if attempt and attempt.way is Way.BACK else asking.number
        return f"Waiting for you: {what} asks, and stands until you answer.", Ink.ACCENT
    gate = order.awaiting(state)
    if gate:
        if state.step(gate.id).confirmed:
            return f"Confirmed. {gate.number} is being sent.", Ink.CALM
        return "Waiting for you. Nothing runs until you confirm.", Ink.ACCENT
    return None


def _moving(scene: Scene) -> Said | None:
    state = scene.state
    busy = order.busy(state)
    if busy:
        return _busy(scene, busy)
    if state.settling:
        return "What is owed is being done. Nothing to press.", Ink.CALM
    if state.recall:
        return f"Asking again whether what has passed still holds: {len(state.recall)} to go.", Ink.CALM
    if state.walk and state.walk.steps and not _stands(state):
        return f"Undoing: {state.outline.step(state.walk.steps[0]).number} is next. Nothing to press.", Ink.CALM
    following = order.next_step(state)
    if following and order.permitted(state, following) and not _stands(state):
        return f"Getting {following.number} ready. Nothing to press.", Ink.CALM
    return None


def _busy(scene: Scene, busy: tuple[StepOutline, ...]) -> Said:
    state, step = scene.state, busy[0]
    now = state.step(step.id)
    named = step.number if len(busy) == 1 else f"{step.number} and {len(busy) - 1} more"
    if now.stopping:
        return f"Stopping {named}: its end is being proven at the host.", Ink.WARNING
    if now.no_link:
        host, since = next(iter(now.no_link.items()))
        gone = clock(scene.at - since)
        lost = " ! if it is lost." if not scene.why_not("declare") else ""
        return f"No link to {scene.host(host)} for {gone}: its job goes on, asked again.{lost}", Ink.WARNING
    if now.asking:
        return f"Asking what is so at {named}. Nothing to press.", Ink.CALM
    if now.late:
        return f"{named} is late. It is not ended by a clock: wait, or x stops it.", Ink.WARNING
    until = max((h.until or 0.0 for h in scene.live(step.id).hosts.values() if h.tries), default=0.0)
    if until and len(busy) == 1:
        by = scene.time_of_day(until)
        return f"{named} does not hold yet; asked again until {by}. Nothing to press.", Ink.CALM
    verb = "Undoing" if now.word is StepWord.UNDOING else "Running"
    pausing = not state.allowed_stage and not state.walk
    return f"{verb} {named}. " + ("It stands after this step." if pausing else "Nothing to press."), Ink.CALM


def _stands(state: State) -> StepOutline | None:
    return order.standing(state)


def _standing(scene: Scene) -> Said:
    state = scene.state
    if _stands(state):
        return "Decide. The clock runs, nothing else does.", Ink.ACCENT
    if order.interrupted(state) is not None:
        return "An undo was interrupted here: enter shows its plan and goes on with it.", Ink.WARNING
    following = order.next_step(state)
    if following is None:
        return "Everything is done. enter shows what it came to.", Ink.ACCENT
    closed = order.closed_forward(state)
    if closed:
        return f"The way forward is closed: {closed}", Ink.ERROR
    if ends.outcome(state) is Outcome.UNDONE:
        return f"Everything was undone. enter goes forward again with {_what(state, following)}.", Ink.ACCENT
    return f"Standing. enter starts {_what(state, following)}.", Ink.ACCENT


def _what(state: State, step: StepOutline) -> str:
    stage = state.outline.stage(step.stage)
    return step.name if state.pace is Pace.STEP else f"stage {stage.name}"


def ended_how(how: How) -> str:
    """Return how a step passed, in words."""
    return {How.RAN: "ran", How.NONE: "", How.CHECKED: "checked again"}.get(how, how.value)
