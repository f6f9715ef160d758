"""Stopping a job: the processes end, and the host proves it."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial

import pytest
from tests.ssh.bench import RUN, Heard, Host, members, until

from handrail.ssh.job import Command, Exited, JobKey, NotStarted, Permit, Refused, Signalled, Stopped, look, stop_job

KEY = JobKey(RUN, "stage/step", "1.run")
PERMIT = Permit("ann", RUN, 1, changes=True)


async def stop(host: Host, key: JobKey = KEY, permit: Permit = PERMIT, grace: float = 5.0) -> Stopped:
    """Stop a job that nobody refuses us."""
    stopped = await stop_job(host.links, host.target, key, permit, grace)
    assert isinstance(stopped, Stopped)
    return stopped


async def begin(host: Host, script: str) -> tuple[asyncio.Task[object], Heard, int]:
    """Start a job, wait for its first line, and return its session."""
    heard = Heard()
    task: asyncio.Task[object] = asyncio.create_task(host.run(script, heard=heard))
    await until(lambda: bytes(heard.out) == b"up\n")
    return task, heard, int((host.folder(KEY) / "pid").read_text().split()[0])


async def test_a_job_is_ended_and_its_end_is_a_signal(host: Host) -> None:
    task, _, session = await begin(host, "echo up; exec sleep 60")
    stopped = await stop(host)
    assert stopped.proved
    assert members(session) == []
    end = (await task)[0]  # type: ignore[index]
    assert isinstance(end, Signalled)
    assert end.signal == 15


async def test_a_child_that_ignores_term_is_killed(host: Host) -> None:
    script = "(trap '' TERM HUP; sleep 60 & exec sleep 61) & trap '' TERM; echo up; sleep 62; sleep 63"
    task, _, session = await begin(host, script)
    assert len(members(session)) >= 4
    stopped = await stop(host, grace=0.2)
    assert stopped.proved
    assert members(session) == []
    await task


async def test_a_child_in_a_session_of_its_own_is_ended_too(host: Host) -> None:
    task, _, session = await begin(host, "setsid sh -c 'echo $$ >child; exec sleep 60' & sleep 0.1; echo up; wait")
    child = int((host.server.home / "child").read_text())
    assert (await stop(host)).proved
    assert members(session) == []
    assert members(child) == []
    await task


async def test_a_job_on_a_terminal_is_ended_too(host: Host) -> None:
    """Its parent, script(1), dies of the first TERM; the child, deaf and in a session of its own, is not forgotten."""
    heard = Heard()
    script = "trap '' HUP TERM; echo $$; sleep 60 & sleep 60; sleep 60"
    task = asyncio.create_task(host.run(Command(script=script, attached=True), heard=heard))
    await until(lambda: bytes(heard.out).endswith(b"\n"))
    child = int(heard.out)
    assert len(members(os.getsid(child))) >= 3
    session = os.getsid(child)
    assert (await stop(host, grace=0.2)).proved
    assert members(session) == []
    await task


async def test_stopped_processes_are_woken_to_end(host: Host) -> None:
    task, _, session = await begin(host, "echo up; kill -STOP $$")
    assert (await stop(host, grace=2)).proved
    assert members(session) == []
    await task


async def test_what_a_finished_job_left_behind_is_ended(host: Host) -> None:
    end, _ = await host.run("sleep 60 & echo up")
    assert isinstance(end, Exited)
    session = int((host.folder(KEY) / "pid").read_text().split()[0])
    assert len(members(session)) == 1
    assert (await stop(host)).proved
    assert members(session) == []


async def test_a_job_that_is_stopped_before_it_starts_never_starts(host: Host) -> None:
    await host.run("true", part="0.read")
    stopped = await stop(host)
    assert (stopped.proved, stopped.never_started) == (True, True)
    assert (await host.run("echo x >>count"))[0] == Refused("stopped")
    assert (await look(host.links, host.target, KEY)).state == "absent"
    assert not (host.server.home / "count").exists()
    assert (await stop(host)).proved


async def test_a_stranger_with_our_number_is_left_alone(host: Host) -> None:
    await host.run("true")
    with_our_number = await asyncio.create_subprocess_exec("sh", "-c", "sleep 60 & wait", start_new_session=True)
    await until(lambda: len(members(with_our_number.pid)) == 2)
    theirs = set(members(with_our_number.pid))
    (host.folder(KEY) / "pid").write_text(f"{with_our_number.pid} 1\n")
    assert (await stop(host)).proved
    assert with_our_number.returncode is None
    assert set(members(with_our_number.pid)) == theirs, "what it had begun lives on too"
    os.killpg(with_our_number.pid, signal.SIGKILL)
    await with_our_number.wait()


async def test_after_a_reboot_there_is_nothing_to_stop(host: Host) -> None:
    await host.run("true")
    stranger = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    (host.folder(KEY) / "pid").write_text(f"{stranger.pid} 1\n")
    (host.folder(KEY) / "boot").write_text("another-boot\n")
    stopped = await stop(host)
    assert (stopped.proved, "rebooted" in stopped.reason) == (True, True)
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_an_older_epoch_stops_nothing(host: Host) -> None:
    task, _, session = await begin(host, "echo up; exec sleep 60")
    (host.work / "runs" / RUN / "epoch").write_text("2\n")
    assert await stop_job(host.links, host.target, KEY, PERMIT) == Refused("epoch", "2")
    assert members(session) != []
    assert (await stop(host, permit=Permit("ann", RUN, 2, changes=True))).proved
    await task


async def test_an_orphan_of_a_killed_job_is_found_and_ended(host: Host) -> None:
    task, _, session = await begin(host, "sleep 60 & echo up; wait")
    os.kill(session, 9)
    await task
    assert members(session) != []
    assert (await stop(host)).proved
    assert members(session) == []


def more_commands(host: Host, count: int) -> bool:
    return len(host.server.commands) > count + 1


@pytest.mark.parametrize("late", [True, False])
async def test_a_cancelled_start_can_be_stopped_for_good(host: Host, late: bool) -> None:
    """Cancel at a random moment of the start, stop, and see that nothing runs any more, whenever the wrapper gets there."""
    await host.run("true", part="0.read")
    for n in range(6):
        key = JobKey(RUN, "stage/step", f"{n}.{late}")
        task = asyncio.create_task(host.run("exec sleep 60", part=key.part))
        await until(partial(more_commands, host, n)) if late else await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await stop(host, key, grace=1)).proved
        end, _ = await host.run("", part=key.part, start="attach")
        assert isinstance(end, (Signalled, Refused, NotStarted)), end
