"""The first frame: what stands there before any library is imported, and how the terminal is left whatever happens."""

from __future__ import annotations

import os
import re
import signal
import termios
from pathlib import Path

import pytest
from tests.tui.desk import FakeDesk
from tests.tui.stage import playing
from tests.tui.test_terminal import terminal

from handrail.tui.pages.waiting import WaitingPage
from handrail.tui.threshold import READING, frame

PROGRAM = Path(__file__).with_name("on_the_threshold.py")
LEFT = b"\x1b[?25h\x1b[?1049l"


@pytest.mark.parametrize("what", ["waits", "crosses"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_puts_the_terminal_right(tmp_path: Path, what: str, number: signal.Signals) -> None:
    with terminal(tmp_path, what, program=PROGRAM) as term:
        term.until(b"crossed" if what == "crosses" else b"ready")
        assert b"\x1b]2;ready []\x07" in term.seen
        assert b"   Reading runbooks and runs" in term.seen
        os.kill(term.process.pid, number)
        assert term.ended() != 0
        assert LEFT in term.seen
        assert termios.tcgetattr(term.slave) == term.before


def test_what_fails_meanwhile_is_told_on_the_shells_own_screen(tmp_path: Path) -> None:
    with terminal(tmp_path, "fails", program=PROGRAM) as term:
        assert term.ended() == 1
        assert b"nothing of the screen" in term.seen[term.seen.index(LEFT) :]


def test_a_run_that_cannot_be_resumed_is_refused_on_the_shells_own_screen(tmp_path: Path) -> None:
    with terminal(tmp_path, "resumes", program=PROGRAM) as term:
        assert term.ended() == 2
        framed = term.seen.index(b"   Getting ready")
        assert b"nothing" in term.seen[term.seen.index(LEFT, framed) :]
        assert termios.tcgetattr(term.slave) == term.before


def test_a_question_is_asked_on_the_shells_own_screen(tmp_path: Path) -> None:
    with terminal(tmp_path, "asks", program=PROGRAM) as term:
        term.until(b"asked")
        assert term.seen.index(LEFT) < term.seen.index(b"asked")
        os.kill(term.process.pid, signal.SIGTERM)
        term.ended()
        assert term.seen.count(LEFT) == 1


def _still(row: str) -> str:
    return re.sub(r"\d\d:\d\d", "00:00", row.rstrip())


async def test_it_is_the_page_that_stands_there_next() -> None:
    async with playing(desk=FakeDesk()) as stage:
        await stage.app.push_screen(WaitingPage(READING))
        await stage.settle()
        rows = stage.text().splitlines()
        ours = frame(READING, 80, 24)
        assert len(ours) == len(rows) == 24
        assert [_still(row) for row in rows[1:-1]] == [_still(row) for row in ours[1:-1]]
        assert rows[0].startswith(" handrail ")
