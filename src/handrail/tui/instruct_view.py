"""The instructor's screen: every drill in a row, and all that is known of the marked one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from handrail.session.cards import DrillView
from handrail.tui.clocks import clock
from handrail.tui.look import Look, Mark
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

QUIET: Final = 60.0  # seconds of silence that an instructor wants to see
_WHO: Final = 10


def rows(drills: Sequence[DrillView], at: int, look: Look, width: int) -> list[Line]:
    """Return the table of drills."""
    room = width - _WHO - 24
    where, waits = room * 11 // 20, room - room * 11 // 20
    lines = [fit(ink(f"   {'who':{_WHO}} {'where':{where}} {'waits for':{waits}}  silent     T+", Ink.DIM), width)]
    for number, drill in enumerate(drills):
        chosen = number == at
        mark = Mark.CHOSEN if chosen else Mark.TO_COME
        how = Ink.BOLD if chosen else Ink.TEXT
        quiet = drill.driven and drill.silent >= QUIET
        shout = bool(drill.halted) or not drill.driven
        waiting = "halted" if drill.halted else drill.waits.removeprefix(f"{drill.who}: ")
        line = row(
            " ",
            fit(ink(look.glyph(mark), mark.ink), look.wide),
            " ",
            fit(ink(drill.who, how, f"drill:{number}"), _WHO),
            " ",
            fit(ink(drill.where.partition(", ")[2] or drill.where, how), where),
            " ",
            fit(ink(waiting, Ink.WARNING if shout else Ink.TEXT), waits),
            ink(f"  {clock(drill.silent):>6}", Ink.WARNING if quiet else Ink.DIM),
            ink(f"  {clock(drill.at):>6}", Ink.DIM),
        )
        lines.append(fit(line, width))
    return lines


def about(drill: DrillView, width: int) -> list[Line]:
    """Return all that is known of one drill, the most important first."""
    scenario = f"  scenario: {drill.scenario}" if drill.scenario else ""
    lines = [row(" ", ink(drill.who, Ink.BOLD), ink(f"  {drill.runbook}{scenario}", Ink.TEXT))]
    for label, words, how in _facts(drill):
        lines += hang(ink(f"   {label:10}", Ink.DIM), words, width - 1, at=14, most=2, how=how)
    return [fit(line, width) for line in lines]


def _facts(drill: DrillView) -> Iterator[tuple[str, str, Ink]]:
    if drill.halted:
        yield "HALTED", drill.halted, Ink.WARNING
    yield "where", drill.where, Ink.TEXT
    yield "waits for", drill.waits, Ink.TEXT
    if drill.slips:
        yield "slips", f"{drill.slips}, the last: {drill.last_slip}", Ink.WARNING
    told = [f"{drill.cards} not answered"] * bool(drill.cards)
    if told:
        yield "messages", ", ".join(told), Ink.TEXT
    if drill.faults:
        yield "faults", f"{drill.faults} made by an instructor", Ink.TEXT
    yield "run", drill.run, Ink.DIM


def empty(width: int) -> list[Line]:
    """Return what stands where no drill goes on."""
    says = "No drill goes on here. As soon as somebody begins one (handrail drill), it stands on this screen."
    return [EMPTY, *(row(" ", line) for line in wrap(says, width - 2, Ink.TEXT))]
