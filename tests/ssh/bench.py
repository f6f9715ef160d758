"""The bench of the ssh tests: a host and a console's view of it, what a job said, and helpers that look at /proc."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh
from tests.ssh.proxy import Proxy
from tests.ssh.server import Server

from handrail.ssh.job import Command, JobEnd, JobKey, JobNews, Permit, Start, run_job
from handrail.ssh.links import Limits, LinkNews, Links
from handrail.ssh.target import Target

RUN = "20260101-0000-abcdef"
QUICK = Limits(connect=2.0, login=4.0, keepalive=0.3, misses=2, retry_first=0.01, retry_most=0.05)


@dataclass
class Heard:
    """What a job said."""

    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    news: list[JobNews] = field(default_factory=list)

    def take(self, stream: str, at: int, data: bytes) -> None:
        """Take a piece; it must follow on what is there."""
        buffer = self.out if stream == "out" else self.err
        assert at == len(buffer), (stream, at, len(buffer))
        buffer += data


@dataclass
class Host:
    """A served host and a console's view of it."""

    server: Server
    target: Target
    links: Links
    link_news: list[LinkNews]

    @property
    def work(self) -> Path:
        return Path(self.target.work_dir)

    def folder(self, key: JobKey) -> Path:
        return self.work / "runs" / key.run / key.folder

    async def run(
        self,
        command: Command | str,
        *,
        part: str = "1.run",
        step: str = "stage/step",
        run: str = RUN,
        start: Start = "fresh",
        changes: bool = False,
        epoch: int = 1,
        heard: Heard | None = None,
        links: Links | None = None,
        target: Target | None = None,
    ) -> tuple[JobEnd, Heard]:
        heard = heard or Heard()
        command = Command(script=command) if isinstance(command, str) else command
        end = await run_job(
            links or self.links,
            target or self.target,
            JobKey(run, step, part),
            command,
            Permit("ann", run, epoch, changes),
            start=start,
            output=heard.take,
            offsets=(len(heard.out), len(heard.err)),
            news=heard.news.append,
        )
        return end, heard


def pin(path: Path, key: asyncssh.SSHKey, *names: str) -> None:
    """Write a known_hosts with one key under the names."""
    public = key.export_public_key().decode().split()[:2]
    path.write_text("".join(f"{name} {' '.join(public)}\n" for name in names))


def end_jobs(work: Path) -> None:
    """Kill the sessions of the jobs that a test left running."""
    for pid_file in work.glob("runs/*/*/pid"):
        pid = int(pid_file.read_text().split()[0])
        for each in members(pid):
            os.kill(each, signal.SIGKILL)


def members(session: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[3]) == session and words[0] not in "ZX":
                found.append(int(entry.name))
    return found


async def until(ready: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something to become true; the bound only ends a test that has failed."""
    async with asyncio.timeout(seconds):
        while not ready():
            await asyncio.sleep(0.005)


def through(host: Host, proxy: Proxy) -> Target:
    """Return the host's target as it is reached through the proxy."""
    return replace(host.target, port=proxy.port)
