"""A console that is killed with -9 in the middle of a job, and a second one that takes it up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from tests.ssh.bench import RUN, Host

CONSOLE = Path(__file__).parent / "console.py"
SCRIPT = "echo x >>count; echo one; echo ready >told; read x <gate; echo two; echo y >>count; exit 3"


async def console(host: Host, start: str) -> asyncio.subprocess.Process:
    """Start a console process."""
    assert host.target.identity
    known = {
        "port": str(host.target.port),
        "identity": str(host.target.identity),
        "known_hosts": str(host.target.known_hosts),
        "work_dir": host.target.work_dir,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CONSOLE), start, SCRIPT, RUN, json.dumps(known), stdout=asyncio.subprocess.PIPE
    )


async def lines_until(process: asyncio.subprocess.Process, kind: str) -> list[list[object]]:
    """Read what a console tells, up to the first line of a kind."""
    assert process.stdout
    told: list[list[object]] = []
    while not told or told[-1][0] != kind:
        line = await process.stdout.readline()
        assert line, told
        told.append(json.loads(line))
    return told


@pytest.mark.parametrize("moment", ["news", "out"])
async def test_a_second_console_finds_the_job_of_a_killed_one(host: Host, moment: str) -> None:
    for pipe in ("gate", "told"):
        os.mkfifo(host.server.home / pipe)
    first = await console(host, "fresh")
    await lines_until(first, moment)
    first.kill()
    await first.wait()
    second = await console(host, "attach")
    await asyncio.to_thread((host.server.home / "told").read_text)
    await asyncio.to_thread((host.server.home / "gate").write_text, "go\n")
    told = await lines_until(second, "end")
    await second.wait()
    assert "".join(str(value[1]) for kind, value in told if kind == "out") == "one\ntwo\n"  # type: ignore[index]
    assert str(told[-1][1]).startswith("Exited(code=3, out_bytes=8")
    assert (host.server.home / "count").read_text() == "x\ny\n"
