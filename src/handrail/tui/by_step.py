"""By step: what the next step is, before it is started, and below it what the one before has said. Pure but for the output."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.words import Pace, UndoKind
from handrail.tui.expected import told
from handrail.tui.look import LINES, mark_of
from handrail.tui.output import OutputView
from handrail.tui.scene import Scene
from handrail.tui.step_pane import command_rows, undo_words
from handrail.tui.text import EMPTY, Ink, Line, block, fit, hang, ink, row, rule, spread


def is_by_step(scene: Scene) -> bool:
    """Tell whether enter starts one step, and no more."""
    return scene.state.pace is Pace.STEP


def ended_last(scene: Scene) -> StepOutline | None:
    """Return the step that ended last; None before anything has."""
    found = [
        (now.attempt.ended, step) for step, now in scene.state.walked() if now.attempt and now.attempt.ended is not None
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def before_step(scene: Scene, output: OutputView, width: int, height: int, host: str = "") -> list[Line]:
    """Return what enter would start: one step, why it stands there, what good looks like, what is sent and what undoes it."""
    step = order.next_step(scene.state)
    if step is None:
        return [EMPTY] * height
    card = [fit(line, width) for line in _card(scene, step, width, roomy=height >= 28)]
    before = ended_last(scene)
    room = height - len(card) - 1
    if before is None or room < 4:
        return block(card, height)
    return block([*card, EMPTY, *_before(scene, before, output, width, room, host)], height)


def _card(scene: Scene, step: StepOutline, width: int, *, roomy: bool) -> list[Line]:
    text, stage = scene.text(step.id), scene.state.outline.stage(step.stage)
    kind, how = ("changes", Ink.WARNING) if step.changes else ("reads", Ink.MUTED)
    if step.confirm:
        kind, how = "CONFIRM", Ink.LOUD
    mark = LINES.get(stage.line) if step is stage.steps[0] else None
    lines = [rule(width, ink(f"{scene.look.glyph(mark)} {mark.word}", mark.ink), mark.ink)] if mark else []
    right = row(ink(f"{text.where}  " if len(text.where) < width // 2 else "", Ink.DIM), ink(f"{kind} ", how))
    says = ink(f" enter starts {step.number}", Ink.ACCENT)
    if scene.state.halted:
        says = ink(f" {step.number} is halted", Ink.WARNING)
    elif order.closed_forward(scene.state):
        says = ink(f" {step.number} is closed by a guard", Ink.ERROR)
    lines.append(spread(says, right, width))
    lines += hang("", step.title, width - 1, at=1, how=Ink.BOLD, most=2)
    most = 4 if roomy else 3
    for label, words in (("Why: ", text.why), ("Good: ", text.good)):
        if words:
            lines += hang(ink(f" {label}", Ink.DIM), words, width - 1, at=7, most=most)
    if text.hidden:
        lines.append(ink(" Commands and undo are hidden until you ask: h, h", Ink.MUTED))
        return lines
    lines += command_rows(text.commands, width, most=8 if roomy else 2)
    if step.changes:
        ink_of = Ink.DIM if step.undo is not UndoKind.IRREVERSIBLE else Ink.ERROR
        lines.append(row(ink(" Undo: ", ink_of), undo_words(scene, step)))
    return lines


def _whose(scene: Scene, step: StepOutline, host: str) -> Line:
    """Return whose output it is, and of how many."""
    attempt = scene.state.step(step.id).attempt
    count = len(attempt.hosts) if attempt else 0
    if not host or count < 2:
        return EMPTY
    return ink(f"  {scene.host(host)}, 1 of {count}: ← →", Ink.DIM)


def _before(scene: Scene, step: StepOutline, output: OutputView, width: int, room: int, host: str) -> list[Line]:
    """Return what the step before has come to, and the end of what it said."""
    mark = mark_of(scene.state, step)
    told_by = _whose(scene, step, host)
    head = row(ink(scene.look.glyph(mark), mark.ink), " ", ink(f"{step.number} {mark.word}", mark.ink), told_by)
    held = output.held(ended=True)
    compared = told(held, width, ended=True)[:2] if held else []
    shown = output.rows(width, max(0, room - 1 - len(compared))) if output.reader else []
    quiet = [] if shown or compared else [ink(" it said nothing", Ink.MUTED)]
    return [rule(width, head), *compared, *shown, *quiet]
