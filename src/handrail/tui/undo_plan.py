"""The undo plan: what a walk back does, newest first, where, how long, what stays, what would be owed. Pure."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.words import How, UndoKind
from handrail.engine.words import Line as Across
from handrail.tui.clocks import lasted
from handrail.tui.look import Mark
from handrail.tui.scene import Scene
from handrail.tui.step_pane import undo_words
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, spread

Target = tuple[str, str, tuple[str, ...], str]


def plan_lines(scene: Scene, target: Target, width: int) -> list[Line]:
    """Return the plan of one target."""
    _, name, steps, why = target
    total = sum(scene.snap.undo_seconds.get(s, 0.0) for s in steps)
    head = row(ink(f" Back to before stage {name}", Ink.BOLD), ink(f"   {len(steps)} to undo", Ink.DIM))
    lines = [spread(head, ink(f"{lasted(total)} ", Ink.BOLD), width)]
    if why:
        lines += hang(ink(" Not possible: ", Ink.ERROR), why, width - 1, at=15, how=Ink.ERROR)
    lines.append(EMPTY)
    for number, step_id in enumerate(steps, 1):
        lines += _one(scene, number, scene.state.outline.step(step_id), width)
    return lines


def _one(scene: Scene, number: int, step: StepOutline, width: int) -> list[Line]:
    lost = [p.key for p in order.back_places(scene.state, step) if p.role in scene.state.lost]
    places = [p.key for p in order.back_places(scene.state, step) if p.role not in scene.state.lost]
    where = ", ".join(scene.host(k) for k in places) or ("nowhere now" if lost else "")
    seconds = scene.snap.undo_seconds.get(step.id)
    right = "  ".join(part for part in (where, lasted(seconds) if seconds else "") if part)
    mark = Mark.OWED if lost and not places else Mark.UNDONE
    wall = step.undo is UndoKind.IRREVERSIBLE
    mark = Mark.NO_WAY_BACK if wall else mark
    left = row(f" {number:>2} ", ink(scene.look.glyph(mark), mark.ink), " ", ink(step.name, Ink.BOLD))
    lines = [spread(left, ink(f"{right} ", Ink.DIM), width)]
    now = scene.state.step(step.id)
    if now.how is How.BY_HAND:
        said = f"by hand{' by ' + now.by if now.by else ''}: {now.reason}; it is undone like any other"
        lines += hang(ink("      done   ", Ink.WARNING), said, width - 1, at=13, most=2)
    words, you = _undo_of(scene, step), "person" in places
    label = "you do " if you else "undo   "
    lines += (
        hang(
            ink(f"      {label}", Ink.WARNING),
            f"{words.plain} (you are asked, and say what came of it)",
            width - 1,
            at=13,
        )
        if you
        else [fit(row(ink(f"      {label}", Ink.DIM), words), width)]
    )
    if step.stays:
        lines += hang(ink("      stays  ", Ink.WARNING), step.stays, width - 1, at=13, most=2)
    if lost:
        who = ", ".join(scene.host(k) for k in lost)
        lines += hang(ink("      owed   ", Ink.WARNING), f"{who}: lost, it cannot be asked", width - 1, at=13, most=2)
    clients = _clients(scene, step)
    if clients:
        lines.append(fit(row(ink("      then   ", Ink.DIM), clients), width))
    return lines


def _undo_of(scene: Scene, step: StepOutline) -> Line:
    """Return the undo that was journalled with the step, as resolved, a script by its title; else what the runbook says."""
    now = scene.state.step(step.id)
    if scene.text(step.id).undo_gist:
        return undo_words(scene, step)
    forward = now.first or now.forward
    if forward and forward.undo:
        return ink("; ".join(forward.undo).replace("\n", "; "), Ink.SECOND)
    return undo_words(scene, step)


def _clients(scene: Scene, step: StepOutline) -> str:
    stage = scene.state.outline.stage(step.stage)
    forward = scene.state.step(step.id).forward
    if stage.line is not Across.CLIENTS_MOVE or not forward or not forward.back:
        return ""
    lost = ", whose role is declared LOST: who would serve them there?" if scene.state.lost else ""
    return f"clients get {forward.back} again, as caches run out{lost}"
