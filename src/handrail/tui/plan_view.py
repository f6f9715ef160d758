"""The plan: every step with its commands, what undoes them, and the lines drawn across. Pure, from cards or a snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.engine.words import Line as Across
from handrail.session.cards import PlanLine
from handrail.tui.look import LINES, Look
from handrail.tui.scene import Scene
from handrail.tui.step_pane import undo_words
from handrail.tui.text import EMPTY, Ink, Line, hang, ink, row, rule, spread


def plan_of(scene: Scene) -> tuple[PlanLine, ...]:
    """Return the plan of a run, as far as it is resolved."""
    lines: list[PlanLine] = []
    for stage in scene.state.outline.stages:
        for at, step in enumerate(stage.steps):
            text = scene.text(step.id)
            undo = (undo_words(scene, step).plain,) if step.changes else ()
            across = stage.line.value if at == 0 else ""
            confirm = "the new value" if step.confirm else ""
            needed = scene.state.needed(step)
            lines.append(
                PlanLine(
                    step.id,
                    step.number,
                    step.title,
                    stage.name,
                    text.where,
                    text.commands,
                    undo,
                    confirm,
                    step.changes,
                    needed,
                    across,
                )
            )
    return tuple(lines)


def plan_rows(plan: Sequence[PlanLine], look: Look, width: int) -> list[Line]:
    """Return the plan's rows."""
    rows: list[Line] = []
    stage = ""
    for line in plan:
        if line.line:
            mark = LINES[Across(line.line)]
            rows += [EMPTY, rule(width, ink(f"{look.glyph(mark)} {mark.word}", mark.ink), mark.ink)]
        if line.stage != stage:
            stage = line.stage
            rows += [EMPTY, ink(f" {stage}", Ink.ACCENT)]
        rows += _step(line, width)
    return rows[1:] if rows and not rows[0] else rows


def _step(line: PlanLine, width: int) -> list[Line]:
    if not line.needed:
        return [
            row("   ", ink(f"{line.number} {line.title}", Ink.STRUCK), ink("  not needed on this route", Ink.MUTED))
        ]
    kind, how = ("changes", Ink.WARNING) if line.changes else ("reads", Ink.MUTED)
    if line.confirm:
        kind, how = f"type {line.confirm}", Ink.LOUD
    right = row(ink(f"{line.where}  ", Ink.DIM), ink(f"{kind} ", how))
    rows = [spread(row("   ", ink(f"{line.number} {line.title}", Ink.BOLD)), right, width)]
    for command in line.commands:
        for at, part in enumerate(command.split("\n")):
            sign = ink("     $ " if at == 0 else "       ", Ink.KEY)
            rows += hang(sign, part, width - 1, at=7)
    for undo in line.undo:
        rows += hang(ink("  undo ", Ink.SECOND), undo.replace("\n", "; "), width - 1, at=7, how=Ink.SECOND)
    return rows
