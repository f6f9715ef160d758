"""The failover of any service behind a name, as a drill meets it: there and back, by other ways to ask for health, stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runbooks.bed import RUNBOOKS, Bed, deviating, drive, is_done, stands_at, to_the_end

from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome, StepWord
from handrail.plain.auto import Auto
from handrail.session import simulator
from handrail.store.home import Home

TEMPLATE = RUNBOOKS / "sim" / "generic-dns-failover" / "estate.toml"
UNIT = "systemctl is-enabled web; systemctl is-active web"


@pytest.fixture(params=["auto", "folders"])
async def bed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bed]:
    """Return the estate of one test, in namespaces where they work, and in plain folders."""
    store = Home(tmp_path / "home").make()
    made = Bed(store, await simulator.up(store, "bed", TEMPLATE, "--mode", request.param))
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


async def looks(bed: Bed) -> dict[str, str]:
    """Return everything that this failover changes."""
    seen = {host: await bed.said(host, UNIT) for host in ("web-primary", "web-standby")}
    return seen | {"dns": repr(sorted(bed.answers("app.example.test").items()))}


async def served(bed: Bed) -> str:
    """Return who answers a client by the name."""
    return await bed.said("desk03", "curl -s --max-time 5 http://app.example.test:8080/")


async def test_there_and_back(bed: Bed) -> None:
    before = await looks(bed)
    assert before["web-primary"].split() == ["enabled", "active"]
    assert before["web-standby"].split() == ["disabled", "inactive"]
    session = bed.open("generic-dns-failover")
    there = await drive(session)
    assert is_done(there), there
    assert deviating(session) == []
    assert await served(bed) == "web-standby"
    assert (await bed.said("web-primary", UNIT)).split() == ["masked", "inactive"]  # it never runs twice
    assert there.values["standby.state"] == "cold"
    back = await to_the_end(session, Auto(then_undo=True))
    assert outcome(back) is Outcome.UNDONE
    assert await looks(bed) == before


@pytest.mark.parametrize("bed", ["auto"], indirect=True)
async def test_what_keeps_it_from_moving_clients(bed: Bed) -> None:
    before = await looks(bed)
    await bed.sh("web-standby", "echo 40m > /etc/web.behind")
    step, told = stands_at(await to_the_end(bed.open("generic-dns-failover")))
    assert step == "checks/ready"
    assert "exit 1" in told
    assert await looks(bed) == before

    await bed.sh("web-standby", "rm /etc/web.behind; systemctl mask web")
    step, told = stands_at(await to_the_end(bed.open("generic-dns-failover")))
    assert step == "checks/state"
    await bed.sh("web-standby", "systemctl unmask web; echo > /etc/web.sick")

    session = bed.open("generic-dns-failover")
    state = await drive(session, until=lambda s: s.step("hand-over/well").word is StepWord.RUNNING)
    assert state.step("hand-over/start").word is StepWord.PASSED
    await bed.sh("web-standby", "rm /etc/web.sick")  # it is asked until it is well
    assert is_done(await drive(session))
    back = await to_the_end(session, Auto(then_undo=True))
    assert outcome(back) is Outcome.UNDONE
    assert await looks(bed) == before


@pytest.mark.parametrize("bed", ["auto"], indirect=True)
async def test_a_service_that_runs_at_both_sides_is_only_pointed_elsewhere(bed: Bed) -> None:
    await bed.sh("web-standby", "systemctl enable --now web")
    health = {"tcp": {}, "command": {"command": "/usr/local/bin/well"}}
    for host in ("desk01", "desk02", "desk03", "desk04"):
        await bed.sh(
            host, "printf '#!/bin/sh\\ncurl -sf http://$1:$2/\\n' > /usr/local/bin/well; chmod +x /usr/local/bin/well"
        )
    before = await looks(bed)
    for kind, more in health.items():
        session = bed.open("generic-dns-failover", unit="none", ready="true", health=kind, **more)
        there = await drive(session)
        assert is_done(there), there
        assert there.step("hand-over/stop").how == there.step("hand-over/start").how
        assert (await bed.said("web-primary", UNIT)).split() == ["enabled", "active"]
        assert await served(bed) == "web-standby"
        assert outcome(await to_the_end(session, Auto(then_undo=True))) is Outcome.UNDONE
        assert await looks(bed) == before
        await bed.sh("resolver", "rndc flush")  # what it remembers of the way there is not what the next run finds


@pytest.mark.parametrize("bed", ["auto"], indirect=True)
async def test_the_primary_is_lost(bed: Bed) -> None:
    await bed.control("power", "web-primary", "off")
    state = await to_the_end(bed.open("generic-dns-failover", route="emergency"))
    assert is_done(state), state
    assert await served(bed) == "web-standby"
