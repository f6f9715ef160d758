"""The confirm screen: one box, nothing beside it. Pure: it paints a gate; the page takes what is typed."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine.decide_forward import RECHECK_AGE, gate_closed
from handrail.engine.outline import StepOutline
from handrail.engine.results import Gate, Recheck
from handrail.engine.typed import first_wrong, same_value
from handrail.tui.entry import Entry
from handrail.tui.look import LINES, Mark
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

WIDEST = 76
_LABEL = 13


def needs_reason(scene: Scene, gate: Gate) -> bool:
    """Tell whether a typed reason is asked: a recheck could not be asked, on a route with lost roles."""
    return bool(scene.state.lost) and any(r.holds is None for r in gate.rechecks)


def closed(scene: Scene, step: StepOutline, gate: Gate, reason: str) -> str:
    """Return why the gate cannot be passed at this moment, or nothing."""
    return gate_closed(scene.state, gate, m.Confirm(step.id, gate.token, reason, at=scene.at))


def may_send(scene: Scene, step: StepOutline, gate: Gate, typed: str, reason: str) -> bool:
    """Tell whether enter is alive: what is typed matches, and nothing closes the gate."""
    return same_value(typed, gate.token) and not closed(scene, step, gate, reason)


def gate_box(
    scene: Scene,
    step: StepOutline,
    gate: Gate,
    entry: Entry,
    reason: Entry,
    width: int,
    height: int,
    *,
    on_reason: bool,
) -> list[Line]:
    """Return the body of the confirm screen: exactly `height` rows, the box in their middle."""
    outer = min(WIDEST, width - (8 if width >= 76 else 2))
    inner = outer - 4
    head = _facts(gate, inner) + _wall(step, inner)
    tail = _typing(scene, step, gate, entry, reason, inner, on_reason=on_reason)
    room = height - 2 - len(tail)
    rechecks = _rechecks(scene, gate, inner)
    if room - len(head) - len(rechecks) >= 2:
        asked = [EMPTY, *rechecks] if rechecks else []
        below = [EMPTY] if room > len(head) + len(rechecks) + 2 else []
        body = [EMPTY, *head, *asked, EMPTY, *tail, *below]
    else:
        short = [*_facts(gate, inner, most=1), *_wall(step, inner)]
        body = [*_shortened(short, _rechecks(scene, gate, inner, most=1), room), *tail]
    boxed = _box(scene, step, body, outer)
    left = (width - outer) // 2
    above = max(0, (height - len(boxed)) // 2)
    rows = [EMPTY] * above + [row(" " * left, line) for line in boxed]
    return (rows + [EMPTY] * height)[:height]


def _shortened(head: list[Line], rechecks: list[Line], room: int) -> list[Line]:
    """Return the facts and rechecks that fit: now, then, undo and what must be typed are never left out."""
    kept = rechecks[: max(1, room - len(head))] if rechecks else []
    return [*head[: max(4, room - len(kept))], *kept]


def _facts(gate: Gate, width: int, most: int = 2) -> list[Line]:
    lines: list[Line] = []
    pairs = (
        ("Will change", gate.what, Ink.TEXT),
        ("        now", gate.now, Ink.TEXT),
        ("       then", gate.then, Ink.ACCENT),
        *(("" if at else "Read this", proof, Ink.ACCENT) for at, proof in enumerate(gate.proofs)),
        ("Undo", gate.undo, Ink.SECOND),
        ("Where", gate.where, Ink.TEXT),
        ("Stays", gate.stays, Ink.WARNING),
    )
    for label, value, how in pairs:
        if value:
            lines += hang(ink(label, Ink.DIM), value, width, at=_LABEL, how=how, most=most)
    return lines


def _wall(step: StepOutline, width: int) -> list[Line]:
    """Return what an irreversible step means, and which runbook goes on."""
    if not step.irreversible:
        return []
    on = f" On from there: {step.instead}." if step.instead else ""
    return hang(ink("No way back", Ink.ERROR), step.irreversible + on, width, at=_LABEL, how=Ink.ERROR, most=3)


def _rechecks(scene: Scene, gate: Gate, width: int, most: int = 2) -> list[Line]:
    lines: list[Line] = []
    outline = scene.state.outline
    asked = [r for r in gate.rechecks if not outline.has_step(r.step) or scene.state.needed(outline.step(r.step))]
    for at, recheck in enumerate(asked):
        label = ink("Rechecked" if at == 0 else "", Ink.DIM)
        mark, words = _recheck(scene, recheck, brief=most == 1)
        body = hang("", words, width - _LABEL, at=2, how=mark.ink if mark is not Mark.DONE else Ink.TEXT, most=most)
        glyph = ink(scene.look.glyph(mark), mark.ink)
        first = fit(label, _LABEL) + fit(glyph, 2) + Line(body[0].spans[1:])
        lines += [first, *(row(" " * _LABEL, line) for line in body[1:])]
    if gate.blocked:
        lines += hang(ink("Closed", Ink.ERROR), gate.blocked, width, at=_LABEL, how=Ink.ERROR, most=3)
    return lines


def _recheck(scene: Scene, recheck: Recheck, *, brief: bool) -> tuple[Mark, str]:
    age = max(0.0, scene.at - recheck.at)
    seen = f": {recheck.seen}" if recheck.seen else ""
    old = "" if age <= RECHECK_AGE else ", asked again now"
    if recheck.holds is None:
        return Mark.UNKNOWN, f"{recheck.title}: could not be asked{seen}, {age:.0f} s ago{old}"
    if recheck.holds:
        when = f"{age:.0f} s ago{old}"
        return Mark.DONE, f"{when}: {recheck.title}" if brief else f"{recheck.title}{seen}, {when}"
    return Mark.FAILED, f"{recheck.title} DOES NOT HOLD{seen}, {age:.0f} s ago"


def _typing(
    scene: Scene, step: StepOutline, gate: Gate, entry: Entry, reason: Entry, width: int, *, on_reason: bool
) -> list[Line]:
    lines: list[Line] = []
    if needs_reason(scene, gate):
        label = ink("Why without what could not be asked:  ", Ink.BOLD if on_reason else Ink.DIM)
        lines.append(row(label, reason.line(max(8, width - label.width), active=on_reason)))
    prompt = ink(f"Say it aloud, then type {gate.token}:  ", Ink.BOLD if not on_reason else Ink.DIM)
    room = max(12, width - prompt.width)
    lines.append(row(prompt, entry.line(room, token=gate.token, active=not on_reason)))
    return [*lines, *_state_of_enter(scene, step, gate, entry, reason, width)]


def _state_of_enter(scene: Scene, step: StepOutline, gate: Gate, entry: Entry, reason: Entry, width: int) -> list[Line]:
    away = ink("esc Not now", Ink.KEY, "not-now")
    if entry.dropped:
        said = ink(f"dropped: {entry.dropped}", Ink.LOUD)
    elif may_send(scene, step, gate, entry.value, reason.value):
        said = ink("it matches: enter sends it", Ink.ACCENT)
    elif same_value(entry.value, gate.token):
        return _closed_line(closed(scene, step, gate, reason.value), away, width)
    elif entry.value and first_wrong(entry.value, gate.token) is not None:
        said = ink("that is not it: backspace, or ctrl+u", Ink.ERROR)
    else:
        why = closed(scene, step, gate, reason.value or "…")
        if why:
            return _closed_line(why, away, width)
        said = ink("enter is dead until it matches", Ink.DIM)
    return [EMPTY, row(fit(said, width - away.width - 2), "  ", away)]


def _closed_line(why: str, away: Line, width: int) -> list[Line]:
    """Return why the gate is closed, on two lines."""
    said = [*wrap(why, width - away.width - 2, Ink.LOUD, 2), EMPTY]
    return [said[0], row(fit(said[1], width - away.width - 2), "  ", away)]


def _box(scene: Scene, step: StepOutline, body: list[Line], outer: int) -> list[Line]:
    stage = scene.state.outline.stage(step.stage)
    mark = LINES.get(stage.line)
    how = mark.ink if mark else Ink.ACCENT
    name = row(ink(f"{mark.word} ━ " if mark else "", how), ink(f"step {step.name}", Ink.BOLD))
    top = row(ink("┏━ ", how), fit(name, min(name.width, outer - 6)), " ")
    top = row(top, ink("━" * (outer - top.width - 1) + "┓", how))
    side = ink("┃", how)
    rows = [row(side, " ", fit(line, outer - 4), " ", side) for line in body]
    return [top, *rows, ink("┗" + "━" * (outer - 2) + "┛", how)]
