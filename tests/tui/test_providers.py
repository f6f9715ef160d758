"""Names that a person edits, and names that a program changes: walked by keys on the screen, over a real session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.actions.test_dns import NEW, OLD, SWITCH
from tests.actions.test_dns_cloud import by_cloud
from tests.session.world import Drive, World, a_world
from tests.tui.desk import FakeDesk
from tests.tui.fake import Clock
from tests.tui.stage import Stage

from handrail.dns import command
from handrail.engine.words import StepWord
from handrail.tui.app import HandrailApp

PATIENCE = 30.0


@pytest.fixture
async def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(command, "READ_AGAIN", (0.01, 0.01))
    async with a_world(tmp_path, dns=True, second=True) as world:
        yield world


@asynccontextmanager
async def on_screen(drive: Drive) -> AsyncIterator[Stage]:
    """Yield the application on a real run: keys come at a person's speed, the time of day is what it is."""
    clock = Clock()
    app = HandrailApp(FakeDesk(), drive.session, mono=clock.mono, today=lambda: datetime.now(UTC), frame=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        stage = Stage(app, pilot, clock)
        await stage.settle()
        yield stage


async def shows(stage: Stage, holds: Callable[[str], bool]) -> str:
    """Wait until the screen is so, and return it; the bound only ends a test that has failed."""
    async with asyncio.timeout(PATIENCE):
        while not holds(text := "\n".join(stage.rows())):
            await stage.settle()
            await asyncio.sleep(0.01)
    return text


async def to_the_gate(stage: Stage) -> str:
    """Press enter at each pause until the gate asks for the new address."""
    while "Say it aloud" not in (text := await shows(stage, lambda t: "enter starts" in t or "Say it aloud" in t)):
        await stage.press("enter", gap=2.0)
    return text


async def confirm(stage: Stage) -> None:
    await stage.type(NEW)
    await shows(stage, lambda t: "it matches" in t)
    await stage.press("enter", gap=2.0)


async def test_a_person_edits_the_name_and_the_screen_says_what_and_sees_it(zone: World) -> None:
    lines = zone.estate().read_text().replace('provider = "rfc2136"', 'provider = "manual"').splitlines()
    path = zone.place / "estate.toml"
    path.write_text("\n".join(line for line in lines if not line.startswith("key_file")) + "\n")
    zone.estate = lambda *_: path  # type: ignore[method-assign]
    drive = zone.open(SWITCH)
    async with on_screen(drive) as stage:
        assert "a person" in await to_the_gate(stage)
        await confirm(stage)
        told = await shows(stage, lambda t: f"it must be exactly {OLD} now" in t)
        assert f"then it is {NEW}" in told
        assert drive.word() is StepWord.RUNNING
        for server in (zone.names, zone.second):
            assert server is not None
            server.records.set(f"puppet 60 A {NEW}")
        await shows(stage, lambda t: "Everything is done" in t)
    assert drive.word() is StepWord.PASSED


async def test_a_program_changes_the_name_once_and_the_screen_waits_for_the_servers(zone: World) -> None:
    account = by_cloud(zone)
    account.tell(limited=1)  # and its first answer is that one asks too often
    drive = zone.open(SWITCH)
    async with on_screen(drive) as stage:
        assert "command, ./cloud" in await to_the_gate(stage)
        await confirm(stage)
        async with asyncio.timeout(PATIENCE):
            while account.told["record"]["values"] != [NEW]:
                await asyncio.sleep(0.01)
        assert drive.word() is StepWord.RUNNING
        for server in (zone.names, zone.second):
            assert server is not None
            server.records.set(f"puppet 60 A {NEW}")
        await shows(stage, lambda t: "Everything is done" in t)
    assert drive.word() is StepWord.PASSED
    assert len(account.changes) == 1
