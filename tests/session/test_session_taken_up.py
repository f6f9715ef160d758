"""A console that dies between an intent and its probe has begun nothing: who goes on asks the probe before anything is sent."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest
from tests.session.world import Drive, World, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import How, StepWord

# The probe's answer is kept back for as long as `hold` is there.
PROBE = """
on = "dr"
script = "echo x >> ran; touch made"
undo = { script = "echo x >> unran; rm -f made" }
[stage.step.probe]
script = "echo x >> asked; while [ -e hold ]; do sleep 0.02; done; test -e made"
done = { exit = 0 }
not_done = { exit = 1 }
"""
BOOK = runbook(step(PROBE))


def _root(world: World) -> Path:
    return world["dr"].root


def _lines(world: World, name: str) -> int:
    path = _root(world) / name
    return len(path.read_text().splitlines()) if path.exists() else 0


async def _dies_while_it_asks(world: World, drive: Drive, intent: m.Intent) -> None:
    """Kill the console whose intent is on the disk, and whose probe has not been answered."""
    (_root(world) / "hold").touch()
    asked = _lines(world, "asked")
    assert drive.submit(intent) == ""
    await until(lambda: _lines(world, "asked") > asked)
    await drive.crash()
    world.drives.clear()
    (_root(world) / "hold").unlink()


async def test_what_is_so_by_then_is_not_sent(world: World) -> None:
    drive = await world.open(BOOK).go()
    await _dies_while_it_asks(world, drive, m.Go())
    (_root(world) / "made").touch()  # somebody else did it
    again = await world.resume(drive.run).rest()
    assert (again.word(), again.at().how) == (StepWord.PASSED, How.ALREADY)
    assert _lines(world, "ran") == 0
    assert again.state.started == ()  # nothing to undo


async def test_what_is_not_so_is_sent_once(world: World) -> None:
    drive = await world.open(BOOK).go()
    await _dies_while_it_asks(world, drive, m.Go())
    again = await world.resume(drive.run).rest()
    assert (again.word(), again.at().how) == (StepWord.PASSED, How.RAN)
    assert _lines(world, "ran") == 1
    await again.undo()
    assert _lines(world, "unran") == 1


async def test_an_undo_is_asked_about_too(world: World) -> None:
    drive = await world.open(BOOK).go(2)
    await _dies_while_it_asks(world, drive, m.Undo("", ()))
    (_root(world) / "made").unlink()
    again = await world.resume(drive.run).rest()
    assert _lines(world, "unran") == 0
    assert again.at().undone


@pytest.mark.parametrize("there", [True, False])
async def test_what_was_begun_is_found_and_its_probe_not_asked_first(world: World, there: bool) -> None:
    """It was sent: whatever is so by now, it ran, and is there to be undone."""
    book = runbook(step(PROBE.replace("touch made", "touch made; while [ -e stay ]; do sleep 0.02; done")))
    drive = await world.open(book).go()
    (_root(world) / "stay").touch()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (_root(world) / "made").exists())
    await drive.crash()
    world.drives.clear()
    if there:
        (_root(world) / "stay").unlink()
        again = await world.resume(drive.run).rest()
    else:
        again = world.resume(drive.run)
        await again.until(lambda state: any(attempt.attach for attempt in state.step("s/x").attempts))
        (_root(world) / "stay").unlink()
        await again.rest()
    assert (again.word(), again.at().how) == (StepWord.PASSED, How.RAN)
    assert _lines(world, "ran") == 1
    assert again.state.started == ("s/x",)


async def test_who_asks_what_became_of_it_starts_nothing(world: World) -> None:
    """What a person asks about is not begun by the asking; that it never was is known then, and sending it is a word of its own."""
    drive = await world.open(BOOK).go()
    await _dies_while_it_asks(world, drive, m.Go())
    old = world["dr"].key
    await world.off("dr")
    await world.on("dr", key=asyncssh.generate_private_key("ssh-ed25519"))
    again = await world.resume(drive.run).rest()
    assert again.word() is StepWord.UNKNOWN, again.detail()
    await world.off("dr")
    await world.on("dr", key=old)
    await again.ask(m.Reattach("s/x"))
    assert again.word() is StepWord.FAILED, again.detail()
    assert "it never began, and now cannot" in again.detail()
    assert (_lines(world, "ran"), again.state.started) == (0, ())
    await again.ask(m.Retry("s/x"))
    assert (again.word(), _lines(world, "ran")) == (StepWord.PASSED, 1)
