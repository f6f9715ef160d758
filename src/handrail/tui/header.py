"""The header: mode, what is run, who is on, the clocks. Pure; the same two lines on every screen of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.words import Outcome
from handrail.session.lessons import halted_for
from handrail.session.view import HeadLine, Mode, Snapshot
from handrail.tui.clocks import clock, show_duration, zulu
from handrail.tui.look import Look, Mark
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row, spread

_SHORT: Final = ("  waits shortened", "  short waits", "  TTL short")  # in a drill, as there is room
OLD: Final = 60.0  # seconds after which it is said how long ago a figure was seen


def banner(look: Look, mode: Mode, left: str, right: str, width: int, *, emergency: bool = False) -> Line:
    """Return the first line: the mode's word on its colour; LIVE colours the whole width."""
    glyph, how = look.mode(mode)
    whole = mode is Mode.LIVE
    base = how if whole else Ink.TEXT
    head = ink(f" {glyph} {mode.value} ", how)
    if emergency:
        head = row(head, ink(" EMERGENCY ", Ink.ALARM))
    body = row(head, ink(f" {left}", base if whole else Ink.BOLD))
    return spread(body, ink(f" {right} ", base if whole else Ink.DIM), width, base)


def header(scene: Scene, width: int) -> list[Line]:
    """Return the header of a run: two lines, and one for each thing that shouts."""
    info = scene.snap.info
    left = f"{info.estate}  {info.runbook}  {scene.state.route}"
    lost = bool(scene.state.lost)
    taken = len(left) + 13 + 12 * lost
    right = _who(scene, width)
    if info.shortened and width - taken - len(right) < len(_SHORT[-1]):
        right = _who(scene, 0)
    room = width - taken - len(right)
    short = next((words for words in _SHORT if len(words) <= room), "")
    said = left + short * bool(info.shortened)
    first = banner(scene.look, info.mode, said, right, width, emergency=lost)
    return [
        _replayed(scene, left, width) if scene.snap.playing else first,
        _clocks(scene, width),
        *_shouts(scene, width),
    ]


def _replayed(scene: Scene, left: str, width: int) -> Line:
    """Return the first line of a replay: its own word over the whole width, then what the run was, and where one is in it."""
    playing, info = scene.snap.playing, scene.snap.info
    assert playing is not None
    glyph, how = scene.look.mode(Mode.REPLAY)
    lost = " EMERGENCY" if scene.state.lost else ""
    speed = f"{playing.speed:g}x" if playing.speed else "max"
    how_it_goes = "paused" if playing.paused else speed
    where = f"{how_it_goes}  {clock(scene.at)}/{clock(playing.length)}"
    head = ink(f" {glyph} REPLAY of {info.mode.value}{lost}, {info.started:%d %b}  {left}", how)
    return spread(head, ink(f" {where} ", how), width, how)


def _who(scene: Scene, width: int) -> str:
    watchers = scene.snap.watchers
    names = f"{', '.join(watchers)} watch{'es' if len(watchers) == 1 else ''}" if watchers else ""
    if watchers and width < 72:
        names = f"+{len(watchers)}"
    me = f"you: {scene.snap.info.operator}"
    if scene.watching:
        me = f"watching {scene.state.driver or 'a held run'}"
    return "  ".join(part for part in (zulu(scene.wall), me, names) if part)


def _clocks(scene: Scene, width: int) -> Line:
    snap = scene.snap
    parts = [row(ink(" T+ ", Ink.DIM), ink(clock(_elapsed(scene)), Ink.BOLD), *_target(scene))]
    stood = halted_for(snap)
    if stood:
        parts.append(row(ink("halted ", Ink.DIM), ink(clock(stood), Ink.BOLD)))
    if snap.restored is not None:
        parts.append(row(ink("restored in ", Ink.DIM), ink(clock(snap.restored), Ink.BOLD)))
    elif snap.turn_back_by is not None:
        late = scene.at > snap.turn_back_by
        parts.append(row(ink("turn back by ", Ink.DIM), ink(clock(snap.turn_back_by), Ink.ERROR if late else Ink.BOLD)))
    owed = scene.state.owed
    if owed:
        parts.append(ink(f"{scene.look.glyph(Mark.OWED)} {len(owed)} owed", Ink.LOUD))
    line = EMPTY
    for part in parts:
        line = _joined(line, part, width)
    for one in snap.headline:
        whole = row(*figure(one, scene.age))
        fits = whole.width <= width - line.width - 3
        line = _joined(line, whole if fits else row(*figure(one, scene.age, brief=True)), width)
    return fit(line, width)


def _joined(line: Line, part: Line, width: int) -> Line:
    room = width - line.width - 3
    if line and room < min(part.width, 12):
        return line
    return row(line, "   " if line else "", part if part.width <= room else fit(part, room))


