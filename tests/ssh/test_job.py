"""Remote jobs, as a console sees them: how they end, and what they bring."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.bench import RUN, Heard, Host, until

from handrail.base.problems import Trouble
from handrail.ssh.job import Command, Exited, JobKey, Refused, Signalled, Started, forget_jobs, open_run

SCRIPTS = {0: "exit 0", 1: "exit 1", 126: "exec /etc/passwd", 127: "exec no-such-program", 255: "exit 255"}


async def test_a_script_runs_and_brings_its_output(host: Host) -> None:
    end, heard = await host.run(Command(script='echo "one $1"; echo two >&2; exit 7', args=("a b",)))
    assert isinstance(end, Exited)
    assert (end.code, end.out_bytes, end.err_bytes) == (7, 8, 4)
    assert (bytes(heard.out), bytes(heard.err)) == (b"one a b\n", b"two\n")
    assert isinstance(heard.news[0], Started)


@pytest.mark.parametrize("code", SCRIPTS)
async def test_the_exit_status_is_the_one_of_the_command(host: Host, code: int) -> None:
    end, _ = await host.run(SCRIPTS[code])
    assert isinstance(end, Exited)
    assert end.code == code


@pytest.mark.parametrize(("name", "number"), [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("HUP", 1)])
async def test_death_by_a_signal_is_told_apart(host: Host, name: str, number: int) -> None:
    end, _ = await host.run(f"echo before; kill -{name} $$")
    assert isinstance(end, Signalled)
    assert (end.signal, end.out_bytes) == (number, 7)


async def test_an_exit_status_above_128_is_no_signal(host: Host) -> None:
    end, _ = await host.run("exit 143")
    assert isinstance(end, Exited)
    assert end.code == 143


async def test_bytes_that_are_no_text_arrive_as_they_are(host: Host) -> None:
    every = bytes(range(256)) * 3
    command = Command(argv=("cat",), stdin=every)
    end, heard = await host.run(command)
    assert isinstance(end, Exited)
    assert bytes(heard.out) == every


async def test_a_long_input_arrives_whole_and_leaves_no_file(host: Host) -> None:
    data = os.urandom(3_000_000)
    end, heard = await host.run(Command(argv=("cat",), stdin=data))
    assert isinstance(end, Exited)
    assert bytes(heard.out) == data
    held = [p for p in host.work.rglob("*") if p.is_file() and p.name != "out" and p.stat().st_size > 10_000]
    assert held == []


async def test_without_input_stdin_is_empty(host: Host) -> None:
    end, heard = await host.run("cat; echo end")
    assert bytes(heard.out) == b"end\n"
    assert isinstance(end, Exited)


async def test_secrets_and_scripts_stand_in_no_argv(host: Host) -> None:
    script = "echo canary-script; tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$$/cmdline"
    _, heard = await host.run(Command(script=script, stdin=b"canary-stdin"))
    told = " ".join(host.server.commands).encode() + bytes(heard.out).replace(b"canary-script\n", b"")
    assert b"canary" not in told


async def test_output_comes_while_the_job_runs(host: Host) -> None:
    gate = host.server.home / "gate"
    os.mkfifo(gate)
    heard = Heard()

    def open_gate() -> bool:
        return bytes(heard.out) == b"first\n" and bytes(heard.err) == b"problem\n"

    task = asyncio.create_task(host.run("echo first; echo problem >&2; read x <gate; echo last", heard=heard))
    await until(open_gate)
    gate.write_text("go\n")
    end, _ = await task
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"first\nlast\n"


async def test_fifty_megabytes_without_a_line_break_take_little_memory(host: Host) -> None:
    count = 0

    def take(_stream: str, at: int, data: bytes) -> None:
        nonlocal count
        assert at == count
        count += len(data)

    heard = Heard()
    heard.take = take  # type: ignore[method-assign, assignment]
    await host.run("true", part="0.warm")
    tracemalloc.start()
    end, _ = await host.run("head -c 50000000 /dev/zero", heard=heard)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(end, Exited)
    assert (end.out_bytes, count) == (50_000_000, 50_000_000)
    assert peak < 40_000_000


async def test_many_jobs_share_one_connection(host: Host) -> None:
    ends = await asyncio.gather(*(host.run(f"echo {n}", part=f"{n}.run") for n in range(20)))
    assert [bytes(heard.out) for _, heard in ends] == [b"%d\n" % n for n in range(20)]
    assert len(host.server.connections) == 1


async def test_the_same_key_is_never_started_twice(host: Host) -> None:
    await host.run("echo x >>count")
    end, heard = await host.run("echo x >>count")
    assert end == Refused("reused")
    assert bytes(heard.out) == b""
    assert (host.server.home / "count").read_text() == "x\n"


async def test_a_process_left_behind_does_not_hold_the_job(host: Host) -> None:
    end, heard = await host.run("sleep 60 & echo done")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"done\n"


async def test_a_job_keeps_the_interrupt_signal_at_its_default(host: Host) -> None:
    _, heard = await host.run("grep -E 'SigIgn|SigBlk' /proc/self/status")
    masks = [int(line.split()[1], 16) for line in bytes(heard.out).decode().splitlines()]
    assert masks[1] & 0b11 << 1 == 0


async def test_an_interpreter_line_is_followed(host: Host) -> None:
    _, heard = await host.run(Command(script="#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:])\n", args=("é",)))
    assert bytes(heard.out).decode() == "['é']\n"


async def test_an_attached_job_has_a_terminal(host: Host) -> None:
    end, heard = await host.run(Command(script='tty; echo "$1"; exit 3', args=("it's",), attached=True))
    assert isinstance(end, Exited)
    assert end.code == 3
    assert bytes(heard.out).startswith(b"/dev/pts/")
    assert bytes(heard.out).endswith(b"it's\r\n")


async def test_folders_are_private(host: Host) -> None:
    await host.run("true")
    folder = host.folder(JobKey(RUN, "stage/step", "1.run"))
    assert host.work.stat().st_mode & 0o777 == 0o755
    assert {folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777} == {0o700}
    names = "alive boot cmd err go out pid pipes rc runner script token why"
    assert {p.name for p in folder.iterdir()} == set(names.split())


async def test_forgetting_removes_the_run_and_spares_what_runs(host: Host) -> None:
    await host.run("true")
    task = asyncio.create_task(host.run("sleep 60", part="2.run"))
    await until(lambda: (host.folder(JobKey(RUN, "stage/step", "2.run")) / "pid").exists())
    assert not await forget_jobs(host.links, host.target, RUN)
    assert host.folder(JobKey(RUN, "stage/step", "1.run")).exists()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    other = "20260101-0000-other"
    await host.run("true", run=other)
    assert await forget_jobs(host.links, host.target, other)
    assert not (host.work / "runs" / other).exists()


@pytest.mark.parametrize(
    "command",
    [
        Command(argv=("echo", "a\0b")),
        Command(argv=("echo", "x" * 300_000)),
        Command(argv=("-rf",)),
        Command(argv=("",)),
        Command(script="x" * 300_000),
        Command(script="true", args=("\0",)),
    ],
)
async def test_what_cannot_be_sent_is_a_problem_before_anything_is(host: Host, command: Command) -> None:
    with pytest.raises(Trouble) as caught:
        await host.run(command)
    assert caught.value.problems[0].code == "ssh-command"
    assert host.server.commands == []


@pytest.mark.parametrize(
    ("run", "step", "part"), [("../x", "a/b", "1"), ("r", "a/../b", "1"), ("r", "A", "1"), ("r", "a", "")]
)
def test_a_key_is_always_one_folder_name(run: str, step: str, part: str) -> None:
    with pytest.raises(Trouble):
        JobKey(run, step, part)


async def test_a_tail_that_cannot_follow_is_replaced_by_polling(host: Host) -> None:
    facts = await open_run(host.links, host.target, RUN)
    assert facts is not None
    host.links.recall(host.target, RUN, replace(facts, tail=False, fork=False))
    script = "for i in 1 2 3 4; do echo $i; echo e$i >&2; sleep 0.1; done; exit 4"
    end, heard = await host.run(script)
    assert isinstance(end, Exited)
    assert (end.code, bytes(heard.out), bytes(heard.err)) == (4, b"1\n2\n3\n4\n", b"e1\ne2\ne3\ne4\n")
    again = Heard(out=bytearray(b"1\n2"), err=bytearray(b"e"))
    later, _ = await host.run("", start="attach", heard=again)
    assert later == end
    assert (again.out, again.err) == (heard.out, heard.err)


@pytest.mark.parametrize("name", ["TERM", "KILL"])
async def test_bash_as_sh_does_the_same(host: Host, tmp_path: Path, name: str) -> None:
    places = tmp_path / "bin"
    places.mkdir()
    (places / "sh").symlink_to("/bin/bash")
    host.server.env = {**host.server.env, "PATH": f"{places}:{host.server.env['PATH']}"}
    end, heard = await host.run(Command(script=f'echo "$1"; sleep 0.2; kill -{name} $$', args=("ä'\"\\n",)))
    assert isinstance(end, Signalled)
    assert bytes(heard.out).decode() == "ä'\"\\n\n"
    assert bytes(heard.err) == b""
