"""Home and the list of runs as lines of plain text. Pure; everything is made safe here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from handrail.base.durations import show_clock
from handrail.base.safe import Safe, safe
from handrail.session.cards import Home, RunbookCard, RunCard, counted


def home_lines(home: Home) -> Iterator[Safe]:
    """Yield home in words."""
    yield from _damaged(home)
    held = [run for run in home.runs if not run.damage and (run.driven or run.outcome in ("held", "undo-failed"))]
    for run in held[:5]:
        yield safe(f"{_standing(run)}  {run.mode.value} {run.estate} {run.runbook}: {run.where}, run {run.run}")
    for run in home.runs:
        for owed in run.owed if run.outcome != "closed" else ():
            yield safe(f"OWED {run.mode.value} {owed}, run {run.run}")
    yield Safe("")
    for card in home.runbooks:
        if card.problems:
            yield safe(f"{card.id}: cannot be read: {card.problems[0]}")
            continue
        last = f"last drilled {_ago(card.last_drill)} by {card.last_by}" if card.last_drill else "never drilled"
        yield safe(f"{card.id}: {card.title}. {card.stages} stages, {counted(card.steps, card.derived)}, {last}")
        yield from _rehearsed(card)
    yield Safe("")
    yield Safe("handrail drill RUNBOOK    rehearse it on the simulated estate, nothing real is touched")
    yield Safe("handrail plan RUNBOOK --estate FILE    read it through; changes nothing")
    yield Safe("handrail run RUNBOOK --estate FILE     LIVE")
    yield Safe("handrail --help           everything else")


def _rehearsed(card: RunbookCard) -> Iterator[Safe]:
    """Yield what the last drill came to, which undos never were drilled, and what changed since."""
    if card.last_drill is None:
        return
    target = f", target {show_clock(card.target)}" if card.target else ""
    if card.restored is not None:
        yield safe(f"    restored in {show_clock(card.restored)}{target}")
    if card.people_due:
        yield safe(f"    due to drill it again: {', '.join(card.people_due)}", 300)
    if card.undo_never:
        more = f", and {len(card.undo_never) - 4} more" if len(card.undo_never) > 4 else ""
        what = "; ".join(card.undo_never[:4])
        yield safe(f"    undo never drilled since the file was changed: {what}{more}", 300)
    for line in card.changed[:6]:
        yield safe(f"    since then: {line}", 200)


def _damaged(home: Home) -> Iterator[Safe]:
    for run in home.runs:
        if run.damage:
            what = f"NOT WHOLE {run.mode.value} {run.estate} {run.runbook}, run {run.run}: {run.damage}"
            yield safe(f"{what}; look with: handrail audit {run.run}")
    for line in home.unreadable:
        yield safe(f"NOT READABLE {line}")


def _standing(run: RunCard) -> str:
    """Return "HELD since 03:04Z, left by maria", or who drives it since when."""
    since = f" since {moment(run.since)}" if run.since else ""
    return f"DRIVEN by {run.holder}{since}" if run.driven else f"HELD{since}, left by {run.operator}"


def moment(when: datetime) -> str:
    """Return "03:04Z" for a time of today, else with its date; UTC."""
    today = when.astimezone(UTC).date() == datetime.now(UTC).date()
    return when.astimezone(UTC).strftime("%H:%MZ" if today else "%Y-%m-%d %H:%MZ")


def _ago(when: datetime) -> str:
    days = (datetime.now(UTC) - when).days
    return "today" if days < 1 else ("yesterday" if days == 1 else f"{days} days ago")


def run_line(run: RunCard) -> Safe:
    """Return one run in one line; of one whose record is damaged nothing is said but where its record breaks off."""
    head = f"{run.mode.value:9} {run.runbook} on {run.estate}"
    began = f"{run.operator}, began {run.started:%Y-%m-%d %H:%MZ}"
    if run.damage:
        return safe(f"{run.run}  {'NOT WHOLE':11} {head}, {run.damage}; before that: {run.where}, {began}")
    owed = f", {len(run.owed)} owed" if run.owed else ""
    held = f", held since {moment(run.since)}" if run.outcome == "held" and run.since else ""
    driven = f", driven by {run.holder}" + (f" since {moment(run.since)}" if run.since else "")
    return safe(
        f"{run.run}  {'running' if run.driven else run.outcome:11} {head}, {run.where}"
        f"{driven if run.driven else held}, {began}{owed}"
    )
