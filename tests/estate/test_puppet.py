"""The planned failover on Puppet itself: two servers and their agents, as Debian packages them. There, and back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.estate import debian
from tests.estate.driving import live, undone
from tests.estate.estate import Estate, apart
from tests.runbooks.bed import drive, is_done

from handrail.engine.words import Pace
from handrail.plain.auto import Auto

PUPPET = debian
OLD, NEW = "10.77.1.10", "10.77.2.10"
AGENTS = ("web01", "web02", "db01")


def served_by(desk: Estate) -> set[str]:
    """Run every agent, which has to end well; return which servers their catalogs came from."""
    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(lambda name: _served_by(desk, name), AGENTS))


def _served_by(desk: Estate, name: str) -> str:
    done = desk[name].run("puppet agent --onetime --no-daemonize --verbose --color=false --detailed-exitcodes")
    assert done.code in (0, 2), done.out
    match = re.search(r"served-by ip=(\S+)", done.out)
    return match[1] if match else done.out


async def test_there_and_back(desk: Estate, tmp_path: Path) -> None:
    assert served_by(desk) == {OLD}
    before = desk.looks()

    session = live(tmp_path, desk, pace=Pace.STAGE)
    try:
        there = await drive(session, Auto())
        assert is_done(there), [(s.id, n.word, n.detail) for s, n in there.walked() if n.touched]
        assert served_by(desk) == {NEW}
        assert "db01" in there.values["primary.late_certs"] or there.values["primary.late_certs"] == "none"
        assert desk.role("primary").said("systemctl is-enabled puppetserver") == "masked"
        assert desk.looks()["dr ca_dir"] != before["dr ca_dir"]
        await undone(session)
    finally:
        await session.close()
    assert apart(before, desk.looks()) == ""
    assert served_by(desk) == {OLD}
