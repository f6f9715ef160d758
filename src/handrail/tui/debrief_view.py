"""The debrief: what the run came to, how long each step took, what stays changed, what is owed, what is next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.state import StepState
from handrail.engine.words import Outcome, Verdict, Way
from handrail.session.lessons import is_ones_own
from handrail.session.levels import Level
from handrail.session.practice import next_drill
from handrail.session.view import Mode
from handrail.tui import debrief_lesson as lesson
from handrail.tui.clocks import clock
from handrail.tui.debrief_lesson import labelled
from handrail.tui.look import Mark, mark_of
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row, spread

_LABEL, _MOST = 13, 4
_WORTH: Final = 2.0  # seconds from which on a step counts as slow
_QUIET = frozenset({Mark.DONE, Mark.ALREADY, Mark.NOT_NEEDED})
_SAID = {
    Outcome.DONE: ("Done", Ink.ACCENT),
    Outcome.UNDONE: ("Undone: everything is as it was", Ink.ACCENT),
    Outcome.UNDO_FAILED: ("UNDO FAILED: something is half undone", Ink.ERROR),
    Outcome.HELD: ("Held: not finished", Ink.WARNING),
    Outcome.CLOSED: ("Closed unfinished", Ink.WARNING),
}


def debrief_rows(
    scene: Scene, width: int, *, whole: bool = False, actual: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> list[Line]:
    """Return the rows: what it came to, what is left behind, what went wrong, what was slow; each step only if `whole`."""
    state, info = scene.state, scene.snap.info
    made = ends.outcome(state)
    words, how = _SAID[made]
    began = ink(f"{info.started:%Y-%m-%d %H:%M} UTC ", Ink.DIM)
    lines = [spread(row(ink(" DEBRIEF  ", Ink.BOLD), ink(words, how), *_whose(scene)), began, width), EMPTY]
    lines += [*_restored(scene, width), *lesson.times(scene, width)]
    own = is_ones_own(scene.snap)
    if own:
        over = made in (Outcome.DONE, Outcome.UNDONE)
        lines += lesson.next_due(next_drill(scene.snap), width) if over else []
        lines += [*lesson.own_words(scene, width), EMPTY]
    lines += [*_left_behind(scene, width), *_scenario(scene, width)]
    lines += labelled("Next", _next(scene, made), width, Ink.ACCENT)
    lines += labelled("Record", str(info.folder), width)
    if own:
        lines += [*lesson.slipped(scene, width), *lesson.said_before(scene, actual, width)]
    for title, steps in (("What did not go at once", _troubled(scene)), ("What took longest", _slow(scene))):
        if steps:
            lines += [EMPTY, _head(scene, title, width), *(_step(scene, *one, width) for one in steps)]
    lines += [EMPTY, *(_every_step(scene, width) if whole else _stages(scene, width))]
    return lines


def _whose(scene: Scene) -> list[Line]:
    """Return whose drill it was, at which level, and how many there were."""
    info = scene.snap.info
    if not is_ones_own(scene.snap):
        return []
    level = "" if info.level == Level.NONE else f"{info.level} "
    return [ink(f"  {level}drill {info.before.drills + 1} of {info.operator}", Ink.DIM)]


def _left_behind(scene: Scene, width: int) -> list[Line]:
    """Return what stands changed, and what is owed."""
    stays = [s.name for s in ends.stays_changed(scene.state)]
    more = f", and {len(stays) - _MOST} more" if len(stays) > _MOST else ""
    kept = ", ".join(stays[:_MOST]) + more if stays else "nothing"
    lines = labelled("Changed", kept, width, Ink.TEXT if stays else Ink.DIM)
    owed = scene.named("; ".join(f"{o.what} ({o.why})" for o in scene.state.owed))
    return lines + labelled("Owed", owed or "nothing", width, Ink.LOUD if owed else Ink.DIM)


Told = tuple[StepOutline, StepState]


def _troubled(scene: Scene) -> list[Told]:
    """Return the steps that did not simply pass: failed once, skipped, by hand, slips and hints; not what was done twice."""
    snap = scene.snap
    usual = (Mark.DONE, Mark.ALREADY, Mark.TO_COME, Mark.NOT_NEEDED)
    return [
        (step, now)
        for step, now in scene.state.walked()
        if mark_of(scene.state, step) not in usual
        or any(a.verdict not in (None, Verdict.PASSED) for a in now.attempts)
        or (is_ones_own(snap) and (snap.slips.get(step.id) or snap.hints.get(step.id)))
    ]


def _slow(scene: Scene) -> list[Told]:
    """Return the steps that took longest, beyond what a practised operator takes where that is known."""
    told = [(step, now) for step, now in scene.state.walked() if _seconds(now) >= _WORTH]
    over = [one for one in told if (par := scene.text(one[0].id).par) and _seconds(one[1]) > 1.5 * par]
    return sorted(over or told, key=lambda one: -_seconds(one[1]))[:_MOST]


def _seconds(now: StepState) -> float:
    return sum(a.ended - a.started for a in now.attempts if a.ended is not None)


def _tries(now: StepState) -> int:
    """Return how often a step was begun; its undo is no try."""
    return sum(a.way is Way.FORWARD for a in now.attempts)


def _stages(scene: Scene, width: int) -> list[Line]:
    """Return a row for each stage: how many of its steps came to what, and how long they took."""
    lines = [ink(" All steps, by stage (a shows each)", Ink.DIM)]
    for stage in scene.state.outline.stages:
        marks = [mark_of(scene.state, step) for step in stage.steps]
        counted = ", ".join(f"{marks.count(m)} {m.word}" for m in dict.fromkeys(marks))
        took = sum(_seconds(scene.state.step(s.id)) for s in stage.steps)
        worst = next((m for m in marks if m not in _QUIET), marks[0])
        name = row(" ", ink(scene.look.glyph(worst), worst.ink), " ", ink(stage.name))
        left = max(24, min(40, width // 2))
        lines.append(
            fit(row(fit(name, left), ink(f"{clock(took) if took else '-':>7}"), ink(f"  {counted}", Ink.DIM)), width)
        )
    return lines


def _every_step(scene: Scene, width: int) -> list[Line]:
    return [_head(scene, "All steps", width), *(_step(scene, step, now, width) for step, now in scene.state.walked())]


def _restored(scene: Scene, width: int) -> list[Line]:
    snap, info = scene.snap, scene.snap.info
    lines: list[Line] = []
    if snap.restored is not None:
        parts = [fit(ink(" Restored in", Ink.DIM), _LABEL), ink(clock(snap.restored), Ink.BOLD)]
        if info.rto:
            ok = snap.restored <= info.rto
            mark = Mark.DONE if ok else Mark.FAILED
            parts += [ink(f"   target {clock(info.rto)} ", Ink.DIM), ink(scene.look.glyph(mark), mark.ink)]
        lines.append(row(*parts))
    else:
        lines.append(row(fit(ink(" Took", Ink.DIM), _LABEL), ink(clock(scene.at), Ink.BOLD)))
    if is_ones_own(snap) and snap.restored is not None and info.before.restored is not None:
        lines[-1] = row(lines[-1], ink(f"   your last {clock(info.before.restored)}", Ink.DIM))
    return lines


def _scenario(scene: Scene, width: int) -> list[Line]:
    """Return what a drill's scenario was, once it has told, and what at the end is not as it should be."""
    told = scene.state.scenario
    if told is None:
        return []
    wrong = [f"{check.what}: {check.seen}" for check in told.checks if not check.holds]
    lines = labelled("Scenario", f"{told.title} (par {clock(told.par)})", width)
    lines += labelled("At the end", "; ".join(wrong) or "as it should be", width, Ink.LOUD if wrong else Ink.TEXT)
    return lines + labelled("A good way", told.good, width)


