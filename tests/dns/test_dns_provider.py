"""Providers: what they promise before, and what they do."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from tests.dns.server import SECRET, Server

from handrail.base.clock import SystemClock
from handrail.base.problems import Trouble
from handrail.dns.command import Command, parse_record
from handrail.dns.provider import Provider, provider_for, settle
from handrail.dns.results import (
    AlreadySo,
    Applied,
    Conflict,
    NotApplied,
    NotSent,
    Unsettled,
    WaitingForPerson,
    make_change,
)
from handrail.dns.zone import Zone

CLOCK = SystemClock()
NAME = "puppet.example.test"
OLD, NEW = ("10.0.0.10",), ("10.0.0.20",)
MOVE = make_change(NAME, OLD, 60, NEW, 30)

CLOUD = """
import json, os, signal, sys
verb, state = sys.argv[1], sys.argv[2]
record = json.load(open(state))
if record.get("blind"):
    sys.exit("cannot log in\\x1b[2J")
if verb == "get":
    print(json.dumps({"values": record["values"], "ttl": record["ttl"]}))
    sys.exit()
record["calls"] = record.get("calls", 0) + 1
fault = record.get("fault")
if fault != "lost" and fault != "denied":
    record["values"], record["ttl"] = sys.argv[4].split(","), int(sys.argv[5])
if fault == "overtaken":
    record["values"] = ["10.0.0.99"]
if fault == "blinded":
    record["blind"] = True
json.dump(record, open(state, "w"))
if fault == "denied":
    sys.exit("AccessDenied: not you")
if fault == "lost":
    os.kill(os.getpid(), signal.SIGKILL)
if fault in ("overtaken", "blinded", "rude"):
    sys.exit(7)
"""


class Cloud:
    """A cloud's command line, as a real program over a file."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "cloud.py"
        self.program.write_text(CLOUD)
        self.state = folder / "state.json"
        self.write(values=list(OLD), ttl=60)

    def write(self, **record: object) -> None:
        self.state.write_text(json.dumps(record))

    def read(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.state.read_text())
        return found

    def provider(self, zone: Zone) -> Provider:
        program = [sys.executable, str(self.program)]
        settings = {
            "read": [*program, "get", str(self.state), "{{ name }}"],
            "change": [*program, "set", str(self.state), "{{name}}", "{{ to }}", "{{ ttl }}", "--was={{ from }}"],
        }
        made = provider_for("command", zone, CLOCK, settings)
        assert isinstance(made, Command)
        made.again = ()
        return made


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


BARE = Zone("example.test", ())


# ---------------------------------------------------------------- rfc2136


async def test_rfc2136_moves_settles_and_says_so_before(zone: Zone, ns1: Server) -> None:
    provider = provider_for("rfc2136", zone, CLOCK)
    text = "\n".join(provider.describe(MOVE))
    assert f"ns1 (127.0.0.1, TCP port {ns1.at.port})" in text
    assert "signed with the key dr-switch (hmac-sha256)" in text
    assert "only if puppet.example.test A is exactly 10.0.0.10" in text
    assert "then it is 10.0.0.20, TTL 30 s" in text
    assert SECRET not in text
    assert await provider.prove(NAME, OLD) is None
    assert not (await settle(provider, MOVE)).agreed
    assert isinstance(await provider.change(MOVE), Applied)
    assert (await settle(provider, MOVE)).agreed
    assert (await provider.survey(NAME)).value == NEW


async def test_rfc2136_says_in_the_plan_when_its_key_is_missing(ns1: Server, tmp_path: Path) -> None:
    missing = provider_for("rfc2136", Zone("example.test", (ns1.at,), (), tmp_path / "none"), CLOCK)
    assert "not signed yet: cannot open the key file" in missing.describe(MOVE)[1]
    unsigned = provider_for("rfc2136", Zone("example.test", (ns1.at,)), CLOCK)
    assert "not signed" in unsigned.describe(MOVE)[1]


