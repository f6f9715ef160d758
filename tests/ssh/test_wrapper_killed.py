"""The wrapper itself is killed on the host, at any moment: at most one execution, and no end that is not true."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress

from tests.ssh.bench import RUN, Host

from handrail.ssh.job import Exited, JobEnd, JobKey, Lost, NotStarted, open_run


async def kill_once(host: Host, label: str, after: float) -> None:
    """Kill the first wrapper of a job, that long after it began."""
    while not (pids := [pid for pid, process in host.server.running.items() if label in str(process.args)]):
        await asyncio.sleep(0)
    await asyncio.sleep(after)
    with suppress(ProcessLookupError):
        os.kill(pids[0], signal.SIGKILL)


async def killed(host: Host, n: int, after: float) -> JobEnd:
    task = asyncio.create_task(kill_once(host, f"step.{n}.run", after))
    end, heard = await host.run(f"echo x >>count{n}; echo one; exit 3", part=f"{n}.run")
    await task
    if isinstance(end, Exited):
        assert (end.code, bytes(heard.out)) == (3, b"one\n")
    return end


async def test_a_killed_wrapper_runs_nothing_twice_and_hides_nothing(host: Host) -> None:
    await open_run(host.links, host.target, RUN)
    host.links.without_spare.add(host.target.key)  # each job has a process of its own then, that tells its name
    dice = random.Random(5)
    ends = await asyncio.gather(*(killed(host, n, dice.random() * 0.1) for n in range(24)))
    for n, end in enumerate(ends):
        count = host.server.home / f"count{n}"
        executions = len(count.read_text().split()) if count.exists() else 0
        assert executions <= 1
        assert isinstance(end, (Exited, Lost, NotStarted)), end
        if isinstance(end, Exited):
            assert executions == 1
        if isinstance(end, NotStarted):
            assert executions == 0


async def test_a_permit_taken_away_by_an_attach_stays_away(host: Host) -> None:
    await host.run("true", part="0.read")
    end, _ = await host.run("", start="attach")
    assert isinstance(end, NotStarted)
    assert (host.folder(JobKey(RUN, "stage/step", "1.run")) / "stopped").exists()
    again, _ = await host.run("", start="attach")
    assert isinstance(again, NotStarted)
    late, _ = await host.run("echo x >>count")
    assert not isinstance(late, Exited)
    assert not (host.server.home / "count").exists()


async def test_a_work_folder_that_changed_hands_decides_nothing(host: Host) -> None:
    await host.run("echo one")
    host.work.rename(host.work.with_name("moved"))
    host.work.symlink_to(host.work.with_name("moved"))
    end, _ = await host.run("", start="attach")
    host.work.unlink()
    host.work.with_name("moved").rename(host.work)
    assert isinstance(end, Lost)
    assert end.code == "work"
