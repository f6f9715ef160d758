"""Whole runs on real shells: what is on disk before what is sent, links that go, consoles that die, UNKNOWN and its ways out."""

from __future__ import annotations

import json
from pathlib import Path

import asyncssh
import pytest
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import members, until

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine.words import How, StepWord, Verdict
from handrail.session.exits import Exit, exit_of
from handrail.session.opening import Opening, open_run
from handrail.session.view import Mode

UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
WAITS = 'on = "dr"\nscript = "echo x >> made; echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done"\n' + UNDO
PROBED = WAITS + 'probe = { run = ["test", "-e", "made"], done = { exit = 0 }, not_done = { exit = 1 } }\n'


async def in_flight(world: World, table: str = WAITS, verify: str = "") -> Drive:
    """Return a run whose step is waiting on the DR host."""
    drive = world.open(runbook(step(table, verify=verify)))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    return drive


def let_go(world: World) -> None:
    (world["dr"].root / "go").touch()


def made(world: World) -> str:
    return (world["dr"].root / "made").read_text()


async def test_what_is_sent_is_on_disk_before_and_its_result_before_what_comes_next(world: World) -> None:
    look = "cat ../../home/runs/*/journal.jsonl > seen.%s"
    first = step(f'on = "dr"\nscript = "{look % 1}"\n' + UNDO, stage="a")
    second = step(f'on = "dr"\nscript = "{look % 2}"\n' + UNDO, stage="b")
    await world.open(runbook(first + second)).go(3)
    told: list[list[tuple[str, str]]] = []
    for number in (1, 2):
        lines = (world["dr"].root / f"seen.{number}").read_text().splitlines()
        told.append([(r["event"], r["body"].get("step", "")) for r in map(json.loads, lines)])
    assert ("attempt_started", "a/x") in told[0]
    assert ("host_ended", "a/x") not in told[0]
    assert ("attempt_ended", "a/x") in told[1]
    assert ("attempt_started", "b/x") in told[1]


async def test_a_killed_console_finds_its_job_again_and_it_ran_once(world: World) -> None:
    drive = await in_flight(world)
    await drive.crash()
    again = world.resume(drive.run)
    let_go(world)
    await again.rest()
    assert again.word() is StepWord.PASSED, again.detail()
    assert made(world) == "x\n"
    assert again.spooled() == b"begun\ndone\n"
    assert again.state.epoch == 2


async def test_a_job_that_ended_while_nobody_looked(world: World) -> None:
    drive = await in_flight(world)
    await drive.crash()
    let_go(world)
    again = await world.resume(drive.run).rest()
    assert again.word() is StepWord.PASSED
    assert again.spooled() == b"begun\ndone\n"


async def test_a_host_that_cannot_say_is_unknown_and_never_sent_again_blindly(world: World) -> None:
    drive = await in_flight(world)
    await drive.crash()
    world.reboot("dr")
    again = await world.resume(drive.run).rest()
    assert again.word() is StepWord.UNKNOWN, again.detail()
    assert "never sent blindly again" in again.submit(m.Retry("s/x"))
    assert exit_of(again.state) is Exit.HELD_UNKNOWN
    await again.ask(m.Reattach("s/x"))
    assert again.word() is StepWord.UNKNOWN  # the host still cannot say
    assert made(world) == "x\n"
    assert "reason" in again.submit(m.Resolve("s/x", Verdict.PASSED, ""))
    await again.ask(m.Resolve("s/x", Verdict.PASSED, "looked", evidence="made is there"))
    assert again.word() is StepWord.PASSED
    assert again.at().how is How.BY_HAND
    await again.undo()
    assert not (world["dr"].root / "made").exists()


@pytest.mark.parametrize("there", [True, False])
async def test_unknown_is_left_by_the_probe(world: World, there: bool) -> None:
    drive = await in_flight(world, PROBED)
    world.reboot("dr")
    await drive.rest()
    assert drive.word() is StepWord.UNKNOWN, drive.detail()
    if not there:
        (world["dr"].root / "made").unlink()
    await drive.ask(m.Probe("s/x"))
    assert drive.word() is (StepWord.PASSED if there else StepWord.FAILED)
    if not there:
        let_go(world)
        await drive.ask(m.Retry("s/x"))
        assert drive.word() is StepWord.PASSED