# ---------------------------------------------------------------- a cloud's command line


async def test_command_reads_writes_and_reads(cloud: Cloud) -> None:
    provider = cloud.provider(BARE)
    assert provider.eventual
    assert any("is exactly 10.0.0.10" in line for line in provider.describe(MOVE))
    assert any("--was=10.0.0.10" in line for line in provider.describe(MOVE))
    assert await provider.prove(NAME, OLD) is None
    assert await provider.change(MOVE) == Applied(None)
    assert (await settle(provider, MOVE)).agreed
    assert isinstance(await provider.change(MOVE), AlreadySo)
    assert cloud.read()["calls"] == 1


async def test_command_asks_the_servers_where_they_are_listed(cloud: Cloud, zone: Zone, ns1: Server) -> None:
    provider = cloud.provider(zone)
    assert isinstance(await provider.change(MOVE), Applied)
    assert not (await settle(provider, MOVE)).agreed
    ns1.records.set("puppet 30 A 10.0.0.20")
    assert (await settle(provider, MOVE)).agreed


async def test_command_does_not_write_over_somebody_elses_value(cloud: Cloud) -> None:
    cloud.write(values=["10.0.0.99"], ttl=60)
    result = await cloud.provider(BARE).change(MOVE)
    assert isinstance(result, Conflict)
    assert result.found == ("10.0.0.99",)
    assert "calls" not in cloud.read()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("denied", NotApplied),
        ("rude", Applied),
        ("lost", NotApplied),
        ("overtaken", Conflict),
        ("blinded", Unsettled),
    ],
)
async def test_command_settles_a_bad_end_by_reading(cloud: Cloud, fault: str, kind: type) -> None:
    cloud.write(values=list(OLD), ttl=60, fault=fault)
    result = await cloud.provider(BARE).change(MOVE)
    assert isinstance(result, kind)
    assert cloud.read()["calls"] == 1
    if fault == "denied":
        assert isinstance(result, NotApplied)
        assert result.problem.hint == "AccessDenied: not you"


async def test_command_that_cannot_read_sends_nothing(cloud: Cloud) -> None:
    cloud.write(values=list(OLD), ttl=60, blind=True)
    provider = cloud.provider(BARE)
    result = await provider.change(MOVE)
    assert isinstance(result, NotSent)
    assert result.problem.message.replace("\n", "").isprintable()
    assert (await provider.survey(NAME)).differences
    assert await provider.prove(NAME, OLD) is not None


async def test_command_that_is_not_installed_sends_nothing() -> None:
    gone = {"read": ["/nonexistent/cloud"], "change": ["/nonexistent/cloud"]}
    assert isinstance(await provider_for("command", BARE, CLOCK, gone).change(MOVE), NotSent)
    half = {"read": ["echo", "10.0.0.10"], "change": ["/nonexistent/cloud"]}
    assert isinstance(await provider_for("command", BARE, CLOCK, half).change(MOVE), NotSent)


