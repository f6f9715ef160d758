"""The home screen: held runs and what is owed first, then the runbooks and when they were last drilled. Pure."""

from __future__ import annotations

from datetime import datetime

from handrail.session.cards import Home, RunbookCard, RunCard, counted
from handrail.tui.clocks import ago, clock, day, show_duration, zulu
from handrail.tui.look import Look, Mark
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

LATEST = 3  # runs that are over, shown for the record


def held(home: Home) -> tuple[RunCard, ...]:
    """Return the runs that somebody may take up, or watch."""
    return tuple(r for r in home.runs if not r.damage and (r.driven or r.outcome in ("held", "undo-failed")))


def attention(home: Home, look: Look, width: int, run_at: int) -> list[Line]:
    """Return what stands open: held and driven runs, and what is owed."""
    lines = _damaged(home, look, width)
    for at, run in enumerate(held(home)[:4]):
        mark = Mark.NOW if run.driven else Mark.HELD
        word = "DRIVEN" if run.driven else "HELD"
        _, how = look.mode(run.mode)
        who = f" by {run.holder}" if run.driven else f", left by {run.operator}"
        head = row(
            " ",
            ink(look.glyph(mark), mark.ink),
            " ",
            ink(word, mark.ink),
            "  ",
            ink(f" {run.mode.value} ", how),
            ink(f" {run.estate}  {run.runbook}", Ink.BOLD if at == run_at else Ink.TEXT),
            ink(f"  {_where(run, width)}{who}", Ink.DIM),
        )
        lines.append(fit(head, width))
        if at == run_at:
            keys = "w Watch   r Take over" if run.driven else "r Resume   w Look on   C Close"
            lines.append(ink(f"     {keys}", Ink.KEY))
    owed = list(dict.fromkeys(what for run in home.runs for what in run.owed))
    for words in owed[:3]:
        mark = Mark.OWED
        lines += hang(
            row(" ", ink(look.glyph(mark), mark.ink), ink(" OWED  ", Ink.LOUD)), words, width - 1, at=9, most=2
        )
    return lines


def _damaged(home: Home, look: Look, width: int) -> list[Line]:
    """Return the runs whose record is not whole: nothing is claimed of them but where their record breaks off."""
    found = [
        f"{r.mode.value} {r.estate} {r.runbook}: {r.damage}; handrail audit {r.run}" for r in home.runs if r.damage
    ]
    lines: list[Line] = []
    for words in [*found, *home.unreadable][:3]:
        mark = Mark.FAILED
        head = row(" ", ink(look.glyph(mark), mark.ink), ink(" NOT WHOLE  ", mark.ink))
        lines += hang(head, words, width - 1, at=14, most=2)
    return lines


def _where(run: RunCard, width: int) -> str:
    where = run.where if width >= 110 else run.where.split(",")[0]
    return f"{where}, since {zulu(run.since or run.started)}"


def runbook_rows(
    home: Home, cards: tuple[RunbookCard, ...], at: int, look: Look, width: int, now: datetime
) -> list[Line]:
    """Return the table of runbooks."""
    wide = width >= 78
    name = max(18, min(30, width - 60))
    head = f"   {'runbook':{name}}  {'last drill':12}  "
    head += f"{'by':6}  {'restored':9}  {'due':7}  undo drilled" if wide else "due"
    lines = [fit(ink(head, Ink.DIM), width)]
    for number, card in enumerate(cards):
        chosen = number == at
        mark = Mark.CHOSEN if chosen else Mark.TO_COME
        due = "now" if card.due is None or card.due <= now else day(card.due)
        undo = _undo(card)
        title = ink(card.id, Ink.BOLD if chosen else Ink.TEXT, f"book:{number}")
        restored = clock(card.restored) if card.restored is not None else "-"
        drilled = f"{ago(card.last_drill, now):12}  "
        drilled += f"{card.last_by or '-':6.6}  {restored:9}  " if wide else ""
        line = row(" ", fit(ink(look.glyph(mark), mark.ink), look.wide), " ", fit(title, name + 2 - look.wide), " ")
        if card.problems:
            line = row(line, ink(f"does not read: {card.problems[0]}", Ink.ERROR))
        else:
            line = row(
                line, drilled, ink(f"{due:7}", Ink.WARNING if due == "now" else Ink.TEXT), f"  {undo}" if wide else ""
            )
        lines.append(fit(line, width))
    return lines


