"""dns by a cloud's command line, as an estate file gives it: late name servers, too many calls, a program that dies."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.actions.test_dns import NEW, OLD, SWITCH, records
from tests.dns import cloud
from tests.session.world import Drive, World, a_world
from tests.ssh.bench import until

from handrail.dns import command
from handrail.engine import messages as m
from handrail.engine.words import StepWord


class Account:
    """What the cloud's account says, and what was called."""

    def __init__(self, place: Path) -> None:
        self.file = place / "account.json"
        self.tell(record={"values": [OLD], "ttl": 60})

    def tell(self, **more: object) -> None:
        self.file.write_text(json.dumps({**self.told, **more}))

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
        return found

    @property
    def changes(self) -> list[str]:
        """Return every call that could have changed something."""
        return [call for call in self.told["calls"] if call.startswith("set")]


def by_cloud(world: World, *, servers: bool = True) -> Account:
    """Have the estate change its name by the cloud's program, named relative to the estate's folder."""
    (world.place / "cloud").write_text(f'#!/bin/sh\nexec {sys.executable} -I {cloud.__file__} account.json "$@"\n')
    (world.place / "cloud").chmod(0o755)
    lines = world.estate().read_text().replace('provider = "rfc2136"', 'provider = "command"').splitlines()
    kept = [line for line in lines if not line.startswith("key_file")]
    if not servers:
        kept = ["servers = []" if line.startswith("servers") else line for line in kept]
    kept += ['read = ["./cloud", "get", "{{ name }}", "{{ type }}"]']
    kept += ['change = ["./cloud", "set", "{{ name }}", "{{ type }}", "{{ ttl }}", "{{ to }}"]']
    path = world.place / "estate.toml"
    path.write_text("\n".join(kept) + "\n")
    world.estate = lambda *_: path  # type: ignore[method-assign]
    return Account(world.place)


@pytest.fixture
async def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A world with two name servers of the cloud; a read that fails is asked again soon."""
    monkeypatch.setattr(command, "READ_AGAIN", (0.01, 0.01))
    async with a_world(tmp_path, dns=True, second=True) as world:
        yield world


async def switched(world: World) -> Drive:
    """Return a run that stands at the gate of its switch."""
    return await to_gate(world.open(SWITCH))


async def to_gate(drive: Drive) -> Drive:
    while drive.word() is not StepWord.AWAITING:
        await drive.go()
    return drive


async def test_it_is_done_when_the_name_servers_follow_not_when_the_cloud_says_so(zone: World) -> None:
    account = by_cloud(zone)
    drive = await switched(zone)
    gate = drive.events("gate_opened")[0].body["gate"]
    assert gate["where"] == "command, ./cloud"
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    await until(lambda: account.told["record"]["values"] == [NEW])
    assert drive.word() is StepWord.RUNNING  # the cloud has it; those whom clients ask do not
    assert zone.second
    zone.second.records = records(zone).copy()  # they follow one after the other, and share no serial
    zone.second.records.set(f"puppet 60 A {NEW}")
    zone.second.records.serial += 10
    records(zone).set(f"puppet 60 A {NEW}")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()
    for server in (zone.names, zone.second):
        assert server
        server.records.set(f"puppet 60 A {OLD}")  # so that the way back finds them there already
    await drive.undo(OLD)
    assert drive.word() is StepWord.PENDING, drive.detail()
    assert account.changes == [f"set 60 {NEW}", f"set 60 {OLD}"]


async def test_a_zone_whose_servers_nobody_can_ask_is_read_through_the_program(zone: World) -> None:
    account = by_cloud(zone, servers=False)
    drive = await switched(zone)
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED, drive.detail()
    await drive.undo(OLD)
    assert account.told["record"] == {"values": [OLD], "ttl": 60}


async def test_a_read_that_was_one_too_many_is_asked_again_and_a_change_is_not(zone: World) -> None:
    account = by_cloud(zone, servers=False)
    drive = await switched(zone)
    account.tell(limited=2)
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert len(account.changes) == 1

    await drive.undo(OLD)
    account.tell(then="denied")
    await to_gate(drive)
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert "AccessDenied" in drive.detail()
    assert len(account.changes) == 3
    await drive.ask(m.Retry("s/x"))
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_program_that_dies_is_settled_by_reading(zone: World) -> None:
    account = by_cloud(zone, servers=False)
    drive = await switched(zone)
    account.tell(then="killed")
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert account.changes == [f"set 60 {NEW}"]


async def test_somebody_elses_value_is_not_written_over(zone: World) -> None:
    account = by_cloud(zone, servers=False)
    drive = await switched(zone)
    account.tell(record={"values": ["10.0.0.99"], "ttl": 60})
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert "10.0.0.99" in drive.detail()
    assert account.changes == []
