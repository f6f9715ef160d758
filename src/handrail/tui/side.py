"""The third column, from 140 columns on: why, what good looks like, what wrong means, clocks, guards, timeline. Pure."""

from __future__ import annotations

from handrail.engine import order
from handrail.engine.outline import GuardOutline, StepOutline
from handrail.session.view import HeadLine
from handrail.tui.clocks import clock, show_duration
from handrail.tui.header import figure
from handrail.tui.look import Mark
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, spread, wrap


def side(scene: Scene, step: StepOutline | None, width: int, height: int) -> list[Line]:
    """Return the right column: exactly `height` rows."""
    parts: list[list[Line]] = []
    if step is not None:
        text = scene.text(step.id)
        parts.append(_words("WHY THIS STEP", text.why, width))
        good = text.good + (f" Sample: {text.sample}" if text.sample else "")
        parts.append(_words("WHAT GOOD LOOKS LIKE", good, width))
        parts.append(_wrong(scene, step, width))
    parts += [_clocks(scene, width), _guards(scene, width), _hosts(scene, width), _timeline(scene, width, 8)]
    lines: list[Line] = []
    for part in parts:
        if part and len(lines) + len(part) <= height:
            lines += [*part, EMPTY]
    return [fit(line, width) for line in (lines + [EMPTY] * height)[:height]]


def _head(title: str) -> Line:
    return ink(f" {title}", Ink.BOLD)


def _words(title: str, words: str, width: int) -> list[Line]:
    if not words:
        return []
    return [_head(title), *(row(" ", line) for line in wrap(words, width - 2, Ink.DIM, 6))]


def _wrong(scene: Scene, step: StepOutline, width: int) -> list[Line]:
    wrong = scene.text(step.id).wrong
    if not wrong:
        return []
    lines = [_head("IF IT GOES WRONG")]
    for one in wrong[:4]:
        words = one.means + (f" Next: {one.next}" if one.next else "")
        lines += [row(" ", line) for line in wrap(one.when, width - 2, Ink.WARNING, 2)]
        lines += [row("   ", line) for line in wrap(words, width - 4, Ink.DIM, 3)]
    return lines


def _clocks(scene: Scene, width: int) -> list[Line]:
    snap, info = scene.snap, scene.snap.info
    pairs = [("since the start", clock(scene.at), Ink.BOLD)]
    if info.rto:
        left = info.rto - scene.at
        pairs.append(("target", clock(info.rto) + (f" until {info.rto_until}" if info.rto_until else ""), Ink.TEXT))
        if snap.restored is None:
            pairs.append(
                (
                    "left of it",
                    clock(left) if left >= 0 else f"over by {clock(-left)}",
                    Ink.TEXT if left >= 0 else Ink.ERROR,
                )
            )
    if snap.restored is not None:
        pairs.append(("restored in", clock(snap.restored), Ink.BOLD))
    if snap.turn_back_by is not None:
        pairs.append(
            ("turn back by", clock(snap.turn_back_by), Ink.ERROR if scene.at > snap.turn_back_by else Ink.BOLD)
        )
    pairs += [_figure(line, scene.age) for line in snap.headline]
    if info.shortened:
        pairs.append(("shortened", info.shortened, Ink.WARNING))
    lines = [_head("CLOCKS")]
    for label, value, how in pairs:
        if len(label) + len(value) + 4 <= width:
            lines.append(spread(ink(f" {label}", Ink.DIM), ink(f"{value} ", how), width))
        else:
            lines += hang(ink(f" {label}", Ink.DIM), value, width - 1, at=len(label) + 3, how=how, most=3)
    return lines


def _figure(line: HeadLine, at: float) -> tuple[str, str, Ink]:
    _, value, seen = figure(line, at)
    return line.label, value.plain + seen.plain, value.spans[0].ink


def _guards(scene: Scene, width: int) -> list[Line]:
    guards = scene.state.outline.guards
    if not guards:
        return []
    lines = [_head("GUARDS")]
    return [*lines, *(_guard(scene, guard, width) for guard in guards)]


def _guard(scene: Scene, guard: GuardOutline, width: int) -> Line:
    watching = not guard.after or scene.state.step(guard.after).word in order.FINISHED
    mark, word = (Mark.NOW, "watches") if watching else (Mark.TO_COME, "not yet")
    if guard.id in scene.state.tripped:
        mark, word = Mark.FAILED, "TRIPPED"
    left = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(guard.title, Ink.DIM))
    return spread(left, ink(f"{word} ", mark.ink), width)


def _hosts(scene: Scene, width: int) -> list[Line]:
    if not scene.snap.hosts:
        return []
    lines = [_head("HOSTS")]
    for host in scene.snap.hosts[:12]:
        trip = f"{host.round_trip * 1000:.0f} ms" if host.round_trip is not None else ""
        how = {"up": Ink.DIM, "no link": Ink.WARNING, "stale": Ink.WARNING}.get(host.link, Ink.MUTED)
        left = row(" ", ink(host.name, Ink.TEXT), ink(f"  {host.address}", Ink.DIM))
        lines.append(spread(left, ink(f"{trip} {host.link or '-'} ", how), width))
    return lines


def _timeline(scene: Scene, width: int, most: int) -> list[Line]:
    state = scene.state
    told: list[tuple[float, str, Ink]] = [(n.at, f"{n.by}: {n.text}", Ink.CALM) for n in state.notes]
    for step, now in state.walked():
        for attempt in now.attempts:
            if attempt.ended is not None and attempt.verdict is not None:
                took = show_duration(attempt.ended - attempt.started)
                way = "undo " if attempt.way.value == "back" else ""
                told.append((attempt.ended, f"{way}{step.number} {attempt.verdict.value}, {took}", Ink.DIM))
    told.sort(key=lambda one: one[0])
    if not told:
        return []
    rows = [fit(row(ink(f" {clock(at)} ", Ink.MUTED), ink(words, how)), width) for at, words, how in told[-most:]]
    return [_head("TIMELINE"), *rows]
