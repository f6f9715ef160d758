"""Playing a run again line by line: at once into a file or a pipe, else at its pace."""

from __future__ import annotations

import asyncio
import sys

from handrail.cli.front import Typing, _put
from handrail.plain.tape import Tape
from handrail.session.replaying import Replaying
from handrail.store.run_folder import RunFolder


def replay_plain(folder: RunFolder, speed: float, begin: str) -> int:
    """Print a replay; return the exit code."""
    replay = Replaying(folder, speed=speed)
    if begin:
        replay.begin_at(begin)
    if not speed:
        Tape(replay, _put).all(replay.onward)
        return 0

    async def play() -> None:
        typing = Typing(_put) if sys.stdin.isatty() else None
        try:
            await Tape(replay, _put, typing.lines if typing else None).run()
        finally:
            await replay.close()

    asyncio.run(play())
    return 0
