"""A step that stands because a host does not answer: it is asked again, and the emergency is what is proposed."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from tests.session.world import Drive, World, a_world, runbook, step

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.words import StepWord
from handrail.session import reach
from handrail.session.view import HostView

DO = 'run = ["true"]\nundo = "nothing"\nstays = "nothing"\nprobe = { run = ["false"], done = { exit = 0 }, not_done = { exit = 1 } }'
TEXT = runbook(step(f'on = "primary"\n{DO}') + step(f'on = "dr"\n{DO}', stage="c"))
DR = runbook(step(f'on = "dr"\n{DO}'))


def proposed(drive: Drive) -> str:
    return next((o.verb for o in drive.session.allowed() if o.proposed and o.granted), "")


def host(drive: Drive, role: str) -> HostView:
    return next(h for h in drive.session.snapshot.hosts if h.role == role)


async def test_a_lost_primary_proposes_the_emergency_until_it_answers_again(world: World) -> None:
    drive = world.open(TEXT)
    await drive.rest()
    await drive.go()
    await world.off("primary")
    drive.session.core.links.drop(drive.session.core.target(host(drive, "primary").key))
    await drive.ask(m.Go())
    assert drive.word("s/x") is StepWord.FAILED
    seen = host(drive, "primary")
    assert seen.link == "away"
    assert seen.away is not None
    assert seen.key in drive.session.snapshot.waits_for
    assert proposed(drive) == "declare"

    await drive.session._reach.ask()
    assert host(drive, "primary").asked is not None
    assert host(drive, "primary").away == seen.away or abs((host(drive, "primary").away or 0) - seen.away) < 1

    await world.on("primary")
    await drive.session._reach.ask()
    assert host(drive, "primary").away is None
    assert proposed(drive) == "retry"
    assert drive.word("s/x") is StepWord.FAILED  # nothing was sent by itself


async def test_only_what_is_new_of_a_host_is_looked_at_anew(world: World) -> None:
    drive = world.open(TEXT)
    await drive.rest()
    await drive.go()
    before = drive.session.snapshot.hosts
    assert drive.session.snapshot.hosts is before
    drive.session.core.links.drop(drive.session.core.target(host(drive, "dr").key))
    after = drive.session.snapshot.hosts
    assert {one.role: one.link for one in after} == {**{one.role: one.link for one in before}, "dr": ""}
    assert [one is other for one, other in zip(after, before, strict=True)] == [one.role != "dr" for one in before]


async def test_where_no_route_does_without_the_host_nothing_is_proposed_but_waiting(world: World) -> None:
    drive = world.open(DR)
    await drive.rest()
    await drive.go()
    await world.off("dr")
    drive.session.core.links.drop(drive.session.core.target(host(drive, "dr").key))
    await drive.ask(m.Go())
    assert drive.word("s/x") is StepWord.FAILED
    assert proposed(drive) == ""


async def test_a_host_that_answers_and_fails_is_no_emergency(world: World) -> None:
    drive = world.open(TEXT.replace('on = "primary"\nrun = ["true"]', 'on = "primary"\nrun = ["cat", "/nowhere"]'))
    await drive.rest()
    await drive.go()
    await drive.ask(m.Go())
    assert proposed(drive) == "retry"


async def test_name_servers_are_no_hosts_to_be_asked(tmp_path: Path) -> None:
    """A switch that stands waits for name servers: the console goes on asking hosts for whatever stands after it."""
    read = 'dns = { name = "puppet.example.test", from = "10.9.9.9", to = "10.0.0.20" }'
    async with a_world(tmp_path, dns=True) as world:
        drive = world.open(runbook(step(read, head="reads = true")))
        await drive.rest()
        await drive.go()
        assert drive.word("s/x") is StepWord.FAILED
        await drive.session._reach.ask()
        assert drive.session.snapshot.waits_for == ()


async def test_a_lost_role_is_not_asked_again(world: World) -> None:
    drive = world.open(TEXT)
    await drive.rest()
    await drive.go()
    await world.off("primary")
    drive.session.core.links.drop(drive.session.core.target(host(drive, "primary").key))
    await drive.ask(m.Go())
    await drive.ask(m.Declare("emergency", "gone"))
    asked = dict(drive.session._reach.asked)
    await drive.session._reach.ask()
    assert drive.session._reach.asked == asked


async def test_the_console_asks_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "EVERY", 0.01)
    drive = world.open(DR)
    await drive.rest()
    await world.off("dr")
    await drive.ask(m.Go())
    async with asyncio.timeout(30):
        while host(drive, "dr").asked is None:
            await drive.session.changed(drive.session.snapshot.seq)


async def test_a_host_whose_clock_is_wrong_is_warned_of_before_anything_changes(world: World) -> None:
    """S17: the host's own `date` says another time; only what the reach read says about it is under test."""
    dr = world["dr"].server
    shim = world.place / "shim"
    shim.mkdir()
    (shim / "date").write_text(
        f'#!/bin/sh\n[ "$*" != +%s ] || exec {shutil.which("date")} -d "12 minutes ago" +%s\nexec {shutil.which("date")} "$@"\n'
    )
    (shim / "date").chmod(0o755)
    dr.env = {**dr.env, "PATH": f"{shim}:{dr.env['PATH']}"}
    drive = await world.open(DR).go()
    assert drive.word("reach/reach-dr") is StepWord.PASSED
    said = [text for _, text in order.warnings(drive.state)]
    assert len(said) == 1
    assert re.match(r"dr's clock is 1[12]m\S* behind this console's clock", said[0])
    assert "chronyc" in said[0]


async def test_a_name_server_is_no_host_that_could_be_asked_again(tmp_path: Path) -> None:
    async with a_world(tmp_path, dns=True) as world:
        change = 'dns = { name = "puppet.example.test", from = "10.0.0.99", to = "10.0.0.20" }'
        drive = world.open(runbook(step(f'on = "dr"\n{DO}') + step(f'undo = "restore"\n{change}', stage="c")))
        while not order.standing(drive.state):
            await drive.ask(m.Go())
        core = drive.session.core
        assert reach.concerned_hosts(core.state, core.binding) == ()
        await reach.Reach(core).ask()
