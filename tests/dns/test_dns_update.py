"""Compare and set: one message, one winner, and no claim that was not read from the server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update
import pytest
from tests.dns.records import Records
from tests.dns.server import KEY, OTHER_SECRET, SECRET, Server, write_key
from tests.sizes import sized

from handrail.base.clock import SystemClock
from handrail.base.problems import Problem, Trouble
from handrail.dns.results import (
    AlreadySo,
    Applied,
    Change,
    Conflict,
    NotApplied,
    NotSent,
    Refused,
    Result,
    Unsettled,
    make_change,
)
from handrail.dns.update import Patience, compare_and_set, prove_key
from handrail.dns.zone import NameServer, Zone

RACES = sized(100, 200, 1000)
CLOCK = SystemClock()
NAME = "puppet.example.test"
OLD, NEW, THIRD = ("10.0.0.10",), ("10.0.0.20",), ("10.0.0.99",)
MOVE = make_change(NAME, OLD, 60, NEW, 60)
QUICK = Patience(connect=5, reply=5, read=5, read_back=(0.0, 0.0, 0.0))
NO_REPLY = Patience(connect=5, reply=0.1, read=5, read_back=(0.0, 0.0, 0.0))


TOLD = Path(__file__).with_name("told.json")
"""What a person is told in each of these tests, word for word. HANDRAIL_GOLDEN=write writes it anew: read the difference."""

_problems: list[Problem] = []


async def change(zone: Zone, change: Change = MOVE, patience: Patience = QUICK) -> Result:
    came = await compare_and_set(zone, change, CLOCK, patience=patience)
    _problems.extend([came.problem] if isinstance(came, Conflict | NotApplied | NotSent | Refused | Unsettled) else [])
    return came


async def prove(zone: Zone, value: tuple[str, ...] = OLD, patience: Patience = QUICK) -> Problem | None:
    problem = await prove_key(zone, NAME, value, patience=patience)
    _problems.extend([problem] if problem else [])
    return problem


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold what a person is told to the very words."""
    _problems.clear()
    yield
    moving = r"(?<=port )\d+|\b[\dhms]+(?= (ahead|behind))"  # a port of now, and seconds that pass meanwhile
    said = sorted({re.sub(moving, "N", " | ".join((p.code, p.message, p.hint))) for p in _problems})
    golden: dict[str, list[str]] = json.loads(TOLD.read_text()) if TOLD.exists() else {}
    if os.environ.get("HANDRAIL_GOLDEN") == "write":
        golden = {**golden, request.node.name: said}
        TOLD.write_text(json.dumps({test: golden[test] for test in sorted(golden) if golden[test]}, indent=1) + "\n")
    assert said == golden.get(request.node.name, [])


async def test_the_record_moves_and_the_serial_with_it(ns1: Server, zone: Zone) -> None:
    serial = ns1.records.serial
    assert await change(zone) == Applied(serial + 1)
    assert ns1.records.values("puppet") == list(NEW)
    assert ns1.updates == 1


async def test_it_goes_back_by_the_same_way(ns1: Server, zone: Zone) -> None:
    await change(zone)
    assert isinstance(await change(zone, MOVE.back), Applied)
    assert ns1.records.values("puppet") == list(OLD)


async def test_the_ttl_is_set_with_the_value(ns1: Server, zone: Zone) -> None:
    await change(zone, make_change(NAME, OLD, 60, NEW, 30))
    rrset = ns1.records.get(dns.name.from_text(NAME), dns.rdatatype.A)
    assert rrset is not None
    assert rrset.ttl == 30


async def test_the_ttl_alone_can_be_lowered(ns1: Server, zone: Zone) -> None:
    lower = make_change(NAME, OLD, 60, OLD, 30)
    ns1.faults = ["cut"]
    assert await change(zone, lower) == Applied(ns1.records.serial, "read back")
    ns1.records.set("puppet 60 A 10.0.0.10")
    ns1.faults = ["lost"]
    assert isinstance(await change(zone, lower), NotApplied)


