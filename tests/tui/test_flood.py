"""Keys while much moves: nothing that is typed is overtaken, and what was painted once is not made again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession
from tests.tui.stage import Stage, playing
from textual import events

from handrail.engine import messages as m
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.page import Page
from handrail.tui.text import Ink, ink


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


def typed(char: str) -> events.Key:
    return events.Key(char, char)


async def asked(stage: Stage) -> tuple[AskWords, list[str]]:
    said: list[str] = []
    page = AskWords("Find", [], [Field("text", "Text")])
    stage.app.ask(page, lambda words: said.append(words["text"]))
    return page, said


async def test_keys_and_pastes_keep_their_order_whichever_way_they_come(session: FakeSession) -> None:
    async with playing(session) as stage:
        _, said = await asked(stage)
        for event in (typed("a"), typed("b"), events.Paste("cd"), typed("e")):  # the page is not there yet
            stage.app.post_message(event)
        await stage.idle()
        for event in (typed("f"), events.Paste("gh"), typed("i")):  # it is
            stage.app.post_message(event)
        stage.app.post_message(events.Key("enter", "\r"))
        await stage.idle()
        assert said == ["abcdefghi"]


async def test_a_key_waits_for_no_other_page_or_widget(session: FakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(session) as stage:
        pressed: list[str] = []
        monkeypatch.setattr(Page, "press", lambda _self, name, _char, _when: pressed.append(name))
        await stage.idle()
        while not stage.page.idle:
            await asyncio.sleep(0)
        await stage.app.on_event(typed("a"))
        assert pressed == ["a"]


async def test_what_comes_while_something_waits_goes_behind_it(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(session) as stage:
        pressed: list[str] = []
        monkeypatch.setattr(Page, "press", lambda _self, name, _char, _when: pressed.append(name))
        await stage.idle()
        stage.page.canvas.post_message(typed("a"))
        await stage.app.on_event(typed("b"))
        assert pressed == []
        await stage.idle()
        assert pressed == ["a", "b"]


async def test_the_scene_of_a_moment_is_made_once_and_follows_clock_and_run(session: FakeSession) -> None:
    async with playing(session) as stage:
        first = stage.app.scene()
        assert stage.app.scene() is first
        stage.clock.pass_by(1.0)
        second = stage.app.scene()
        assert first
        assert second
        assert second.wall > first.wall
        session.submit(m.Note("late"))
        stage.app.take(session.snapshot)
        third = stage.app.scene()
        assert third
        assert third.snap is stage.app._snap


def test_a_text_is_made_showable_once() -> None:
    assert ink("a\x1b[31mb", Ink.BOLD, "key:x") is ink("a\x1b[31mb", Ink.BOLD, "key:x")
    assert ink("a\x1b[31mb").plain == "ab"
    assert ink("a", Ink.BOLD) != ink("a", Ink.DIM)
