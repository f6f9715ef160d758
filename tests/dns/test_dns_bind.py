"""The same promises against BIND itself, where `named` is installed; elsewhere these tests say that it is not."""

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

NAMED = shutil.which("named") or shutil.which("named", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    NAMED is None and os.environ.get("HANDRAIL_REAL") != "1",
    reason="named is not installed: nothing is proven against BIND here",
)

RACES = sized(20, 100, 1000)
CLOCK = SystemClock()
NAME = "puppet.example.test"
OLD, NEW, THIRD = ("10.0.0.10",), ("10.0.0.20",), ("10.0.0.99",)
MOVE = make_change(NAME, OLD, 60, NEW, 60)

CONFIG = """
options {{
  directory "{folder}"; pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
}};
controls {{ }};
key "dr-switch" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "reader" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "example.test" {{ type primary; file "zone.db"; allow-update {{ key "dr-switch"; }}; }};
"""
ZONE_FILE = """$TTL 60
@ IN SOA ns1 hostmaster 41 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
puppet IN A 10.0.0.10
"""


@pytest.fixture
async def bind(tmp_path: Path) -> AsyncIterator[Zone]:
    (tmp_path / "zone.db").write_text(ZONE_FILE)
    key = write_key(tmp_path / "switch.key")
    for _ in range(3):  # somebody else may take the port that was free
        named, zone = await _started(tmp_path, _free_port(), key)
        if named.returncode is None:
            break
    assert named.returncode is None, "named did not start"
    try:
        yield zone
    finally:
        if named.returncode is None:
            named.kill()
        await named.wait()


async def _started(folder: Path, port: int, key: Path) -> tuple[asyncio.subprocess.Process, Zone]:
    """Start BIND, and wait until it answers or has ended."""
    assert NAMED, "named is not installed, and HANDRAIL_REAL wants it"
    config = folder / "named.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, secret=SECRET))
    named = await asyncio.create_subprocess_exec(
        NAMED, "-g", "-n", "1", "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    zone = Zone("example.test", (NameServer("bind", "127.0.0.1", port),), (), key)
    while named.returncode is None and (await ask(zone.primary, NAME)).problem:
        await asyncio.sleep(0)
    return named, zone


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port: int = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        return port


async def test_there_and_back(bind: Zone) -> None:
    assert await compare_and_set(bind, MOVE, CLOCK) == Applied(42)
    assert (await settled(bind, NAME, NEW, 60, CLOCK)).agreed
    assert isinstance(await compare_and_set(bind, MOVE, CLOCK), AlreadySo)
    assert await compare_and_set(bind, MOVE.back, CLOCK) == Applied(43)


async def test_a_conflict_names_what_stands(bind: Zone) -> None:
    assert isinstance(await compare_and_set(bind, make_change(NAME, OLD, 60, THIRD, 60), CLOCK), Applied)
    result = await compare_and_set(bind, MOVE, CLOCK)
    assert isinstance(result, Conflict)
    assert result.found == THIRD


async def test_the_key_is_proven_without_a_change(bind: Zone, tmp_path: Path) -> None:
    assert await prove_key(bind, NAME, OLD) is None
    assert (await ask_all(bind, NAME, CLOCK)).serial == 41
    wrong = Zone(bind.name, bind.servers, (), write_key(tmp_path / "wrong", secret=OTHER_SECRET))
    problem = await prove_key(wrong, NAME, OLD)
    assert problem is not None
    assert problem.code == "dns-badsig"


async def test_refusals(bind: Zone, tmp_path: Path) -> None:
    for name, word in (("reader", "REFUSED"), ("stranger", "BADKEY")):
        zone = Zone(bind.name, bind.servers, (), write_key(tmp_path / name, name=name))
        result = await compare_and_set(zone, MOVE, CLOCK)
        assert isinstance(result, Refused)
        assert result.rcode == word
    elsewhere = Zone("test", bind.servers, (), bind.key_file)
    result = await compare_and_set(elsewhere, MOVE, CLOCK)
    assert isinstance(result, Refused)
    assert result.rcode == "NOTAUTH"


async def test_an_address_of_the_other_family_stops_it(bind: Zone) -> None:
    beside = make_change(NAME, (), 0, ("2001:db8::1",), 60, alone=False)
    assert isinstance(await compare_and_set(bind, beside, CLOCK), Applied)
    result = await compare_and_set(bind, MOVE, CLOCK)
    assert isinstance(result, Refused)
    assert result.rcode == "YXRRSET"


@pytest.mark.torture("two consoles switch at once, BIND", trials=RACES)
async def test_two_consoles_have_one_winner(bind: Zone) -> None:
    current = OLD
    for number in range(RACES):
        aims = (f"10.{number >> 8}.{number & 255}.1",), (f"10.{number >> 8}.{number & 255}.2",)
        changes = (make_change(NAME, current, 60, aim, 60) for aim in aims)
        results = await asyncio.gather(*(compare_and_set(bind, c, CLOCK) for c in changes))
        (winner,) = (i for i, r in enumerate(results) if isinstance(r, Applied))
        loser = results[1 - winner]
        assert isinstance(loser, Conflict)
        assert loser.found == aims[winner]
        current = aims[winner]
