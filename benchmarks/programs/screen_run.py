"""A whole run on the full screen, as a program: `screen_run.py [--key-times FILE] RUNBOOK ESTATE [NAME=@FILE ...]`.

The application is the one that people use; beside it, a task submits what `--auto` would, and ends the program when the run is over.
With --key-times, every key's way is written down: when it was handled and painted (time.perf_counter), and each frame's length.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from benchmarks.programs.console_run import _given
from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.plain.auto import walk
from handrail.session.desk import Desk
from handrail.session.opening import Opening, open_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.tui.app import HandrailApp
from handrail.tui.page import Page


def note_keys(path: Path) -> None:
    """Write down when keys were handled, and how long frames took."""
    file, press, frame = path.open("w", buffering=1), Page.press, Page.frame

    def noted_press(self: Page[object], name: str, char: str, when: float) -> None:
        press(self, name, char, when)
        file.write(f"key {time.perf_counter()}\n")

    def noted_frame(self: Page[object]) -> None:
        begun = time.perf_counter()
        frame(self)
        file.write(f"frame {time.perf_counter() - begun}\n")

    Page.press = noted_press  # type: ignore[assignment,method-assign]
    Page.frame = noted_frame  # type: ignore[assignment,method-assign]


async def main(book: Path, where: Path, values: dict[str, str]) -> int:
    """Walk the run to its end, on the screen."""
    home, sessions = Home.locate(), []

    async def opened() -> Session:
        session = open_run(home, Opening(book, where, Mode.LIVE, values=values))
        sessions.append(session)
        app.own(over(session))
        return session

    async def over(session: Session) -> None:
        await walk(session)
        await asyncio.sleep(0.1)  # the last frame
        app.own_quit(0)

    app = HandrailApp(Desk(home), opened)
    await app.run_async()
    return 0 if sessions and outcome(sessions[0].snapshot.state) is Outcome.DONE else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[0] == "--key-times":
        note_keys(Path(words[1]))
        words = words[2:]
    sys.exit(asyncio.run(main(Path(words[0]), Path(words[1]), _given(words[2:]))))
