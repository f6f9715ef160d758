"""There and back: what is the same afterwards is listed, what is not is named, and the full screen goes by itself too."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.runbooks.bed import RUNBOOKS
from tests.tui.desk import FakeDesk
from tests.tui.fake import Clock, FakeSession

from handrail.cli.front import Typing
from handrail.cli.turning import turn_back
from handrail.session import simulator
from handrail.session.api import SessionApi
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.tui.app import HandrailApp
from handrail.tui.dialogs import Box

STEP = "copy/hold"


@dataclass
class Beginning:
    """Opens a drill; `spoil` is done to the DR server once its hold file lies there."""

    home: Path
    spoil: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, _typing: Typing | None) -> SessionApi:
        desk = Desk(Home(self.home).make(), simulator_options=("--mode", "auto"))
        briefing = await desk.brief(desk.card(RUNBOOKS / "puppet-failover.toml"), Mode.DRILL, print)
        session = await briefing.start(Start(step_by_step=True))
        if self.spoil:
            self.tasks.add(asyncio.create_task(self._spoil(session, next(desk.store.estates.iterdir()))))
        return session

    async def _spoil(self, session: SessionApi, estate: Path) -> None:
        while not session.snapshot.state.step(STEP).attempts:
            await session.changed(session.snapshot.seq)
        await simulator.control(estate, "exec", "puppet-dr", self.spoil)


def test_what_was_taken_back_is_listed_as_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert turn_back(Beginning(tmp_path), STEP, as_json=False) == 0
    told = capsys.readouterr().out
    assert "before and after are the same" in told
    for what in ("puppet-dr: CA", "puppet-primary: services", "ns1: what the name says"):
        assert f"  same: {what}" in told


def test_what_stays_different_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil = Beginning(tmp_path, "echo x > $HANDRAIL_SIM_ROOT/etc/puppetlabs/puppetserver/ca/left-over")
    assert turn_back(spoil, STEP, as_json=False) == 1
    assert "NOT as it was: puppet-dr: CA." in capsys.readouterr().out


async def test_on_the_full_screen_something_goes_on_beside_the_run_and_says_what_came_of_it(tmp_path: Path) -> None:
    session, clock = FakeSession(tmp_path), Clock()

    async def beside(app: HandrailApp) -> None:
        app.box("There and back", "the same")

    app = HandrailApp(FakeDesk(), session, beside=beside, mono=clock.mono, today=clock.now, frame=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        while not isinstance(app.screen, Box):
            await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(app.screen, Box)
