"""Opening the full screen for a command: a briefing, or a session, shown first."""

from __future__ import annotations

from handrail.session.api import BriefingApi
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.view import Mode


def brief_on_screen(desk: Desk, runbook: str, mode: Mode, told: Start) -> int:
    """Show the briefing of a runbook on the full screen; what was given as options is filled in."""
    from handrail.cli.sources import refuse_in_clear
    from handrail.runbook.read import read_runbook
    from handrail.runbook.shipped import find_runbook
    from handrail.tui.drive import run_app

    card = desk.card(find_runbook(runbook, desk.cwd))
    if not card.problems:
        refuse_in_clear(read_runbook(card.path).vars, told.values)

    async def make() -> BriefingApi:
        return await desk.brief(card, mode, lambda _line: None, told)

    return run_app(desk, make, mode_hint=mode.value)
