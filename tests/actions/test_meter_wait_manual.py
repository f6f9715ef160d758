"""meter, wait and manual: what is counted over rotations and crashes, what is waited for, what a person says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.session.world import Drive, World, runbook, step
from tests.ssh.bench import until
from tests.store.bench import SteppingClock

from handrail.actions import pause
from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.results import Result
from handrail.engine.words import StepWord, Way
from handrail.runbook.model import Step

UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
CHANGE = step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO, stage="move")


def meter(more: str = "", need: str = '"all"', within: str = "20s", since: str = 'since = "move/x"\n') -> str:
    """Return a runbook that changes something and then counts."""
    head = (
        f'on = "dr"\nwithin = "{within}"\nevery = "100ms"\n[stage.step.meter]\nfile = "{{{{ dr.root }}}}/access.log"\n'
    )
    body = 'contains = "catalog"\nmatch = "GET /catalog/(?P<node>[a-z0-9]+) 200"\ndistinct = "node"\nnames = "web01 web02, db01"\n'
    return runbook(CHANGE + step(head + since + body + f"need = {need}\n" + more, head="reads = true"))


def log(world: World) -> Path:
    return world["dr"].root / "access.log"


def write(path: Path, *nodes: str) -> None:
    with path.open("a") as file:
        file.writelines(f"10.0.0.1 GET /catalog/{node} 200\n" for node in nodes)


async def counting(world: World, text: str) -> Drive:
    """Return a run whose meter has begun to look."""
    drive = await world.open(text).go(2)
    assert drive.submit(m.Go()) == ""
    return drive


def live(drive: Drive, step_id: str = "s/x") -> str:
    shown = drive.session.snapshot.live.get(step_id)
    return shown.text if shown else ""


async def test_only_lines_written_since_the_step_began_count(world: World) -> None:
    write(log(world), "web01", "web02", "db01")
    drive = await counting(world, meter())
    await until(lambda: live(drive).startswith("0 of 3 seen"))
    write(log(world), "web01", "stranger")
    await until(lambda: "silent: web02, db01" in live(drive))
    with log(world).open("a") as file:
        file.write("GET /catalog/web02 500\nGET /other/db01 200\ncatalog \xff\x1b[2J noise\n")
    write(log(world), "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_when_the_time_is_up_the_silent_are_named(world: World) -> None:
    log(world).touch()
    drive = await counting(world, meter(within="1s"))
    write(log(world), "web02")
    await drive.rest()
    assert drive.word() is StepWord.FAILED
    assert "silent: web01, db01" in drive.detail()
    write(log(world), "web01", "db01")
    await drive.ask(m.Retry("s/x"))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_need_may_be_a_percentage_or_a_count(world: World) -> None:
    log(world).touch()
    drive = await counting(world, meter(need='"60%"'))
    write(log(world), "web02", "db01", "nobody")
    await drive.rest()
    assert drive.word() is StepWord.PASSED
    assert "silent: web01" in str(drive.at().attempts[0].results["dr"].detail)


@pytest.mark.parametrize("how", ["rename", "copytruncate", "recreate"])
async def test_a_rotation_loses_nobody(world: World, how: str) -> None:
    write(log(world), "old")
    drive = await counting(world, meter())
    await until(lambda: live(drive).startswith("0 of 3"))
    if how == "rename":
        write(log(world), "web01")
        log(world).rename(log(world).with_name("access.log.1"))
        write(log(world), "web02", "db01")
    elif how == "copytruncate":
        write(log(world), "web01")
        await until(lambda: live(drive).startswith("1 of 3"))
        os.truncate(log(world), 0)
        write(log(world), "web02", "db01")
    else:
        log(world).unlink()
        write(log(world), "web01", "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_line_that_is_cut_in_the_middle_counts_once_it_is_whole(world: World) -> None:
    log(world).touch()
    drive = await counting(world, meter())
    with log(world).open("a") as file:
        file.write("x GET /catalog/we")
        file.flush()
        await until(lambda: live(drive).startswith("0 of 3"))
        looks = world["dr"].executed("part()")
        await until(lambda: world["dr"].executed("part()") > looks + 1)
        file.write("b01 200\n")
    write(log(world), "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_flood_of_lines_is_counted_to_the_end(world: World) -> None:
    log(world).touch()
    drive = await counting(world, meter())
    with log(world).open("a") as file:
        for _ in range(60_000):
            file.write("10.0.0.1 GET /catalog/web01 200 with some more words behind it\n")
    write(log(world), "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_after_a_crash_it_goes_on_from_the_noted_position(world: World) -> None:
    write(log(world), "db01")
    drive = await counting(world, meter())
    await until(lambda: live(drive).startswith("0 of 3"))
    write(log(world), "web01")
    await until(lambda: live(drive).startswith("1 of 3"))
    await drive.crash()
    write(log(world), "web02")
    again = world.resume(drive.run)
    await until(lambda: live(again).startswith("2 of 3"))
    write(log(world), "db01")
    await again.rest()
    assert again.word() is StepWord.PASSED, again.detail()


async def test_a_file_that_is_not_there_yet(world: World) -> None:
    drive = await counting(world, meter(since=""))
    await until(lambda: live(drive).startswith("0 of 3"))
    write(log(world), "web01", "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_link_that_goes_in_the_middle_changes_nothing(world: World) -> None:
    log(world).touch()
    drive = await counting(world, meter())
    write(log(world), "web01")
    await until(lambda: live(drive).startswith("1 of 3"))
    world["dr"].server.cut()
    write(log(world), "web02", "db01")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_wait_goes_on_after_a_crash_from_when_it_began(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    look = step('on = "dr"\nrun = ["true"]', stage="look", head="reads = true")
    drive = world.open(runbook(look + step('wait = { for = "1500ms", reason = "caches" }', head="reads = true")))
    assert drive.submit(m.Go()) == ""  # reads lead on to reads
    await drive.until(lambda state: "clock" in state.step("s/x").notes)
    began = drive.at().notes["clock"]
    await drive.crash()
    again = await world.resume(drive.run).rest()
    assert again.word() is StepWord.PASSED
    assert again.at().notes["clock"] == began
    assert pause.PLACE in again.at().attempts[0].results


class Sleeper:
    """A port whose sleep moves a clock on, and whose wall clock is set in the middle of it."""

    def __init__(self, jump: float) -> None:
        self.clock, self.jump, self.slept = SteppingClock(), jump, 0.0
        self.clock_notes: dict[str, str] = {}
        self.results: list[Result] = []

    def notes(self, host: str, step: str = "") -> Mapping[str, str]:
        return self.clock_notes

    def remember(self, host: str, data: Mapping[str, str]) -> None:
        self.clock_notes.update(data)

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.clock.time += timedelta(seconds=seconds + self.jump)
        self.clock.seconds += seconds
        self.jump = 0.0

    def progress(self, *_: object) -> None: ...

    def say(self, *_: object) -> None: ...

    def ended(self, result: Result) -> None:
        self.results.append(result)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 0.0])
async def test_a_wait_takes_as_long_as_it_says_whatever_the_wall_clock_does(jump: float) -> None:
    port = Sleeper(jump)
    waiting = Step.model_validate({"id": "x", "title": "X", "wait": {"for": "30s"}})
    await pause.perform(
        Work("s/x", "r1", 1, Way.FORWARD, {pause.PLACE: waiting}, "wait", changes=False, limit=60.0), cast("Port", port)
    )
    assert 29 < port.slept < 31
    assert len(port.results) == 1


MANUAL = runbook(
    step('on = "dr"\nrun = ["true"]', stage="look", head="reads = true")
    + step('undo = { manual = { ask = "Open the valve" } }\nmanual = { ask = "Close the valve" }')
)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("pass it is shut, seen by me", StepWord.PASSED),
        ("fail it leaks", StepWord.FAILED),
        ("cannot no key", StepWord.SKIPPED),
        ("yes", StepWord.FAILED),
        ("", StepWord.FAILED),
    ],
)
async def test_a_person_says_what_became_of_it(world: World, reply: str, word: StepWord) -> None:
    drive = await world.open(MANUAL).go(3)
    asked = order.asking(drive.state)
    assert asked is not None
    assert drive.at().question is not None
    await drive.ask(m.Reply("s/x", reply))
    assert drive.word() is word, drive.detail()
    assert bool(drive.state.owed) is (word is StepWord.SKIPPED)
    result = drive.at().attempts[0].results["person"]
    assert reply.partition(" ")[2] in result.detail


async def test_a_manual_step_is_undone_by_hand_and_survives_a_crash(world: World) -> None:
    drive = await world.open(MANUAL).go(3)
    await drive.crash()
    again = await world.resume(drive.run).rest()
    assert again.at().question is not None
    await again.ask(m.Reply("s/x", "pass done"))
    assert again.word() is StepWord.PASSED
    assert again.submit(m.Undo()) == ""
    await again.until(lambda state: order.asking(state) is not None)
    question = again.at().question
    assert question is not None
    assert "Open the valve" in question.text
    await again.ask(m.Reply("s/x", "pass opened"))
    assert again.word() is StepWord.PENDING
