"""Run one local program to its end: no shell, no stdin, bounded output, and nothing of it left behind on a cancel."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.safe import Safe, safe
from handrail.base.secrets import redact

LARGEST: Final = 1024 * 1024  # bytes kept of each stream; the rest is read and dropped


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit status (negative: by a signal), stdout, and the last of stderr, safe to show."""

    status: int
    stdout: bytes
    complaint: Safe


async def run(argv: Sequence[str], cwd: str = ".") -> Ended:
    """Run a program in a folder; raise `OSError` if it cannot be started. A cancel kills its whole process group first."""
    process = await _started(argv, cwd)
    assert process.stdout
    assert process.stderr
    try:
        out, err = await asyncio.gather(_all(process.stdout), _all(process.stderr))
        status = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    last = redact(err).decode("utf-8", "replace").strip().splitlines()[-3:]
    return Ended(status, out, safe("; ".join(last), 300))


async def _started(argv: Sequence[str], cwd: str) -> asyncio.subprocess.Process:
    """Start a program; a cancel in the middle of that waits for the start, or its children would be left behind."""
    start = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=cwd,
        )
    )
    try:
        return await asyncio.shield(start)
    except asyncio.CancelledError:
        await _end(await start)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a program and its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):  # a child that left the group may hold the pipes open
        async with asyncio.timeout(2):
            await process.wait()


async def _all(stream: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(65536):
        kept += chunk[: LARGEST - len(kept)]
    return bytes(kept)
