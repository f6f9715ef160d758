"""check: walk the reading steps from the top, and say whether the estate is ready; for people, for JSON, for Prometheus.

Made for timers: quiet when well, the same words for the same fault, and a textfile that never says ready by mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from handrail.base.clock import SystemClock
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.cli.front import a_person, drive_plain
from handrail.cli.hearing import heard
from handrail.cli.kept import needed, remove
from handrail.cli.metrics import Figures, textfile, write
from handrail.cli.sources import refuse_in_clear
from handrail.cli.standing import PASSED, asked, lines, means, seen
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.runbook.estate import read_estate
from handrail.runbook.read import read_runbook
from handrail.runbook.shipped import find_runbook
from handrail.session.api import SessionApi
from handrail.session.cards import RunbookCard, Start
from handrail.session.desk import Desk
from handrail.session.exits import Exit
from handrail.session.view import Mode, Snapshot
from handrail.store.drills import drills_of

KEPT: Final = 20  # records of checks of one runbook on one estate; a timer makes hundreds a day


@dataclass(frozen=True)
class Wishes:
    """What is to come out of a check."""

    as_json: bool = False
    prometheus: Path | None = None
    quiet: bool = False


class Walk:
    """Answers for a check: goes on, and stops where something does not hold."""

    def next_intent(self, session: SessionApi) -> Intent | None:
        """Go on whenever that is possible."""
        offer = next((o for o in session.allowed() if o.verb == "go" and o.granted), None)
        return offer.intent if offer else None

    def is_over(self, state: State) -> bool:
        """Tell whether every step has been asked, or one stands."""
        if order.busy(state):
            return False
        return order.next_step(state) is None or order.standing(state) is not None


def run_check(desk: Desk, runbook: str, route: str, values: tuple[tuple[str, str], ...], wishes: Wishes) -> int:
    """Check, write what was asked for, and return 0 when ready, 3 when a host cannot be reached, else 1."""
    card = desk.card(find_runbook(runbook, desk.cwd))
    refuse_in_clear(read_runbook(card.path).vars, values)
    try:
        return asyncio.run(_check(desk, card, route, values, wishes))
    except (Trouble, OSError):
        if wishes.prometheus:  # what was written before must not stand on as if it had been asked now
            figures = Figures(card.id, _estate_name(desk), ready=False, at=SystemClock().now())
            write(wishes.prometheus, textfile(figures))
        raise


async def _check(desk: Desk, card: RunbookCard, route: str, values: tuple[tuple[str, str], ...], wishes: Wishes) -> int:
    briefing = await desk.brief(card, Mode.CHECK, lambda _line: None)
    typing = a_person(json=True) if desk.given.person else None
    start = Start(route=route, values=values, emergency="check" if route != "planned" else "")
    try:
        session = await briefing.start(await heard(briefing, start, typing))
    except BaseException:
        await briefing.close()
        raise
    over = m.Close("a check is over when it was asked: there is nothing to resume")
    code = await drive_plain(session, answers=Walk(), quiet=True, last=lambda _state: over, typing=typing)
    shown = session.snapshot
    ready = code is Exit.DONE
    if wishes.prometheus:
        write(wishes.prometheus, textfile(_figures(desk, card, shown, ready=ready)))
    if wishes.as_json:
        click.echo(json.dumps(_data(shown, ready=ready), indent=2))
    elif not (wishes.quiet and ready):
        for line in _lines(shown, ready=ready, all_of_it=not wishes.quiet):
            click.echo(safe(line))
    _tidy(desk, shown)
    return int(Exit.DONE if ready else Exit.UNREACHABLE if code is Exit.UNREACHABLE else Exit.HELD_FAILED)


def _lines(shown: Snapshot, *, ready: bool, all_of_it: bool) -> Iterator[str]:
    yield from lines(shown, all_of_it=all_of_it)
    figures = ", ".join(f"{line.label} {line.value}" for line in shown.headline)
    yield f"{'READY' if ready else 'NOT READY'}{': ' + figures if figures else ''}"


def _data(shown: Snapshot, *, ready: bool) -> dict[str, object]:
    checks = [
        {
            "id": step,
            "title": name.partition(" ")[2],
            "state": now.word.value,
            "holds": now.word in PASSED,
            "seen": "" if now.word in PASSED or now.word is StepWord.PENDING else safe(seen(shown, now)),
            "means": safe(means(shown, step, now)),
        }
        for step, name, now in asked(shown.state)
    ]
    return {
        "format": 1,
        "ready": ready,
        "runbook": shown.info.runbook,
        "estate": shown.info.estate,
        "run": shown.info.run,
        "checks": checks,
        "figures": {line.label: safe(line.value) for line in shown.headline},
    }


def _figures(desk: Desk, card: RunbookCard, shown: Snapshot, *, ready: bool) -> Figures:
    lines = zip(read_runbook(card.path).head.headline, shown.headline, strict=True)
    return Figures(
        shown.info.runbook,
        shown.info.estate,
        ready=ready,
        at=shown.wall,
        checks={step: now.word in PASSED for step, _, now in asked(shown.state)},
        measured={told.metric: seen.value for told, seen in lines if told.metric},
        drills=drills_of(desk.store),
    )


def _estate_name(desk: Desk) -> str:
    with contextlib.suppress(Trouble, OSError):
        return read_estate(desk.estate, ask=False).name if desk.estate else ""
    return ""


def _tidy(desk: Desk, shown: Snapshot) -> None:
    """Remove the records of old checks: what a timer asked last week is in nobody's way back."""
    mine = (Mode.CHECK, shown.info.runbook, shown.info.estate)
    checks = [card for card in desk.runs() if (card.mode, card.runbook, card.estate) == mine]
    for card in checks[KEPT:]:
        if not needed(card):
            with contextlib.suppress(Trouble, OSError):  # another check may be tidying too
                remove(card)