async def test_a_link_that_is_cut_asks_nobody_anything(world: World) -> None:
    drive = await in_flight(world)
    await world.off("dr")
    await drive.until(lambda state: "dr" in state.step("s/x").no_link)
    assert drive.word() is StepWord.RUNNING
    let_go(world)
    await world.on("dr")
    await drive.rest()
    assert drive.word() is StepWord.PASSED
    assert made(world) == "x\n"
    assert [r.event for r in drive.events() if r.event.startswith("link")] == ["link_lost", "link_back"]


async def test_a_host_with_another_key_is_refused_with_both_fingerprints(world: World) -> None:
    fresh = asyncssh.generate_private_key("ssh-ed25519")
    old = world["dr"].key
    drive = world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO)))
    await drive.go()
    await world.off("dr")
    await world.on("dr", key=fresh)
    await drive.go()
    assert drive.word() is StepWord.FAILED or drive.state.claim_refused
    text = drive.detail() + drive.state.claim_refused + str(drive.events()[-1].body)
    assert old.get_fingerprint() in text
    assert fresh.get_fingerprint() in text
    assert not (world["dr"].root / "made").exists()
    assert not drive.state.started


async def test_a_key_that_changes_while_a_job_runs_is_unknown(world: World) -> None:
    drive = await in_flight(world)
    await world.off("dr")
    await world.on("dr", key=asyncssh.generate_private_key("ssh-ed25519"))
    await drive.rest()
    assert drive.word() is StepWord.UNKNOWN
    assert "SHA256:" in drive.detail()
    await world.off("dr")
    await world.on("dr", key=world["dr"].key)
    let_go(world)
    await drive.ask(m.Reattach("s/x"))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_stop_ends_the_whole_group_and_proves_it(world: World) -> None:
    table = 'on = "dr"\nscript = "sleep 900 & sleep 901 & echo $$ > made; while :; do sleep 0.05; done"\n'
    drive = await in_flight(world, table + UNDO)
    await until(lambda: bool(made(world).strip()))
    pid = int(made(world))
    session = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[3])
    assert len(members(session)) >= 3
    await drive.ask(m.StopStep("s/x"))
    assert members(session) == []
    assert drive.word() is StepWord.FAILED
    assert "stopped" in drive.detail()
    assert drive.state.started == ("s/x",)
    result = drive.at().attempts[0].results["dr"]
    assert result.sent
    assert result.output is not None


async def test_stop_of_a_fan_out_sends_nothing_more(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=4) as world:
        table = 'on = "clients"\nat_once = 2\nscript = "touch made; exec sleep 600"\n' + UNDO
        drive = world.open(runbook(step(table), 'primary = "one", dr = "one", clients = "many"'))
        await drive.go()
        assert drive.submit(m.Go()) == ""
        await until(lambda: all((world[n].root / "made").exists() for n in ("c1", "c2")))
        await drive.ask(m.StopStep("s/x"))
        assert drive.word() is StepWord.FAILED
        assert not (world["c3"].root / "made").exists()
        assert not (world["c4"].root / "made").exists()
        assert drive.at().touched == {"c1", "c2"}


async def test_a_change_past_its_time_is_shown_late_and_not_ended(world: World) -> None:
    drive = await in_flight(world, WAITS + 'timeout = "1s"\n')
    await drive.until(lambda state: state.step("s/x").late)
    assert drive.word() is StepWord.RUNNING
    assert exit_of(drive.state) is Exit.HELD_UNKNOWN
    let_go(world)
    await drive.rest()
    assert drive.word() is StepWord.PASSED


async def test_after_a_resume_what_has_passed_is_asked_again(world: World) -> None:
    verify = 'run = ["test", "-e", "made"]'
    first = step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO, stage="a", verify=verify)
    second = step('on = "dr"\nrun = ["true"]\n' + UNDO, stage="b")
    drive = await world.open(runbook(first + second)).go(2)
    await drive.leave()
    (world["dr"].root / "made").unlink()
    again = world.resume(drive.run)
    assert "still asking" in again.submit(m.Go())
    await again.rest()
    assert "exit 1" in again.at("a/x").differs
    assert again.word("a/x") is StepWord.PASSED


GUARD = """
[[guard]]
id = "back"
title = "The old one answers"
on = "dr"
run = ["test", "-e", "alive"]
trip = { exit = 0 }
closes = "forward"
every = "100ms"
means = "Fence it."
"""


