"""`handrail drill --turn-back STEP`: the proof that the way back leads to where one came from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from handrail.base.problems import trouble
from handrail.base.safe import Safe, safe
from handrail.cli.front import Make, drive_plain
from handrail.engine import messages as m
from handrail.plain.turning import TurnBack
from handrail.runbook.faults import near
from handrail.session import simulator
from handrail.session.api import SessionApi
from handrail.session.exits import Exit
from handrail.store.run_folder import RunFolder


def turn_back(make: Make, step: str, *, as_json: bool) -> int:
    """Walk forward to a step and all the way back; exit 0 if everything is as it was, 1 if not, else as any run."""
    return asyncio.run(_turn_back(make, step, as_json=as_json))


async def _turn_back(make: Make, step: str, *, as_json: bool) -> int:
    session = await make(None)
    shown = session.snapshot
    step = _known(session, step)
    estate = Path(str(RunFolder(shown.info.folder).inputs()["sim_dir"]))
    before = await simulator.looks(estate)
    told: list[Safe] = []

    async def compare(code: Exit) -> Exit:
        if session.snapshot.state.started or code not in (Exit.UNDONE, Exit.DONE):
            return code
        after = await simulator.looks(estate)
        told.extend(_compared(before, after, session.snapshot.state.outline.step(step).name))
        session.submit(m.Note(told[0]))
        return Exit.DONE if before == after else Exit.HELD_FAILED

    code = await drive_plain(session, answers=TurnBack(step=step), json=as_json, ended=compare)
    for line in told:
        click.echo(line, err=as_json)
    return int(code)


def _known(session: SessionApi, word: str) -> str:
    """Return the step a word means, by name or number; raise `Trouble`."""
    steps = session.snapshot.state.outline.steps
    found = next((s.id for s in steps if word in (s.id, s.number)), None)
    if found is None:
        raise trouble("step-unknown", f"there is no step {safe(word, 60)!r}", near(word, [s.id for s in steps]))
    return found


def _compared(before: Mapping[str, str], after: Mapping[str, str], step: str) -> Iterator[Safe]:
    """Yield one sentence, then what is different."""
    different = [what for what in {**before, **after} if before.get(what) != after.get(what)]
    if not different:
        yield safe(f"Turned back after {step}: before and after are the same, {len(before)} things compared.")
        return
    yield safe(f"Turned back after {step}: NOT as it was: {', '.join(different)}.", 400)
    for what in different:
        yield safe(f"  {what}: was {before.get(what, 'not there')}", 300)
        yield safe(f"  {what}: is  {after.get(what, 'not there')}", 300)
