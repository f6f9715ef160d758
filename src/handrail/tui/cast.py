"""A run as an asciicast (version 2): the replay's own screen, painted without a terminal, with a marker for each step.

It may show nothing that a replay does not show: each frame is what the replay page paints, mode and REPLAY in its first line.
The form is asciinema's: a header line, then `[seconds, "o", output]` and `[seconds, "m", label]`, a line each.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Final

from rich.color import ColorSystem
from textual.pilot import Pilot

from handrail.engine import events as e
from handrail.engine.words import Way
from handrail.session.api import DeskApi
from handrail.session.replaying import Replaying
from handrail.tui.app import HandrailApp
from handrail.tui.header import title_of
from handrail.tui.look import Look
from handrail.tui.page import Page
from handrail.tui.text import plain_text

SIZE: Final = (100, 30)
FRAME: Final = 0.25  # seconds between two pictures
_MOST: Final = 3000  # pictures of one run; a longer one has fewer in a second
_SHOWN: Final = 3.0  # seconds for which the last picture stands


def cast_of(replay: Replaying, desk: DeskApi) -> str:
    """Return a whole run as an asciicast; `replay` is played to its end, without waiting."""
    return asyncio.run(recorded(replay, desk))


async def recorded(replay: Replaying, desk: DeskApi) -> str:
    """Return the same in a loop that runs already."""
    made: list[str] = []
    app = HandrailApp(desk, replay, look=Look(), frame=3600.0)

    async def record(pilot: Pilot[object]) -> None:
        await pilot.pause()
        made.extend(_lines(app, replay))
        app.exit(0)

    await app.run_async(headless=True, size=SIZE, auto_pilot=record)
    if app.fault is not None:
        raise app.fault
    return "\n".join(made) + "\n"


def _lines(app: HandrailApp, replay: Replaying) -> Iterator[str]:
    replay.to_first()
    snap = replay.snapshot
    yield json.dumps(
        {
            "version": 2,
            "width": SIZE[0],
            "height": SIZE[1],
            "timestamp": int(snap.info.started.timestamp()),
            "title": plain_text(f"{title_of(snap)}, run {snap.info.run}"),
            "env": {"TERM": "xterm-256color"},
        }
    )
    yield _event(0.0, "o", "\x1b[?25l\x1b[2J")
    screen = _Screen(app)
    clock, marked = 0.0, 0
    frame = max(FRAME, _played(replay) / _MOST)
    while True:
        output = screen.changes()
        if output:
            yield _event(clock, "o", output)
        for number in replay.reel.marks[marked : replay.reel.passed(replay.count)]:
            yield _event(clock, "m", _label(replay, number))
            marked += 1
        if not replay.onto(frame):
            break
        clock += frame
    yield _event(clock, "o", screen.changes())
    yield _event(clock + _SHOWN, "o", "\x1b[?25h\r\n")


def _played(replay: Replaying) -> float:
    """Return how long a replay plays: what is shortened is counted short."""
    reel = replay.reel
    shortened = sum(until - since - 1.0 for since, until in reel.gaps)
    return reel.length - shortened


def _event(at: float, kind: str, data: str) -> str:
    return json.dumps([round(at, 3), kind, data])


def _label(replay: Replaying, number: int) -> str:
    """Return what a marker says: the step, or its undo, and the attempt where it is not the first."""
    event = replay.reel.frames[number].event
    assert isinstance(event, e.AttemptStarted)
    outline = replay.state.outline
    name = outline.step(event.step).name if outline.has_step(event.step) else event.step
    undo = "undo of " if event.way is Way.BACK else ""
    again = f", attempt {event.attempt}" if event.attempt > 1 and not undo else ""
    return plain_text(f"{undo}{name}{again}")


class _Screen:
    """The page's rows as a terminal gets them; only those that are not as they were."""

    def __init__(self, app: HandrailApp) -> None:
        self._app = app
        self._before: list[str] = []

    def changes(self) -> str:
        """Return the output that brings a terminal from the last picture to this one; nothing when they are the same."""
        app = self._app
        assert app.session is not None
        app.take(app.session.snapshot)
        page = app.screen
        assert isinstance(page, Page)
        page.show()
        page.pull()
        page.repaint()
        rows = [self._row(page, y) for y in range(SIZE[1])]
        before = self._before or [""] * len(rows)
        self._before = rows
        return "".join(
            f"\x1b[{y};1H{row}" for y, (row, was) in enumerate(zip(rows, before, strict=True), 1) if row != was
        )

    @staticmethod
    def _row(page: Page[object], y: int) -> str:
        parts = []
        for segment in page.canvas.render_line(y):
            style = segment.style
            text = style.render(segment.text, color_system=ColorSystem.TRUECOLOR) if style else segment.text
            parts.append(text)
        return "".join(parts)
