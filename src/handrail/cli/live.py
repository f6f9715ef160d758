"""LIVE from the command line: on a terminal through the briefing; without one only what the runbook allows unattended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import click

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.cli.front import Typing, drive_plain, full_screen, run_plain
from handrail.cli.hearing import heard
from handrail.cli.sources import refuse_in_clear
from handrail.cli.standing import lines
from handrail.engine import messages as m
from handrail.engine.state import State
from handrail.plain.auto import Auto
from handrail.runbook.read import read_runbook
from handrail.runbook.shipped import find_runbook
from handrail.session.api import SessionApi
from handrail.session.cards import RunbookCard, Start
from handrail.session.desk import Desk
from handrail.session.exits import Exit
from handrail.session.view import Mode
from handrail.store.drills import drills_of


def run_live(
    desk: Desk,
    runbook: str,
    *,
    plain: bool,
    as_json: bool,
    values: tuple[tuple[str, str], ...],
    route: str,
    confirms: tuple[str, ...],
    since: str,
    reason: str,
    incident: str,
    typed: str,
    successor_of: str,
    unattended: bool = False,
) -> int:
    """Run LIVE and return the exit code. `unattended`: nobody is there, and nothing is printed when all is well."""
    told = Start(route, values, reason, incident, since, emergency=reason, successor_of=successor_of)
    if full_screen(plain or as_json or unattended):
        from handrail.cli.screen import brief_on_screen

        return brief_on_screen(desk, runbook, Mode.LIVE, told)
    card = desk.card(find_runbook(runbook, desk.cwd))
    person = sys.stdin.isatty() and not unattended
    words = _confirms(confirms)
    if not person:
        _unattended(desk, card, words)
    refuse_in_clear(read_runbook(card.path).vars, values)

    async def make(typing: Typing | None) -> SessionApi:
        briefing = await desk.brief(card, Mode.LIVE, lambda _line: None, told)
        try:
            answers = await heard(briefing, replace(told, typed=typed), typing)
            return await briefing.start(answers if person else replace(told, typed=briefing.view.type_name))
        except BaseException:
            await briefing.close()
            raise

    if unattended and not as_json:
        return asyncio.run(_quietly(make, Auto(words)))
    return run_plain(make, answers=None if person else Auto(words), json=as_json)


async def _quietly(make: Callable[[Typing | None], Awaitable[SessionApi]], answers: Auto) -> int:
    """Drive a run that nobody watches: say nothing when it is done, else what does not hold.

    One that has changed nothing is closed when it stands: it is tried again at the next turn of its timer. One that has
    waits for a person.
    """

    def over(state: State) -> m.Intent | None:
        return None if state.started else m.Close("unattended: nothing was changed, and the next one tries again")

    session = await make(None)
    code = await drive_plain(session, answers=answers, quiet=True, last=over)
    shown = session.snapshot
    if code is not Exit.DONE:
        for line in lines(shown):
            click.echo(line, err=True)
        where = "nothing was changed" if not shown.state.started else f"it waits: handrail resume {shown.info.run}"
        click.echo(safe(f"{shown.info.runbook} on {shown.info.estate} is not done; {where}"), err=True)
    return int(code)


def _confirms(confirms: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for text in confirms:
        step, sign, value = text.partition("=")
        if not sign:
            raise trouble("usage", f"{text!r} is not STAGE/STEP=VALUE")
        made[step] = value
    return made


def _unattended(desk: Desk, card: RunbookCard, given: dict[str, str]) -> None:
    """Refuse what may not run without a person."""
    runbook = read_runbook(card.path)
    if not runbook.head.unattended:
        hint = "run it from a terminal, or set unattended = true in [runbook]"
        raise trouble("undrilled", f"{runbook.id} may not run without a terminal", hint)
    if not drills_of(desk.store, digest=card.digest):
        raise trouble("undrilled", f"{runbook.id} was never drilled at this digest: unattended it is refused")
    missing = [p.name for p in runbook.places if p.step.confirm and p.name not in given]
    if missing:
        raise trouble("undrilled", f"without a terminal every confirmation is given beforehand: {', '.join(missing)}")
