"""Home and briefing: what is opened, what is asked for, what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.tui.desk import FakeBriefing, FakeDesk, cards, held_run
from tests.tui.fake import FakeSession
from tests.tui.stage import Stage, matches, playing

from handrail.base.problems import trouble
from handrail.session.cards import Start
from handrail.session.view import Mode
from handrail.tui.app import HandrailApp
from handrail.tui.pages.briefing import BriefingPage
from handrail.tui.pages.home import HomePage
from handrail.tui.pages.run import RunPage


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


def briefing(stage: Stage) -> FakeBriefing:
    page = stage.page
    assert isinstance(page, BriefingPage)
    assert isinstance(page.briefing, FakeBriefing)
    return page.briefing


@pytest.mark.parametrize(
    ("key", "mode"), [("enter", Mode.DRILL), ("d", Mode.DRILL), ("c", Mode.CHECK), ("R", Mode.LIVE)]
)
async def test_a_key_opens_a_briefing(key: str, mode: Mode) -> None:
    desk = FakeDesk((held_run(),))
    async with playing(desk=desk) as stage:
        await stage.press(key)
        await stage.settle()
        assert desk.asked == [("brief", "puppet-failover", mode)]
        assert mode.value in stage.rows()[0]


async def test_a_drill_begins_from_the_briefing_and_comes_back_home(session: FakeSession) -> None:
    desk = FakeDesk(session=session)
    async with playing(desk=desk) as stage:
        await stage.press("d")
        await stage.settle()
        made = briefing(stage)
        await stage.press("tab", "tab", "right", "enter")
        await stage.settle()
        assert made.started == Start("planned", (("fqdn", "puppet.example.test"),), step_by_step=True)
        assert isinstance(stage.page, RunPage)
        left = stage.page
        await stage.press("q", "down", "enter")
        await stage.settle()
        assert isinstance(stage.page, HomePage)
        assert session.closed
        assert left.paint(80, 24) == []


async def test_live_asks_for_everything_first(session: FakeSession) -> None:
    desk = FakeDesk(session=session)
    async with playing(desk=desk) as stage:
        await stage.press("R")
        await stage.settle()
        made = briefing(stage)
        await stage.press("enter", "enter")
        assert made.started is None
        await stage.type("hunter2")
        assert "hunter2" not in stage.text()
        await stage.press("enter")
        await stage.type("drilled on staging")
        await stage.press("enter")
        await stage.type("productoin")
        await stage.press("enter")
        assert made.started is None
        await stage.press("ctrl+u")
        await stage.type("production")
        await stage.press("enter")
        await stage.settle()
        assert made.started is not None
        assert dict(made.started.values)["sudo"] == "hunter2"
        assert made.started.reason == "drilled on staging"
        assert made.started.typed == "production"


async def test_the_emergency_route_asks_why(session: FakeSession) -> None:
    desk = FakeDesk(session=session)
    async with playing(desk=desk) as stage:
        await stage.press("d")
        await stage.settle()
        made = briefing(stage)
        await stage.press("right")
        assert "EMERGENCY" in stage.rows()[0]
        await stage.press("enter", "enter")
        assert made.started is None
        await stage.type("dark")
        await stage.press("enter")
        await stage.settle()
        assert made.started is not None
        assert (made.started.route, made.started.emergency) == ("emergency", "dark")


async def test_what_was_typed_stays_while_the_briefing_learns(session: FakeSession) -> None:
    async with playing(desk=FakeDesk(session=session)) as stage:
        await stage.press("d")
        await stage.settle()
        made = briefing(stage)
        await stage.press("tab", "ctrl+u")
        await stage.type("other.example.test")
        made.show(evidence=("puppet-dr answers too",))
        await stage.settle()
        assert "puppet-dr answers too" in stage.text()
        assert "other.example.test" in stage.text()


async def test_a_refused_start_says_why_and_nothing_is_lost(session: FakeSession) -> None:
    async with playing(desk=FakeDesk(session=session)) as stage:
        await stage.press("d")
        await stage.settle()
        await stage.press("tab", "ctrl+u")
        await stage.type("refused.example.test")
        await stage.press("enter")
        await stage.pilot.pause()
        assert "refused.example.test is not in the zone" in stage.rows()[-2]
        assert isinstance(stage.page, BriefingPage)


async def test_the_proposed_route_is_what_starts_until_a_person_takes_another(session: FakeSession) -> None:
    async with playing(desk=FakeDesk(session=session)) as stage:
        await stage.press("d")
        await stage.settle()
        made = briefing(stage)
        made.show(route="emergency")
        await stage.settle()
        asked = [row for row in stage.rows() if row.startswith(" Route  ")]
        assert "emergency" in asked[0], asked
        assert any("Emergency: why" in row for row in stage.rows())
        await stage.press("shift+tab", "right")
        made.show(route="emergency")
        await stage.settle()
        assert "planned" in next(row for row in stage.rows() if row.startswith(" Route  "))


async def test_leaving_the_briefing_starts_nothing(session: FakeSession) -> None:
    async with playing(desk=FakeDesk(session=session)) as stage:
        await stage.press("d")
        await stage.settle()
        made = briefing(stage)
        await stage.press("escape")
        await stage.settle()
        assert made.closed
        assert isinstance(stage.page, HomePage)


async def test_a_held_run_is_resumed_by_r(session: FakeSession) -> None:
    desk = FakeDesk((held_run(),), session=session)
    async with playing(desk=desk) as stage:
        await stage.press("r")
        await stage.settle()
        assert desk.asked == [("resume", "20261122-1104-k3f9q2", "", "")]
        assert isinstance(stage.page, RunPage)


async def test_watching_from_home(session: FakeSession) -> None:
    desk = FakeDesk((held_run(driven=True, holder="maria"),), session=session)
    async with playing(desk=desk) as stage:
        await stage.press("w")
        await stage.settle()
        assert desk.asked[0][0] == "watch"
        assert "You watch" in stage.text()


async def test_closing_a_held_run_needs_a_reason() -> None:
    desk = FakeDesk((held_run(),))
    async with playing(desk=desk) as stage:
        await stage.press("C", "enter")
        assert desk.asked == []
        await stage.type("superseded")
        await stage.press("enter")
        await stage.settle()
        assert desk.asked == [("close", "20261122-1104-k3f9q2", "superseded")]
        assert "Owed: mask puppetserver on puppet-primary" in stage.text()
        await stage.press("enter")
        assert "HELD" not in stage.text()


async def test_a_run_whose_record_is_damaged_is_named_and_cannot_be_taken_up() -> None:
    run = held_run(outcome="held", damage="record 17 of the journal was changed or lost", owed=())
    async with playing(desk=FakeDesk((run,))) as stage:
        shown = " ".join(stage.text().split())
        assert "NOT WHOLE LIVE production puppet-failover: record 17 of the journal was changed or lost;" in shown
        assert "handrail audit 20261122-1104-k3f9q2" in shown
        assert "HELD" not in shown
        await stage.press("r")
        assert "no run stands open" in stage.rows()[-2]


async def test_nothing_to_resume_says_so() -> None:
    async with playing() as stage:
        await stage.press("r")
        assert "no run stands open" in stage.rows()[-2]


async def test_find_narrows_the_list() -> None:
    async with playing() as stage:
        await stage.press("slash")
        await stage.type("failb")
        await stage.press("enter")
        assert "Bring Puppet back" in stage.text()
        assert "11:48" not in stage.text()


async def test_what_changed_since_the_last_drill() -> None:
    async with playing(desk=FakeDesk(runbooks=cards())) as stage:
        await stage.press("v")
        assert "3.1 Point DNS: ttl = 60" in stage.text()
        assert "+ttl = 60" in stage.text()
        await stage.press("escape")
        assert "restored in 11:48, 13:01 in all." in stage.text()
        assert "Undo never drilled (o): 2.3." in stage.text()


async def test_what_was_rehearsed_forward_and_back() -> None:
    async with playing(desk=FakeDesk(runbooks=cards())) as stage:
        await stage.press("o")
        matches(stage, "coverage-80x24")
        await stage.press("escape", "down", "o")
        assert "COVERAGE  puppet-failback" in stage.text()


async def test_q_ends_the_program_at_home() -> None:
    async with playing() as stage:
        await stage.press("q")
        assert stage.app.return_value == 0


async def test_until_the_first_page_is_there_it_says_so(session: FakeSession) -> None:
    ready = asyncio.Event()

    async def first() -> FakeSession:
        await ready.wait()
        return session

    app = HandrailApp(FakeDesk(), first, mode_hint="DRILL", mono=session.clock.mono, today=session.clock.now)
    async with app.run_test(size=(80, 24)) as pilot:
        stage = Stage(app, pilot, session.clock, session)
        await pilot.pause()
        assert "Bringing the simulated estate up" in stage.text()
        ready.set()
        await pilot.pause()
        await stage.settle()
        assert isinstance(stage.page, RunPage)


async def test_a_first_page_that_cannot_be_opened_is_told_to_whoever_started_it() -> None:
    async def first() -> FakeSession:
        raise trouble("no-estate", "there is no estate", "start with --estate FILE")

    app = HandrailApp(FakeDesk(), first)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app.trouble is not None
    assert app.return_value == 2
