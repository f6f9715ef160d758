"""The CA inside ssl/, as up to Puppet 6: set up from nothing over real OpenSSH, fail over, sign a node, and come home."""

from __future__ import annotations

from pathlib import Path

from tests.estate import seed
from tests.estate.driving import live
from tests.estate.estate import Estate
from tests.runbooks.bed import drive, is_done, stands_at, to_the_end

from handrail.engine.state import State
from handrail.plain.auto import Auto

PUPPET = seed
CLIENTS = ("web01", "db01")
OLD, NEW = "10.77.1.10", "10.77.2.10"
LATE = "late01"
SAME = "cd {} && find . -type f ! -name '*.old' -exec sha256sum {{}} + | LC_ALL=C sort -k2"


async def walked(desk: Estate, home: Path, runbook: str, **values: str) -> State:
    """Walk a runbook LIVE to its end."""
    state = await to_the_end(live(home, desk, runbook, values=values))
    assert is_done(state), stands_at(state)
    return state


async def test_from_nothing_there_and_home(desk: Estate, tmp_path: Path) -> None:
    primary, dr = desk.role("primary"), desk.role("dr")
    await walked(desk, tmp_path, "puppet-setup-dr")
    assert dr.sh("systemctl is-active puppetserver puppet-ssl-sync.timer") == "active\nactive\n"
    assert dr.sh(SAME.format(seed.SSL)) == primary.sh(SAME.format(seed.SSL))
    assert 'command="tar -C / -cf - -- etc/puppetlabs/puppet/ssl",restrict' in primary.sh(
        "cat /root/.ssh/authorized_keys"
    )
    assert "sync ok" in dr.sh("puppet-ssl-sync")  # with the key that may do one thing, over real OpenSSH
    stolen = dr.run("ssh -i /etc/puppet-ssl-sync.key -o UserKnownHostsFile=/etc/puppet-ssl-sync.known_hosts "
                    f"-o BatchMode=yes root@{OLD} cat /etc/shadow | tar -t")  # fmt: skip
    assert f"{seed.CA.lstrip('/')}/ca_key.pem" in stolen.out
    assert "shadow" not in stolen.out

    await walked(desk, tmp_path, "puppet-failover")
    assert {text.split()[4] for text in desk.answers().values()} == {NEW}
    desk[LATE].sh("systemctl default")
    await walked(desk, tmp_path, "puppet-late-certs", node=f"{LATE}.{desk.zone}")
    session = live(tmp_path, desk, "puppet-failback")
    try:
        state = await drive(session, Auto())
        assert is_done(state), stands_at(state)
        assert LATE in state.values["primary.row2"]  # read from what was kept outside ssl/, which the copy replaces
    finally:
        await session.close()
    assert {text.split()[4] for text in desk.answers().values()} == {OLD}
    for machine in (primary, dr):
        assert f"/CN={LATE}" in machine.sh(f"cat {seed.CA}/inventory.txt")
        assert machine.sh(f"ls -A {seed.SSL} | grep '^ca[.]' || true") == ""  # nothing kept lies in what is copied
    assert dr.sh(SAME.format(seed.SSL)) == primary.sh(SAME.format(seed.SSL))
    assert "sync ok" in dr.sh("puppet-ssl-sync")
