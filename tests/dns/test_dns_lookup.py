"""One server, one question: what is an answer, and what is not."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from tests.dns.records import Records
from tests.dns.server import Server

from handrail.base.problems import Trouble
from handrail.dns.lookup import ask, ask_resolvers, ask_serial
from handrail.dns.zone import NameServer, Zone

NAME = "puppet.example.test"


async def test_an_address_with_its_ttl(ns1: Server) -> None:
    answer = await ask(ns1.at, NAME)
    assert (answer.values, answer.ttl, answer.problem, answer.other) == (("10.0.0.10",), 60, "", ())
    assert answer.server == ns1.at
    assert answer.exists


async def test_names_are_case_insensitive_and_may_end_in_a_dot(ns1: Server) -> None:
    assert (await ask(ns1.at, "PuPPet.Example.TEST.")).values == ("10.0.0.10",)


async def test_no_record_is_an_answer(ns1: Server) -> None:
    nothing = await ask(ns1.at, "nobody.example.test")
    assert (nothing.values, nothing.ttl, nothing.problem, nothing.exists) == ((), -1, "", False)
    no_data = await ask(ns1.at, NAME, "AAAA")
    assert (no_data.values, no_data.problem, no_data.exists) == ((), "", True)
    assert no_data.serial == ns1.records.serial


async def test_addresses_are_sorted_by_number() -> None:
    async with Server(records=Records("puppet 60 A 10.0.0.10 10.0.0.9 9.0.0.200")) as server:
        assert (await ask(server.at, NAME)).values == ("9.0.0.200", "10.0.0.9", "10.0.0.10")


async def test_ipv6_addresses_have_one_spelling() -> None:
    async with Server(records=Records("puppet 60 AAAA 2001:DB8:0:0::1")) as server:
        assert (await ask(server.at, NAME, "AAAA")).values == ("2001:db8::1",)


async def test_a_cname_is_followed_and_told() -> None:
    records = Records("puppet 300 CNAME blue", "blue 60 A 10.0.0.10")
    async with Server(records=records) as server:
        answer = await ask(server.at, NAME)
    assert answer.other == ("CNAME blue.example.test",)
    assert (answer.values, answer.ttl) == (("10.0.0.10",), 60)


async def test_a_cname_loop_ends() -> None:
    class Loop(Server):
        def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
            reply.answer.extend(self.records.rrsets.values())

    records = Records("puppet 300 CNAME blue", "blue 60 CNAME puppet")
    async with Loop(records=records) as server:
        answer = await ask(server.at, NAME)
    assert answer.values == ()
    assert answer.other[0] == "CNAME blue.example.test"


async def test_a_long_answer_is_fetched_over_tcp_and_never_cut() -> None:
    addresses = [f"10.0.{n}.1" for n in range(60)]
    async with Server(records=Records(f"puppet 60 A {' '.join(addresses)}")) as server:
        assert (await ask(server.at, NAME)).values == tuple(addresses)


async def test_thirteen_txt_records_come_whole() -> None:
    texts = [f'"{n:02} {"x" * 80}"' for n in range(13)]

    records = Records()
    name = _name("puppet")
    records.rrsets[name, dns.rdatatype.TXT] = dns.rrset.from_text_list(name, 60, "IN", "TXT", texts)
    async with Server(records=records) as server:
        assert (await ask(server.at, NAME, "TXT")).values == tuple(texts)


async def test_a_truncated_answer_without_tcp_is_a_problem() -> None:
    class UdpOnly(Server):
        def stream(self, wire: bytes) -> bytes | None:
            return None

    async with UdpOnly() as server:
        server.truncates = True
        answer = await ask(server.at, NAME)
    assert answer.values == ()
    assert answer.problem == "closed the connection without an answer"


async def test_a_lost_packet_is_asked_again() -> None:
    class Lossy(Server):
        dropped = 0

        def datagram(self, wire: bytes) -> bytes | None:
            self.dropped += 1
            return None if self.dropped == 1 else super().datagram(wire)

    async with Lossy() as server:
        answer = await ask(server.at, NAME, timeout=0.9)
    assert answer.values == ("10.0.0.10",)
    assert server.dropped == 2


async def test_forged_packets_are_waited_past() -> None:
    class Noisy(Server):
        def datagram(self, wire: bytes) -> bytes | None:
            good = super().datagram(wire)
            assert good is not None
            lie = good.replace(bytes([10, 0, 0, 10]), bytes([6, 6, 6, 6]))
            assert lie != good
            for forged in (b"", b"\xff" * 40, bytes([lie[0] ^ 1]) + lie[1:], wire):
                self._udp.sendto(forged, self.peer)
            return good

    async with Noisy() as server:
        assert (await ask(server.at, NAME)).values == ("10.0.0.10",)


@pytest.mark.parametrize(
    ("rcode", "words"),
    [
        (dns.rcode.REFUSED, "refuses to answer (REFUSED)"),
        (dns.rcode.SERVFAIL, "answers SERVFAIL"),
        (dns.rcode.FORMERR, "answers FORMERR"),
        (dns.rcode.NOTIMP, "answers NOTIMP"),
    ],
)
async def test_an_error_is_a_problem(ns1: Server, rcode: dns.rcode.Rcode, words: str) -> None:
    ns1.refuses = rcode
    answer = await ask(ns1.at, NAME)
    assert (answer.problem, answer.values) == (words, ())


async def test_a_server_that_only_forwards_is_not_asked_for_its_opinion(ns1: Server) -> None:
    ns1.authoritative = False
    assert (await ask(ns1.at, NAME)).problem == "does not answer for this zone itself (not authoritative)"
    assert (await ask(ns1.at, NAME, recurse=True)).values == ("10.0.0.10",)


async def test_silence_ends_at_the_time_limit(ns1: Server) -> None:
    ns1.deaf_udp = True
    assert (await ask(ns1.at, NAME, timeout=0.2)).problem == "does not answer within 0.2 s"


async def test_a_closed_port_is_told_at_once(ns1: Server) -> None:
    await ns1.stop()
    for tcp in (False, True):
        answer = await ask(ns1.at, NAME, timeout=30, tcp=tcp)
        assert answer.problem == "refuses connections: nothing listens on that port"


async def test_an_unroutable_address_is_a_problem_not_an_error() -> None:
    answer = await ask(NameServer("ns9", "255.255.255.255", 53), NAME, timeout=0.2)
    assert answer.problem


@pytest.mark.parametrize("reply", [b"", b"\x00" * 11, b"\xff" * 30, b"x" * 600])
async def test_garbage_over_tcp_is_a_problem(reply: bytes) -> None:
    class Babbler(Server):
        def stream(self, wire: bytes) -> bytes | None:
            return (wire[:2] + reply) if reply else None

    async with Babbler() as server:
        assert (await ask(server.at, NAME, tcp=True)).problem


async def test_the_serial_of_a_zone(ns1: Server) -> None:
    answer = await ask_serial(ns1.at, "example.test")
    assert (answer.serial, answer.problem) == (ns1.records.serial, "")
    assert (await ask_serial(ns1.at, NAME)).serial == ns1.records.serial


async def test_resolvers_tell_what_remains(ns1: Server) -> None:
    ns1.authoritative = False
    ns1.records.set("puppet 17 A 10.0.0.10")
    deaf = NameServer("r2", "127.0.0.1", 1)
    answers = await ask_resolvers(Zone("example.test", (), (ns1.at, deaf)), NAME)
    assert [(a.values, a.ttl) for a in answers] == [(("10.0.0.10",), 17), ((), -1)]
    assert answers[1].problem


async def test_a_name_outside_the_zone_is_refused(zone: Zone) -> None:
    with pytest.raises(Trouble, match="dns-name-outside"):
        await ask_resolvers(zone, "puppet.example.org")


async def test_text_of_a_record_is_made_safe() -> None:
    records = Records()
    name = _name("puppet")
    records.rrsets[name, dns.rdatatype.TXT] = dns.rrset.from_text(name, 60, "IN", "TXT", '"\\027]52;c;AAAA\\007"')
    async with Server(records=records) as server:
        (text,) = (await ask(server.at, NAME, "TXT")).values
    assert text.isprintable()


def _name(label: str) -> dns.name.Name:
    return dns.name.from_text(label, dns.name.from_text("example.test"))