async def test_ipv6_and_several_addresses() -> None:
    async with Server(records=Records("puppet 60 AAAA 2001:db8::1 2001:db8::2")) as server:
        zone = Zone("example.test", (server.at,))
        server.keys = {}
        wanted = make_change(NAME, ("2001:db8::2", "2001:DB8::1"), 60, ("2001:db8::3",), 60)
        assert isinstance(await change(zone, wanted), Applied)
        assert server.records.values("puppet", "AAAA") == ["2001:db8::3"]


async def test_a_record_can_be_made_and_taken_away(ns1: Server, zone: Zone) -> None:
    new = make_change("new.example.test", (), 0, NEW, 60)
    assert isinstance(await change(zone, new), Applied)
    assert ns1.records.values("new") == list(NEW)
    over = make_change("new.example.test", (), 0, THIRD, 60)
    assert isinstance(await change(zone, over), Conflict)
    assert isinstance(await change(zone, new.back), Applied)
    assert ns1.records.values("new") == []


# ---------------------------------------------------------------- somebody else


async def test_a_changed_record_is_a_conflict_that_names_it(ns1: Server, zone: Zone) -> None:
    ns1.records.set("puppet 60 A 10.0.0.99")
    result = await change(zone)
    assert isinstance(result, Conflict)
    assert result.found == THIRD
    assert result.problem.message == f"{NAME} is 10.0.0.99, not 10.0.0.10: nothing was changed"
    assert ns1.records.values("puppet") == list(THIRD)


async def test_a_second_address_is_a_conflict(ns1: Server, zone: Zone) -> None:
    ns1.records.set("puppet 60 A 10.0.0.10 10.0.0.11")
    result = await change(zone)
    assert isinstance(result, Conflict)
    assert result.found == ("10.0.0.10", "10.0.0.11")
    assert ns1.queries == 1  # a failed prerequisite is final


async def test_already_as_wanted_is_not_our_doing(ns1: Server, zone: Zone) -> None:
    ns1.records.set("puppet 60 A 10.0.0.20")
    serial = ns1.records.serial
    assert await change(zone) == AlreadySo(serial)


async def test_a_removed_record_is_a_conflict_with_nothing(ns1: Server, zone: Zone) -> None:
    ns1.records.drop("puppet", "A")
    result = await change(zone)
    assert isinstance(result, Conflict)
    assert result.found == ()


async def test_a_cname_put_there_is_a_conflict_that_says_so(ns1: Server, zone: Zone) -> None:
    ns1.records.drop("puppet", "A")
    ns1.records.set("puppet 60 CNAME blue")
    result = await change(zone)
    assert isinstance(result, Conflict)
    assert "CNAME blue.example.test" in result.problem.hint


async def test_an_address_of_the_other_family_stops_the_change_at_the_server(ns1: Server, zone: Zone) -> None:
    ns1.records.set("puppet 60 AAAA 2001:db8::1")
    result = await change(zone)
    assert isinstance(result, Refused)
    assert result.rcode == "YXRRSET"
    assert ns1.records.values("puppet") == list(OLD)
    not_alone = make_change(NAME, OLD, 60, NEW, 60, alone=False)
    assert isinstance(await change(zone, not_alone), Applied)


async def test_the_way_back_refuses_what_a_third_party_wrote(ns1: Server, zone: Zone) -> None:
    await change(zone)
    ns1.records.set("puppet 60 A 10.0.0.99")
    result = await change(zone, MOVE.back)
    assert isinstance(result, Conflict)
    assert result.found == THIRD


async def test_a_value_that_is_served_but_not_held_is_explained(ns1: Server, zone: Zone) -> None:
    ns1.faults = ["NXRRSET"]
    result = await change(zone)
    assert isinstance(result, Conflict)
    assert "wildcard" in result.problem.hint


@pytest.mark.torture("two consoles switch at once", trials=RACES)
async def test_two_consoles_at_once_have_one_winner(ns1: Server, zone: Zone) -> None:
    for _ in range(RACES):
        ns1.records.set("puppet 60 A 10.0.0.10")
        mine, theirs = MOVE, make_change(NAME, OLD, 60, THIRD, 60)
        results = await asyncio.gather(change(zone, mine), change(zone, theirs))
        winner = next(r for r in results if isinstance(r, Applied))
        loser = next(r for r in results if r is not winner)
        assert isinstance(loser, Conflict)
        assert list(loser.found) == ns1.records.values("puppet")
        assert loser.found == (NEW, THIRD)[results.index(winner)]


