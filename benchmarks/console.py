"""Handrail's own way to a host, as the parts use it: links, targets, jobs, with the wrapper and every check on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from benchmarks.daemons import Sshd
from handrail.ssh.job import Command, Exited, JobKey, Permit, run_job
from handrail.ssh.links import Links
from handrail.ssh.target import Target

RUN = "20260101-0000-abcdef"
T = TypeVar("T")


class Living:
    """An event loop that runs all the time, in a thread, as a console's does: what it does between two calls is done."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Living:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def target(one: Sshd, *, key: str = "one", host: str = "127.0.0.1", port: int = 0) -> Target:
    """Return how an sshd of ours is reached."""
    return Target(
        key=key,
        name=key,
        host=host,
        port=port or one.port,
        user=one.user,
        identity=one.key,
        host_key_alias="bench",
        known_hosts=one.known_hosts,
        ssh_config=None,
        work_dir=str(one.folder / f"work-{key}"),
    )


def _nothing(_stream: str, _at: int, _data: bytes) -> None:
    """Take output and forget it."""


async def job(
    links: Links,
    where: Target,
    part: str,
    argv: tuple[str, ...] = ("true",),
    output: Callable[[str, int, bytes], None] = _nothing,
) -> None:
    """Run one read as a job, with its wrapper; raise RuntimeError when it does not end with 0."""
    key, permit = JobKey(RUN, "stage/step", part), Permit("ann", RUN, 1, False)
    end = await run_job(links, where, key, Command(argv=argv), permit, start="fresh", output=output)
    if not isinstance(end, Exited) or end.code:
        raise RuntimeError(f"{argv[0]} on {where.name}: {end}")
