"""The debrief: what the run came to, how long each step took, what stays changed, what is owed, what is next. Pure."""

from __future__ import annotations

from handrail.engine import outcome as ends
from handrail.engine.state import StepState
from handrail.engine.words import Outcome
from handrail.session.view import Mode
from handrail.tui.clocks import clock
from handrail.tui.look import Mark, mark_of
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, spread

_SAID = {
    Outcome.DONE: ("Done", Ink.ACCENT),
    Outcome.UNDONE: ("Undone: everything is as it was", Ink.ACCENT),
    Outcome.UNDO_FAILED: ("UNDO FAILED: something is half undone", Ink.ERROR),
    Outcome.HELD: ("Held: not finished", Ink.WARNING),
    Outcome.CLOSED: ("Closed unfinished", Ink.WARNING),
}


def debrief_rows(scene: Scene, width: int) -> list[Line]:
    """Return the rows."""
    state, info = scene.state, scene.snap.info
    made = ends.outcome(state)
    words, how = _SAID[made]
    lines = [
        spread(
            row(ink(" DEBRIEF  ", Ink.BOLD), ink(words, how)),
            ink(f"{info.started:%Y-%m-%d %H:%M} UTC ", Ink.DIM),
            width,
        ),
        EMPTY,
        *_restored(scene, width),
        EMPTY,
        *_table(scene, width),
        EMPTY,
    ]
    stays = [s.name for s in ends.stays_changed(state)]
    kept = ", ".join(stays) if stays else "nothing"
    lines += hang(ink(" Stays changed  ", Ink.DIM), kept, width - 1, at=16, how=Ink.TEXT if stays else Ink.DIM)
    owed = "; ".join(f"{o.what} ({o.why})" for o in state.owed) or "nothing"
    lines += hang(ink(" Owed           ", Ink.DIM), owed, width - 1, at=16, how=Ink.LOUD if state.owed else Ink.DIM)
    lines += hang(ink(" Record         ", Ink.DIM), str(info.folder), width - 1, at=16)
    lines += hang(ink(" Next           ", Ink.DIM), _next(scene, made), width - 1, at=16, how=Ink.ACCENT)
    return lines


def _restored(scene: Scene, width: int) -> list[Line]:
    snap, info = scene.snap, scene.snap.info
    lines: list[Line] = []
    if snap.restored is not None:
        parts = [ink(" Restored in  ", Ink.DIM), ink(clock(snap.restored), Ink.BOLD)]
        if info.rto:
            ok = snap.restored <= info.rto
            mark = Mark.DONE if ok else Mark.FAILED
            parts += [ink(f"   target {clock(info.rto)} ", Ink.DIM), ink(scene.look.glyph(mark), mark.ink)]
        lines.append(row(*parts))
    else:
        lines.append(row(ink(" Took         ", Ink.DIM), ink(clock(scene.at), Ink.BOLD)))
    if info.shortened:
        lines += hang("", f"Waits were shortened: {info.shortened}", width - 1, at=1, how=Ink.WARNING)
    return lines


def _table(scene: Scene, width: int) -> list[Line]:
    pars = any(scene.text(s.id).par for s in scene.state.outline.steps)
    slips = bool(scene.snap.slips or scene.snap.hints)
    head = f"{'took':>7}{'par':>8}{'tries':>7}" if pars else f"{'took':>7}{'tries':>7}"
    head += f"{'hints':>7}{'slips':>7}" if slips else ""
    left = max(24, min(52, width - len(head) - 12))
    lines = [fit(row(fit(ink("   step", Ink.DIM), left), ink(head, Ink.DIM)), width)]
    for step, now in scene.state.walked():
        mark = mark_of(scene.state, step)
        name = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(step.name))
        cells = f"{_took(now):>7}"
        par = scene.text(step.id).par
        cells += (f"{clock(par) if par else '-':>8}" if pars else "") + f"{_tries(now):>7}"
        if slips:
            cells += f"{scene.snap.hints.get(step.id, 0):>7}{scene.snap.slips.get(step.id, 0):>7}"
        word = "" if mark in (Mark.DONE, Mark.TO_COME) else f"  {mark.word}"
        lines.append(fit(row(fit(name, left), ink(cells), ink(word, mark.ink)), width))
    return lines


def _took(now: StepState) -> str:
    spent = sum((a.ended - a.started) for a in now.attempts if a.ended is not None)
    return clock(spent) if now.attempts else "-"


def _tries(now: StepState) -> str:
    return str(len(now.attempts)) if now.attempts else "-"


def _next(scene: Scene, made: Outcome) -> str:
    info = scene.snap.info
    if made is Outcome.HELD or made is Outcome.UNDO_FAILED:
        return f"handrail resume {info.run}"
    if scene.state.owed:
        return f"settle what is owed: handrail resume {info.run}"
    if info.mode is Mode.DRILL:
        return f"handrail report {info.run}; drill again: handrail drill {info.runbook}"
    return f"handrail report {info.run}"