async def test_two_consoles_with_one_aim_both_find_it_so(ns1: Server, zone: Zone) -> None:
    for _ in range(50):
        ns1.records.set("puppet 60 A 10.0.0.10")
        results = await asyncio.gather(change(zone), change(zone))
        assert {type(r) for r in results} == {Applied, AlreadySo}


# ---------------------------------------------------------------- lost replies


@pytest.mark.parametrize("fault", ["cut", "slow", "half", "short", "garbage", "stranger", "forged", "unsigned"])
async def test_a_lost_reply_to_an_applied_update_is_read_back(ns1: Server, zone: Zone, fault: str) -> None:
    ns1.faults = [fault]
    assert await change(zone, patience=NO_REPLY) == Applied(ns1.records.serial, "read back")
    assert (ns1.updates, ns1.queries) == (1, 2)  # the record, which says it at once, and the serial


@pytest.mark.parametrize("fault", ["lost", "stall"])
async def test_a_lost_update_is_not_applied_and_never_sent_again(ns1: Server, zone: Zone, fault: str) -> None:
    ns1.faults = [fault]
    result = await change(zone, patience=NO_REPLY)
    assert isinstance(result, NotApplied)
    assert result.found == OLD
    assert "still serves 10.0.0.10" in result.problem.message
    assert (ns1.updates, ns1.queries) == (1, len(NO_REPLY.read_back))  # it might still have been on its way
    assert isinstance(await change(zone), Applied)  # the operator's own retry is safe


async def test_an_update_that_is_applied_late_is_waited_for(ns1: Server, zone: Zone) -> None:
    ns1.faults = ["late"]
    assert await change(zone, patience=NO_REPLY) == Applied(ns1.records.serial, "read back")
    assert ns1.updates == 1


async def test_a_lost_reply_and_a_third_value_is_a_conflict(ns1: Server, zone: Zone) -> None:
    class Overtaken(Server):
        def apply(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
            self.records.set("puppet 60 A 10.0.0.99")
            return dns.rcode.NOERROR

    async with Overtaken() as server:
        server.faults = ["cut"]
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
    assert isinstance(result, Conflict)
    assert result.found == THIRD
    assert server.queries == 1


async def test_a_server_that_dies_after_the_update_leaves_it_unsettled(zone: Zone) -> None:
    class Dies(Server):
        def stream(self, wire: bytes) -> bytes | None:
            super().stream(wire)
            return None

    async with Dies() as server:
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
    assert isinstance(result, Unsettled)
    assert "nobody knows" in result.problem.message
    assert server.updates == 1


class Closes(Server):
    """Answers an update, and refuses every reading from then on."""

    def update(self, wire: bytes) -> bytes | None:
        self.refuses = dns.rcode.REFUSED
        return super().update(wire)


async def test_an_unsigned_refusal_and_no_reading_is_unsettled(zone: Zone) -> None:
    async with Closes() as server:
        server.faults = ["REFUSED!"]
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
    assert isinstance(result, Unsettled)
    assert "answered REFUSED without a valid signature" in result.problem.message


async def test_a_signed_refusal_is_final_even_when_nothing_can_be_read(zone: Zone) -> None:
    async with Closes() as server:
        server.faults = ["NXRRSET"]
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
        assert server.records.values("puppet") == list(OLD)
    assert isinstance(result, Refused)
    assert result.rcode == "NXRRSET"


async def test_a_reset_connection_is_a_lost_reply(zone: Zone) -> None:
    class Resets(Server):
        def update(self, wire: bytes) -> bytes | None:
            for writer in self._writers:  # closed at once with what is unsent, as by a machine that has rebooted
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return super().update(wire)

    async with Resets() as server:
        zone = Zone("example.test", (server.at,), (), zone.key_file)
        server.faults = ["lost", "cut"]
        result = await change(zone)
        assert isinstance(result, NotApplied)
        assert result.problem.message.startswith("ns1 cut the connection, and still serves 10.0.0.10")
        assert await change(zone) == Applied(server.records.serial, "read back")


async def test_a_late_servfail_after_applying_counts_as_applied(zone: Zone) -> None:
    class Forwards(Server):
        def apply(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
            super().apply(message)
            return dns.rcode.SERVFAIL

    async with Forwards() as server:
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
        assert result == Applied(server.records.serial, "read back")


# ---------------------------------------------------------------- the server says no


@pytest.mark.parametrize("signed", ["", "!"])
@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("REFUSED", "update-policy"),
        ("NOTAUTH", "first server"),
        ("NOTZONE", "zone"),
        ("FORMERR", "Knot"),
        ("SERVFAIL", "log"),
        ("NOTIMP", "dynamic updates"),
        ("YXDOMAIN", "exist"),
        ("NXDOMAIN", "exist"),
        ("YXRRSET", "other address family"),
    ],
)
async def test_every_refusal_has_a_hint(ns1: Server, zone: Zone, word: str, signed: str, hint: str) -> None:
    ns1.faults = [word + signed]
    result = await change(zone)
    assert isinstance(result, Refused)
    assert result.rcode == word
    assert result.problem.code == f"dns-{word.lower()}"
    assert hint in result.problem.hint
    # A signed refusal says it all; where prerequisites failed, or nobody signed, one look tells; a server that failed may be late.
    final = not signed and word in ("REFUSED", "NOTAUTH", "NOTZONE", "FORMERR", "NOTIMP")
    looks = len(QUICK.read_back) if word == "SERVFAIL" else 1
    assert (ns1.updates, ns1.queries) == (1, 0 if final else looks)


