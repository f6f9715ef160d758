"""Whether a name could be switched is asked before a run begins: everything that is wrong at once, and nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.actions.test_dns import LOOK, NEW, OLD, SWITCH, records
from tests.dns.records import Records
from tests.dns.server import OTHER_SECRET, Server, write_key
from tests.session.world import Drive, World, a_world, runbook, step

from handrail.actions import names
from handrail.engine import messages as m
from handrail.engine.words import StepWord, Verdict
from handrail.runbook.read import parse_runbook
from handrail.session.exits import Exit, exit_of
from handrail.session.preflight import with_preflight

CHECK = "reach/name-x"


@pytest.fixture
async def zone(tmp_path: Path) -> AsyncIterator[World]:
    """A world with a name server and a secondary that serves the same records."""
    async with a_world(tmp_path, dns=True, second=True) as world:
        yield world


async def asked(world: World, text: str = SWITCH, *, route: str = "planned", estate: str = "") -> Drive:
    """Return a run whose first stage has been gone through."""
    return await world.open(text, route=route, estate=estate).go()


def told(drive: Drive) -> str:
    """Return everything that the check says."""
    attempt = drive.at(CHECK).attempt
    assert attempt is not None
    (result,) = attempt.results.values()
    wrong = "\n".join(f"{c.holds} {c.what}: {c.seen}\n{c.warn}" for c in result.checks)
    return f"{result.sentence}\n{wrong}"


async def test_a_name_that_could_be_switched_is_said_to_be_and_nothing_is_changed(zone: World) -> None:
    before = records(zone).serial
    drive = await asked(zone)
    assert drive.word(CHECK) is StepWord.PASSED, told(drive)
    assert f"True it is {OLD}, alone" in told(drive)
    assert "True every name server agrees: 127.0.0.1" in told(drive)
    assert "nothing was changed" in told(drive)
    assert records(zone).serial == before
    assert zone.names is not None
    assert (zone.names.updates, zone.names.proofs) == (0, 1)
    assert not drive.state.started


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["puppet 60 A 10.0.0.99"], "is at 10.0.0.99"),
        ([f"puppet 60 A {NEW}"], "already: moved by somebody else"),
        (["puppet 60 A 10.0.0.10 10.0.0.11"], "2 addresses stand"),
        (["puppet 60 A 10.0.0.10", "puppet 60 AAAA 2001:db8::1"], "AAAA 2001:db8::1 stands beside"),
        (["puppet 60 CNAME blue", "blue 60 A 10.0.0.10"], "is a CNAME for blue.example.test"),
        (["blue 60 A 10.0.0.10"], "no address"),
    ],
)
async def test_what_stands_wrong_stops_the_run_before_anything_is_done(
    zone: World, lines: list[str], says: str
) -> None:
    for server in (zone.names, zone.second):
        assert server is not None
        server.records = Records(*lines)
    drive = await asked(zone)
    assert drive.word(CHECK) is StepWord.FAILED
    assert says in told(drive)
    assert "look/x" not in drive.state.started
    assert exit_of(drive.state) is Exit.HELD_FAILED


async def test_one_stale_secondary_is_named_with_what_it_says(zone: World) -> None:
    assert zone.second is not None
    zone.second.records = Records("puppet 60 A 10.0.0.11")
    drive = await asked(zone)
    assert drive.word(CHECK) is StepWord.FAILED
    assert f"False every name server agrees: 127.0.0.1:{zone.second.at.port} still says 10.0.0.11" in told(drive)
    zone.second.records = records(zone)
    await drive.ask(m.Retry(CHECK))
    assert drive.word(CHECK) is StepWord.PASSED


async def test_a_key_that_the_server_does_not_know_is_found_before_the_run(zone: World) -> None:
    write_key(zone.place / "switch.key", secret=OTHER_SECRET)
    drive = await asked(zone)
    assert drive.word(CHECK) is StepWord.FAILED
    assert "False an update would be taken" in told(drive)
    assert "BADSIG" in told(drive)
    assert "True every name server agrees" in told(drive)  # all that is known is said at once


async def test_a_key_file_that_is_gone_is_one_finding_among_the_others(zone: World) -> None:
    drive = zone.open(SWITCH)
    (zone.place / "switch.key").unlink()
    await drive.go()
    assert drive.word(CHECK) is StepWord.FAILED
    assert "False an update would be taken" in told(drive)
    assert f"True it is {OLD}, alone" in told(drive)


async def test_no_name_server_that_answers_is_told_apart_from_a_wrong_answer(zone: World) -> None:
    for server in (zone.names, zone.second):
        assert server is not None
        await server.stop()
    drive = await asked(zone)
    assert drive.word(CHECK) is StepWord.FAILED
    assert "cannot be read" in told(drive)
    assert exit_of(drive.state) is Exit.UNREACHABLE


RTO = '[runbook.rto]\ntarget = "15m"\n'  # a third of it may pass until clients follow


@pytest.mark.parametrize(("ttl", "long"), [(60, False), (300, False), (301, True), (3600, True)])
async def test_a_long_ttl_is_a_warning_that_says_when_one_may_switch_and_no_refusal(
    zone: World, ttl: int, long: bool
) -> None:
    records(zone).set(f"puppet {ttl} A {OLD}")
    begun = datetime.now(UTC)
    drive = await asked(zone, SWITCH.replace("[routes.planned]", RTO + "[routes.planned]"))
    assert drive.word(CHECK) is StepWord.PASSED, told(drive)
    assert ("is long: lower it to 1m first, then switch from" in told(drive)) is long
    moments = {f"{t + timedelta(seconds=ttl):%H:%M:%SZ}" for t in _seconds(begun, datetime.now(UTC))}
    assert any(f"if switched now, old answers end by {moment}" in told(drive) for moment in moments)
    assert not long or any(f"switch from {moment} on" in told(drive) for moment in moments)


async def test_a_cache_that_still_holds_a_ttl_from_before_it_was_lowered_is_named(zone: World) -> None:
    async with Server("cache", Records(f"puppet 7200 A {OLD}")) as cache:
        table = f'resolvers = ["{cache.at.address}:{cache.at.port}"]\n'
        drive = await asked(zone, SWITCH, estate=table)
        assert drive.word(CHECK) is StepWord.PASSED, told(drive)
        assert f"the cache 127.0.0.1:{cache.at.port} keeps the old answer: switch from" in told(drive)


def _seconds(first: datetime, last: datetime) -> list[datetime]:
    return [first + timedelta(seconds=n) for n in range(int((last - first).total_seconds()) + 2)]


# ---------------------------------------------------------------- an emergency is not held up for ever

EMERGENCY = SWITCH


async def test_an_emergency_goes_on_without_the_name_server_that_is_lost_with_its_site(
    zone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check says so and is skipped with a reason; the switch is sent; what nobody could see, a person says."""
    monkeypatch.setattr(names, "DARK", 0.2)
    assert zone.second is not None
    await zone.off("primary")
    await zone.second.stop()
    drive = await asked(zone, EMERGENCY, route="emergency")
    assert drive.word(CHECK) is StepWord.FAILED
    assert "None every name server agrees" in told(drive)
    assert drive.submit(m.Skip(CHECK, "")) != ""  # never without a reason
    await drive.ask(m.Skip(CHECK, "ns2 is in the lost site"))  # reads lead on to the gate
    assert drive.word() is StepWord.AWAITING, drive.detail()
    await drive.ask(m.Confirm("s/x", NEW))
    assert records(zone).values("puppet") == [NEW]
    assert drive.word() is StepWord.UNKNOWN, drive.detail()  # one could not be asked: it does not pass by itself
    await drive.ask(m.Resolve("s/x", Verdict.PASSED, "ns2 is in the lost site", "ns1 answers it"))
    assert drive.word() is StepWord.PASSED


