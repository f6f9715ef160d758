"""A planned failover that breaks in each of its stages, on real servers: undo brings everything back to what it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.estate.driving import fails_at, live, passed, undone
from tests.estate.estate import Estate, apart
from tests.estate.machines import Machine
from tests.runbooks.bed import drive

from handrail.session.session import Session

UNIT = "/usr/local/lib/systemd/system"
READ_ONLY = "mount --bind {0} {0} && mount -o remount,ro,bind {0}"


@asynccontextmanager
async def failing(estate: Estate, home: Path, until: str = "") -> AsyncIterator[Session]:
    """Return a run, after a step; at the end everything that was done is undone, and the estate is as it was."""
    before = estate.looks()
    session = live(home, estate)
    try:
        if until:
            await drive(session, until=passed(until))
        yield session
        await undone(session)
    finally:
        await session.close()
    assert apart(before, estate.looks()) == ""


def read_only(machine: Machine, folder: str) -> None:
    machine.sh(READ_ONLY.format(folder))


def writable(machine: Machine, folder: str) -> None:
    machine.sh(f"umount {folder}")


async def test_a_check_breaks_and_nothing_was_touched(desk: Estate, tmp_path: Path) -> None:
    dr, ca = desk.role("dr"), desk.fact("dr", "ca_dir")
    before = desk.looks()
    dr.sh(f"mv {ca}/inventory.txt /root/")
    session = live(tmp_path, desk)
    try:
        assert "exit 4" in await fails_at(session, "checks/same-ca")
        assert not session.snapshot.state.started
    finally:
        await session.close()
    dr.sh(f"mv /root/inventory.txt {ca}/")
    assert apart(before, desk.looks()) == ""


async def test_holding_the_copies_breaks(desk: Estate, tmp_path: Path) -> None:
    dr = desk.role("dr")
    async with failing(desk, tmp_path, until="copy/timer") as session:
        read_only(dr, "/etc")
        told = await fails_at(session, "copy/hold")
        assert "Read-only file system" in told or "exit 2" in told
        writable(dr, "/etc")


async def test_silencing_the_primary_breaks(desk: Estate, tmp_path: Path) -> None:
    primary = desk.role("primary")
    async with failing(desk, tmp_path) as session:
        read_only(primary, "/etc/systemd/system")
        told = await fails_at(session, "copy/mask")
        assert "exit 1" in told
        writable(primary, "/etc/systemd/system")


async def test_the_copy_breaks_after_the_exchange(desk: Estate, tmp_path: Path) -> None:
    dr = desk.role("dr")
    async with failing(desk, tmp_path, until="copy/sync") as session:
        dr.sh(f"sed -i 's,^ExecReload=.*,ExecReload=/bin/false,' {UNIT}/puppetserver.service")
        told = await fails_at(session, "copy/reload-after")
        assert "exit 1" in told
        dr.sh(f"sed -i 's,^ExecReload=.*,ExecReload=/usr/local/sbin/puppetserver reload,' {UNIT}/puppetserver.service")


async def test_a_secondary_is_not_told_of_the_switch(desk: Estate, tmp_path: Path) -> None:
    ns1, ns2 = desk["ns1"], desk["ns2"]
    async with failing(desk, tmp_path, until="copy/above") as session:
        ns1.sh(f"ip route add blackhole {ns2.address}")  # ns1 takes the update, ns2 never hears of it
        told = await fails_at(session, "switch/dns")
        assert "ns2 still says 10.77.1.10" in told
        assert "10.77.2.10" in desk.answers()["ns1"]
        ns1.sh(f"ip route del blackhole {ns2.address}")


async def test_nobody_can_tell_who_was_served(desk: Estate, tmp_path: Path) -> None:
    dr, log = desk.role("dr"), desk.fact("dr", "access_log")
    async with failing(desk, tmp_path, until="clients/canaries") as session:
        dr.sh(f"mv {log} {log}.away && mkdir {log}")
        await fails_at(session, "clients/served")
        dr.sh(f"rmdir {log} && mv {log}.away {log}")