def figure(line: HeadLine, at: float, *, brief: bool = False) -> tuple[Line, Line, Line]:
    """Return a figure's label, its value as it is now, and how long ago that was seen; an age grows by itself.

    In brief several names are only counted.
    """
    value, over = line.shown(at)
    names = value.replace(",", " ").split()
    if brief and len(names) > 1 and line.grows is None and not line.note:
        value = str(len(names))
    old = line.old(at)
    seen = ink(f", {show_duration(old - old % 60)} ago", Ink.DIM) if old >= OLD else EMPTY
    return ink(f"{line.label} ", Ink.DIM), ink(value, Ink.LOUD if over else Ink.TEXT), seen


def _elapsed(scene: Scene) -> float:
    return scene.at if scene.snap.restored is None else scene.snap.restored


def _target(scene: Scene) -> list[Line]:
    rto = scene.snap.info.rto
    if not rto:
        return []
    over = scene.snap.restored is None and scene.at > rto
    return [ink(" of ", Ink.DIM), ink(clock(rto), Ink.ERROR if over else Ink.TEXT)]


def _shouts(scene: Scene, width: int) -> list[Line]:
    state, look = scene.state, scene.look
    found: list[Line] = []
    playing = scene.snap.playing
    if playing and playing.spread:
        found.append(ink(" When output came is not recorded: it is spread over the time of its step", Ink.WARNING))
    if playing and not playing.kept:
        found.append(ink(" How far a step was, and which links were up, is not in this record", Ink.DIM))
    if scene.snap.damage:
        found.append(
            ink(f" ! THE RECORD IS NOT WHOLE: {scene.snap.damage}. Shown is what stands before that ", Ink.ALARM)
        )
    asked = scene.snap.relief
    if asked and not state.held:
        left = max(0.0, asked.until - scene.at)
        when = "once the step has ended" if asked.handing else f"may take it in {left:.0f} s" if left else "may take it"
        note = f': "{asked.note}"' if asked.note else ""
        found.append(ink(f" ? {asked.who} asks for this run ({when}; A answers){note} ", Ink.TURN))
    if state.halted:
        found.append(ink(f" ! HALTED by {state.halted.by}, who instructs: {state.halted.why} ", Ink.LOUD))
    for card in state.open_cards[:1]:
        more = f" (+{len(state.open_cards) - 1})" if len(state.open_cards) > 1 else ""
        found.append(ink(f" ? {card.by}: {card.says} (A answers){more} ", Ink.TURN))
    if scene.snap.trouble:
        found.append(ink(f" ! NOTHING IS SENT ANY MORE: {scene.snap.trouble} ", Ink.ALARM))
    for guard in state.outline.guards:
        if guard.id in state.tripped:
            seen = state.tripped[guard.id]
            words = f" ! {guard.title}. {guard.means}" + (f" ({seen})" if seen else "")
            found.append(ink(words + " ", Ink.ALARM))
    differs = [step for step, now in state.begun() if now.differs]
    if differs:
        more = f" (and {len(differs) - 1} more)" if len(differs) > 1 else ""
        found.append(ink(f" ! Not as it was: {differs[0].name}: {state.step(differs[0].id).differs}{more} ", Ink.ALARM))
    if order.interrupted(state) is not None:
        found.append(ink(" ! An undo was interrupted: what it had still to undo stands changed ", Ink.ALARM))
    if state.claim_refused:
        found.append(ink(f" ! The estate is held by {state.claim_refused} ", Ink.ALARM))
    if state.closed:
        found.append(ink(f" {look.glyph(Mark.HELD)} CLOSED: {state.closed}", Ink.LOUD))
    elif state.held and ends.outcome(state) not in (Outcome.DONE, Outcome.UNDONE):
        why = f": {state.held_why}" if state.held_why else ""
        gone = "this console drives no more" if ends.handed_to(state) else "nobody drives, nothing is sent"
        found.append(ink(f" {look.glyph(Mark.HELD)} HELD{why}: {gone}", Ink.LOUD))
    if scene.snap.info.mode is Mode.LIVE and scene.snap.info.reason:
        found.append(ink(f" This digest was never drilled: {scene.snap.info.reason}", Ink.WARNING))
    return [fit(line, width) for line in found]


def title_of(snap: Snapshot | None, when: datetime | None = None) -> str:
    """Return the window's title: the mode comes first, wherever the window is listed."""
    if snap is None:
        return "handrail"
    lost = " EMERGENCY" if snap.state.lost else ""
    if snap.playing:
        return f"REPLAY of {snap.info.mode.value}{lost} {snap.info.runbook} on {snap.info.estate} - handrail"
    return f"{snap.info.mode.value}{lost} {snap.info.runbook} on {snap.info.estate} - handrail"
