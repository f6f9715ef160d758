"""The promise: whatever is cut, wherever, a job runs once, and not a byte of its output is missing."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace

import pytest
from tests.sizes import sized
from tests.ssh.bench import QUICK, RUN, Heard, Host, members, through, until
from tests.ssh.proxy import Proxy

from handrail.ssh.job import Command, Exited, JobEnd, JobKey, LinkBack, LinkLost, NotStarted, Started
from handrail.ssh.links import Links

TRIALS = sized(30, 100, 1000)
SCRIPT = """
echo x >>"$1"
sleep 0.05
i=0; while [ $i -lt 400 ]; do echo "line $i of the output"; i=$((i+1)); done
sleep 0.05
echo problem >&2
echo y >>"$1"
exit $2
"""
EXPECTED = b"".join(b"line %d of the output\n" % n for n in range(400))


async def persist(host: Host, proxy: Proxy, links: Links, n: int, data: bytes) -> tuple[JobEnd, Heard]:
    """Do what the engine does: start once, start again only when the host proves that nothing was."""
    heard = Heard()
    command = Command(script=SCRIPT, args=(f"count{n}", str(n % 7)), stdin=data)
    while True:
        end, _ = await host.run(command, part=f"{n}.run", heard=heard, links=links, target=through(host, proxy))
        if not isinstance(end, NotStarted):
            return end, heard


async def trial(host: Host, n: int) -> int:
    """Run one job through a link that is cut at random bytes; return how often it was."""
    dice = random.Random(n)
    proxy = Proxy(host.server.port)
    await proxy.start()
    proxy.cuts = [dice.randrange(2_000, 14_000) for _ in range(5)]
    links = Links(limits=QUICK)
    try:
        end, heard = await persist(host, proxy, links, n, b"" if n % 3 else b"secret" * 5_000)
    finally:
        await links.close()
        await proxy.stop()
    assert isinstance(end, Exited), (n, end)
    assert end.code == n % 7
    assert bytes(heard.out) == EXPECTED
    assert bytes(heard.err) == b"problem\n"
    assert (host.server.home / f"count{n}").read_text() == "x\ny\n"
    return proxy.accepted - 1


@pytest.mark.torture("jobs over links cut at random bytes", trials=TRIALS)
async def test_jobs_over_links_cut_at_random_bytes(host: Host) -> None:
    cuts = 0
    for first in range(0, TRIALS, 5):
        cuts += sum(await asyncio.gather(*(trial(host, n) for n in range(first, first + 5))))
    assert cuts >= TRIALS * 2


async def test_a_stdin_that_ends_by_itself_is_no_end_of_the_job(host: Host) -> None:
    await host.run("true", part="0.read")
    host.server.argv = lambda command: ["/bin/sh", "-c", f"timeout 0.3 cat | ({command})"]
    end, heard = await host.run("echo x >>count; echo one; sleep 1; echo two")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\ntwo\n"
    assert (host.server.home / "count").read_text() == "x\n"


async def test_a_lost_link_is_told_and_mended_without_a_question(host: Host, proxy: Proxy) -> None:
    heard = Heard()
    task = asyncio.create_task(host.run("echo one; read x <gate; echo two", heard=heard, target=through(host, proxy)))
    os.mkfifo(host.server.home / "gate")
    await until(lambda: bool(heard.out))
    proxy.refuse = True
    proxy.cut()
    await until(lambda: isinstance(heard.news[-1], LinkLost))
    await until(lambda: proxy.accepted > 4)
    proxy.refuse = False
    await until(lambda: isinstance(heard.news[-1], LinkBack))
    (host.server.home / "gate").write_text("go\n")
    end, _ = await task
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\ntwo\n"
    assert [type(n) for n in heard.news] == [Started, LinkLost, LinkBack]


async def test_a_half_open_link_is_noticed_and_mended(host: Host, proxy: Proxy) -> None:
    heard = Heard()
    task = asyncio.create_task(host.run("echo one; sleep 1; echo two", heard=heard, target=through(host, proxy)))
    await until(lambda: bool(heard.out))
    proxy.stall()
    await until(lambda: isinstance(heard.news[-1], LinkLost))
    assert host.links.quiet_for(host.target) >= QUICK.keepalive
    proxy.flow()
    end, _ = await task
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\ntwo\n"


async def test_a_cancelled_read_leaves_the_job_alone(host: Host) -> None:
    heard = Heard()
    task = asyncio.create_task(host.run("echo one; sleep 0.3; echo two >>count; echo two", heard=heard))
    await until(lambda: bool(heard.out))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    end, heard = await host.run("", start="attach")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\ntwo\n"
    assert (host.server.home / "count").read_text() == "two\n"
    assert isinstance(heard.news[0], Started)
    assert heard.news[0].found


async def test_followers_go_when_the_console_goes(host: Host) -> None:
    heard = Heard()
    task = asyncio.create_task(host.run("echo one; sleep 60", heard=heard))
    await until(lambda: bool(heard.out))
    host.server.cut()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: all(members(pid) == [] for pid in host.server.pids))
    pid = int((host.folder(JobKey(RUN, "stage/step", "1.run")) / "pid").read_text().split()[0])
    assert members(pid) != []


async def test_attach_or_start_starts_once(host: Host) -> None:
    await host.run("true", part="0.read")
    ends = [(await host.run("echo x >>count", start="attach-or-start"))[0] for _ in range(3)]
    assert all(isinstance(end, Exited) for end in ends)
    assert (host.server.home / "count").read_text() == "x\n"


async def test_two_consoles_with_one_key_start_one_job(host: Host) -> None:
    other = Links(limits=QUICK)
    await host.run("true", part="0.read")
    await host.run("true", part="0.other", links=other)
    both = await asyncio.gather(
        host.run("echo x >>count; sleep 0.2", start="attach-or-start"),
        host.run("echo x >>count; sleep 0.2", start="attach-or-start", links=other),
    )
    await other.close()
    assert all(isinstance(end, Exited) for end, _ in both)
    assert (host.server.home / "count").read_text() == "x\n"


async def test_nothing_was_sent_when_the_host_cannot_be_reached(host: Host) -> None:
    await host.server.stop()
    end, heard = await host.run("echo x >>count")
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-unreachable"
    assert heard.news == []


async def test_an_attach_waits_for_a_host_that_is_away(host: Host) -> None:
    await host.run("echo one")
    await host.links.close()
    links = Links(limits=replace(QUICK, connect=0.2))
    port = host.server.port
    await host.server.stop()
    heard = Heard()
    task = asyncio.create_task(host.run("", start="attach", links=links, heard=heard))
    await until(lambda: bool(heard.news))
    assert isinstance(heard.news[0], LinkLost)
    host.server.port = port
    await host.server.start()
    end, _ = await task
    await links.close()
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\n"
