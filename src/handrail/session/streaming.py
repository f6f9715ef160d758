"""From one host's command into another's, through this console: packed there, handed on piece by piece, held nowhere.

The packed bytes lie in the job's folder at the source until they are over; so a lost link on either side loses nothing: the
target's job asks for its input anew, and the source gives it from the first byte on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from handrail.actions.port import Said
from handrail.base.problems import Trouble, trouble
from handrail.engine.words import ResultKind
from handrail.runbook.checks import Command
from handrail.ssh import job
from handrail.ssh.flow import Feed, Pipe

if TYPE_CHECKING:
    from handrail.session.attempt import AttemptPort, Catch

Moved = Callable[[int, int], None]
"""Told how many bytes have been handed on, of how many."""

FORGET: Final = 'rm -f -- "$1"'


async def stream(
    port: AttemptPort, source: tuple[str, Command], target: tuple[str, Command], part: str, moved: Moved
) -> tuple[Said, Said]:
    """Pipe one host's command into another's; return what came of both."""
    here, send = source
    there, receive = target
    packed = port.catch(here)
    sent = await port.job(here, _told(send), f"{part}.send", packed, changes=False, limit=None, unheard=True)
    received, dry = Said(ResultKind.REFUSED, sent=False, detail="nothing was received"), None
    if sent.kind is ResultKind.EXITED and sent.exit == 0:
        spring = _Spring(port, packed, moved)
        told = _told(receive, Feed(packed.size, spring.flow))
        received = await port.job(there, told, f"{part}.receive", port.catch(there), changes=True, limit=None)
        dry = spring.dry
    await _forget(port, packed, part)
    return (dry or sent), received


def _told(command: Command, stdin: Feed | None = None) -> job.Command:
    text = (command.stdin or "").encode("utf-8", "surrogateescape")
    return job.Command(argv=command.run, script=command.script, args=command.args, stdin=stdin or text)


async def _forget(port: AttemptPort, packed: Catch, part: str) -> None:
    """Take what was copied off the source's disk again: a job's output is kept there, and these may be keys."""
    if packed.key is None:
        return
    path = f"{port.core.target(packed.host).work_dir}/runs/{port.core.run}/{packed.key.folder}/out"
    await port.command(packed.host, Command(script=FORGET, args=(path,)), f"{part}.forget", changes=False, limit=30.0)


@dataclass
class _Spring:
    """What the source has packed, as a feed: each call begins anew. `dry` says why it broke off."""

    port: AttemptPort
    packed: Catch
    moved: Moved
    dry: Said | None = None

    async def flow(self) -> AsyncGenerator[bytes]:
        """Yield what the source has packed, at the pace at which it is taken; raise `Trouble` when it is not all to be had."""
        pipe, done = Pipe(), 0
        giving = asyncio.create_task(self._give(pipe))
        giving.add_done_callback(lambda _: pipe.end())
        try:
            async for piece in pipe.pieces():
                if self.port.stopping:
                    raise trouble("stopped", "it was stopped on the way")
                done += len(piece)
                self.moved(done, self.packed.size)
                yield piece
            await giving
            if done != self.packed.size:
                self.dry = Said(ResultKind.REFUSED, sent=False, detail="what was packed is not there any more")
                raise trouble("stream", "the source has lost what it packed")
        finally:
            giving.cancel()
            await asyncio.gather(giving, return_exceptions=True)

    async def _give(self, pipe: Pipe) -> None:
        """Have the source's finished job deliver its output once more; a lost link is waited out."""

        def take(stream: str, _at: int, data: bytes) -> None:
            if stream == "out":
                pipe.put(data)

        core, key = self.port.core, self.packed.key
        assert key is not None
        permit, told = core.permit(changes=False), job.Command(argv=("true",))
        try:
            await job.run_job(
                core.links,
                core.target(self.packed.host),
                key,
                told,
                permit,
                start="attach",
                output=take,
                news=self.packed.news,
                valve=pipe.valve,
            )
        except Trouble as err:
            self.dry = Said(ResultKind.REFUSED, sent=False, detail=err.problems[0].message)
