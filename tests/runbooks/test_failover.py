"""The Puppet failover as a drill meets it: to the end, back to the byte, on the emergency route, and stopped by what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runbooks.bed import (
    Bed,
    Counted,
    answers_of,
    bring_up,
    deviating,
    drive,
    is_done,
    retry,
    stands_at,
    to_the_end,
)

from handrail.base.durations import parse_duration
from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome, StepWord
from handrail.plain.auto import Auto
from handrail.session import simulator

# Another letter for the last but one of the second line of base64 from the end: it is in the key's, or the signature's, bytes.
OTHER = """python3 -c '
import pathlib
file = pathlib.Path("{file}")
lines = file.read_text().splitlines()
spot = lines[-3]
lines[-3] = spot[:-2] + ("A" if spot[-2] != "A" else "Q") + spot[-1]
file.write_text("\\n".join(lines) + "\\n")'"""
BACK = ["switch/serves", "switch/dns", "copy/margin", "copy/reload-after", "copy/sync", "copy/reload-before"]
BACK += ["copy/mask", "copy/hold", "copy/timer"]


@pytest.fixture(params=["auto", "folders"])
async def bed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bed]:
    """Return the estate of one test, in namespaces where they work, and in plain folders."""
    made = await bring_up(tmp_path / "home", request.param, clients=3)
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


async def test_there_and_back_to_the_byte(bed: Bed) -> None:
    fqdn, primary, dr = bed.file["vars"]["fqdn"], bed.address("primary"), bed.address("dr")
    before, person = await bed.looks(), Counted()

    await bed.sh("ns2", "systemctl stop named")
    session = bed.open("puppet-failover")
    step, told = stands_at(await drive(session, person))
    assert step == "look/name-dns"
    assert "ns2" in told
    await bed.sh("ns2", "systemctl start named")
    await _all_answer(bed, fqdn, primary)
    await retry(session, "look/name-dns")
    await drive(session, person, until=lambda state: state.step("copy/timer").word is StepWord.PASSED)
    await bed.sh("ns2", "systemctl stop named")
    state = await drive(session, person)
    step, told = stands_at(state)
    assert step == "switch/dns"
    assert "ns2" in told
    assert not state.step("switch/dns").touched
    assert parse_duration(state.values["dr.copy_age"]) == 0
    assert state.values["primary.late_certs"] == "none"
    assert "web03" in answers_of(state, "checks/at-risk")
    await _the_timer_fires(bed)

    await bed.sh("ns2", "systemctl start named")
    await _all_answer(bed, fqdn, primary)
    await retry(session, "switch/dns")
    there = await drive(session, person)
    assert is_done(there), there
    # checks; hold and copy; the address, and once more after a name server was away; clients
    assert person.asked == ["enter", "enter", *[f"switch/dns: {dr}"] * 2, "enter"]
    assert deviating(session) == []
    assert {address for address, _ in bed.answers(fqdn).values()} == {dr}
    assert await bed.said("puppet-primary", "systemctl is-enabled puppetserver") == "masked"

    walked = await to_the_end(session, Auto(then_undo=True))
    assert outcome(walked) is Outcome.UNDONE
    assert [s for s in BACK if not walked.step(s).undone] == []
    assert await bed.looks() == before


@pytest.mark.parametrize("bed", ["auto"], indirect=True)
async def test_what_is_wrong_is_found_before_clients_move_and_then_the_primary_is_lost(bed: Bed) -> None:
    fqdn, ca, conf = bed.file["vars"]["fqdn"], bed.fact("dr", "ca_dir"), bed.fact("dr", "puppet_conf")

    found = await _with(bed, f"{ca}/ca_key.pem", OTHER.format(file=f"{ca}/ca_key.pem"))
    assert found[0] == "checks/dr-serves"
    assert "exit 35" in found[1] or "exit 56" in found[1]
    assert "SSL" in found[1] or "alert" in found[1]
    found = await _with(bed, f"{ca}/ca_crl.pem", OTHER.format(file=f"{ca}/ca_crl.pem"))
    assert found[0] == "checks/dr-serves"
    assert "SSL" in found[1] or "alert" in found[1]
    found = await _with(bed, conf, f"sed -i 's/^certname.*/certname = puppet-dr.example.test/' {conf}")
    assert found[0] == "checks/certname"
    assert "puppet-dr.example.test" in found[1]

    await bed.control("power", "puppet-primary", "off")
    person = Counted()
    lost = await to_the_end(bed.open("puppet-failover", route="emergency"), person)
    assert is_done(lost), lost
    fenced, signed = "copy/fence: answered", ["sign/first-signature: sign", "sign/revoke: answered"]
    assert person.asked == ["enter", "enter", fenced, f"switch/dns: {bed.address('dr')}", "enter", *signed]
    assert lost.step("copy/mask").word is StepWord.PENDING
    assert lost.step("sign/first-signature").word is StepWord.PASSED
    assert {address for address, _ in bed.answers(fqdn).values()} == {bed.address("dr")}


async def _the_timer_fires(bed: Bed) -> None:
    """Have the copy's timer be still and its service, started all the same, copy nothing: the run holds it."""
    source, target = bed.fact("primary", "ca_dir"), bed.fact("dr", "ca_dir")
    assert await bed.said("puppet-dr", "systemctl is-active puppet-ssl-sync.timer") == "inactive"
    await bed.sh("puppet-primary", f"echo late > {source}/late.pem")
    await bed.said("puppet-dr", "systemctl start puppet-ssl-sync")
    assert "late.pem" not in await bed.sh("puppet-dr", f"ls {target}")
    await bed.sh("puppet-primary", f"rm {source}/late.pem")


async def _with(bed: Bed, file: str, spoil: str) -> tuple[str, str]:
    """Spoil a file of the DR server and reload it, walk until the run stands, and mend it; return where and why.

    The walk changes nothing. It is compared with what the server made of the file, not with what was before: under
    another name it signs itself a certificate.
    """
    await bed.sh("puppet-dr", f"cp -p {file} {file}.good")
    await bed.sh("puppet-dr", spoil)
    await bed.said("puppet-dr", "systemctl reload puppetserver")
    spoilt = await bed.looks()
    state = await to_the_end(bed.open("puppet-failover"))
    assert not state.started
    assert await bed.looks() == spoilt
    await bed.sh("puppet-dr", f"mv {file}.good {file} && systemctl reload puppetserver")
    return stands_at(state)


async def _all_answer(bed: Bed, fqdn: str, address: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if {a for a, _ in (await asyncio.to_thread(bed.answers, fqdn)).values()} == {address}:
                    return
            except OSError:
                await asyncio.sleep(0.1)