async def test_a_code_nobody_knows_is_shown_as_a_number(ns1: Server, zone: Zone) -> None:
    class Odd(Server):
        def apply(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
            return dns.rcode.Rcode.make(13)

    async with Odd() as server:
        result = await change(Zone("example.test", (server.at,), (), zone.key_file))
    assert isinstance(result, Refused)
    assert "13" in result.rcode


async def test_a_key_the_server_does_not_know(ns1: Server, zone: Zone) -> None:
    ns1.keys = {}
    result = await change(zone)
    assert isinstance(result, Refused)
    assert result.rcode == "BADKEY"
    assert ns1.records.values("puppet") == list(OLD)


async def test_a_key_with_another_secret(ns1: Server, zone: Zone) -> None:
    ns1.keys = {KEY.name: dns.tsig.Key("dr-switch", OTHER_SECRET)}
    result = await change(zone)
    assert isinstance(result, Refused)
    assert result.rcode == "BADSIG"
    assert "secret" in result.problem.hint


@pytest.mark.parametrize(("skew", "words"), [(3600, "1h00m ahead of"), (-3600, "1h00m behind")])
async def test_clocks_that_differ_are_told_by_how_much(ns1: Server, zone: Zone, skew: int, words: str) -> None:
    ns1.skew = skew + (5 if skew > 0 else -5)
    result = await change(zone)
    assert isinstance(result, Refused)
    assert result.rcode == "BADTIME"
    assert words in result.problem.hint


async def test_a_zone_the_server_does_not_serve(ns1: Server, key_file: Path) -> None:
    foreign = Zone("test", (ns1.at,), (), key_file)
    result = await change(foreign)
    assert isinstance(result, Refused)
    assert result.rcode == "NOTAUTH"


# ---------------------------------------------------------------- nothing was sent


async def test_a_dead_server_is_not_sent_anything(ns1: Server, zone: Zone) -> None:
    await ns1.stop()
    called = []

    async def note() -> None:
        called.append(1)

    result = await compare_and_set(zone, MOVE, CLOCK, before_send=note)
    assert isinstance(result, NotSent)
    assert "nothing was sent" in result.problem.message
    assert not called


async def test_a_server_that_takes_no_connection_is_not_sent_anything(key_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        zone = Zone("example.test", (NameServer("ns1", *full.getsockname()),), (), key_file)
        result = await change(zone, patience=Patience(connect=0.1))
    assert isinstance(result, NotSent)
    assert result.problem.message == "ns1 does not take a connection within 0.1 s: nothing was sent"


async def test_what_stops_the_note_stops_the_change(ns1: Server, zone: Zone) -> None:
    async def full_disk() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await compare_and_set(zone, MOVE, CLOCK, before_send=full_disk)
    assert ns1.updates == 0
    assert ns1.records.values("puppet") == list(OLD)


async def test_the_note_is_written_before_the_first_byte(ns1: Server, zone: Zone) -> None:
    seen: list[int] = []

    async def note() -> None:
        seen.append(ns1.updates)

    assert isinstance(await compare_and_set(zone, MOVE, CLOCK, before_send=note), Applied)
    assert seen == [0]


async def test_a_bad_key_file_stops_before_the_connection(zone: Zone, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="dns-key-file"):
        await change(Zone("example.test", zone.servers, (), tmp_path / "missing.key"))


async def test_names_outside_the_zone_and_mixed_families_are_refused(zone: Zone) -> None:
    with pytest.raises(Trouble, match="dns-name-outside"):
        await change(zone, make_change("puppet.example.org", OLD, 60, NEW, 60))
    with pytest.raises(Trouble, match="dns-family"):
        make_change(NAME, OLD, 60, ("2001:db8::1",), 60)
    with pytest.raises(Trouble, match="dns-address"):
        make_change(NAME, OLD, 60, ("puppet2",), 60)
    with pytest.raises(Trouble, match="dns-address"):
        make_change(NAME, (), 60, (), 60)


async def test_a_cancel_after_the_send_leaves_a_record_that_can_be_read(ns1: Server, zone: Zone) -> None:
    arrived = asyncio.Event()

    class Slow(Server):
        def apply(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
            arrived.set()
            return super().apply(message)

    async with Slow() as server:
        server.faults = ["slow"]
        slow = Zone("example.test", (server.at,), (), zone.key_file)
        task = asyncio.create_task(change(slow))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await change(slow), AlreadySo)


# ---------------------------------------------------------------- the key alone


async def test_the_key_is_proven_without_a_change(ns1: Server, zone: Zone) -> None:
    serial = ns1.records.serial
    assert await prove(zone) is None
    assert ns1.records.serial == serial
    assert (ns1.proofs, ns1.updates) == (1, 0)


async def test_a_proven_key_with_another_value_says_so(ns1: Server, zone: Zone) -> None:
    problem = await prove(zone, NEW)
    assert problem is not None
    assert problem.code == "dns-not-now"


@pytest.mark.parametrize(
    ("faults", "skew", "secret", "code"),
    [
        (["REFUSED"], 0, SECRET, "dns-refused"),
        (["unsigned"], 0, SECRET, "dns-notsigned"),
        (["cut"], 0, SECRET, "dns-no-reply"),
        (["slow"], 0, SECRET, "dns-no-reply"),
        ([], 900, SECRET, "dns-badtime"),
        ([], 0, OTHER_SECRET, "dns-badsig"),
    ],
)
async def test_a_key_that_is_not_proven(
    ns1: Server, tmp_path: Path, faults: list[str], skew: int, secret: str, code: str
) -> None:
    ns1.faults, ns1.skew = list(faults), skew
    zone = Zone("example.test", (ns1.at,), (), write_key(tmp_path / "k", secret=secret))
    problem = await prove(zone, patience=NO_REPLY)
    assert problem is not None
    assert problem.code == code
    assert ns1.records.values("puppet") == list(OLD)


async def test_a_dead_server_proves_nothing(ns1: Server, zone: Zone) -> None:
    await ns1.stop()
    problem = await prove(zone)
    assert problem is not None
    assert problem.code == "dns-unreachable"


async def test_no_secret_is_in_any_result(ns1: Server, zone: Zone) -> None:
    for fault in ("", "lost", "forged", "REFUSED", "REFUSED!", "garbage"):
        ns1.records.set("puppet 60 A 10.0.0.10")
        ns1.faults = [fault] if fault else []
        assert SECRET not in repr(await change(zone))
