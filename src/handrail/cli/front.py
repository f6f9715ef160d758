"""Choosing and driving a front end: the full screen on a terminal, else line by line. It owns stdin, stdout and signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from handrail.engine import messages as m
from handrail.plain.console import Answers, Console
from handrail.session.api import SessionApi
from handrail.session.exits import Exit


def full_screen(plain: bool) -> bool:
    """Tell whether the full screen is used: only if stdin *and* stdout are terminals, and nobody asked for plain."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not plain and not dumb and sys.stdin.isatty() and sys.stdout.isatty()


def _reader(loop: asyncio.AbstractEventLoop) -> asyncio.Queue[str | None]:
    """Return a queue of typed lines; a thread of its own reads, so that a blocked terminal blocks nothing."""
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\n"))
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="stdin").start()
    return queue


def journal_lines(path: Path) -> Callable[[], Iterator[str]]:
    """Return what yields the journal's new complete lines at each call: events, as JSON lines."""
    place = 0

    def fresh() -> Iterator[str]:
        nonlocal place
        with path.open("rb") as file:
            file.seek(place)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                place += len(line)
                yield line.decode("ascii", "replace").rstrip("\n")

    return fresh


def _put(line: str) -> None:
    with contextlib.suppress(BrokenPipeError, OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


async def drive_plain(
    session: SessionApi,
    *,
    answers: Answers | None = None,
    json: bool = False,
    quiet: bool = False,
    last: m.Intent | None = None,
) -> Exit:
    """Drive a run line by line; a signal holds it. `last` is submitted to one that is not done, before it is left."""
    loop = asyncio.get_running_loop()
    lines = None if answers else _reader(loop)
    follow = journal_lines(session.snapshot.info.folder / "journal.jsonl") if json else None
    console = Console(session, _put, lines, answers, quiet=json or quiet, follow=follow)
    task = asyncio.current_task()
    assert task is not None
    caught: list[str] = []

    def hold(name: str) -> None:
        caught.append(name)
        task.cancel()

    def interrupted() -> None:
        if lines is None:
            hold("SIGINT")
        else:
            _put("pause, stop, undo or leave? type one of the four; ctrl+c does nothing by itself")

    for sig in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sig, hold, sig.name)
    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        code = await console.run()
    except asyncio.CancelledError:
        if not caught:
            raise
        task.uncancel()
        session.submit(m.Leave(f"held by {caught[0]}"))
        return Exit.LEFT
    else:
        if last is not None and code is not Exit.DONE:
            session.submit(last)
        return code
    finally:
        await session.close()


def run_plain(make: Callable[[], Awaitable[SessionApi]], *, answers: Answers | None = None, json: bool = False) -> int:
    """Open a session and drive it line by line."""

    async def drive() -> int:
        return int(await drive_plain(await make(), answers=answers, json=json))

    return asyncio.run(drive())
