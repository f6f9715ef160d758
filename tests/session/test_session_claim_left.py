"""The claim is given back host by host: a dark one costs the others nothing, is said, and is given back later."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.session.world import Drive, World, a_world, runbook, step

from handrail.engine.outcome import claim_left
from handrail.engine.words import StepWord
from handrail.session import session as sessions
from handrail.session.closing import close_run
from handrail.session.parting import parting
from handrail.session.recorded import replayed
from handrail.session.view import Mode
from handrail.store.run_folder import RunFolder

TOUCH = runbook(step('on = "dr"\nundo = { run = ["rm", "-f", "made"] }\nrun = ["touch", "made"]'))


def claimed(world: World, host: str) -> bool:
    return (world[host].work / "claim").exists()


async def over(world: World) -> Drive:
    """Return a run that came to its end while the primary went dark."""
    world.pin(forget=True)
    drive = await live(world, TOUCH)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert claimed(world, "primary")
    assert claimed(world, "dr")
    await world.off("primary")
    return drive


async def live(world: World, text: str) -> Drive:
    """Return a real run that has gone as far as it goes."""
    return await world.open(text, Mode.LIVE, reason="a test").go_all()


async def test_a_dark_host_keeps_its_claim_until_it_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "DRAIN", 2.0)
    async with a_world(tmp_path) as world:
        drive = await over(world)
        await drive.session.close()
        assert not claimed(world, "dr")
        assert claimed(world, "primary")
        assert claim_left(drive.state) == ("primary",)
        assert any("still stands on primary" in line for line in parting(drive.session.snapshot))
        folder = RunFolder.open(world.home, drive.run)
        world.drives.remove(drive)  # another console writes on
        assert "primary" in replayed(folder).state.claim.hosts  # type: ignore[union-attr]
        assert "give the claim back on primary" in (folder.path / "summary.json").read_text()

        await world.on("primary")
        shown = await close_run(world.home, folder, "give the claim back")
        assert not claimed(world, "primary")
        assert claim_left(shown.state) == ()
        assert not any("still stands" in line for line in parting(shown))


async def test_a_run_that_is_closed_gives_back_what_was_left_of_its_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "DRAIN", 2.0)
    async with a_world(tmp_path) as world:
        two = runbook(
            step('on = "dr"\nundo = { run = ["rm", "-f", "made"] }\nrun = ["touch", "made"]')
            + step('on = "dr"\nundo = { run = ["true"] }\nrun = ["false"]', stage="t")
        )
        world.pin(forget=True)
        drive = await live(world, two)
        assert drive.word("t/x") is StepWord.FAILED
        await drive.leave()
        await world.off("primary")
        folder = RunFolder.open(world.home, drive.run)
        world.drives.remove(drive)  # another console writes on
        closed = await close_run(world.home, folder, "ticket 4711")
        assert claim_left(closed.state) == ("primary",)
        await world.on("primary")
        given = await close_run(world.home, folder, "give the claim back")
        assert claim_left(given.state) == ()
        assert given.state.closed == "ticket 4711"  # what it was closed for stays
        assert not claimed(world, "primary")
