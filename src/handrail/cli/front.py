"""Choosing and driving a front end: the full screen on a terminal, else line by line. It owns stdin, stdout and signals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import termios
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from handrail.cli.terminals import full_screen as full_screen
from handrail.cli.terminals import in_width
from handrail.engine import messages as m
from handrail.engine.state import State
from handrail.plain import words
from handrail.plain.asked import AskedLines
from handrail.plain.console import Answers, Console
from handrail.session.api import SessionApi
from handrail.session.exits import Exit


class Typing:
    """What is typed, line by line; a thread of its own reads, so that a blocked terminal blocks nothing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.asked = AskedLines(say, self.hide)
        self._echo: list[Any] | None = None
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True, name="stdin").start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(self.lines.put_nowait, line.rstrip("\n"))
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self.lines.put_nowait, None)

    def hide(self, hidden: bool) -> None:
        """Turn the terminal's echo off, or back to what it was; what is no terminal has none."""
        with contextlib.suppress(termios.error, ValueError, OSError):
            if hidden and self._echo is None:
                self._echo = termios.tcgetattr(sys.stdin)
                mode = termios.tcgetattr(sys.stdin)
                mode[3] &= ~termios.ECHO
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, mode)
            elif not hidden and self._echo is not None:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._echo)
                self._echo = None

    async def ask(self, question: str, *, hidden: bool = False) -> str:
        """Ask for one line; "" at the end of the input."""
        self.asked.put(question)
        self.hide(hidden)
        try:
            line = await self.lines.get()
        finally:
            self.hide(False)
        if line is None:
            self.lines.put_nowait(None)
        return line or ""


Make = Callable[["Typing | None"], Awaitable[SessionApi]]
"""Opens a session; a person at the terminal can be asked for what it wants first."""


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


def _write(text: str, stream: TextIO) -> None:
    with contextlib.suppress(BrokenPipeError, OSError):
        stream.write(text + "\n")
        stream.flush()


def _put(line: str) -> None:
    _write(in_width(line, sys.stdout), sys.stdout)


def _put_whole(line: str) -> None:
    _write(line, sys.stdout)


def _say_aside(line: str) -> None:
    _write(in_width(line, sys.stderr), sys.stderr)


async def drive_plain(
    session: SessionApi,
    *,
    answers: Answers | None = None,
    json: bool = False,
    quiet: bool = False,
    last: Callable[[State], m.Intent | None] = lambda _state: None,
    typing: Typing | None = None,
    ended: Callable[[Exit], Awaitable[Exit]] | None = None,
) -> Exit:
    """Drive a run line by line; a signal holds it. `last` says what is submitted to one that is not done, before it is left.

    `ended` is asked what the end means, while the run is still driven.
    """
    loop = asyncio.get_running_loop()
    typing = typing or (None if answers else Typing(_put))
    lines, asked = (typing.lines, typing.asked) if typing else (None, None)
    follow = journal_lines(session.snapshot.info.folder / "journal.jsonl") if json else None
    console = Console(
        session, _put_whole if json else _put, lines, answers, quiet=json or quiet, follow=follow, asked=asked
    )
    task = asyncio.current_task()
    assert task is not None
    caught: list[str] = []

    def hold(name: str) -> None:
        caught.append(name)
        task.cancel()

    def interrupted() -> None:
        if answers is not None:
            hold("SIGINT")
        else:
            _put("pause, stop, undo or leave? type one of the four; ctrl+c does nothing by itself")

    for sig in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sig, hold, sig.name)
    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        code = await console.run()
        code = await ended(code) if ended else code
    except asyncio.CancelledError:
        if not caught:
            raise
        task.uncancel()
        session.submit(m.Leave(f"held by {caught[0]}"))
        return Exit.LEFT
    else:
        intent = last(session.snapshot.state) if code is not Exit.DONE else None
        if intent is not None:
            session.submit(intent)
        return code
    finally:
        if typing:
            typing.asked.end()
        await session.close()
        if not (json or quiet):
            for line in words.scenario(session.snapshot):
                _put(line)


def a_person(*, json: bool = False) -> Typing | None:
    """Return what a person types here; None without a terminal. With `json`, what is said to them goes to stderr."""
    return Typing(_say_aside if json else _put) if sys.stdin.isatty() else None


def run_plain(make: Make, *, answers: Answers | None = None, json: bool = False, asks: bool = True) -> int:
    """Open a session and drive it line by line; `asks` lets connections ask a person even where `answers` does the rest."""

    async def drive() -> int:
        typing = a_person(json=json) if asks else None
        return int(await drive_plain(await make(typing), answers=answers, json=json, typing=typing))

    return asyncio.run(drive())
