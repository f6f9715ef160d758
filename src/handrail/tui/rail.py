"""The rail: the stages and steps, the lines drawn across them, and the way back that is always in view. Pure."""

from __future__ import annotations

from handrail.base.frozen import dataclass
from handrail.engine import order
from handrail.engine.outline import StageOutline, StepOutline
from handrail.engine.words import StepWord
from handrail.tui.clocks import lasted
from handrail.tui.look import LINES, Mark, mark_of
from handrail.tui.scene import Scene, current, stage_of
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row, spread


@dataclass(frozen=True)
class Viewed:
    """What the operator looks at: a stage and a step ("" follows the run)."""

    stage: str = ""
    step: str = ""


def rail(scene: Scene, viewed: Viewed, width: int, height: int, *, times: bool = False) -> list[Line]:
    """Return the left column: exactly `height` rows of `width` cells."""
    back = turn_back(scene, width, max(3, height // 3), stays=times)
    room = height - len(back) - 1
    steps = _steps(scene, viewed, width, room, times=times)
    filled = steps + [EMPTY] * (height - len(steps) - len(back))
    return [fit(line, width) for line in (*filled, *back)[:height]]


def _steps(scene: Scene, viewed: Viewed, width: int, room: int, *, times: bool) -> list[Line]:
    state = scene.state
    now = stage_of(state, current(state))
    shown = state.outline.stage(viewed.stage) if viewed.stage else now
    at = [s.id for s in state.outline.stages].index(shown.id)
    head = _heading(scene, shown, now)
    lead = _line_across(scene, shown, width)
    later = state.outline.stages[at + 1 :]
    folded = _after(scene, later, viewed, width, 0, times=times)
    mine = [_step_line(scene, step, viewed, width, times=times) for step in shown.steps]
    most = max(3, room - 1 - len(lead) - min(len(folded), 5))
    mine = _around(mine, [s.id for s in shown.steps], viewed.step or _id(current(state)), most)
    spare = room - 1 - len(lead) - len(mine) - len(folded)
    if spare < 0:
        return [head, *lead, *mine, *folded][:room]
    blanks = [min(1, max(0, spare - n)) for n in range(2)]
    spare -= sum(blanks)
    before = [_folded(scene, s, width, times=times) for s in state.outline.stages[:at]]
    kept = before[max(0, len(before) - spare) :]
    after = _after(scene, later, viewed, width, len(folded) + spare - len(kept), times=times)
    gap = [EMPTY] * blanks[1] if after else []
    return [head, *[EMPTY] * blanks[0], *kept, *lead, *mine, *gap, *after][:room]


def _id(step: StepOutline | None) -> str:
    return step.id if step else ""


def _heading(scene: Scene, shown: StageOutline, now: StageOutline) -> Line:
    count = len(scene.state.outline.stages)
    if shown.id != now.id:
        words = f" VIEWING {shown.number}, RUNNING {now.number}  "
        return row(ink(words, Ink.LOUD), ink(shown.title, Ink.BOLD))
    return row(ink(f" STAGE {shown.number} of {count}  ", Ink.BOLD), ink(shown.title, Ink.BOLD))


def _around(lines: list[Line], ids: list[str], chosen: str, most: int) -> list[Line]:
    """Return the part of a long list that holds the chosen one."""
    if len(lines) <= most:
        return lines
    at = ids.index(chosen) if chosen in ids else 0
    start = min(max(0, at - most // 2), len(lines) - most)
    return lines[start : start + most]


def _step_line(scene: Scene, step: StepOutline, viewed: Viewed, width: int, *, times: bool) -> Line:
    mark = mark_of(scene.state, step)
    glyph = scene.look.glyph(mark)
    how = mark.ink if mark not in (Mark.DONE, Mark.ALREADY) else Ink.DIM
    chosen = viewed.step == step.id
    name = Ink.CURSOR if chosen else (how if mark is not Mark.YOUR_TURN else Ink.ACCENT)
    left = row(" ", ink(glyph, mark.ink, f"step:{step.id}"), " ", ink(step.name, name, f"step:{step.id}"))
    word = mark.word if mark not in (Mark.DONE, Mark.TO_COME, Mark.NOW) else ""
    took = _took(scene, step) if times else ""
    right = "  ".join(part for part in (word, took) if part)
    return spread(left, ink(right, how), width) if times and right else fit(left, width)


def _took(scene: Scene, step: StepOutline) -> str:
    attempt = scene.state.step(step.id).attempt
    if attempt is None:
        return ""
    return lasted((attempt.ended if attempt.ended is not None else scene.at) - attempt.started)


def _line_across(scene: Scene, stage: StageOutline, width: int) -> list[Line]:
    mark = LINES.get(stage.line)
    if mark is None:
        return []
    head = row(" ", ink(f"{scene.look.glyph(mark)} {mark.word} ", mark.ink))
    return [row(head, ink("─" * max(0, width - head.width), mark.ink))]


def _folded(scene: Scene, stage: StageOutline, width: int, *, times: bool) -> Line:
    steps = [s for s in stage.steps if scene.state.needed(s)]
    marks = {mark_of(scene.state, s) for s in steps}
    mark = _sum(marks)
    glyph = ink(scene.look.glyph(mark), mark.ink, f"stage:{stage.number}")
    left = row(" ", glyph, " ", ink(f"{stage.number}   {stage.title}", mark.ink, f"stage:{stage.number}"))
    count = f"{len(steps)} step{'' if len(steps) == 1 else 's'}" if steps else "not needed"
    return spread(left, ink(count, Ink.MUTED), width)


_WORST = (
    Mark.UNDO_FAILED,
    Mark.UNDO_UNKNOWN,
    Mark.FAILED,
    Mark.UNKNOWN,
    Mark.YOUR_TURN,
    Mark.NO_LINK,
    Mark.LATE,
    Mark.NOW,
    Mark.UNDOING,
    Mark.OWED,
    Mark.TO_COME,
    Mark.UNDONE,
)


def _sum(marks: set[Mark]) -> Mark:
    """Return the mark that stands for a whole stage."""
    if not marks:
        return Mark.NOT_NEEDED
    return next((mark for mark in _WORST if mark in marks), Mark.DONE)


def _after(
    scene: Scene, stages: tuple[StageOutline, ...], viewed: Viewed, width: int, room: int, *, times: bool
) -> list[Line]:
    """Return the stages to come: folded to a line each, the next ones opened while there is room."""
    folded = [[*_line_across(scene, s, width), _folded(scene, s, width, times=times)] for s in stages]
    opened = [
        [*_line_across(scene, s, width), *(_step_line(scene, x, viewed, width, times=times) for x in s.steps)]
        for s in stages
    ]
    need = sum(map(len, folded))
    lines: list[Line] = []
    for short, full in zip(folded, opened, strict=True):
        more = len(full) - len(short)
        wide = need + more <= room
        need += more if wide else 0
        lines += full if wide else short
    return lines


def turn_back(scene: Scene, width: int, most: int, *, stays: bool = False) -> list[Line]:
    """Return IF YOU TURN BACK NOW: what would be undone, newest first, and how long that takes; at most `most` rows."""
    state = scene.state
    steps = order.to_undo(state, "")
    walled = order.wall(state, steps)
    if walled:
        steps = steps[: steps.index(walled.id)]
    total = lasted(sum(scene.snap.undo_seconds.get(s, 0.0) for s in steps))
    head = ink(" IF YOU TURN BACK NOW", Ink.BOLD)
    if not steps and walled:
        on = f"go on with {walled.instead}" if walled.instead else "no way back"
        return [head, row(" ", ink(f"{scene.look.glyph(Mark.NO_WAY_BACK)} {on}", Ink.ERROR))]
    if not steps:
        return [head, ink(" nothing to undo", Ink.MUTED)]
    lines = [spread(head, ink(f"{total} ", Ink.BOLD), width)]
    lines += [_back_line(scene, s, width, stays=stays) for s in steps]
    if walled:
        lines.append(row(" ", ink(f"{scene.look.glyph(Mark.NO_WAY_BACK)} not past {walled.number}", Ink.ERROR)))
    if len(lines) > most:
        lines = [*lines[: most - 1], ink(f"   and {len(lines) - most + 1} more", Ink.MUTED)]
    return lines


def _back_line(scene: Scene, step_id: str, width: int, *, stays: bool) -> Line:
    step = scene.state.outline.step(step_id)
    lost = any(p.role in scene.state.lost for p in order.back_places(scene.state, step))
    mark = Mark.OWED if lost else Mark.UNDONE
    word = " owed" if lost else (" stays" if step.stays else "")
    left = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(step.name, mark.ink))
    seconds = scene.snap.undo_seconds.get(step_id)
    right = "  ".join(part for part in (word.strip(), lasted(seconds) if stays and seconds else "") if part)
    return spread(left, ink(f"{right} ", Ink.DIM), width) if right else fit(left, width)


def folded_rail(scene: Scene, width: int) -> list[Line]:
    """Return the rail in two lines, for a screen with no room: where it stands, and the way back."""
    state = scene.state
    step = current(state)
    stage = stage_of(state, step)
    mark = mark_of(state, step) if step else Mark.DONE
    name = step.name if step else "everything is done"
    head = row(
        ink(f" {stage.number}/{len(state.outline.stages)} ", Ink.BOLD),
        ink(scene.look.glyph(mark), mark.ink),
        " ",
        ink(name, mark.ink if mark is not Mark.YOUR_TURN else Ink.ACCENT),
    )
    steps = order.to_undo(state, "")
    walled = order.wall(state, steps)
    total = lasted(sum(scene.snap.undo_seconds.get(s, 0.0) for s in steps))
    if walled:
        words, how = f"not past {walled.number}", Ink.ERROR
    elif steps:
        words, how = f"{total}, {len(steps)} undo{'' if len(steps) == 1 else 's'}", Ink.TEXT
    else:
        words, how = "nothing to undo", Ink.MUTED
    undoing = any(now.word is StepWord.UNDOING for _, now in state.begun())
    label = " GOING BACK " if undoing else " IF YOU TURN BACK NOW "
    return [fit(head, width), fit(row(ink(label, Ink.BOLD), ink(words, how)), width)]
