"""Foreign text on every screen: it is shown, it does nothing, and no escape of it reaches the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui import story
from tests.tui.desk import FakeDesk, held_run
from tests.tui.fake import FakeSession, failed
from tests.tui.stage import Stage, playing

from handrail.engine import messages as m
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Check, Question
from handrail.session.cards import RunbookCard
from handrail.session.view import HeadLine, HostView, LiveHost, LiveStep, Mode, Wrong

EVIL = (
    "[@click=app.quit]Q[/] [bold]b[/bold] [/] \x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[?1049l\x9b6n\x1bc"
    " \u202egnp\u2066 \u200b\U000e0041 [$x]"
)
SEEN = "[@click=app.quit]Q[/]"


def poisoned(folder: Path) -> FakeSession:
    """Return a run in which every foreign text is hostile."""
    clean = story.outline()
    stages = tuple(
        StageOutline(
            s.id,
            s.number,
            EVIL,
            tuple(replace(x, title=EVIL, stays=EVIL if x.stays else "") for x in s.steps),
            s.together,
            s.line,
        )
        for s in clean.stages
    )
    guards = tuple(replace(g, title=EVIL, means=EVIL) for g in clean.guards)
    texts = {
        step: replace(
            text,
            why=EVIL,
            good=EVIL,
            commands=(EVIL, EVIL),
            undo=(EVIL,),
            where=EVIL,
            sample=EVIL,
            wrong=(Wrong("exit 1", EVIL, EVIL),),
        )
        for step, text in story.texts().items()
    }
    session = FakeSession(folder, Outline(EVIL, EVIL, stages, clean.routes, guards), mode=Mode.LIVE, texts=texts)
    session.base = replace(
        session.base,
        headline=(HeadLine(EVIL, EVIL),),
        hosts=(HostView("h", EVIL, EVIL, EVIL, EVIL, "up"),),
        watchers=(EVIL,),
        names=dict.fromkeys(story.NAMES, EVIL),
        info=replace(session.base.info, runbook=EVIL, title=EVIL, estate=EVIL, operator=EVIL, reason=EVIL),
    )
    return session


def clean(stage: Stage) -> None:
    """Check that what is on the screen only shows."""
    text = stage.text()
    for char in text:
        assert char == "\n" or char.isprintable(), repr(char)
    assert not any(char in text for char in "\u202e\u2066\u200b\U000e0041")
    assert stage.app.is_running
    assert stage.app.clipboard == ""


def fails(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold", "sync/mask")
    s.begin("sync/copy")
    s.say("sync/copy", "h-dr", f"{EVIL}\n")
    s.say("sync/copy", "h-dr", f"{EVIL}\n".encode() + b"\xff\xfe\x80 bad utf-8\n", "err")
    s.say("sync/copy", "h-dr", "an unterminated \x1b]0;title\nis over here\n")
    s.say("sync/copy", "h-dr", "10%\r50%\r100%\n")
    s.live("sync/copy", LiveStep(1, 2, EVIL, {"h-dr": LiveHost("h-dr", EVIL, s.at)}, (EVIL,)))


def decided(s: FakeSession) -> None:
    fails(s)
    s.end("sync/copy", failed("h-dr", 1, EVIL, Check(EVIL, False, EVIL)))


def gated(s: FakeSession) -> None:
    s.to_stage("switch")
    recheck = replace(s.gate("switch/dns").rechecks[0], title=EVIL, seen=EVIL)
    s.open_gate(
        "switch/dns",
        what=EVIL,
        now=EVIL,
        then=EVIL,
        where=EVIL,
        undo=EVIL,
        stays=EVIL,
        proofs=(EVIL,),
        rechecks=(recheck,),
    )


def asked(s: FakeSession) -> None:
    fails(s)
    s.ask("sync/copy", Question(EVIL, "3", (EVIL, EVIL)))


def tripped(s: FakeSession) -> None:
    s.to_stage("clients")
    s.tell(m.GuardNews("primary-back", tripped=True, seen=EVIL))
    assert s.submit(m.Note(EVIL)) is None
    assert s.submit(m.Declare("emergency", EVIL)) is None


STATES: tuple[Callable[[FakeSession], None], ...] = (fails, decided, gated, asked, tripped)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (60, 18)])
@pytest.mark.parametrize("state", STATES, ids=lambda s: s.__name__)
async def test_a_run_full_of_hostile_text(
    tmp_path: Path, state: Callable[[FakeSession], None], size: tuple[int, int]
) -> None:
    session = poisoned(tmp_path)
    state(session)
    async with playing(session, size=size) as stage:
        clean(stage)
        assert SEEN in stage.text()
        for row in (3, 5, 8, 12):
            await stage.pilot.click(offset=(size[0] // 2, row))
        clean(stage)


@pytest.mark.parametrize(
    "keys", [("l",), ("p",), ("s",), ("u",), ("question_mark",), ("escape", "y"), ("q",), ("l", "up", "enter")]
)
async def test_pages_full_of_hostile_text(tmp_path: Path, keys: tuple[str, ...]) -> None:
    session = poisoned(tmp_path)
    decided(session)
    async with playing(session, size=(160, 48)) as stage:
        await stage.press(*keys)
        if "y" in keys:
            assert "\x1b" not in stage.app.clipboard
            stage.app._clipboard = ""
        clean(stage)


async def test_output_keeps_what_was_said_and_shows_what_is_safe(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    fails(session)
    async with playing(session, size=(160, 48)) as stage:
        text = stage.text()
        assert "100%" in text
        assert "10%\n" not in text
        assert "is over here" in text
        assert "bad utf-8" in text


async def test_home_and_briefing_full_of_hostile_text() -> None:
    card = RunbookCard(EVIL, Path("/x") / EVIL.replace("/", ""), EVIL, EVIL, 1, 1, 0.0, "", changed=(EVIL,))
    broken = replace(card, problems=(EVIL,))
    desk = FakeDesk((held_run(runbook=EVIL, estate=EVIL, where=EVIL, operator=EVIL, owed=(EVIL,)),), (card, broken))
    async with playing(desk=desk, size=(160, 48)) as stage:
        clean(stage)
        assert SEEN in stage.text()
        await stage.press("down")
        clean(stage)
        await stage.press("up", "d")
        await stage.settle()
        clean(stage)
        await stage.press("f4")
        clean(stage)


async def test_the_windows_title_is_safe(tmp_path: Path) -> None:
    async with playing(poisoned(tmp_path)) as stage:
        assert "\x1b" not in stage.app.title
        assert stage.app.title.startswith("LIVE ")
