"""The authoritative server against dnspython's own client: questions, signed updates, persistence, limits."""

from __future__ import annotations

import asyncio
import base64
import struct
import time
from collections.abc import Callable
from pathlib import Path

import dns.asyncquery
import dns.flags
import dns.message
import dns.query
import dns.tsig
import dns.update
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sim_services.dnsbench import ADMIN, FQDN, ORIGIN, SWITCH, ZONE, ask, send, serving, update, values

from handrail_sim import dns_change, dns_sockets
from handrail_sim.dns_keys import Request, parse_keys, read_request
from handrail_sim.nameserver import Nameserver, Setup, parse_grant
from handrail_sim.zone import parse_zone
from handrail_sim.zone_update import process_update

Update = dns.update.UpdateMessage


async def test_answers_what_the_zone_says(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        found = await ask(server, FQDN)
        assert values(found) == ["10.77.1.10"]
        assert found.answer[0].ttl == 5
        assert found.flags & dns.flags.AA
        assert [v.lower() for v in values(await ask(server, "ALIAS.Example.TEST"))] == [
            "10.77.1.10",
            "puppet.example.test.",
        ]
        assert values(await ask(server, "far.example.test")) == ["elsewhere.invalid."]


@pytest.mark.parametrize(
    ("name", "rdtype", "code"),
    [
        ("nobody.example.test", "A", "NXDOMAIN"),
        (FQDN, "AAAA", "NOERROR"),
        ("b.deep.example.test", "A", "NOERROR"),  # an empty non-terminal exists
        ("example.org", "A", "REFUSED"),
    ],
)
async def test_what_is_not_there(tmp_path: Path, name: str, rdtype: str, code: str) -> None:
    async with serving(tmp_path) as server:
        answer = await ask(server, name, rdtype)
        assert answer.rcode().name == code
        assert not answer.answer
        assert [r.rdtype.name for r in answer.authority] == ([] if code == "REFUSED" else ["SOA"])


async def test_a_large_answer_is_truncated_and_whole_over_tcp(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        cut = await ask(server, "big.example.test", "TXT")
        assert cut.flags & dns.flags.TC
        assert len(cut.to_wire()) <= 512
        assert len(values(await ask(server, "big.example.test", "TXT", tcp=True))) == 13


def _move() -> Update:
    message = update()
    message.present(FQDN, "A", "10.77.1.10")
    message.delete(FQDN, "A")
    message.add(FQDN, 5, "A", "10.77.2.10")
    return message


async def test_the_switch_moves_the_record_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        assert await send(server, _move()) == "NOERROR"
        assert values(await ask(server, FQDN)) == ["10.77.2.10"]
        assert server.serial == 101
        assert await send(server, _move()) == "NXRRSET"
        assert server.serial == 101
    async with serving(tmp_path) as again:
        assert values(await ask(again, FQDN)) == ["10.77.2.10"]
        assert again.serial == 101


async def test_what_changes_nothing_keeps_the_serial(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        only_asks = update()
        only_asks.present(FQDN, "A", "10.77.1.10")
        same = update()
        same.replace(FQDN, 5, "A", "10.77.1.10")
        assert [await send(server, m) for m in (only_asks, same)] == ["NOERROR", "NOERROR"]
        assert server.serial == 100
        shorter = update()
        shorter.replace(FQDN, 4, "A", "10.77.1.10")
        assert await send(server, shorter) == "NOERROR"
        assert server.serial == 101


Make = Callable[[Update], None]
PREREQUISITES: list[tuple[Make, str]] = [
    (lambda m: m.present(FQDN, "A", "10.77.1.10"), "NOERROR"),
    (lambda m: m.present(FQDN, "A", "10.77.9.9"), "NXRRSET"),
    (lambda m: m.present(FQDN, "A"), "NOERROR"),
    (lambda m: m.present(FQDN, "TXT"), "NXRRSET"),
    (lambda m: m.present(FQDN), "NOERROR"),
    (lambda m: m.present("nobody.example.test."), "NXDOMAIN"),
    (lambda m: m.present("b.deep.example.test."), "NXDOMAIN"),
    (lambda m: m.absent("nobody.example.test."), "NOERROR"),
    (lambda m: m.absent(FQDN), "YXDOMAIN"),
    (lambda m: m.absent(FQDN, "TXT"), "NOERROR"),
    (lambda m: m.absent(FQDN, "A"), "YXRRSET"),
    (lambda m: m.present("example.org.", "A"), "NOTZONE"),
]


@pytest.mark.parametrize(("make", "code"), PREREQUISITES)
async def test_every_form_of_prerequisite(tmp_path: Path, make: Make, code: str) -> None:
    async with serving(tmp_path) as server:
        message = update()
        make(message)
        assert await send(server, message) == code


async def test_a_set_is_compared_whole(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        two = dns.update.UpdateMessage(ORIGIN, keyring=ADMIN)
        two.add(FQDN, 5, "A", "10.77.2.10")
        assert await send(server, two) == "NOERROR"
        half, whole = update(), update()
        half.present(FQDN, "A", "10.77.1.10")
        whole.present(FQDN, "A", "10.77.2.10", "10.77.1.10")
        assert [await send(server, m) for m in (half, whole)] == ["NXRRSET", "NOERROR"]


def _both(message: Update) -> None:
    message.add(FQDN, 5, "A", "10.77.2.10")
    message.delete("ns1.example.test.", "A")


BREACHES: list[Make] = [
    lambda m: m.add("other.example.test.", 5, "A", "10.0.0.1"),
    lambda m: m.add(FQDN, 5, "CNAME", "elsewhere.invalid."),
    lambda m: m.delete(FQDN),
    _both,
]


@pytest.mark.parametrize("breach", BREACHES)
async def test_the_switch_key_changes_one_name_only(tmp_path: Path, breach: Make) -> None:
    async with serving(tmp_path) as server:
        message = update()
        breach(message)
        assert await send(server, message) == "REFUSED"
        assert server.serial == 100


async def test_zone_and_signature_refusals(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        unsigned = dns.update.UpdateMessage(ORIGIN)
        unsigned.add(FQDN, 5, "A", "10.77.2.10")
        assert await send(server, unsigned) == "REFUSED"
        assert await send(server, dns.update.UpdateMessage("example.org", keyring=SWITCH)) == "NOTAUTH"
        outside = update()
        outside.add("www.example.org.", 5, "A", "10.0.0.1")
        assert await send(server, outside) == "NOTZONE"


async def test_an_unknown_key_is_badkey(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        stranger = dns.tsig.Key("stranger", SWITCH.secret, "hmac-sha256")
        with pytest.raises(dns.tsig.PeerBadKey):
            await send(server, dns.update.UpdateMessage(ORIGIN, keyring=stranger))


async def test_a_wrong_secret_is_badsig(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        forged = dns.tsig.Key("dr-switch", b"guessed", "hmac-sha256")
        with pytest.raises(dns.tsig.PeerBadSignature):
            await send(server, dns.update.UpdateMessage(ORIGIN, keyring=forged))


async def test_a_wrong_clock_is_badtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as server:
        message = _move()
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda real=time.time: real() - 3600)
            wire = message.to_wire()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(struct.pack("!H", len(wire)) + wire)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        reply = await reader.readexactly(size)
        writer.close()
        await writer.wait_closed()
        with pytest.raises(dns.tsig.PeerBadTime):
            dns.message.from_wire(reply, keyring=SWITCH, request_mac=message.mac)
        assert server.serial == 100


async def test_cname_and_other_data_exclude_one_another(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        message = dns.update.UpdateMessage(ORIGIN, keyring=ADMIN)
        message.add("alias.example.test.", 5, "A", "10.0.0.1")
        message.add(FQDN, 5, "CNAME", "elsewhere.invalid.")
        message.delete(ORIGIN)
        message.delete(ORIGIN, "SOA")
        assert await send(server, message) == "NOERROR"
        assert server.serial == 100
        assert values(await ask(server, "example.test", "NS")) == ["ns1.example.test.", "ns2.example.test."]


async def test_names_and_single_values_can_be_deleted(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        message = dns.update.UpdateMessage(ORIGIN, keyring=ADMIN)
        message.delete("alias.example.test.")
        message.delete(ORIGIN, "NS", "ns2.example.test.")
        message.delete(ORIGIN, "NS", "ns1.example.test.")
        assert await send(server, message) == "NOERROR"
        assert (await ask(server, "alias.example.test")).rcode().name == "NXDOMAIN"
        assert values(await ask(server, "example.test", "NS")) == ["ns1.example.test."]
        assert server.serial == 101


@pytest.mark.parametrize(
    "wire",
    [
        b"\x12\x34\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00",  # an update without a zone
        b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05abc",  # a question cut off
        b"\x12\x34\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",  # no question
    ],
)
async def test_nonsense_is_a_format_error(tmp_path: Path, wire: bytes) -> None:
    async with serving(tmp_path) as server:
        (reply,) = await server.respond(wire, ("127.0.0.1", 1), True)
        assert dns.message.from_wire(reply, ignore_trailing=True).rcode().name == "FORMERR"
        assert dns.message.from_wire(reply).id == 0x1234


async def test_scraps_and_answers_get_silence(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        answer = dns.message.make_response(dns.message.make_query(FQDN, "A")).to_wire()
        for wire in (b"", b"\x00" * 5, answer):
            assert list(await server.respond(wire, ("127.0.0.1", 1), False)) == []


async def test_idle_and_surplus_connections_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_sockets, "IDLE", 0.2)
    monkeypatch.setattr(dns_sockets, "MAX_CONNECTIONS", 3)
    async with serving(tmp_path) as server:
        pairs = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(6)]
        for reader, writer in pairs:
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert values(await ask(server, FQDN, tcp=True)) == ["10.77.1.10"]


async def test_what_cannot_be_written_down_is_not_done(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        (tmp_path / ".zone.new").mkdir()  # as a full disk would: the new zone cannot be written
        assert await send(server, _move()) == "SERVFAIL"
        assert values(await ask(server, FQDN)) == ["10.77.1.10"]
        (tmp_path / ".zone.new").rmdir()
        assert await send(server, _move()) == "NOERROR"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_message_upsets_the_server(data: st.DataObject) -> None:
    """Damaged and arbitrary messages get an answer or silence, never an exception, and change nothing."""
    whole = bytearray(data.draw(st.sampled_from([_move().to_wire(), dns.message.make_query(FQDN, "A").to_wire(), b""])))
    for place in data.draw(st.lists(st.integers(0, max(0, len(whole) - 1)), max_size=4)) if whole else ():
        whole[place] = data.draw(st.integers(0, 255))
    wire = bytes(whole) + data.draw(st.binary(max_size=20))
    zone = parse_zone(ZONE, ORIGIN)
    keys = {SWITCH.name: SWITCH}
    request = read_request(wire, keys)
    if isinstance(request, Request) and isinstance(request.message, Update):
        process_update(zone, request.message, None)
    server = Nameserver(Setup(ORIGIN, Path("/dev/null"), keys))
    for tcp in (False, True):
        asyncio.run(server.respond(wire, ("127.0.0.1", 1), tcp))


async def test_somebody_else_changes_the_zone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    secret = base64.b64encode(ADMIN.secret).decode()
    keys.write_text(f'key "admin" {{ algorithm hmac-sha256; secret "{secret}"; }};')
    async with serving(tmp_path) as server:
        common = ["--server", f"127.0.0.1:{server.port}", "--zone", "example.test", "--key-file", str(keys)]

        async def change(*words: str, key: str = "admin") -> int:
            return await asyncio.to_thread(dns_change.main, [*common, "--key", key, *words])

        assert await change("puppet", "A", "10.0.0.1", "10.0.0.2", "--ttl", "7") == 0
        both = await ask(server, FQDN)
        assert (values(both), both.answer[0].ttl) == (["10.0.0.1", "10.0.0.2"], 7)
        assert await change("puppet", "CNAME", "ns1") == 0
        assert values(await ask(server, FQDN, "CNAME")) == ["ns1.example.test."]
        assert await change("puppet", "CNAME") == 0
        assert (await ask(server, FQDN)).rcode().name == "NXDOMAIN"
        assert await change("www.example.org.", "A", "10.0.0.1") == 1
        assert await change("puppet", "A", "10.0.0.1", key="nobody") == 1


def test_key_files_are_read_as_bind_reads_them() -> None:
    keys = parse_keys('// made by hand\nkey "Dr-Switch" {\n  algorithm hmac-sha256; # fine\n  secret "c2VjcmV0";\n};\n')
    assert list(keys.values()) == [dns.tsig.Key("dr-switch", b"secret", "hmac-sha256")]
    with pytest.raises(ValueError, match="needs an algorithm"):
        parse_keys('key "x" { secret "eA=="; };')
    with pytest.raises(ValueError, match="no key"):
        parse_keys("options { };")
    with pytest.raises(ValueError, match="neither"):
        parse_grant("dr-switch")
