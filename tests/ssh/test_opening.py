"""The first call on a host opens the run there and starts a read. Wherever it is cut, the read runs once, or nobody says that it did not."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.bench import QUICK, RUN, Host, through, until
from tests.ssh.proxy import Proxy

from handrail.ssh import job, opening
from handrail.ssh.claim import raise_epoch
from handrail.ssh.job import Command, Exited, JobEnd, Lost, NotStarted, Refused, open_run
from handrail.ssh.links import Links

PROGRAMS = ("tail", "head", "mkdir", "ln", "rm", "setsid", "date", "mkfifo")
CALM = replace(QUICK, connect=20.0, login=20.0, keepalive=5.0)
MOST = 11  # programs that a first call starts, one after the other, until its answer is told
STAND_IN = """#!/bin/sh
# Stands before a program. Of those that the wrapper of one job starts, the one whose turn it is waits here until it may go on.
name=${0##*/}
said=$(tr '\\0' ' ' </proc/$PPID/cmdline)
said=${said##*handrail:}
here=STEPS/${said%%:*}
if [ -d "$here" ]; then
    n=1
    until MKDIR "$here/$n" 2>/dev/null; do n=$((n + 1)); done
    own=1
    until MKDIR "$here/$name.$own" 2>/dev/null; do own=$((own + 1)); done
    read -r turn <"$here/turn"
    if [ "$n" = "$turn" ] || [ "$name.$own" = "$turn" ]; then
        >"$here/reached"
        until [ -e "$here/go" ]; do SLEEP 0.01; done
    fi
fi
exec "REAL/$name" "$@"
"""


@pytest.fixture(autouse=True)
def calm(host: Host) -> None:
    """A slow machine loses no link here but those that a test cuts: calls can be counted."""
    host.links.limits = CALM


@pytest.fixture
def steps(host: Host, tmp_path: Path) -> Path:
    """Put a stand-in before each program of the host; it stops where a trial's folder in here says so."""
    steps, places, real = tmp_path / "steps", tmp_path / "bin", tmp_path / "real"
    for folder in (steps, places, real):
        folder.mkdir()
    text = STAND_IN.replace("STEPS", str(steps)).replace("REAL", str(real))
    for name in ("mkdir", "sleep"):
        text = text.replace(name.upper(), str(shutil.which(name)))
    for name in PROGRAMS:
        (real / name).symlink_to(str(shutil.which(name)))
        (places / name).write_text(text)
        (places / name).chmod(0o755)
    host.server.env = {**host.server.env, "PATH": f"{places}:{host.server.env['PATH']}"}
    return steps


@contextmanager
def stopped(steps: Path, run: str, turn: int | str) -> Iterator[Path]:
    """Stop the run's first call at its so-manieth program, or at the so-manieth of a name: "mkdir.2"."""
    here = steps / run
    here.mkdir()
    (here / "turn").write_text(f"{turn}\n")
    try:
        yield here
    finally:
        (here / "go").touch()


def lines(host: Host, run: str) -> str:
    path = host.server.home / f"count-{run}"
    return path.read_text() if path.exists() else ""


def calls(host: Host) -> list[str]:
    return [command for command in host.server.commands if "handrail-next" not in command]


async def trial(host: Host, steps: Path, turn: int, *, killed: bool) -> tuple[JobEnd, str, bool]:
    """Cut the link at one program of the first call; return the end, what the read left, and whether it came so far."""
    run, links = f"run{turn}", Links(limits=CALM)
    with stopped(steps, run, turn) as here:
        task = asyncio.create_task(host.run(f"echo x >>count-{run}; echo one; exit 3", run=run, links=links))
        await until(lambda: task.done() or (here / "reached").exists(), 90)
        reached = not task.done()
        links.drop(host.target)
        for process in list(host.server.running.values()):
            if killed and f"handrail:{run}:" in str(process.args):
                process.kill()
    end, heard = await task
    await links.close()
    if isinstance(end, Exited):
        assert (end.code, bytes(heard.out)) == (3, b"one\n")
    return end, lines(host, run), reached


async def test_a_first_read_takes_one_call(host: Host) -> None:
    end, _ = await host.run("exit 3")
    assert isinstance(end, Exited)
    assert len(calls(host)) == 1
    facts = host.links.facts(host.target, RUN)
    assert facts is not None
    assert facts == await open_run(host.links, host.target, RUN, make=False)
    assert (facts.tail, facts.fork, facts.pty) == (True, True, True)


@pytest.mark.parametrize("command", [Command(argv=("true",)), Command(argv=("true",), attached=True)])
async def test_a_change_and_a_terminal_ask_first_what_the_host_is_like(host: Host, command: Command) -> None:
    end, _ = await host.run(command, changes=not command.attached)
    assert isinstance(end, Exited)
    assert len(calls(host)) == 2


async def test_a_link_lost_at_any_step_of_it_is_mended_and_the_read_runs_once(host: Host, steps: Path) -> None:
    """What was cut off goes on at the host meanwhile, beside the call that asks again."""
    done = await asyncio.gather(*(trial(host, steps, turn, killed=False) for turn in range(1, MOST + 1)))
    for turn, (end, left, _) in enumerate(done, 1):
        assert isinstance(end, Exited), (turn, end)
        assert left == "x\n", turn
    assert sum(reached for _, _, reached in done) >= 8


async def test_a_first_call_killed_at_any_step_runs_nothing_twice_and_hides_nothing(host: Host, steps: Path) -> None:
    done = await asyncio.gather(*(trial(host, steps, turn, killed=True) for turn in range(1, MOST + 1)))
    for turn, (end, left, _) in enumerate(done, 1):
        assert isinstance(end, Exited | Lost), (turn, end)
        assert len(left.split()) == 1 if isinstance(end, Exited) else len(left.split()) <= 1, (turn, end)
    assert sum(isinstance(end, Exited) for end, _, _ in done) >= 3


@pytest.mark.parametrize("turn", ["tail.1", "mkdir.1", "setsid.1"])
async def test_where_a_reboot_may_lie_between_a_read_that_is_not_there_is_lost(
    host: Host, steps: Path, turn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was sent before the host was booted, as far as the console can tell: what it had made there may be gone."""
    monkeypatch.setattr(job, "now", lambda: opening.now() - 1e8)
    with stopped(steps, RUN, turn) as here:
        task = asyncio.create_task(host.run(f"echo x >>count-{RUN}"))
        await until(lambda: (here / "reached").exists())
        for process in list(host.server.running.values()):
            process.kill()
        host.server.cut()
        end, _ = await task
        assert isinstance(end, Lost)
        assert end.code == "boot"
    assert lines(host, RUN) == ""


async def test_a_read_that_began_before_the_host_was_booted_is_found_all_the_same(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "now", lambda: opening.now() - 1e8)
    task = asyncio.create_task(host.run(f"echo x >>count-{RUN}; sleep 0.3; echo one"))
    await until(lambda: bool(lines(host, RUN)))
    host.server.cut()
    end, heard = await task
    assert isinstance(end, Exited)
    assert (bytes(heard.out), lines(host, RUN)) == (b"one\n", "x\n")


async def test_a_read_whose_folder_is_gone_is_lost_and_not_begun_again(host: Host, steps: Path, proxy: Proxy) -> None:
    gate = host.server.home / "gate"
    os.mkfifo(gate)
    task = asyncio.create_task(host.run(f"echo x >>count-{RUN}; read x <gate", target=through(host, proxy)))
    await until(lambda: lines(host, RUN) == "x\n")
    proxy.refuse = True
    proxy.cut()
    await asyncio.to_thread(gate.write_text, "go\n")
    await until(lambda: any(path.read_text().strip() for path in (host.work / "runs" / RUN).glob("*/rc")))
    for folder in (host.work / "runs" / RUN).glob("*/"):
        shutil.rmtree(folder)
    proxy.refuse = False
    end, _ = await task
    assert isinstance(end, Lost)
    assert end.code == "folder"
    assert lines(host, RUN) == "x\n"


async def test_two_consoles_that_open_a_run_at_once_share_one_marker(host: Host) -> None:
    other = Links(limits=CALM)
    ends = await asyncio.gather(
        host.run("echo one", part="1.e1.1"), host.run("echo two", part="1.e2.1", links=other, epoch=2)
    )
    assert all(isinstance(end, Exited) for end, _ in ends)
    mine, theirs = host.links.facts(host.target, RUN), other.facts(host.target, RUN)
    assert mine is not None
    assert mine == theirs
    await other.close()


async def test_two_consoles_that_open_it_with_one_key_start_one_job(host: Host) -> None:
    other = Links(limits=CALM)
    work = f"echo x >>count-{RUN}; sleep 0.1"
    ends = [end for end, _ in await asyncio.gather(host.run(work), host.run(work, links=other))]
    await other.close()
    assert sorted(type(end).__name__ for end in ends) == ["Exited", "Refused"]
    assert Refused("reused") in ends
    assert lines(host, RUN) == "x\n"


async def test_a_newer_epoch_that_comes_between_refuses_the_change_that_follows(host: Host, steps: Path) -> None:
    other = Links(limits=CALM)
    with stopped(steps, RUN, "ln.1") as here:
        task = asyncio.create_task(host.run("echo one", epoch=1))
        await until(lambda: (here / "reached").exists())
        assert await raise_epoch(other, host.target, RUN, 2) is None
    assert isinstance((await task)[0], Exited)  # a read is nobody's to refuse
    end, _ = await host.run(f"echo x >>count-{RUN}", part="2.run", changes=True, epoch=1)
    await other.close()
    assert end == Refused("epoch", "2")
    assert lines(host, RUN) == ""


async def test_a_full_disk_is_told_by_the_first_call_with_what_to_do(host: Host) -> None:
    host.server.argv = lambda command: ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; " + command]
    end, _ = await host.run(f"echo x >>count-{RUN}")
    assert isinstance(end, NotStarted)
    assert end.problem is not None
    assert (end.code, end.problem.code) == ("ssh-work-dir", "ssh-work-dir")
    assert "set `work_dir`" in end.problem.hint
    assert len(calls(host)) == 1