async def test_a_guard_closes_the_way_on_and_opens_it_again(world: World) -> None:
    drive = world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO), more=GUARD))
    await drive.go()
    (world["dr"].root / "alive").touch()
    await drive.until(lambda state: "back" in state.tripped)
    assert "The old one answers. Fence it." in drive.submit(m.Go())
    await world.off("dr")  # silence clears nothing and trips nothing
    await world.on("dr")
    assert "back" in drive.state.tripped
    (world["dr"].root / "alive").unlink()
    await drive.until(lambda state: not state.tripped)
    await drive.go()
    assert drive.word() is StepWord.PASSED


async def test_at_the_end_nothing_is_left_on_the_hosts(world: World) -> None:
    drive = await world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO))).go(2)
    assert (world["dr"].work / "claim").is_dir()
    await drive.session.close()
    for one in world.machines.values():
        assert not (one.work / "claim").exists()
        assert one.jobs == []


async def test_a_held_run_keeps_its_claim_and_its_jobs(world: World) -> None:
    look = step('on = "dr"\nrun = ["true"]', stage="z", head="reads = true")
    drive = await world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO) + look)).go(2)
    await drive.leave()
    assert (world["dr"].work / "claim").is_dir()
    assert world["dr"].jobs


SECRET = "Tr0ub4dor&3 'x\\"


async def test_a_secret_reaches_the_command_and_no_file(world: World) -> None:
    more = '\n[vars.password]\ntype = "secret"\n'
    script = "read p; printf %s $p | wc -c > made; echo out=$p; echo err=$p >&2; exit 3"
    table = f'on = "dr"\nscript = "{script}"\nstdin = "{{{{ password }}}}\\n"\n' + UNDO
    drive = world.open(runbook(step(table), more=more), values={"password": "hunter2hunter2"})
    await drive.go(2)
    assert drive.word() is StepWord.FAILED
    assert made(world).strip() == "14"
    assert "hunter2" not in drive.detail()
    assert "hunter2" not in repr(drive.session.snapshot)
    assert b"out=[redacted]" in drive.spooled()
    await drive.leave()
    for path in world.home.path.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


# ------------------------------------------------------------------ modes


async def test_modes_cannot_be_confused(world: World) -> None:
    text = runbook(step('on = "dr"\nrun = ["true"]\n' + UNDO))
    path = world.place / "runbook.toml"
    path.write_text(text)
    for mode in (Mode.LIVE, Mode.CHECK):
        with pytest.raises(Trouble, match="host keys of a simulated estate"):
            open_run(world.home.make(), Opening(path, world.estate(), mode))
    world.pin(forget=True)
    with pytest.raises(Trouble, match="no simulated estate ever had"):
        open_run(world.home.make(), Opening(path, world.estate(), Mode.DRILL))
    assert list(world.home.runs.iterdir()) == []
    assert not any(one.server.commands for one in world.machines.values())


async def test_one_simulated_key_among_real_ones_is_refused_either_way(world: World) -> None:
    path = world.place / "runbook.toml"
    path.write_text(runbook(step('on = "dr"\nrun = ["true"]\n' + UNDO)))
    keys = world.home.sim_host_keys.read_text().split()
    world.home.sim_host_keys.write_text(keys[0])
    for mode in (Mode.LIVE, Mode.CHECK, Mode.DRILL):
        with pytest.raises(Trouble):
            open_run(world.home.make(), Opening(path, world.estate(), mode))


async def test_a_check_ends_before_the_first_change(world: World) -> None:
    world.pin(forget=True)
    look = step('on = "dr"\nrun = ["touch", "looked"]', stage="look", head="reads = true")
    drive = world.open(runbook(look + step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO)), Mode.CHECK)
    await drive.go_all()
    assert exit_of(drive.state) is Exit.DONE
    assert not (world["dr"].root / "made").exists()
    assert not (world["dr"].work / "claim").exists()
    await drive.session.close()


async def test_an_unreachable_host_fails_the_reach_step_with_nothing_sent(world: World) -> None:
    await world.off("dr")
    drive = world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + UNDO)))
    await drive.go()
    assert drive.word("reach/reach-dr") is StepWord.FAILED
    assert exit_of(drive.state) is Exit.UNREACHABLE
