"""Odd but legal: names of hosts and steps, huge answers, what is settled while the console dies."""

from __future__ import annotations

from pathlib import Path

from tests.session.world import World, a_world, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import StepWord
from handrail.session.core import spool_name

UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
ROLES = 'primary = "one", dr = "one", clients = "many"'


async def test_hosts_with_odd_and_long_names_are_asked_like_others(tmp_path: Path) -> None:
    long = "web01.prod.eu-west-1.some-very-long-subdomain-of.example-company.internal"
    async with a_world(tmp_path) as world:
        for name in ("db_01", long, "x%y"):
            await world.add(name, "clients")
        world.pin()
        probe = 'probe = { run = ["test", "-e", "made"], done = { exit = 0 }, not_done = { exit = 1 } }\n'
        table = 'on = "clients"\nscript = "echo x >> made"\n' + UNDO + probe
        drive = await world.open(runbook(step(table, verify='run = ["test", "-e", "made"]'), ROLES)).go(2)
        assert drive.word() is StepWord.PASSED, drive.detail()
        assert [(world[n].root / "made").read_text() for n in ("db_01", long, "x%y")] == ["x\n"] * 3
        outputs = [r.output.file for r in drive.at().attempts[0].results.values() if r.output]
        assert len(set(outputs)) == 3
        await drive.undo()
        assert not (world[long].root / "made").exists()


async def test_steps_whose_names_meet_keep_their_outputs_apart(world: World) -> None:
    one = step('on = "dr"\nrun = ["echo", "first"]\n' + UNDO, stage="a-b").replace('"x"', '"c"')
    two = step('on = "dr"\nrun = ["echo", "second"]\n' + UNDO, stage="a").replace('"x"', '"b-c"')
    drive = await world.open(runbook(one + two)).go(3)
    assert drive.spooled("a-b/c") == b"first\n"
    assert drive.spooled("a/b-c") == b"second\n"
    assert spool_name("a/b", 1, "h:1") != spool_name("a/b", 1, "h-1")


async def test_a_huge_capture_is_a_failure_and_no_disaster(world: World) -> None:
    script = "head -c 900000 /dev/zero | tr '\\\\0' a"
    look = step(f'on = "dr"\nscript = "{script}"\ncapture = {{ big = "^(.*)$" }}', stage="look", head="reads = true")
    drive = await world.open(runbook(look + step('on = "dr"\nrun = ["true"]\n' + UNDO))).go(2)
    assert drive.word("look/x") is StepWord.FAILED, drive.word("look/x")
    assert len(drive.folder.joinpath("journal.jsonl").read_bytes()) < 100_000


async def test_what_is_settled_when_the_console_dies_is_done_once(world: World) -> None:
    undo = 'undo = { script = "[ -e allowed ] || exit 1; echo u >> undone; while [ ! -e go ]; do sleep 0.02; done" }\n'
    drive = await world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + undo))).go(2)
    await drive.undo()
    await drive.ask(m.Owe("s/x", "later"))
    root = world["dr"].root
    (root / "allowed").touch()
    assert drive.submit(m.Settle(drive.state.owed[0].id)) == ""
    await until(lambda: (root / "undone").exists())
    await drive.crash()
    again = world.resume(drive.run)
    (root / "go").touch()
    await again.rest()
    assert not again.state.owed, again.state
    assert (root / "undone").read_text() == "u\n"


async def test_an_undo_in_flight_is_taken_up_and_runs_once(world: World) -> None:
    undo = 'undo = { script = "echo u >> undone; while [ ! -e go ]; do sleep 0.02; done; rm made", timeout = "20m" }\n'
    drive = await world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + undo))).go(2)
    root = world["dr"].root
    assert drive.submit(m.Undo()) == ""
    await until(lambda: (root / "undone").exists())
    await drive.crash()
    again = world.resume(drive.run)
    (root / "go").touch()
    await again.rest()
    assert again.word() is StepWord.PENDING, again.detail()
    assert (root / "undone").read_text() == "u\n"
    assert not (root / "made").exists()


async def test_a_fan_out_in_flight_is_taken_up_host_by_host(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=3) as world:
        table = (
            'on = "clients"\nscript = "echo x >> made; while [ ! -e go ]; do sleep 0.02; done"\nat_once = 2\n' + UNDO
        )
        drive = world.open(runbook(step(table), ROLES))
        await drive.go()
        assert drive.submit(m.Go()) == ""
        await until(lambda: (world["c2"].root / "made").exists())
        (world["c1"].root / "go").touch()
        await until(lambda: (world["c3"].root / "made").exists())
        await drive.crash()
        world.reboot("c2")
        again = world.resume(drive.run)
        (world["c3"].root / "go").touch()
        await again.rest()
        assert again.word() is StepWord.UNKNOWN
        assert again.at().passed_on == {"c1", "c3"}
        assert [(world[n].root / "made").read_text() for n in ("c1", "c2", "c3")] == ["x\n"] * 3
        await again.undo()
        assert not any((world[n].root / "made").exists() for n in ("c1", "c2", "c3"))
