"""UNKNOWN is told, never guessed: what the host cannot say is Lost; what provably never began is NotStarted."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import asyncssh
import pytest
from tests.ssh.bench import QUICK, RUN, Heard, Host, members, pin, until

from handrail.ssh.job import Exited, JobEnd, JobKey, Lost, NotStarted, Started, look
from handrail.ssh.links import HostFacts, Links

KEY = JobKey(RUN, "stage/step", "1.run")


async def attach(host: Host, facts: HostFacts | None = None) -> tuple[JobEnd, Heard]:
    """Attach as a second console does, with what its journal knows."""
    links = Links(limits=QUICK)
    if facts is not None:
        links.recall(host.target, RUN, facts)
    try:
        return await host.run("echo x >>count", start="attach", links=links)
    finally:
        await links.close()


async def test_a_job_that_ended_is_found_with_all_its_output(host: Host) -> None:
    await host.run("echo one; echo two >&2; exit 3")
    end, heard = await attach(host)
    assert isinstance(end, Exited)
    assert (end.code, bytes(heard.out), bytes(heard.err)) == (3, b"one\n", b"two\n")


async def test_a_job_that_was_never_sent_was_never_started(host: Host) -> None:
    await host.run("true", part="0.read")
    end, _ = await attach(host)
    assert isinstance(end, NotStarted)
    assert end.code == "never"
    assert (await look(host.links, host.target, KEY)).state == "absent"
    assert not (host.server.home / "count").exists()


async def test_looking_for_a_job_that_never_began_leaves_it_free_to(host: Host) -> None:
    await host.run("true", part="0.read")
    for _ in range(2):
        end, _ = await host.run("echo x >>count", start="find")
        assert isinstance(end, NotStarted)
        assert end.code == "never"
    assert not (host.server.home / "count").exists()
    assert isinstance((await host.run("echo x >>count", start="attach-or-start"))[0], Exited)
    end, heard = await host.run("echo x >>count; echo other", start="find")
    assert (isinstance(end, Exited), bytes(heard.out)) == (True, b"")
    assert (host.server.home / "count").read_text() == "x\n"


async def test_looking_for_a_job_whose_folder_is_gone_is_lost(host: Host) -> None:
    await host.run("true")
    shutil.rmtree(host.folder(KEY))
    end, _ = await host.run("echo x >>count", start="find")
    assert isinstance(end, Lost)
    assert end.code == "folder"


async def test_a_deleted_job_folder_is_lost(host: Host) -> None:
    await host.run("true")
    shutil.rmtree(host.folder(KEY))
    end, _ = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "folder"
    assert (await look(host.links, host.target, KEY)).state == "lost"


async def test_a_deleted_run_folder_is_lost(host: Host) -> None:
    await host.run("true")
    shutil.rmtree(host.work / "runs")
    end, _ = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "marker"


async def test_a_run_folder_that_was_made_anew_does_not_hide_the_loss(host: Host) -> None:
    _, heard = await host.run("true")
    first = heard.news[0]
    assert isinstance(first, Started)
    shutil.rmtree(host.work / "runs")
    assert isinstance((await host.run("true", part="2.run"))[0], Exited)
    end, _ = await attach(host, HostFacts(first.boot, first.marker))
    assert isinstance(end, Lost)
    assert end.code == "marker"
    links = Links(limits=QUICK)
    links.recall(host.target, RUN, HostFacts(first.boot, first.marker))
    assert (await look(links, host.target, KEY)).state == "lost"
    await links.close()


async def test_an_absent_folder_after_a_reboot_is_lost(host: Host) -> None:
    await host.run("true", part="0.read")
    marker = host.work / "runs" / RUN / "boot"
    marker.write_text("another-boot " + marker.read_text().split()[1] + "\n")
    end, _ = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "boot"
    assert (await look(host.links, host.target, KEY)).state == "lost"


async def test_a_job_cut_short_by_a_reboot_is_lost(host: Host) -> None:
    task = asyncio.create_task(host.run("exec sleep 60"))
    await until(lambda: (host.folder(KEY) / "pid").exists())
    task.cancel()
    (host.folder(KEY) / "boot").write_text("another-boot\n")
    end, _ = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "boot"
    assert (await look(host.links, host.target, KEY)).state == "lost"


async def test_a_job_that_ended_before_the_reboot_keeps_its_end(host: Host) -> None:
    await host.run("echo one; exit 5")
    (host.folder(KEY) / "boot").write_text("another-boot\n")
    end, heard = await attach(host)
    assert isinstance(end, Exited)
    assert (end.code, bytes(heard.out)) == (5, b"one\n")


async def test_a_reused_process_number_is_not_mistaken_for_the_job(host: Host) -> None:
    await host.run("true")
    (host.folder(KEY) / "rc").unlink()
    (host.folder(KEY) / "pid").write_text(f"{os.getpid()} 1\n")
    async with asyncio.timeout(20):  # one that takes us for the job would follow us for ever
        end, heard = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "process"
    assert heard.news == [], "it was never said to be there"
    assert (await look(host.links, host.target, KEY)).state == "lost"


async def test_a_job_whose_shell_was_killed_is_lost_at_once(host: Host) -> None:
    heard = Heard()
    task = asyncio.create_task(host.run("echo up; sleep 60", heard=heard))
    await until(lambda: bool(heard.out))
    session = int((host.folder(KEY) / "pid").read_text().split()[0])
    os.kill(session, 9)
    end, _ = await task
    assert isinstance(end, Lost)
    assert end.code == "process"
    for pid in members(session):
        os.kill(pid, 9)


async def test_a_permit_without_a_process_is_lost(host: Host) -> None:
    await host.run("true", part="0.read")
    host.folder(KEY).mkdir()
    end, _ = await attach(host)
    assert isinstance(end, Lost)
    assert end.code == "permit"


async def test_a_folder_deleted_under_a_running_job_is_lost(host: Host) -> None:
    heard = Heard()
    os.mkfifo(host.server.home / "gate")
    task = asyncio.create_task(host.run("echo up; read x <gate", heard=heard))
    await until(lambda: bool(heard.out))
    shutil.rmtree(host.folder(KEY))
    (host.server.home / "gate").write_text("go\n")
    end, _ = await task
    assert isinstance(end, Lost)


async def test_look_tells_what_runs_and_what_has_ended(host: Host) -> None:
    heard = Heard()
    os.mkfifo(host.server.home / "gate")
    task = asyncio.create_task(host.run("echo up; read x <gate; exit 4", heard=heard))
    await until(lambda: bool(heard.out))
    status = await look(host.links, host.target, KEY)
    started = heard.news[0]
    assert isinstance(started, Started)
    assert (status.state, status.pid, status.boot, status.marker) == (
        "running",
        started.pid,
        started.boot,
        started.marker,
    )
    (host.server.home / "gate").write_text("go\n")
    await task
    status = await look(host.links, host.target, KEY)
    assert (status.state, status.code, status.out_bytes) == ("finished", 4, 3)
    await host.run("echo up; kill -KILL $$", part="2.run")
    status = await look(host.links, host.target, JobKey(RUN, "stage/step", "2.run"))
    assert (status.state, status.code, status.signal, status.out_bytes) == ("finished", None, 9, 3)


@pytest.mark.parametrize("text", ["", "x y z\n", "\xff\xfe"])
async def test_a_damaged_exit_status_is_lost(host: Host, text: str) -> None:
    await host.run("true")
    (host.folder(KEY) / "rc").write_text(text)
    end, _ = await attach(host)
    assert isinstance(end, Lost)


async def test_a_login_refused_three_times_is_tried_no_more_and_the_job_is_left_alone(host: Host, keys: Path) -> None:
    task, gate = await begun(host)
    mine, others = host.server.authorized, host.server.home / "others"
    asyncssh.read_private_key(str(keys / "other")).write_public_key(str(others))
    await serve_again(host, others)
    async with asyncio.timeout(20):
        end, _ = await task
    assert isinstance(end, Lost)
    assert end.code == "ssh-auth"
    assert host.server.logins == 1 + 3, "accounts get locked"
    await serve_again(host, mine)
    gate.write_text("go\n")
    end, _ = await attach(host)
    assert isinstance(end, Exited)
    assert end.code == 4


async def test_another_host_key_on_the_way_back_is_never_spoken_to(host: Host, keys: Path, tmp_path: Path) -> None:
    task, _ = await begun(host)
    pin(tmp_path / "known_hosts", asyncssh.read_private_key(str(keys / "other")), "one")
    host.server.cut()
    async with asyncio.timeout(20):
        end, _ = await task
    assert isinstance(end, Lost)
    assert (end.code, host.server.logins) == ("ssh-host-key-changed", 1)


async def begun(host: Host) -> tuple[asyncio.Task[tuple[JobEnd, Heard]], Path]:
    """Return a job that has begun, and what lets it end with 4."""
    heard, gate = Heard(), host.server.home / "gate"
    os.mkfifo(gate)
    task = asyncio.create_task(host.run("echo up; read x <gate; exit 4", heard=heard))
    await until(lambda: bool(heard.out))
    return task, gate


async def serve_again(host: Host, authorized: Path) -> None:
    """End every link, and let in who stands in another file from now on."""
    await host.server.stop()
    host.server.authorized = authorized
    await host.server.start()
