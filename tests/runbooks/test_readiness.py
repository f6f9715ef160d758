"""Readiness and the periodic copy as a drill meets them: green when all is well, and each trap said in an operator's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import tomli
from tests.runbooks.bed import RUNBOOKS, Bed, bring_up, deviating, is_done, to_the_end

from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, StepWord
from handrail.plain.auto import Auto
from handrail.session import simulator

DR, PRIMARY = "puppet-dr", "puppet-primary"
NAME = "puppet.example.test"


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    """Return an estate whose DR server is a warm standby."""
    made = await bring_up(tmp_path / "home", "auto", clients=4)
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


def failures(state: State, runbook: str) -> dict[str, str]:
    """Return each step that does not hold with what the runbook makes of it, else with what was seen."""
    text = tomli.loads((RUNBOOKS / f"{runbook}.toml").read_text())
    told = {f"{stage['id']}/{s['id']}": s.get("wrong", ()) for stage in text["stage"] for s in stage["step"]}
    found = {}
    for step, now in state.walked():
        if now.word is StepWord.FAILED and now.attempt:
            results = [
                r for r in now.attempt.results.values() if not r.expected or r.exit not in r.expected or r.checks
            ]
            exits = {r.exit for r in results}
            means = [w["means"] for w in told[step.id] if exits & {*_listed(w.get("exit", ()))}]
            seen = [f"{c.what}: {c.seen}" for r in results for c in r.checks if not c.holds]
            found[step.id] = " | ".join([*means, *seen])
    return found


def _listed(value: int | list[int]) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


async def ask(bed: Bed, runbook: str = "puppet-readiness") -> dict[str, str]:
    """Walk a runbook that is expected to stand; return what does not hold."""
    state = await to_the_end(bed.open(runbook))
    assert not state.started
    return failures(state, runbook)


async def test_readiness_is_green_and_each_trap_is_named(bed: Bed) -> None:
    session = bed.open("puppet-readiness")
    state = await to_the_end(session)
    assert is_done(state), failures(state, "puppet-readiness")
    assert deviating(session) == []
    assert state.values["primary.late_certs"] == "web03.example.test db01.example.test"
    assert state.values["primary.revoked"] == "old02.example.test"
    assert "batch01.example.test" in str(state.values["primary.waiting"]).split()

    ca, hold, stamp = (bed.fact("dr", name) for name in ("ca_dir", "sync_hold", "sync_stamp"))
    conf = bed.fact("dr", "puppet_conf")
    await bed.sh(DR, f"cp -a {ca} {ca}.good; cp -p {conf} {conf}.good; cp -p {stamp} {stamp}.good")

    # ssl/ was copied without the CA, and the server was started: it says that it runs
    await bed.sh(DR, f"rm -r {ca}; mkdir {ca}; systemctl restart puppetserver; echo forgotten > {hold}")
    await bed.sh(DR, f"echo 2020-01-01T00:00:00Z > {stamp}")
    for client in ("web01", "web02"):
        await bed.sh(client, f"echo 10.77.2.10 {NAME} >> /etc/hosts")
    await bed.sh("ns1", "zone-set puppet A 10.77.9.9")
    found = await ask(bed)
    assert "another CA" in found["checks/same-ca"]
    assert "refuses the client's certificate" in found["checks/serves"]
    assert "held" in found["checks/held"]
    assert "do not run" in found["checks/age"]
    assert "10.77.9.9" in found["checks/switch"]
    assert "10.77.2.10" in found["checks/name"]
    await bed.sh(
        DR, f"rm -r {ca} {hold}; cp -a {ca}.good {ca}; cp -p {stamp}.good {stamp}; systemctl restart puppetserver"
    )
    for client in ("web01", "web02"):
        await bed.sh(client, f"sed -i '/{NAME}/d' /etc/hosts")
    await bed.sh("ns1", "zone-set puppet A 10.77.1.10")

    # half a CA, somebody else's files, a name of its own, a serial that a copy by size and time left behind
    await bed.sh(DR, f"echo 0003 | tr -d '\\n' > {ca}/serial && touch -r {ca}.good/serial {ca}/serial")
    await bed.sh(DR, f"sed -i 's/^certname.*/user = nobody/' {conf}; systemctl stop puppet-ssl-sync.timer")
    found = await ask(bed)
    assert "given out twice" in found["checks/serial"] or "twice" in found["checks/serial"]
    assert "another name" in found["checks/certname"] or "same" in found["checks/certname"]
    assert "cannot start" in found["checks/owner"]
    assert "timer is off" in found["checks/held"]
    await bed.sh(DR, f"mv {ca}/inventory.txt {ca}/inventory.away; cp -p {conf}.good {conf}")
    found = await ask(bed)
    assert "not whole" in found["checks/same-ca"]


async def _standby(bed: Bed) -> dict[str, str]:
    """Return what the DR server is; the primary goes on signing meanwhile."""
    return {name: text for name, text in (await bed.looks()).items() if name.startswith("dr ")}


async def test_the_copy_is_made_undone_and_refused_where_it_would_do_harm(bed: Bed) -> None:
    ca, hold = bed.fact("dr", "ca_dir"), bed.fact("dr", "sync_hold")
    before = await _standby(bed)
    walked = await to_the_end(bed.open("puppet-ssl-sync"), Auto(then_undo=True))
    assert outcome(walked) is Outcome.UNDONE
    assert await _standby(bed) == before

    copied = await to_the_end(bed.open("puppet-ssl-sync"))
    assert is_done(copied), failures(copied, "puppet-ssl-sync")
    assert await bed.said(DR, "puppet-ssl-sync --check") == ""  # the server's own copy agrees
    again = await to_the_end(bed.open("puppet-ssl-sync"))
    assert is_done(again)
    assert await bed.said(DR, f"ls -d {ca}.handrail-*") == ""  # a copy that changes nothing keeps nothing

    # the failover has happened, nobody held the copies, and the primary is back
    await bed.sh("ns1", "zone-set puppet A 10.77.2.10")
    await bed.sh("resolver", "rndc flush")
    await bed.sh(DR, f"printf 1003 > {ca}/serial")
    found = await ask(bed, "puppet-ssl-sync")
    assert "wrong direction" in found["checks/direction"]
    assert "signed since" in found["checks/older"]
    assert "wrong direction" in await bed.said(DR, "puppet-ssl-sync 2>&1")
    await bed.sh(DR, f"echo failover > {hold}; touch {hold}.serves")
    found = await ask(bed, "puppet-ssl-sync")
    assert "it is the newer side" in found["checks/held"]

    # an empty source
    await bed.sh(DR, f"rm {hold} {hold}.serves")
    theirs = bed.fact("primary", "ca_dir")
    await bed.sh(PRIMARY, f"mv {theirs} {theirs}.away; mkdir {theirs}")
    found = await ask(bed, "puppet-ssl-sync")
    assert "not whole" in found["checks/same-ca"]
    await bed.sh(PRIMARY, f"rmdir {theirs}; mv {theirs}.away {theirs}")
