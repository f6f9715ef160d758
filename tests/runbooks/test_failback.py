"""After an emergency: late nodes at the DR server, the primary coming back by itself, and the way home, there and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runbooks.bed import Bed, answers_of, bring_up, drive, is_done, stands_at, to_the_end

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, Pace, StepWord
from handrail.plain.auto import Auto
from handrail.session import simulator

LATE = "late01.example.test"


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    """Return an estate in namespaces, or in plain folders where those are refused."""
    made = await bring_up(tmp_path / "home", "auto", clients=3)
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


async def test_home_again_after_an_emergency(bed: Bed) -> None:
    ca = bed.fact("dr", "ca_dir")
    step, told = stands_at(await _late(bed))
    assert step == "checks/serves", "the CA command would sign at the primary"
    assert "exit 4" in told

    await bed.control("power", "puppet-primary", "off")
    assert is_done(await to_the_end(bed.open("puppet-failover", route="emergency")))
    await _late_nodes(bed, ca)
    await _the_primary_comes_back(bed)
    await _home(bed, ca)


async def _late_nodes(bed: Bed, ca: str) -> None:
    """Let one in, after a serial number that was put back and a request that is not the node's were found."""
    serial = await bed.said("puppet-dr", f"cat {ca}/serial")
    await bed.sh("puppet-dr", f"printf 0003 > {ca}/serial")
    step, told = stands_at(await _late(bed))
    assert (step, "exit 5" in told) == ("checks/number", True)
    await bed.sh("puppet-dr", f"printf {serial} > {ca}/serial")
    step, told = stands_at(await _late(bed, fingerprint="(SHA256) AB:CD"))
    assert (step, "exit 5" in told) == ("checks/same", True)
    signed = await _late(bed)
    assert signed.step("sign/sign").word is StepWord.PASSED
    assert is_done(signed), signed
    assert f"/CN={LATE}" in await bed.said("puppet-dr", f"tail -n 1 {ca}/inventory.txt")


async def _the_primary_comes_back(bed: Bed) -> None:
    """Bring the primary back alive, beside a hold that somebody took away: the way home is not begun."""
    hold = bed.fact("dr", "sync_hold")
    await bed.control("power", "puppet-primary", "on")
    await bed.sh("puppet-dr", f"mv {hold} {hold}.away")
    await bed.sh("web01", f"echo {bed.address('primary')} {bed.file['vars']['fqdn']} >> /etc/hosts")
    log = "/var/log/puppetlabs/puppetserver/puppetserver-access.log"
    async with asyncio.timeout(90):
        while "catalog/web01" not in await bed.said("puppet-primary", f"tail -n 20 {log} | grep 'catalog/.* 200 '"):
            await asyncio.sleep(0.2)
    state = await to_the_end(bed.open("puppet-failback"))
    assert not state.started
    assert state.step("checks/held").word is StepWord.FAILED
    assert "exit 5" in answers_of(state, "checks/held")
    assert state.step("checks/split").word is StepWord.FAILED
    assert "exit 4" in answers_of(state, "checks/split")
    await bed.sh("puppet-dr", f"mv {hold}.away {hold}")
    await bed.sh("puppet-primary", "systemctl mask --now puppetserver")
    await bed.sh("web01", "sed -i '$d' /etc/hosts")


async def _home(bed: Bed, ca: str) -> None:
    """Walk home, all the way back, and home again."""
    before, stamp = await bed.looks(), f"cat {bed.fact('dr', 'sync_stamp')}"
    copied = await bed.said("puppet-dr", stamp)
    session = bed.open("puppet-failback")
    assert session.submit(m.SetPace(Pace.STEP)) is None  # the step after that one has nothing to undo
    try:
        there = await drive(session, until=lambda s: s.step("standby/timer").word is StepWord.PASSED)
        assert there.values["primary.collisions"] == "0"
        assert there.values["primary.only_primary"].endswith("1 revoked")
        assert "web03" in there.values["primary.row1"]
        assert LATE in there.values["primary.row2"]
        assert "old02" in there.values["primary.row3"]
        assert await bed.said("puppet-dr", stamp) > copied  # this copy, too, is a good one, and its age is counted
        while order.busy(session.snapshot.state):
            await session.changed(session.snapshot.seq)
        state = session.snapshot.state
        assert session.submit(m.Undo("", order.put_back(state, order.to_undo(state, "")))) is None
        state = await drive(session, Auto(undo_to=""))
        assert outcome(state) is Outcome.UNDONE
    finally:
        await session.close()
    assert await bed.looks() == before
    assert await bed.said("puppet-dr", stamp) == copied

    assert is_done(await to_the_end(bed.open("puppet-failback")))
    assert {address for address, _ in bed.answers(bed.file["vars"]["fqdn"]).values()} == {bed.address("primary")}
    numbers = []
    for host in ("puppet-primary", "puppet-dr"):
        inventory = await bed.said(host, f"cat {ca}/inventory.txt")
        assert f"/CN={LATE}" in inventory
        assert "/CN=web03.example.test" in inventory
        revoked = await bed.said(host, f"openssl crl -in {ca}/ca_crl.pem -noout -text | grep -c 'Serial Number'")
        assert revoked == "2", "old01, and old02 which only the primary knew of"
        numbers.append(await bed.said(host, f"cat {ca}/serial"))
    assert numbers[0] == numbers[1]
    assert await bed.said("puppet-primary", "systemctl is-active puppetserver") == "active"
    assert await bed.said("puppet-dr", "systemctl is-active puppet-ssl-sync.timer") == "active"
    assert await bed.said("puppet-dr", f"ls {bed.fact('dr', 'sync_hold')}* 2>/dev/null") == ""


async def _late(bed: Bed, **values: str) -> State:
    return await to_the_end(bed.open("puppet-late-certs", node=LATE, **values))
