"""Figures in the header: an age grows from when it was captured, and an undo takes it back to what was captured before."""

from __future__ import annotations

import asyncio

from tests.session.world import Drive, World, runbook, step

from handrail.engine import messages as m
from handrail.engine.words import StepWord
from handrail.session.view import HeadLine

AGE = 'on = "dr"\nrun = ["echo", "age %s"]\ncapture = { copy_age = \'^age (\\S+)$\' }\n'
CHANGE = 'undo = "nothing"\nstays = "nothing"'
HEAD = """
headline = [
  { label = "good copy", value = "{{ dr.copy_age }}", target = "15m", age = true },
  { label = "copied", value = "{{ dr.copy_age }}", target = "15m" },
]
"""


def book() -> str:
    stages = step(AGE % "14m50s" + "reads = true") + step(AGE % "0m00s" + CHANGE, stage="copy")
    return runbook(stages).replace("[routes.planned]", HEAD + "[routes.planned]", 1)


def figure(drive: Drive, number: int = 0) -> HeadLine:
    return drive.session.snapshot.headline[number]


async def test_an_age_grows_is_made_new_by_a_copy_and_is_the_old_one_after_its_undo(world: World) -> None:
    drive = world.open(book())
    await drive.rest()
    assert figure(drive).shown(100.0) == ("-", False)
    await drive.go()
    seen = figure(drive).seen
    assert seen is not None
    assert figure(drive).shown(seen) == ("14m50s", False)
    assert figure(drive).shown(seen + 5) == ("14m55s", False)
    assert figure(drive).shown(seen + 11) == ("15m01s", True)
    assert figure(drive, 1).shown(seen + 70) == ("14m50s", False)  # no age: it is said how old it is instead
    assert figure(drive, 1).old(seen + 70) == 70
    await drive.ask(m.Go())
    copied = figure(drive).seen
    assert copied is not None
    assert figure(drive).shown(copied + 62) == ("1m02s", False)
    await drive.undo(to="copy")
    assert figure(drive).shown(seen + 70) == ("16m", True)


async def test_an_age_still_grows_when_everything_is_undone_and_its_step_is_to_be_asked_anew(world: World) -> None:
    change = step('on = "dr"\nrun = ["true"]\n' + CHANGE, stage="copy")
    book = runbook(step(AGE % "14m50s" + "reads = true") + change).replace(
        "[routes.planned]", HEAD + "[routes.planned]", 1
    )
    drive = world.open(book)
    await drive.rest()
    await drive.go()
    seen = figure(drive).seen
    assert seen is not None
    await drive.ask(m.Go())
    await drive.undo()
    assert drive.word() is StepWord.PENDING
    assert figure(drive).shown(seen + 70) == ("16m", True)


def test_what_an_earlier_check_saw_says_so_and_has_grown_since() -> None:
    line = HeadLine("good copy", "4m02s", seen=-3600.0, grows=242.0, target=900.0, note="CHECK 23 Nov 02:00Z")
    assert line.shown(0.0) == ("1h04m (CHECK 23 Nov 02:00Z)", True)


async def test_a_read_that_does_not_hold_yet_says_how_often_it_was_asked_and_until_when(world: World) -> None:
    asked = 'on = "dr"\nrun = ["test", "-e", "{{ dr.root }}/there"]\nreads = true\nwithin = "60s"\nevery = "50ms"'
    drive = world.open(runbook(step(asked)))
    await drive.rest()
    assert drive.submit(m.Go()) == ""
    async with asyncio.timeout(30):
        while True:
            shown = await drive.session.changed(drive.session.snapshot.seq)
            live = next(iter(shown.live["s/x"].hosts.values()), None) if "s/x" in shown.live else None
            if live is not None and live.tries >= 3:
                break
    assert live.next_at is not None
    assert live.until is not None
    assert 0 < live.until - shown.at <= 60
    assert "exit 1" in live.text
    (world["dr"].root / "there").touch()
    await drive.rest()
    assert drive.word() is StepWord.PASSED