async def test_command_is_killed_with_its_children_by_a_cancel(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    fifo.touch()
    script = f"(exec 3<{fifo}; flock 3; echo started >{tmp_path}/started; exec sleep 600) & wait"
    settings = {"read": ["echo", "10.0.0.10"], "change": ["sh", "-c", script]}
    task = asyncio.create_task(provider_for("command", BARE, CLOCK, settings).change(MOVE))
    while not (tmp_path / "started").exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    freed = await asyncio.create_subprocess_exec("flock", "--timeout", "20", str(fifo), "true")
    assert await freed.wait() == 0


async def test_command_note_comes_before_the_program_runs(cloud: Cloud) -> None:
    async def full() -> None:
        assert "calls" not in cloud.read()
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await cloud.provider(BARE).change(MOVE, before_send=full)
    assert "calls" not in cloud.read()


@pytest.mark.parametrize(
    ("output", "values", "ttl"),
    [
        (b"", (), -1),
        (b"10.0.0.10\n", ("10.0.0.10",), -1),
        (b"10.0.0.11\n10.0.0.10\n", ("10.0.0.10", "10.0.0.11"), -1),
        (b'"10.0.0.10"', ("10.0.0.10",), -1),
        (b'["10.0.0.10"]', ("10.0.0.10",), -1),
        (b'{"value": "10.0.0.10", "ttl": 60}', ("10.0.0.10",), 60),
        (b'{"values": [], "ttl": true}', (), -1),
        (b"null", (), -1),
    ],
)
def test_what_a_program_may_print(output: bytes, values: tuple[str, ...], ttl: int) -> None:
    assert parse_record(output, "A") == (values, ttl)


@pytest.mark.parametrize(
    "output", [b"no such zone", b"{", b'{"values": [1]}', b"[" * 100_000, b"2001:db8::1", b"\xff\xfe"]
)
def test_what_it_may_not_print(output: bytes) -> None:
    with pytest.raises(Trouble, match="dns-"):
        parse_record(output, "A")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, "dns-command-template"),
        ({"read": "dig", "change": ["x"]}, "dns-command-template"),
        ({"read": ["dig", 1], "change": ["x"]}, "dns-command-template"),
        ({"read": ["dig", "{{ to }}"], "change": ["x"]}, "dns-command-template"),
        ({"read": ["dig"], "change": ["x", "{{ ot }}"]}, "dns-command-template"),
        ({"read": ["dig"], "change": ["x"], "reads": []}, "dns-setting"),
    ],
)
def test_a_template_that_cannot_work_is_refused_early(settings: dict[str, object], code: str) -> None:
    with pytest.raises(Trouble, match=code):
        provider_for("command", BARE, CLOCK, settings)


# ---------------------------------------------------------------- a person


async def test_manual_waits_for_a_person_and_sees_it_done(zone: Zone, ns1: Server) -> None:
    provider = provider_for("manual", zone, CLOCK)
    noted = []

    async def note() -> None:
        noted.append(1)

    result = await provider.change(MOVE, before_send=note)
    assert isinstance(result, WaitingForPerson)
    assert "then it is 10.0.0.20, TTL 30 s" in result.lines
    assert noted == [1]
    assert await provider.prove(NAME, OLD) is None
    ns1.records.set("puppet 30 A 10.0.0.20")
    assert (await settle(provider, MOVE)).agreed
    assert isinstance(await provider.change(MOVE), AlreadySo)
    assert ns1.updates == 0


async def test_manual_asks_nobody_to_edit_what_is_not_as_planned(zone: Zone, ns1: Server) -> None:
    provider = provider_for("manual", zone, CLOCK)
    ns1.records.set("puppet 60 A 10.0.0.99")
    assert isinstance(await provider.change(MOVE), Conflict)
    await ns1.stop()
    assert isinstance(await provider.change(MOVE), NotSent)


# ---------------------------------------------------------------- choosing one


def test_an_unknown_provider_is_refused_with_a_guess(zone: Zone) -> None:
    with pytest.raises(Trouble, match="did you mean `rfc2136`"):
        provider_for("rfc2163", zone, CLOCK)
    with pytest.raises(Trouble, match="known: rfc2136, command, manual"):
        provider_for("route53", zone, CLOCK)
    with pytest.raises(Trouble, match="dns-setting"):
        provider_for("rfc2136", zone, CLOCK, {"read": []})
    for kind in ("rfc2136", "manual"):
        with pytest.raises(Trouble, match="dns-no-server"):
            provider_for(kind, BARE, CLOCK)


def test_an_installed_plug_in_is_found(zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "acme-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[handrail.dns_providers]\nacme = handrail.dns.provider:Manual\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert provider_for("acme", zone, CLOCK).kind == "manual"
