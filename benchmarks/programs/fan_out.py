"""Handrail's own way to many hosts: connects, opens the run there and runs one job, wrapper and checks on.

`fan_out.py FOLDER PORT AT_ONCE ADDRESS...`: the folder holds the user's key and the pinned host key.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks.console import job, target
from benchmarks.daemons import Sshd
from handrail.ssh.links import Links


async def main(one: Sshd, at_once: int, hosts: list[str]) -> None:
    """Run it on every host."""
    links, room = Links(), asyncio.Semaphore(at_once)

    async def each(host: str) -> None:
        async with room:
            await job(links, target(one, key=host, host=host), "true")

    await asyncio.gather(*map(each, hosts))
    await links.close()


if __name__ == "__main__":
    folder, port, many, *addresses = sys.argv[1:]
    asyncio.run(main(Sshd(Path(folder), int(port), 0), int(many), addresses))
