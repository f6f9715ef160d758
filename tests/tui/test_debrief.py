"""The debrief: outcome, time, what is left behind and what went wrong on the first screen; every key it shows works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession, failed
from tests.tui.stage import playing
from tests.tui.test_screens import done

from handrail.engine import messages as m
from handrail.tui.debrief_view import debrief_rows
from handrail.tui.scene import Scene


def told(session: FakeSession, *, whole: bool = False) -> str:
    snap = session.snapshot
    return "\n".join(line.plain for line in debrief_rows(Scene(snap, snap.at, snap.wall), 80, whole=whole))


async def test_what_counts_stands_on_the_first_screen(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    done(session)
    async with playing(session) as stage:
        await stage.press("enter")
        first = stage.text()
        for words in (
            "Done",
            "Restored in 11:48",
            "target 15:00",
            "Changed",
            "Owed",
            "Next",
            "What took longest",
        ):
            assert words in first


@pytest.mark.parametrize("key", ["ctrl+d", "pagedown", "down", "G"])
async def test_it_scrolls_by_every_key(tmp_path: Path, key: str) -> None:
    session = FakeSession(tmp_path)
    done(session)
    async with playing(session) as stage:
        await stage.press("enter")
        before = stage.text()
        await stage.press(key)
        assert stage.text() != before


async def test_each_step_is_a_key_away(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    done(session)
    async with playing(session, size=(100, 60)) as stage:
        await stage.press("enter")
        assert "All steps, by stage" in stage.text()
        assert "2.1 Hold the 15-minute sync" not in stage.text().split("All steps, by stage")[1]
        await stage.press("a")
        assert "2.1 Hold the 15-minute sync" in stage.text().split("All steps  ")[1]


def test_what_failed_and_was_sent_again_is_named_and_what_was_quick_is_not(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    session.clock.pass_by(1)
    session.end("sync/hold", failed("h-dr", 1))
    assert session.submit(m.Retry("sync/hold")) is None
    session.begin("sync/hold")
    session.clock.pass_by(1)
    session.end("sync/hold")
    session.begin("sync/mask")
    session.clock.pass_by(90)
    session.end("sync/mask")
    session.show(lambda s: replace(s, texts={}))
    trouble = told(session).split("What did not go at once")[1].split("What took longest")[0]
    assert "2.1 Hold" in trouble
    assert "2.2" not in trouble
    assert "2.2 Stop and mask the server" in told(session).split("What took longest")[1].split("All steps")[0]
