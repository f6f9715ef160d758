"""The log page and the output window: find, follow, scroll, filter; much output does not slow a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.fake import FakeSession
from tests.tui.stage import Stage, playing

from handrail.engine import messages as m
from handrail.tui.output import KEPT, Only, OutputView
from handrail.tui.pages.log import LogPage


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    session = FakeSession(tmp_path)
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    session.begin("sync/copy")
    return session


def say(session: FakeSession, first: int, count: int) -> None:
    for n in range(first, first + count):
        session.clock.pass_by(0.5)
        session.say("sync/copy", "h-dr", f"line {n:04}\n")


async def pull(stage: Stage) -> None:
    stage.page.frame()
    await stage.pilot.pause()


async def found(stage: Stage) -> None:
    """Wait for the thread that reads the file."""
    while stage.app._tasks:
        await stage.pilot.pause()
    await stage.pilot.pause()


async def test_following_shows_what_comes(session: FakeSession) -> None:
    say(session, 0, 100)
    async with playing(session) as stage:
        await stage.press("l")
        await pull(stage)
        assert "line 0099" in stage.text()
        say(session, 100, 5)
        await pull(stage)
        assert "line 0104" in stage.text()
        assert "following" in stage.rows()[-2]


async def test_scrolled_back_the_text_stands_still(session: FakeSession) -> None:
    say(session, 0, 100)
    async with playing(session) as stage:
        await stage.press("l", "ctrl+u", "ctrl+u")
        before = stage.rows()[4:20]
        say(session, 100, 500)
        await pull(stage)
        assert stage.rows()[4:20] == before
        await stage.press("G")
        assert "line 0599" in stage.text()
        await stage.press("g")
        assert "line 0000" in stage.text()


async def test_on_the_run_screen_too(session: FakeSession) -> None:
    say(session, 0, 100)
    async with playing(session) as stage:
        await stage.press("ctrl+u")
        assert "below" in stage.text()
        before = [row[31:] for row in stage.rows()[9:16]]
        say(session, 100, 300)
        await pull(stage)
        assert [row[31:] for row in stage.rows()[9:16]] == before
        await stage.press("f")
        assert "line 0399" in stage.text()


async def test_find_next_and_prior(session: FakeSession) -> None:
    say(session, 0, 200)
    async with playing(session) as stage:
        await stage.press("l", "slash")
        await stage.type("LINE 01")
        await stage.press("enter")
        await found(stage)
        page = stage.page
        assert isinstance(page, LogPage)
        assert page.output.at.mark == 100
        await stage.press("greater_than_sign")
        await found(stage)
        assert page.output.at.mark == 101
        await stage.press("less_than_sign")
        await found(stage)
        assert page.output.at.mark == 100
        await stage.press("less_than_sign")
        await found(stage)
        assert "not there before this" in stage.rows()[-2]


async def test_filter_by_stream(session: FakeSession) -> None:
    say(session, 0, 300)
    session.say("sync/copy", "h-dr", "it went wrong\n", "err")
    say(session, 300, 300)
    async with playing(session) as stage:
        await stage.press("l", "e")
        await pull(stage)
        assert "only errors" in stage.text()
        assert "! it went wrong" in stage.text()
        assert "line 0" not in stage.text()
        await stage.press("e")
        assert "it went wrong" not in stage.text()


async def test_times_between_lines(session: FakeSession) -> None:
    say(session, 0, 20)
    async with playing(session) as stage:
        await stage.press("l", "t")
        assert "12:00:" in stage.text()
        await stage.press("t")
        assert "+  0.500" in stage.text()


async def test_hosts_are_changed_by_h(session: FakeSession) -> None:
    say(session, 0, 3)
    session.say("sync/copy", "h-primary", "the primary speaks\n")
    async with playing(session) as stage:
        await stage.press("l", "h")
        assert "the primary speaks" in stage.text()
        assert "host 2 of 2" in stage.text()


async def test_a_long_line_is_cut_and_shown_whole_on_enter(session: FakeSession) -> None:
    session.say("sync/copy", "h-dr", "x" * 200 + " the end of it\n")
    async with playing(session) as stage:
        await stage.press("l")
        assert "…" in stage.text()
        assert "the end of it" not in stage.text()
        await stage.press("up", "enter")
        assert "the end of it" in stage.text()


async def test_wide_characters_keep_the_columns(session: FakeSession) -> None:
    session.say("sync/copy", "h-dr", "日本語のテキスト" * 20 + "\n")
    async with playing(session) as stage:
        for strip in stage.app.screen._compositor.render_strips():
            assert strip.cell_length == 80
        assert "日本語" in stage.text()


async def test_a_line_of_megabytes_is_no_burden(session: FakeSession) -> None:
    session.say("sync/copy", "h-dr", b"y" * (5 << 20))
    async with playing(session) as stage:
        await stage.press("l", "right", "left")
        assert "yyyy" in stage.text()


def test_only_what_is_visible_is_read(session: FakeSession) -> None:
    chunk = b"".join(b"line %07d of much output that goes on and on\n" % n for n in range(20_000))
    for _ in range(40):
        session.say("sync/copy", "h-dr", chunk)
    view = OutputView()
    reader = session.output("sync/copy").reader("h-dr")
    assert reader is not None
    view.turn_to(reader)
    while view.pull():
        pass
    asked: list[tuple[int, int]] = []
    lines = reader.lines

    def counted(first: int, count: int, limit: int = 0) -> object:
        asked.append((first, count))
        return lines(first, count, limit)

    reader.lines = counted  # type: ignore[assignment,method-assign]
    assert len(view.rows(80, 20)) == 20
    view.scroll(-1000, 20)
    assert len(view.rows(80, 20)) == 20
    assert view.count == 800_000
    assert sum(count for _, count in asked) <= 100
    reader.close()


def test_a_filter_that_finds_nothing_gives_up(session: FakeSession) -> None:
    session.say("sync/copy", "h-dr", b"plain\n" * 200_000)
    view = OutputView()
    view.turn_to(session.output("sync/copy").reader("h-dr"))
    while view.pull():
        pass
    view.at.only = Only.ERRORS
    assert view.rows(80, 20) == []
    view.close()


def test_an_output_one_comes_back_to_is_not_counted_anew(session: FakeSession) -> None:
    session.say("sync/copy", "h-dr", b"first\n" * 1000)
    session.say("checks/one", "h-dr", b"other\n")
    there, other = session.output("sync/copy").reader("h-dr"), session.output("checks/one").reader("h-dr")
    view = OutputView()
    view.turn_to(there)
    view.turn_to(other)
    session.say("sync/copy", "h-dr", b"since\n")
    again = session.output("sync/copy").reader("h-dr")
    view.turn_to(again)
    assert view.reader is there
    assert (view.count, [line.raw for line in view.visible(2)]) == (1001, [b"first", b"since"])
    view.close()
    assert view.reader is None
    assert [one._fds for one in (there, other) if one is not None] == [None, None]


def test_few_outputs_are_kept_open(session: FakeSession) -> None:
    view, readers = OutputView(), []
    for number in range(9):
        session.say(f"sync/copy{number}", "h-dr", b"a\n")
        readers.append(session.output(f"sync/copy{number}").reader("h-dr"))
        view.turn_to(readers[-1])
    assert sum(one is not None and one._fds is not None for one in readers) == KEPT + 1
    view.close()
