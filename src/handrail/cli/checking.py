"""check: walk the reading steps from the top, and say whether the estate is ready; for people, for JSON, for Prometheus."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import click

from handrail.base.safe import safe
from handrail.cli.front import a_person, drive_plain
from handrail.cli.hearing import heard
from handrail.cli.sources import refuse_in_clear
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.messages import Intent
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.runbook.read import read_runbook
from handrail.runbook.shipped import find_runbook
from handrail.session.api import SessionApi
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.exits import Exit
from handrail.session.view import Mode, Snapshot

PASSED = (StepWord.PASSED, StepWord.SKIPPED)


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


def run_check(
    desk: Desk,
    runbook: str,
    route: str,
    values: tuple[tuple[str, str], ...],
    *,
    as_json: bool,
    prometheus: Path | None,
    quiet: bool,
) -> int:
    """Check, write what was asked for, and return 0 when ready."""
    return asyncio.run(_check(desk, runbook, route, values, as_json=as_json, prometheus=prometheus, quiet=quiet))


async def _check(
    desk: Desk,
    runbook: str,
    route: str,
    values: tuple[tuple[str, str], ...],
    *,
    as_json: bool,
    prometheus: Path | None,
    quiet: bool,
) -> int:
    card = desk.card(find_runbook(runbook, desk.cwd))
    refuse_in_clear(read_runbook(card.path).vars, values)
    briefing = await desk.brief(card, Mode.CHECK, lambda _line: None)
    typing = a_person(json=True) if desk.given.person else None
    start = Start(route=route, values=values, emergency="check" if route != "planned" else "")
    try:
        session = await briefing.start(await heard(briefing, start, typing))
    except BaseException:
        await briefing.close()
        raise
    over = m.Close("a check is over when it was asked: there is nothing to resume")
    code = await drive_plain(session, answers=Walk(), quiet=True, last=over, typing=typing)
    shown = session.snapshot
    submitted = shown.state
    ready = code is Exit.DONE
    if as_json:
        click.echo(json.dumps(_data(shown, ready=ready), indent=2))
    elif not (quiet and ready):
        for line in _lines(submitted, ready=ready):
            click.echo(safe(line))
    if prometheus:
        _write(prometheus, _metrics(shown, ready=ready))
    return int(Exit.DONE if ready else Exit.HELD_FAILED)


def _lines(state: State, *, ready: bool) -> list[str]:
    made = []
    for step, now in state.walked():
        if state.needed(step):
            words = now.detail or next((r.sentence for a in now.attempts for r in a.results.values()), "")
            made.append(f"{'ok  ' if now.word in PASSED else 'NOT '} {step.name}: {words or now.word.value}")
    return [*made, "READY" if ready else "NOT READY"]


def _data(shown: Snapshot, *, ready: bool) -> dict[str, object]:
    state = shown.state
    checks = [
        {"id": step.id, "title": step.title, "state": now.word.value, "holds": now.word in PASSED, "seen": now.detail}
        for step, now in state.walked()
        if state.needed(step)
    ]
    figures = {line.label: line.value for line in shown.headline}
    return {
        "format": 1,
        "ready": ready,
        "runbook": shown.info.runbook,
        "estate": shown.info.estate,
        "run": shown.info.run,
        "checks": checks,
        "figures": figures,
    }


def _metrics(shown: Snapshot, *, ready: bool) -> str:
    """Return the node_exporter textfile: exposition format 0.0.4."""
    labels = f'runbook="{_escape(shown.info.runbook)}",estate="{_escape(shown.info.estate)}"'
    lines = [
        "# HELP handrail_ready Whether every check of the runbook holds.",
        "# TYPE handrail_ready gauge",
        f"handrail_ready{{{labels}}} {int(ready)}",
        "# HELP handrail_check Whether one check holds.",
        "# TYPE handrail_check gauge",
    ]
    for step, now in shown.state.walked():
        if shown.state.needed(step):
            lines.append(f'handrail_check{{{labels},check="{_escape(step.id)}"}} {int(now.word in PASSED)}')
    lines += [
        "# HELP handrail_checked_at When the check ended, in seconds since 1970.",
        "# TYPE handrail_checked_at gauge",
        f"handrail_checked_at{{{labels}}} {shown.wall.timestamp():.0f}",
    ]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace('"', '\\"')


def _write(path: Path, text: str) -> None:
    """Replace the textfile at once, as node_exporter asks for."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
