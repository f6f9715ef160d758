"""Home and the list of runs as lines of plain text. Pure; everything is made safe here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from handrail.base.safe import Safe, safe
from handrail.session.cards import Home, RunCard


def home_lines(home: Home) -> Iterator[Safe]:
    """Yield home in words."""
    held = [run for run in home.runs if run.outcome in ("held", "undo-failed")]
    for run in held[:5]:
        driven = f", driven by {run.holder}" if run.driven else ""
        yield safe(f"HELD {run.mode.value} {run.estate} {run.runbook}: {run.where}, run {run.run}{driven}")
    for run in home.runs:
        for owed in run.owed if run.outcome != "closed" else ():
            yield safe(f"OWED {run.mode.value} {owed}, run {run.run}")
    yield Safe("")
    for card in home.runbooks:
        if card.problems:
            yield safe(f"{card.id}: cannot be read: {card.problems[0]}")
            continue
        last = f"last drilled {_ago(card.last_drill)} by {card.last_by}" if card.last_drill else "never drilled"
        changed = "; changed since" if card.changed else ""
        yield safe(f"{card.id}: {card.title}. {card.stages} stages, {card.steps} steps, {last}{changed}")
    yield Safe("")
    yield Safe("handrail drill RUNBOOK    rehearse it on the simulated estate, nothing real is touched")
    yield Safe("handrail plan RUNBOOK --estate FILE    read it through; changes nothing")
    yield Safe("handrail run RUNBOOK --estate FILE     LIVE")
    yield Safe("handrail --help           everything else")


def _ago(when: datetime) -> str:
    days = (datetime.now(UTC) - when).days
    return "today" if days < 1 else ("yesterday" if days == 1 else f"{days} days ago")


def run_line(run: RunCard) -> Safe:
    """Return one run in one line."""
    owed = f", {len(run.owed)} owed" if run.owed else ""
    driven = f", driven by {run.holder}" if run.driven else ""
    return safe(
        f"{run.run}  {'running' if run.driven else run.outcome:11} {run.mode.value:9} {run.runbook} on {run.estate}, {run.where}"
        f", {run.operator}, {run.started:%Y-%m-%d %H:%MZ}{owed}{driven}"
    )
