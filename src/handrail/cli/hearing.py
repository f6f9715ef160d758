"""A briefing without the full screen: who answers, and what is still missing, asked line by line of the person here."""

from __future__ import annotations

from dataclasses import replace

from handrail.base.safe import safe
from handrail.cli.front import Typing
from handrail.plain.asked import Hearing
from handrail.session.briefing import Briefing
from handrail.session.cards import BriefingView, Start


async def heard(briefing: Briefing, start: Start, typing: Typing | None) -> Start:
    """Return the start with what the briefing wants and nobody has given; without a person, as it is."""
    if typing is None:
        return start
    view = await Hearing(briefing, typing.lines, typing.asked).run()
    values = dict(start.values)
    for wanted in view.wanted:
        if wanted.name not in values:
            about = f"{wanted.name} ({wanted.type}){f': {wanted.help}' if wanted.help else ''}"
            values[wanted.name] = await typing.ask(safe(f"{about}, give it:"), hidden=wanted.secret)
    typed = start.typed or await _name(view, typing)
    return replace(start, values=tuple(values.items()), typed=typed)


async def _name(view: BriefingView, typing: Typing) -> str:
    if not view.type_name:
        return ""
    for warning in view.warnings:
        typing.asked.put(safe(warning))
    return await typing.ask(safe(f"{view.mode.value} on {view.estate}. Type the estate's name to start:"))
