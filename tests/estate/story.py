"""The story on one layout, over real OpenSSH: set up from nothing, there (and back, and there again), a late node, and home.

What each layout is walked through: CA inside ssl/: all of it, in test_inside. Beside ssl/: set up in test_beside, there and
back in test_by_hand, test_broken and test_knot, home in test_lost. Debian: all but the way back in test_debian, and that one,
with Puppet itself, in test_puppet.
"""

from __future__ import annotations

from pathlib import Path

from tests.estate.driving import live, undone
from tests.estate.estate import Estate, apart
from tests.estate.layouts import Layout
from tests.runbooks.bed import drive, is_done, stands_at, to_the_end

from handrail.engine.state import State
from handrail.engine.words import Pace
from handrail.plain.auto import Auto

OLD, NEW = "10.77.1.10", "10.77.2.10"
LATE = "late01"
SAME = "cd {} && find . -type f ! -name '*.old' ! -name infra_serials -exec sha256sum {{}} + | LC_ALL=C sort -k2"


async def tell(desk: Estate, home: Path, layout: Layout, *, back: bool) -> None:
    """Walk it, and look at the machines at each turn; `back` as well, before it goes there for good."""
    await set_up(desk, home, layout)
    if back:
        await _there_and_back(desk, home)
    await _walked(desk, home, "puppet-failover")
    assert addresses(desk) == {NEW}
    desk[LATE].sh("systemctl default")
    await _walked(desk, home, "puppet-late-certs", node=f"{LATE}.{desk.zone}")
    await _home(desk, home, layout)


def addresses(desk: Estate) -> set[str]:
    """Return the addresses that the name servers give."""
    return {text.split()[4] for text in desk.answers().values()}


def _same(desk: Estate, layout: Layout) -> bool:
    """Tell whether both servers have the same certificates and the same CA."""
    servers = (desk.role("primary"), desk.role("dr"))
    one, other = ([machine.sh(SAME.format(tree)) for tree in layout.trees] for machine in servers)
    return one == other and all(one)


async def _walked(desk: Estate, home: Path, runbook: str, **values: str) -> State:
    """Walk a runbook LIVE to its end."""
    state = await to_the_end(live(home, desk, runbook, pace=Pace.STAGE, values=values))
    assert is_done(state), stands_at(state)
    return state


async def set_up(desk: Estate, home: Path, layout: Layout) -> None:
    """Set the DR server up from nothing; the key of its copies can do one thing only."""
    primary, dr = desk.role("primary"), desk.role("dr")
    await _walked(desk, home, "puppet-setup-dr")
    assert dr.sh("systemctl is-active puppetserver puppet-ssl-sync.timer") == "active\nactive\n"
    assert _same(desk, layout)
    folders = " ".join(tree.lstrip("/") for tree in layout.trees)
    assert f'command="tar -C / -cf - -- {folders}",restrict' in primary.sh("cat /root/.ssh/authorized_keys")
    assert "sync ok" in dr.sh("puppet-ssl-sync")
    stolen = dr.run("ssh -i /etc/puppet-ssl-sync.key -o UserKnownHostsFile=/etc/puppet-ssl-sync.known_hosts "
                    f"-o BatchMode=yes root@{OLD} cat /etc/shadow | tar -t")  # fmt: skip
    assert f"{layout.ca.lstrip('/')}/ca_key.pem" in stolen.out
    assert "shadow" not in stolen.out


async def _there_and_back(desk: Estate, home: Path) -> None:
    """Fail over to the end, and walk all the way back: everything is as it was."""
    before = desk.looks()
    session = live(home, desk, pace=Pace.STAGE)
    try:
        state = await drive(session, Auto())
        assert is_done(state), stands_at(state)
        assert addresses(desk) == {NEW}
        await undone(session)
    finally:
        await session.close()
    assert apart(before, desk.looks()) == ""


async def _home(desk: Estate, home: Path, layout: Layout) -> None:
    """Come home: what was signed meanwhile is known to both, and the standby has a good copy of this minute."""
    dr, ca = desk.role("dr"), layout.ca
    began = int(dr.sh("date +%s"))
    session = live(home, desk, "puppet-failback", pace=Pace.STAGE)
    try:
        state = await drive(session, Auto())
        assert is_done(state), stands_at(state)
        assert LATE in state.values["primary.row2"]  # read from what was kept outside ssl/, which the copy replaces
    finally:
        await session.close()
    assert addresses(desk) == {OLD}
    assert int(dr.sh(f"stat -c %Y {desk.fact('dr', 'sync_stamp')}")) >= began
    for machine in (desk.role("primary"), dr):
        assert f"/CN={LATE}" in machine.sh(f"cat {ca}/inventory.txt")
        assert machine.sh(f"ls -A {layout.ssl} | grep '^ca[.]' || true") == ""  # nothing kept lies in what is copied
    assert _same(desk, layout)
    assert "sync ok" in dr.sh("puppet-ssl-sync")