async def test_an_emergency_still_refuses_when_a_server_that_answers_says_something_else(zone: World) -> None:
    await zone.off("primary")
    drive = await zone.open(EMERGENCY, route="emergency").go(3)
    assert zone.second is not None
    zone.second.records = Records("puppet 60 A 10.0.0.11")
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert "do not agree" in drive.detail()
    assert records(zone).values("puppet") == [OLD]


async def test_the_planned_route_sends_nothing_while_a_name_server_is_dark(zone: World) -> None:
    assert zone.second is not None
    await zone.second.stop()
    drive = await asked(zone)
    await drive.ask(m.Skip(CHECK, "it will be back"))
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert records(zone).values("puppet") == [OLD]
    assert not drive.state.started


# ---------------------------------------------------------------- where it is derived


def derived(stages: str, more: str = "") -> list[str]:
    """Return the ids of the derived steps that ask about names."""
    book = with_preflight(parse_runbook(runbook(stages, more=more).encode(), "runbook.toml"))
    return [place.name for place in book.places if place.step.dns is not None and not place.step.changes]


def switch(old: str, new: str, stage: str, more: str = "") -> str:
    table = f'undo = "restore"\ndns = {{ name = "puppet.example.test", from = "{old}", to = "{new}" }}\n{more}'
    return step(table, stage=stage)


def test_only_where_a_name_leaves_its_present_address() -> None:
    assert derived(switch("10.0.0.1", "10.0.0.2", "there") + switch("10.0.0.2", "10.0.0.1", "again")) == [CHECK]
    routes = [switch("10.0.0.1", "10.0.0.2", s, f'only = "{s}"') for s in ("planned", "emergency")]
    assert derived("".join(routes)) == [CHECK, "reach/name-emergency-x"]


def test_not_where_the_address_is_only_learned_on_the_way() -> None:
    learns = step(
        'on = "dr"\nrun = ["hostname", "-I"]\ncapture = { ip = "^([0-9.]+)" }', stage="a", head="reads = true"
    )
    assert derived(learns + switch("{{ primary.address }}", "{{ dr.ip }}", "b")) == []
    assert derived(learns + switch("{{ primary.address }}", "{{ dr.address }}", "b")) == [CHECK]


def test_a_step_of_that_name_in_the_first_stage_takes_its_place() -> None:
    mine = LOOK.replace('id = "x"', 'id = "name-x"').replace("reads = true", "reads = true\ntogether = true")
    assert derived(mine + switch(OLD, NEW, "b")) == []
