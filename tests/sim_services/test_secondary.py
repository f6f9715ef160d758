"""The secondary: pulls by NOTIFY and by its own timer, goes stale while stopped, catches up, never takes an update."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import dns.update
import pytest
from tests.sim_services.dnsbench import ADMIN, FQDN, ORIGIN, ask, send, serving, update, values

from handrail_sim.nameserver import Nameserver


async def _until_serial(server: Nameserver, serial: int) -> None:
    async with asyncio.timeout(10):
        while server.serial != serial:
            await asyncio.sleep(0.01)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "two"


async def _free_port(folder: Path) -> int:
    async with serving(folder) as server:
        return server.port


async def test_notify_carries_a_change_at_once(folders: tuple[Path, Path]) -> None:
    port = await _free_port(folders[0])
    (folders[1] / "zone").unlink(missing_ok=True)
    async with (
        serving(folders[0], notify=(("127.0.0.1", port),)) as primary,
        serving(folders[1], source=("127.0.0.1", primary.port), port=port) as secondary,
    ):
        await _until_serial(secondary, 100)
        assert len(values(await ask(secondary, "big.example.test", "TXT", tcp=True))) == 13
        message = update()
        message.replace(FQDN, 5, "A", "10.77.2.10")
        assert await send(primary, message) == "NOERROR"
        await _until_serial(secondary, 101)  # the zone's own refresh time is 30 s
        assert values(await ask(secondary, FQDN)) == ["10.77.2.10"]
        assert await send(secondary, message) == "REFUSED"


async def test_a_stopped_secondary_is_stale_and_then_catches_up(folders: tuple[Path, Path]) -> None:
    async with serving(folders[0]) as primary:
        source = ("127.0.0.1", primary.port)
        async with serving(folders[1], source=source) as secondary:
            await _until_serial(secondary, 100)
        message = update()
        message.replace(FQDN, 5, "A", "10.77.2.10")
        assert await send(primary, message) == "NOERROR"
        async with serving(folders[1], source=("127.0.0.1", 9)) as cut_off:
            assert values(await ask(cut_off, FQDN)) == ["10.77.1.10"]
        async with serving(folders[1], source=source) as back:
            await _until_serial(back, 101)
            assert values(await ask(back, FQDN)) == ["10.77.2.10"]


async def test_the_refresh_timer_finds_what_notify_did_not_tell(folders: tuple[Path, Path]) -> None:
    async with serving(folders[0]) as primary:
        quick = dns.update.UpdateMessage(ORIGIN, keyring=ADMIN)
        quick.replace(ORIGIN, 300, "SOA", "ns1.example.test. hostmaster.example.test. 200 1 1 3600 5")
        assert await send(primary, quick) == "NOERROR"
        assert primary.serial == 200
        async with serving(folders[1], source=("127.0.0.1", primary.port)) as secondary:
            await _until_serial(secondary, 200)
            message = update()
            message.replace(FQDN, 5, "A", "10.77.2.10")
            assert await send(primary, message) == "NOERROR"
            await _until_serial(secondary, 201)


async def test_the_program_runs_says_where_and_ends_on_a_signal(tmp_path: Path) -> None:
    from tests.sim_services.dnsbench import ZONE

    (tmp_path / "zone").write_text(ZONE)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handrail_sim.nameserver", "--listen", "127.0.0.1:0", "--zone", "example.test"),
        *("--zone-file", "zone", "--work", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on 127.0.0.1:")
    assert line.endswith("serial 100\n")
    os.kill(process.pid, signal.SIGTERM)
    assert await process.wait() == 0