def _columns(scene: Scene) -> tuple[bool, bool, bool]:
    """Tell which columns there are: par, the last time, hints and slips."""
    par = any(scene.text(s.id).par for s in scene.state.outline.steps)
    return (
        par,
        is_ones_own(scene.snap) and bool(scene.snap.info.before.times),
        is_ones_own(scene.snap) and bool(scene.snap.slips or scene.snap.hints),
    )


def _left(scene: Scene, width: int) -> int:
    pars, last, slips = _columns(scene)
    return max(24, min(52, width - 14 - 8 * pars - 7 * last - 14 * slips - 9))


def _head(scene: Scene, title: str, width: int) -> Line:
    pars, last, slips = _columns(scene)
    cells = f"{'took':>7}" + (f"{'par':>8}" if pars else "") + (f"{'last':>7}" if last else "") + f"{'tries':>7}"
    cells += f"{'hints':>7}{'slips':>7}" if slips else ""
    return fit(row(fit(ink(f" {title}", Ink.DIM), _left(scene, width)), ink(cells, Ink.DIM)), width)


def _step(scene: Scene, step: StepOutline, now: StepState, width: int) -> Line:
    """Return one step: how it stands, how long it took, how often it was sent."""
    pars, last, slips = _columns(scene)
    mark = mark_of(scene.state, step)
    name = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(step.name))
    par = scene.text(step.id).par
    cells = f"{clock(_seconds(now)) if now.attempts else '-':>7}" + (f"{clock(par) if par else '-':>8}" if pars else "")
    before = scene.snap.info.before.times.get(step.id)
    cells += (f"{'-' if before is None else clock(before):>7}" if last else "") + f"{_tries(now) or '-':>7}"
    if slips:
        cells += f"{scene.snap.hints.get(step.id, 0):>7}{scene.snap.slips.get(step.id, 0):>7}"
    word = "" if mark in (Mark.DONE, Mark.TO_COME) else f"  {mark.word}"
    return fit(row(fit(name, _left(scene, width)), ink(cells), ink(word, mark.ink)), width)


def _next(scene: Scene, made: Outcome) -> str:
    info = scene.snap.info
    if made is Outcome.HELD or made is Outcome.UNDO_FAILED:
        return f"handrail resume {info.run}"
    if scene.state.owed:
        return f"settle what is owed: handrail resume {info.run}"
    if info.mode is Mode.DRILL:
        return f"handrail report {info.run}; drill again: handrail drill {info.runbook}"
    return f"handrail report {info.run}"
