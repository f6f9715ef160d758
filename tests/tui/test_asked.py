"""What a connection asks: shown over whatever is on the screen, typed unseen, answered once, and declined by esc."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.desk import FakeBriefing, FakeDesk, cards
from tests.tui.fake import FakeSession
from tests.tui.stage import playing

from handrail.session.view import Asked, Mode

SUDO = Asked(1, "sudo on puppet-dr", "Password of ops, for every host where sudo asks for it")
CODE = Asked(2, "bastion asks ops", "Verification code:", echo=True)
DEAD = 0.7  # seconds: a little more than the page ignores


def briefing(desk: FakeDesk) -> FakeBriefing:
    return FakeBriefing(cards()[0], Mode.LIVE, desk)


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_a_password_is_asked_over_the_briefing_and_never_shown(size: tuple[int, int]) -> None:
    desk = FakeDesk()
    met = briefing(desk)
    async with playing(briefing=met, size=size) as stage:
        met.show(asked=(SUDO,))
        await stage.settle()
        assert "sudo on puppet-dr" in stage.text()
        stage.clock.pass_by(DEAD)
        await stage.type("pa ss")
        assert "pa ss" not in stage.text()
        assert "•••••" in stage.text()
        await stage.press("enter")
        await stage.settle()
        assert desk.asked == [("answer", 1, "pa ss")]
        assert "BRIEFING" in stage.text()


async def test_keys_meant_for_the_page_below_answer_nothing() -> None:
    desk = FakeDesk()
    met = briefing(desk)
    async with playing(briefing=met) as stage:
        met.show(asked=(SUDO,))
        while "sudo on" not in stage.text():
            await stage.pilot.pause()
        await stage.press("1", "0", "enter", "enter", gap=0.05)
        assert desk.asked == []
        assert "•" not in stage.text()


async def test_esc_declines_and_the_next_one_is_asked() -> None:
    desk = FakeDesk()
    met = briefing(desk)
    async with playing(briefing=met) as stage:
        met.show(asked=(SUDO, CODE))
        await stage.settle()
        stage.clock.pass_by(DEAD)
        await stage.press("enter")
        assert "cannot be left empty" in stage.rows()[-2]
        await stage.press("escape")
        await stage.settle()
        assert "bastion asks ops" in stage.text()
        stage.clock.pass_by(DEAD)
        await stage.type("123456")
        assert "123456" in stage.text()
        await stage.press("enter")
        await stage.settle()
        assert desk.asked == [("answer", 1, None), ("answer", 2, "123456")]
        assert "BRIEFING" in stage.text()


async def test_what_is_not_asked_any_more_goes_away() -> None:
    met = briefing(FakeDesk())
    async with playing(briefing=met) as stage:
        met.show(asked=(replace(SUDO, wrong="Sorry, try again."),))
        await stage.settle()
        assert "Sorry, try again." in stage.text()
        met.show(asked=())
        await stage.settle()
        assert "Sorry, try again." not in stage.text()
        assert "BRIEFING" in stage.text()


async def test_a_running_run_is_asked_too(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with playing(session) as stage:
        session.show(lambda snap: replace(snap, asked=(CODE,)))
        await stage.settle()
        assert "Verification code:" in stage.text()
        stage.clock.pass_by(DEAD)
        await stage.type("42")
        await stage.press("enter")
        await stage.settle()
        assert session.answered == [(2, "42")]
