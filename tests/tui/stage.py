"""A stage to play on: the application over a fake session, its screen as text, and text snapshots."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tui.desk import FakeDesk
from tests.tui.fake import Clock, FakeSession
from textual import events
from textual.pilot import Pilot

from handrail.session.api import BriefingApi
from handrail.tui.app import HandrailApp
from handrail.tui.look import Look
from handrail.tui.page import Page

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "HANDRAIL_UPDATE_SNAPSHOTS"


@dataclass
class Stage:
    """What a test plays with."""

    app: HandrailApp
    pilot: Pilot[int]
    clock: Clock
    session: FakeSession | None = None

    @property
    def page(self) -> Page[object]:
        page = self.app.screen
        assert isinstance(page, Page)
        return page

    @property
    def run(self) -> FakeSession:
        assert self.session is not None
        return self.session

    async def press(self, *keys: str, gap: float = 0.2) -> None:
        """Press keys at a person's speed: time passes between them, and each is done with before the next."""
        for key in keys:
            self.clock.pass_by(gap)
            self.page.post_message(events.Key(key, _CHARS.get(key, key if len(key) == 1 else None)))
            await self.idle()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*(_NAMES.get(char, char) for char in text))

    async def idle(self) -> None:
        """Let every message be done with: of the pages, and of what they asked the application for."""
        for _ in range(4):
            await self.pilot._wait_for_screen()
            await asyncio.sleep(0)
        self.app.screen._on_timer_update()

    async def settle(self) -> None:
        """Let the application take notice of what the session says, and let enter come alive again."""
        self.clock.pass_by(1.0)
        await self.pilot.pause()
        if self.app.session is not None:
            self.app.take(self.app.session.snapshot)
            self.app._show()
        self.clock.pass_by(2.0)
        self.page.pull()
        self.page.repaint()
        await self.idle()

    def rows(self) -> list[str]:
        """Return the screen as the terminal gets it, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    def text(self) -> str:
        """Return the screen as text."""
        return "\n".join(self.rows()) + "\n"


_NAMES = {
    " ": "space",
    ".": "full_stop",
    "-": "minus",
    ":": "colon",
    "/": "slash",
    "!": "exclamation_mark",
    "?": "question_mark",
    ",": "comma",
    ">": "greater_than_sign",
    "<": "less_than_sign",
}


_CHARS = {name: char for char, name in _NAMES.items()}


@asynccontextmanager
async def playing(
    session: FakeSession | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    desk: FakeDesk | None = None,
    briefing: BriefingApi | None = None,
    look: Look | None = None,
    theme: str = "",
) -> AsyncIterator[Stage]:
    """Run the application without a terminal, on its first page."""
    clock = session.clock if session else Clock()
    desk = desk or FakeDesk()
    app = HandrailApp(desk, session or briefing, look=look, theme=theme, mono=clock.mono, today=clock.now, frame=60.0)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        stage = Stage(app, pilot, clock, session)
        await stage.settle()
        yield stage


def matches(stage: Stage, name: str) -> None:
    """Compare the screen with a snapshot; set HANDRAIL_UPDATE_SNAPSHOTS to write it."""
    path = SNAPSHOTS / f"{name}.txt"
    shown = stage.text()
    if os.environ.get(UPDATE):
        path.write_text(shown)
    assert shown == path.read_text(), f"{name}: the screen has changed; {UPDATE}=1 writes it anew"
