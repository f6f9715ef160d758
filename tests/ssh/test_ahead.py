"""A channel is opened ahead of the next call: it saves round trips, and nothing is promised any less for it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from tests.ssh.bench import RUN, Host, until

from handrail.ssh import channel
from handrail.ssh.channel import _Spare
from handrail.ssh.claim import update_claim
from handrail.ssh.job import Command, Exited, JobKey, LinkLost, forget_jobs
from handrail.ssh.links import Limits


@pytest.fixture(autouse=True)
def calm(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine loses no link here, and no channel that waits."""
    host.links.limits = Limits()
    monkeypatch.setattr(channel, "IDLE", 600.0)


async def spare_of(host: Host) -> _Spare:
    """Return the channel that is opened ahead, once its loader runs."""

    def ready() -> bool:
        spare = host.links.spares.get(host.target.key)
        return isinstance(spare, _Spare) and bool(spare.session._early)

    await until(ready)
    spare = host.links.spares[host.target.key]
    assert isinstance(spare, _Spare)
    return spare


async def test_the_next_call_finds_its_channel_open(host: Host) -> None:
    await host.run("true", part="1.a")
    spare = await spare_of(host)
    end, heard = await host.run("echo here", part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"here\n"
    assert spare.session._call.out.header is not None  # it was this channel that the call went through


async def test_a_call_waits_for_the_channel_that_is_just_being_opened(host: Host) -> None:
    await host.run("true", part="1.a")
    await spare_of(host)
    host.links.changed(host.target)
    channel.open_ahead(host.links, host.target, RUN)
    spare = host.links.spares[host.target.key]
    assert isinstance(spare, _Spare)
    assert not spare.session.channel.done()
    end, _ = await host.run("true", part="2.a")
    assert isinstance(end, Exited)
    assert spare.session._call.out.header is not None


async def test_what_is_written_down_beside_the_claim_leaves_it_to_the_next_step(host: Host) -> None:
    await host.run("true", part="1.a")
    spare = await spare_of(host)
    assert not await update_claim(host.links, host.target, RUN, {"where": "here"})
    assert host.links.spares[host.target.key] is spare


async def test_no_shell_begins_while_a_change_runs(host: Host) -> None:
    os.mkfifo(host.server.home / "gate")
    change = asyncio.create_task(host.run(">began; read x <gate", part="1.a", changes=True))
    await until((host.server.home / "began").exists)
    assert host.links.spares == {}
    await asyncio.to_thread((host.server.home / "gate").write_text, "go\n")
    await change
    assert (await spare_of(host)).session.gone is False


async def test_a_channel_that_died_meanwhile_costs_another_try_and_no_more(host: Host) -> None:
    await host.run("true", part="1.a")
    spare = await spare_of(host)
    spare.session.channel.result().abort()
    end, heard = await host.run('echo x >>"$HOME/ran"; wc -l <"$HOME/ran"', part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out).split() == [b"1"]


async def test_a_channel_that_is_refused_ahead_costs_another_try_and_no_more(host: Host) -> None:
    await host.run("true", part="1.a")
    await spare_of(host)
    host.links.changed(host.target)
    host.server.refuses = 1
    channel.open_ahead(host.links, host.target, RUN)
    end, heard = await host.run("echo here", part="2.a")
    assert isinstance(end, Exited)
    assert (bytes(heard.out), host.server.refuses) == (b"here\n", 0)
    assert not any(isinstance(news, LinkLost) for news in heard.news)
    assert host.target.key in host.links.without_spare


async def test_a_shell_from_before_a_change_serves_nothing_after_it(host: Host) -> None:
    """A step may change what a shell has read when it began: groups, home, PATH."""
    os.mkfifo(host.server.home / "gate")
    await host.run("true", part="1.a")
    change = asyncio.create_task(host.run(">began; read x <gate", part="2.a", changes=True))
    await until((host.server.home / "began").exists)
    await host.run("true", part="3.a")
    old = await spare_of(host)
    host.server.env = {**host.server.env, "NEW": "yes"}
    await asyncio.to_thread((host.server.home / "gate").write_text, "go\n")
    await change
    _, heard = await host.run('echo "$NEW"', part="4.a")
    assert bytes(heard.out) == b"yes\n"
    assert old.session.gone


async def test_it_is_closed_with_the_session_and_leaves_no_shell(host: Host) -> None:
    await host.run("true", part="1.a")
    await spare_of(host)
    await host.links.close()
    assert host.links.spares == {}


class Taken:
    """Stands for a spare of another host."""

    def discard(self) -> None:
        """Do nothing."""


async def test_a_fan_out_opens_no_more_than_a_few(host: Host) -> None:
    host.links.spares.update({f"host{n}": Taken() for n in range(channel.SPARES)})
    await host.run("true", part="1.a")
    assert host.target.key not in host.links.spares


def ready_for(host: Host) -> list[Path]:
    """Return the folders of those that stand ready for a job of the run."""
    return sorted((host.work / "runs" / RUN).glob(".next-*"))


def runners(folder: Path) -> list[int]:
    """Return the processes that stand ready in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder / "runner").encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


async def ready(host: Host) -> Path:
    """Return the folder of the one that stands ready, once it does."""
    known = set(ready_for(host))
    await host.run("true", part="1.a")
    await until(lambda: any(runners(folder) for folder in set(ready_for(host)) - known))
    return next(folder for folder in ready_for(host) if runners(folder))


async def test_a_job_is_begun_by_the_process_that_stood_ready(host: Host) -> None:
    folder = await ready(host)
    end, heard = await host.run("echo here; echo there >&2; exit 3", part="2.a")
    assert isinstance(end, Exited)
    assert (end.code, bytes(heard.out), bytes(heard.err)) == (3, b"here\n", b"there\n")
    assert (host.folder(JobKey(RUN, "stage/step", "2.a")) / "pipes").read_text() == f"{folder}\n"


async def test_what_stands_ready_goes_with_its_channel_and_leaves_nothing(host: Host) -> None:
    folder = await ready(host)
    host.links.spares[host.target.key].discard()
    await until(lambda: not folder.exists() and not runners(folder))


async def test_what_stands_ready_keeps_no_run_from_being_forgotten(host: Host) -> None:
    await ready(host)
    assert await forget_jobs(host.links, host.target, RUN)
    assert not (host.work / "runs" / RUN).exists()


async def test_one_that_died_while_it_stood_ready_is_not_given_the_job(host: Host) -> None:
    folder = await ready(host)
    os.kill(runners(folder)[0], signal.SIGKILL)
    await until(lambda: not runners(folder))
    end, heard = await host.run("echo x >>count; echo here", part="2.a")
    assert isinstance(end, Exited)
    assert (bytes(heard.out), (host.server.home / "count").read_text()) == (b"here\n", "x\n")


async def test_a_long_script_goes_to_the_one_that_stands_ready_in_one_piece(host: Host) -> None:
    folder = await ready(host)
    end, heard = await host.run("# " + "x" * 20_000 + "\necho here", part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"here\n"
    assert (host.folder(JobKey(RUN, "stage/step", "2.a")) / "pipes").read_text() == f"{folder}\n"


async def test_input_reaches_a_job_of_the_one_that_stood_ready_and_stays_nowhere(host: Host) -> None:
    await ready(host)
    end, heard = await host.run(Command(script="cat", stdin=b"secret\0\xff\n"), part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"secret\0\xff\n"
    assert list((host.work / "runs" / RUN).glob("in.*")) == []
