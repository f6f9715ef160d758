"""The same promises against Knot DNS itself, where `knotd` is installed; elsewhere these tests say that it is not."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.dns.server import OTHER_SECRET, SECRET, write_key
from tests.sizes import sized

from handrail.base.clock import SystemClock
from handrail.dns.lookup import ask, ask_all, settled
from handrail.dns.results import AlreadySo, Applied, Conflict, Refused, make_change
from handrail.dns.update import compare_and_set, prove_key
from handrail.dns.zone import NameServer, Zone

KNOTD = shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    KNOTD is None and os.environ.get("HANDRAIL_REAL") != "1",
    reason="knotd is not installed: nothing is proven against Knot here",
)

RACES = sized(10, 50, 200)
CLOCK = SystemClock()
NAME = "puppet.example.test"
OLD, NEW, THIRD = ("10.0.0.10",), ("10.0.0.20",), ("10.0.0.99",)
MOVE = make_change(NAME, OLD, 60, NEW, 60)

CONFIG = """
server:
    rundir: "{folder}"
    listen: [ 127.0.0.1@{port} ]
database:
    storage: "{folder}"
key:
  - id: dr-switch
    algorithm: hmac-sha256
    secret: {secret}
  - id: reader
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: switch
    action: update
    key: dr-switch
zone:
  - domain: example.test
    storage: "{folder}"
    file: "zone.db"
    acl: switch
"""
ZONE_FILE = """$TTL 60
@ IN SOA ns1 hostmaster 41 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
puppet IN A 10.0.0.10
"""


class Knot:
    """One Knot server in a folder; it may be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.zone = Zone("example.test", (NameServer("knot", "127.0.0.1", port),), (), write_key(folder / "switch.key"))

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        assert KNOTD, "knotd is not installed, and HANDRAIL_REAL wants it"
        config = str(self.folder / "knot.conf")
        null = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(KNOTD, "-c", config, stdout=null, stderr=null)
        while self.process.returncode is None and (await ask(self.zone.primary, NAME)).problem:
            await asyncio.sleep(0)

    async def kill(self) -> None:
        """Kill it at once: nothing is tidied up."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@pytest.fixture
async def knot(tmp_path: Path) -> AsyncIterator[Knot]:
    (tmp_path / "zone.db").write_text(ZONE_FILE)
    for _ in range(3):  # somebody else may take the port that was free
        server = Knot(tmp_path, _free_port())
        (tmp_path / "knot.conf").write_text(CONFIG.format(folder=tmp_path, port=server.port, secret=SECRET))
        await server.start()
        if server.process.returncode is None:
            break
    assert server.process.returncode is None, "knotd did not start"
    try:
        yield server
    finally:
        await server.kill()


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port: int = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        return port


async def test_there_and_back(knot: Knot) -> None:
    assert await compare_and_set(knot.zone, MOVE, CLOCK) == Applied(42)
    assert (await settled(knot.zone, NAME, NEW, 60, CLOCK)).agreed
    assert isinstance(await compare_and_set(knot.zone, MOVE, CLOCK), AlreadySo)
    assert await compare_and_set(knot.zone, MOVE.back, CLOCK) == Applied(43)


async def test_a_conflict_names_what_stands(knot: Knot) -> None:
    assert isinstance(await compare_and_set(knot.zone, make_change(NAME, OLD, 60, THIRD, 60), CLOCK), Applied)
    result = await compare_and_set(knot.zone, MOVE, CLOCK)
    assert isinstance(result, Conflict)
    assert result.found == THIRD


async def test_the_key_is_proven_without_a_change(knot: Knot, tmp_path: Path) -> None:
    assert await prove_key(knot.zone, NAME, OLD) is None
    assert (await ask_all(knot.zone, NAME, CLOCK)).serial == 41
    wrong = Zone(knot.zone.name, knot.zone.servers, (), write_key(tmp_path / "wrong", secret=OTHER_SECRET))
    problem = await prove_key(wrong, NAME, OLD)
    assert problem is not None
    assert problem.code == "dns-badsig"


async def test_refusals_change_nothing_and_say_why(knot: Knot, tmp_path: Path) -> None:
    said = {}
    for name in ("reader", "stranger"):
        zone = Zone(knot.zone.name, knot.zone.servers, (), write_key(tmp_path / name, name=name))
        result = await compare_and_set(zone, MOVE, CLOCK)
        assert isinstance(result, Refused)
        assert result.problem.message
        said[name] = result.rcode
    elsewhere = await compare_and_set(Zone("test", knot.zone.servers, (), knot.zone.key_file), MOVE, CLOCK)
    assert isinstance(elsewhere, Refused)
    said["elsewhere"] = elsewhere.rcode
    # A key that may not do this is to Knot as one that it does not know.
    assert said == {"reader": "BADKEY", "stranger": "BADKEY", "elsewhere": "NOTAUTH"}
    assert (await ask_all(knot.zone, NAME, CLOCK)).serial == 41


async def test_an_address_of_the_other_family_stops_it(knot: Knot) -> None:
    beside = make_change(NAME, (), 0, ("2001:db8::1",), 60, alone=False)
    assert isinstance(await compare_and_set(knot.zone, beside, CLOCK), Applied)
    result = await compare_and_set(knot.zone, MOVE, CLOCK)
    assert isinstance(result, Refused)
    assert result.rcode == "YXRRSET"


@pytest.mark.torture("a server killed after it said yes, Knot", trials=3)
async def test_what_was_applied_outlives_a_kill(knot: Knot) -> None:
    current = OLD
    for number in range(3):
        aim = (f"10.1.0.{number + 1}",)
        assert isinstance(await compare_and_set(knot.zone, make_change(NAME, current, 60, aim, 60), CLOCK), Applied)
        await knot.kill()
        await knot.start()
        assert (await ask_all(knot.zone, NAME, CLOCK)).value == aim
        current = aim


@pytest.mark.torture("two consoles switch at once, Knot", trials=RACES)
async def test_two_consoles_have_one_winner(knot: Knot) -> None:
    current = OLD
    for number in range(RACES):
        aims = (f"10.{number >> 8}.{number & 255}.1",), (f"10.{number >> 8}.{number & 255}.2",)
        changes = (make_change(NAME, current, 60, aim, 60) for aim in aims)
        results = await asyncio.gather(*(compare_and_set(knot.zone, c, CLOCK) for c in changes))
        (winner,) = (i for i, r in enumerate(results) if isinstance(r, Applied))
        loser = results[1 - winner]
        assert isinstance(loser, Conflict)
        assert loser.found == aims[winner]
        current = aims[winner]
