"""The primary's site goes dark for real: packets vanish. Emergency, a late node, what was revoked, and the way home."""

from __future__ import annotations

from pathlib import Path

from tests.estate.driving import live, passed
from tests.estate.estate import Estate, until
from tests.runbooks.bed import answers_of, drive, is_done, stands_at, to_the_end

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.session.people import operator
from handrail.session.session import Session

CLIENTS = ("web01", "db01", "db02", "app01")
DARK, THROWN_OUT, CANARY, HUNG = CLIENTS  # the first one shares the primary's site
LATE = "late01"
AGENT = "puppet agent --onetime --no-daemonize --verbose --color=false --detailed-exitcodes"
OLD, NEW = "10.77.1.10", "10.77.2.10"
NOBODY = "nobody reaches that site tonight"


def names(estate: Estate, *hosts: str) -> str:
    return " ".join(f"{host}.{estate.zone}" for host in hosts)


def said(session: Session) -> str:
    """Return everything that hosts printed in a run."""
    files = session.snapshot.info.folder / "out"
    return "".join(file.read_text(errors="replace") for file in sorted(files.rglob("*")) if file.is_file())


async def test_there_and_home_while_the_primarys_site_is_dark(desk: Estate, tmp_path: Path) -> None:
    primary, dr = desk.role("primary"), desk.role("dr")
    revoke = f"puppetserver ca revoke --certname {THROWN_OUT}.{desk.zone}"
    until(lambda: primary.run(revoke).code == 0, "the primary revokes")
    desk[HUNG].sh(
        "sed -i 's/^http_connect_timeout.*/http_connect_timeout = 600/; /waitforlock/d' /etc/puppetlabs/puppet/puppet.conf"
    )
    desk[LATE].sh("systemctl default")
    desk.hub.wrong(dark=["a"])
    await _emergency(desk, tmp_path)
    assert desk[THROWN_OUT].run(AGENT).code in (0, 2)  # revoked at the primary, and let in here: its list is older
    await _late(desk, tmp_path)
    desk.hub.wrong()
    until(lambda: primary.run("systemctl is-active puppetserver").code == 0, "the primary is back, by itself")
    await _home(desk, tmp_path)
    for machine in (primary, dr):
        listed = machine.sh(f"openssl crl -in {desk.fact('dr', 'ca_dir')}/ca_crl.pem -noout -text")
        assert listed.count("Serial Number") == 3  # two from before, and the one that was thrown out
        assert f"/CN={LATE}" in machine.sh(f"cat {desk.fact('dr', 'ca_dir')}/inventory.txt")
    assert desk[THROWN_OUT].run(AGENT).code == 1
    assert desk[LATE].run(AGENT).code in (0, 2)


async def _emergency(desk: Estate, home: Path) -> None:
    """Walk the emergency: an agent hangs on the silent site, is named, and comes when it has given up."""
    fleet = names(desk, THROWN_OUT, CANARY, HUNG)
    until(
        lambda: "agent_catalog_run.lock" in desk[HUNG].said("find / -xdev -name '*catalog_run.lock'"), "an agent hangs"
    )
    session = live(home, desk, route="emergency", emergency="site a is dark", values={"fleet": fleet})
    try:
        await drive(session, until=lambda state: order.asking(state) is not None)
        assert session.submit(m.Reply("copy/fence", f"cannot {NOBODY}")) is None
        served = await drive(session, until=passed("clients/served"))
        assert served.step("clients/served").word is StepWord.PASSED, stands_at(served)
        assert "already in progress" in said(session)
        assert f"served {CANARY}.{desk.zone}" in said(session)
        assert f"catalog/{HUNG}" not in desk.role("dr").said(f"cat {desk.fact('dr', 'access_log')}")
        desk[HUNG].sh("systemctl restart puppet")  # as it gives up by itself, after minutes
        there = await drive(session)
        assert there.step("sign/first-signature").word is StepWord.PASSED, stands_at(there)
        assert [one.step for one in there.owed] == ["copy/fence"]
        assert NOBODY in there.owed[0].why
        assert {text.split()[4] for text in desk.answers().values()} == {NEW}
    finally:
        await session.close()


async def _late(desk: Estate, home: Path) -> None:
    """Let the late node in, and have the DR server revoke what the primary alone had revoked."""
    values = {"node": f"{LATE}.{desk.zone}", "revoked": names(desk, THROWN_OUT)}
    state = await to_the_end(live(home, desk, "puppet-late-certs", values=values, successor_of=operator()))
    assert state.step("sign/revoke").word is StepWord.PASSED, stands_at(state)
    assert done_but_owed(state), state
    assert desk[THROWN_OUT].run(AGENT).code == 1
    assert desk[LATE].run(AGENT).code in (0, 2)


async def _home(desk: Estate, home: Path) -> None:
    """Find the two servers with one identity; then mask the old one, merge, and settle what was owed."""
    values = {"fleet": names(desk, DARK, CANARY, HUNG)}
    found = await to_the_end(live(home, desk, "puppet-failback", values=values, successor_of=operator()))
    assert stands_at(found)[0] == "checks/split"
    assert not found.started
    desk.role("primary").sh("systemctl mask --now puppetserver")
    session = live(home, desk, "puppet-failback", values=values, successor_of=operator())
    try:
        state = await drive(session)
        assert done_but_owed(state), state
        assert (
            THROWN_OUT
            not in answers_of(state, "merge/table").partition("revoked only on primary")[2].partition("row4")[0]
        )
        (owed,) = state.owed
        assert NOBODY in owed.why
        assert session.submit(m.Settle(owed.id, "no fence was ever built; the primary was masked")) is None
        while session.snapshot.state.owed:
            await session.changed(session.snapshot.seq)
    finally:
        await session.close()
    assert {text.split()[4] for text in desk.answers().values()} == {OLD}


def done_but_owed(state: State) -> bool:
    """Tell whether every step that is needed has passed, whatever an earlier run still owes."""
    return is_done(state) or all(now.word is StepWord.PASSED for step, now in state.walked() if state.needed(step))
