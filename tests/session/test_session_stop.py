"""Stopping a step at an awkward moment: what a console that went away had begun is ended too, or not called ended."""

from __future__ import annotations

import asyncio

import pytest
from tests.session.test_session_people import WAITS
from tests.session.world import World, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import ResultKind, StepWord


@pytest.mark.parametrize("ticks", [0, 1, 3, 10, 30])
async def test_asked_right_after_a_resume_it_ends_what_the_dead_console_had_begun(world: World, ticks: int) -> None:
    drive = world.open(runbook(step(WAITS)))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    await drive.crash()
    second = world.resume(drive.run)
    for _ in range(ticks):
        await asyncio.sleep(0)
    assert second.submit(m.StopStep("s/x")) == ""
    await second.rest()
    assert second.word() is StepWord.FAILED
    (result,) = second.at().attempts[0].results.values()
    assert (result.kind, result.sent) == (ResultKind.STOPPED, True)
    (world["dr"].root / "go").touch()
    await second.ask(m.Retry("s/x"))
    assert (world["dr"].root / "made").read_text() == "x\nx\n"
