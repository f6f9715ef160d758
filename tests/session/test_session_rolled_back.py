"""A run's folder that was restored from an older copy, head anchor and all; and two machines that begin at once."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from tests.session.test_session_people import TOUCH, UNDO, other_home
from tests.session.world import World, runbook, step

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine.words import StepWord
from handrail.session.exits import Exit, exit_of

FIRST = step('on = "dr"\nscript = "echo x >> first"\nundo = { run = ["rm", "-f", "first"] }\n', stage="a")
BOOK = runbook(FIRST + step('on = "dr"\nscript = "echo x >> made"\n' + UNDO, stage="b"))


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_OPERATOR", "ann")


async def test_what_a_restored_record_does_not_know_is_not_sent_again(world: World, tmp_path: Path) -> None:
    """The hosts' job folders know better: the step is not done twice, whatever the record says."""
    drive = await world.open(BOOK).go(2)
    assert drive.word("a/x") is StepWord.PASSED
    shutil.copytree(drive.folder, tmp_path / "backup")
    await drive.go()
    assert drive.word("b/x") is StepWord.PASSED
    await drive.crash()
    world.drives.clear()
    shutil.rmtree(drive.folder)
    shutil.copytree(tmp_path / "backup", drive.folder)
    again = await world.resume(drive.run).rest()
    world.drives.clear()  # the oracle has nothing to hold it against: this journal knows less than the world
    assert again.word("b/x") is StepWord.PENDING
    again.submit(m.Go())
    await again.rest()
    assert again.word("b/x") is StepWord.UNKNOWN
    assert "the record is older than what was done" in again.detail("b/x")
    assert (world["dr"].root / "made").read_text() == "x\n"
    await again.ask(m.Reattach("b/x"))
    assert again.word("b/x") is StepWord.PASSED, again.detail("b/x")
    await again.undo()
    assert not (world["dr"].root / "made").exists()
    assert not (world["dr"].root / "first").exists()
    await again.crash()


async def test_a_record_older_than_a_takeover_is_refused_by_the_hosts(world: World, tmp_path: Path) -> None:
    """The epoch on the hosts is newer than the one of the restored record: nothing that changes is taken from it."""
    drive = await world.open(BOOK).go(2)
    shutil.copytree(drive.folder, tmp_path / "backup")
    await drive.leave()
    for _ in range(2):
        later = await world.resume(drive.run).rest()
        await later.leave()
    last = await world.resume(drive.run).rest()
    await last.go()
    assert last.word("b/x") is StepWord.PASSED
    await last.crash()
    world.drives.clear()
    shutil.rmtree(drive.folder)
    shutil.copytree(tmp_path / "backup", drive.folder)
    again = await world.resume(drive.run).rest()
    world.drives.clear()
    again.submit(m.Go())
    await again.rest()
    assert "the hosts have seen epoch" in str([r.body for r in again.events("claim_refused")])
    assert again.word("b/x") is StepWord.PENDING
    assert (world["dr"].root / "made").read_text() == "x\n"
    await again.crash()


async def test_the_journal_alone_restored_is_refused_by_its_anchor(world: World, tmp_path: Path) -> None:
    drive = await world.open(BOOK).go(2)
    shutil.copy2(drive.folder / "journal.jsonl", tmp_path / "journal.jsonl")
    await drive.go()
    await drive.leave()
    world.drives.clear()
    shutil.copy2(tmp_path / "journal.jsonl", drive.folder / "journal.jsonl")
    with pytest.raises(Trouble, match="was once on this disk"):
        world.resume(drive.run)
    assert (world["dr"].root / "made").read_text() == "x\n"


async def test_of_two_machines_that_begin_at_once_one_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes, two consoles, one estate: each is either through, or refused with the other's name; never both."""
    first = world.open(TOUCH)
    await first.go()
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    twin = other_home(world, tmp_path / "twin")
    second = twin.open(TOUCH)
    await second.go()
    await asyncio.gather(first.go(), second.go())
    through = [drive for drive in (first, second) if drive.word() is StepWord.PASSED]
    assert len(through) <= 1
    for drive, other in ((first, "bob"), (second, "ann")):
        if drive not in through:
            assert drive.state.claim_refused.startswith(other), drive.state.claim_refused
            assert exit_of(drive.state) is Exit.REFUSED
            refusals = json.dumps([r.body for r in drive.events("claim_refused")])
            assert (first if other == "ann" else second).run in refusals
    assert world["dr"].executed("echo x >> made") == len(through)
    for drive in (first, second):
        await drive.session.close()