def _undo(card: RunbookCard) -> str:
    if not card.undoable:
        return "-"
    if card.undo_drilled >= card.undoable:
        return "all"
    return f"{card.undo_drilled} of {card.undoable}"


def about(card: RunbookCard, width: int) -> list[Line]:
    """Return what one runbook is, the least important last."""
    if card.problems:
        lines = [ink(f" {card.id}", Ink.BOLD)]
        for problem in card.problems[:4]:
            lines += [row(" ", line) for line in wrap(problem, width - 2, Ink.ERROR, 2)]
        return [*lines, ink(f" handrail lint {card.path}", Ink.ACCENT)]
    facts = f"{card.stages} stages, {counted(card.steps, card.derived)}."
    if card.target:
        facts += f" Target {show_duration(card.target)}."
    facts += _last_time(card)
    if card.people_due:
        facts += f" Due: {', '.join(card.people_due)}."
    if card.changed and card.last_drill:
        facts += f" {len(card.changed)} change{'' if len(card.changed) == 1 else 's'} since the last drill (v)."
    lines = [row(" ", ink(card.title, Ink.BOLD)), *(row(" ", line) for line in wrap(facts, width - 2, Ink.DIM))]
    if card.last_drill and card.undo_never:
        numbers = ", ".join(step.partition(" ")[0] for step in card.undo_never)
        lines += [row(" ", line) for line in wrap(f"Undo never drilled (o): {numbers}.", width - 2, Ink.WARNING, 2)]
    return [*lines, *(row(" ", line) for line in wrap(card.summary, width - 2, Ink.TEXT, 3))]


def _last_time(card: RunbookCard) -> str:
    """Return the figures of the last drill, where there are any."""
    if card.restored is None:
        return f" The last drill took {clock(card.took)}." if card.took is not None else ""
    over = " (over target)" if card.target and card.restored > card.target else ""
    whole = f", {clock(card.took)} in all" if card.took is not None else ""
    return f" The last drill: restored in {clock(card.restored)}{over}{whole}."


def verbs(width: int, *, live: bool = True) -> list[Line]:
    """Return what can be done with a runbook."""
    rows = [
        ("d", "Drill", "on the simulated estate, nothing real is touched"),
        ("p", "Plan", "read it through, every command and what undoes it"),
        ("c", "Check", "read-only, against the real estate: ready or not"),
        ("R", "Run LIVE", "opens the briefing"),
    ]
    lines = [ink(" What do you want to do?", Ink.BOLD)]
    for key, label, says in rows[: None if live else 2]:
        act = {"d": "key:drill", "p": "key:plan", "c": "key:check", "R": "key:live"}[key]
        lines.append(
            fit(
                row("   ", ink(key, Ink.KEY, act), fit(ink(f"  {label}", Ink.TEXT, act), 13), ink(says, Ink.DIM)), width
            )
        )
    return lines


def record(home: Home, look: Look, width: int, most: int) -> list[Line]:
    """Return the runs that are over, newest first."""
    over = [r for r in home.runs if r not in held(home)][:most]
    if not over:
        return []
    lines = [ink(" Latest runs", Ink.BOLD)]
    for run in over:
        glyph, how = look.mode(run.mode)
        outcome = "record not whole" if run.damage else run.outcome
        words = f"{run.started:%d %b %H:%M}Z  {run.runbook}  {outcome}  {run.operator}"
        lines.append(fit(row("   ", ink(f" {glyph} {run.mode.value} ", how), f"  {words}"), width))
    return lines


def empty(width: int) -> list[Line]:
    """Return the first screen of somebody who has no runbooks yet."""
    return [
        EMPTY,
        ink(" Welcome. There are no runbooks in this folder yet.", Ink.BOLD),
        EMPTY,
        row("   Drill the built-in failover   ", ink("handrail drill", Ink.ACCENT), "   2 minutes, nothing real"),
        row("   Write my runbook              ", ink("handrail init", Ink.ACCENT)),
        row("   Read the words and the keys   ", ink("?", Ink.KEY)),
    ]
