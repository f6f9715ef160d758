"""`handrail drill --turn-back STEP`: the proof that the way back leads to where one came from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from handrail.base.problems import trouble
from handrail.base.safe import Safe, safe
from handrail.cli.front import Make, drive_plain
from handrail.engine import messages as m
from handrail.plain.auto import walk
from handrail.plain.turning import TurnBack
from handrail.runbook.faults import near
from handrail.session import simulator
from handrail.session.api import DeskApi, SessionApi
from handrail.session.exits import Exit, exit_of
from handrail.store.run_folder import RunFolder


def turn_back(make: Make, step: str, *, as_json: bool, desk: DeskApi | None = None) -> int:
    """Walk forward to a step and all the way back; exit 0 if everything is as it was, 1 if not, else as any run.

    With a `desk` it is shown on the full screen, where it goes by itself too.
    """
    return asyncio.run(_turn_back(make, step, as_json=as_json, desk=desk))


@dataclass
class Proof:
    """What the estate looked like before, and what came of comparing it."""

    session: SessionApi
    step: str
    estate: Path
    before: Mapping[str, str]
    told: list[Safe] = field(default_factory=list)
    code: Exit | None = None

    async def compare(self, code: Exit) -> Exit:
        """Compare, once nothing stands changed; return what the end means."""
        state = self.session.snapshot.state
        if state.started or code not in (Exit.UNDONE, Exit.DONE):
            return code
        after = await simulator.looks(self.estate)
        self.told.extend(_compared(self.before, after, state.outline.step(self.step).name))
        self.session.submit(m.Note(self.told[0]))
        self.code = Exit.DONE if self.before == after else Exit.HELD_FAILED
        return self.code


async def _turn_back(make: Make, step: str, *, as_json: bool, desk: DeskApi | None) -> int:
    session = await make(None)
    estate = Path(str(RunFolder(session.snapshot.info.folder).inputs()["sim_dir"]))
    proof = Proof(session, _known(session, step), estate, await simulator.looks(estate))
    if desk is None:
        code = int(await drive_plain(session, answers=TurnBack(step=proof.step), json=as_json, ended=proof.compare))
    else:
        code = await _on_screen(proof, desk)
    for line in proof.told:
        click.echo(line, err=as_json)
    return code


async def _on_screen(proof: Proof, desk: DeskApi) -> int:
    """Show it on the full screen: it answers for itself, and says at the end what was compared."""
    from handrail.tui.app import HandrailApp
    from handrail.tui.drive import drive

    async def beside(app: HandrailApp) -> None:
        await walk(proof.session, TurnBack(step=proof.step))
        await proof.compare(exit_of(proof.session.snapshot.state))
        stands = "It stands where a person has to decide: what is to be undone is not undone yet."
        app.box("There and back", "\n".join(proof.told or [stands]), "It stands in the record. enter closes this box.")

    code = await drive(desk, proof.session, mode_hint="DRILL", beside=beside)
    return code if proof.code is None else int(proof.code)


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
        yield from (safe(f"  same: {what}") for what in before)
        return
    yield safe(f"Turned back after {step}: NOT as it was: {', '.join(different)}.", 400)
    for what in different:
        yield safe(f"  {what}: was {before.get(what, 'not there')}", 300)
        yield safe(f"  {what}: is  {after.get(what, 'not there')}", 300)
