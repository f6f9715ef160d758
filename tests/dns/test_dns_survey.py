"""All servers together: agreement, who is behind, and what blocks a switch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import dns.rcode
import pytest
from tests.dns.records import Records
from tests.dns.server import Server

from handrail.base.clock import SystemClock
from handrail.base.problems import Trouble
from handrail.dns.lookup import ask_all, settled
from handrail.dns.results import Applied, make_change
from handrail.dns.update import compare_and_set
from handrail.dns.zone import Zone

CLOCK = SystemClock()
NAME = "puppet.example.test"
OLD, NEW = ("10.0.0.10",), ("10.0.0.20",)


@pytest.fixture
async def ns2(ns1: Server) -> AsyncIterator[Server]:
    async with Server("ns2", ns1.records.copy()) as server:
        yield server


@pytest.fixture
def both(zone: Zone, ns1: Server, ns2: Server) -> Zone:
    return Zone(zone.name, (ns1.at, ns2.at), (), zone.key_file)


async def test_servers_that_agree(both: Zone) -> None:
    survey = await ask_all(both, NAME, CLOCK)
    assert survey.agreed
    assert (survey.value, survey.ttl, survey.serial) == (OLD, 60, 42)
    assert (survey.differences, survey.blockers) == ((), ())
    assert survey.ended_at >= survey.asked_at


async def test_a_stale_secondary_is_named_with_its_serial(both: Zone, ns1: Server, ns2: Server) -> None:
    assert isinstance(await compare_and_set(both, make_change(NAME, OLD, 60, NEW, 60), CLOCK), Applied)
    survey = await settled(both, NAME, NEW, 60, CLOCK)
    assert not survey.agreed
    assert survey.differences == ("ns2 still says 10.0.0.10 (serial 42)",)
    ns2.records = ns1.records
    assert (await settled(both, NAME, NEW, 60, CLOCK)).agreed


async def test_a_dead_secondary_is_not_agreement(both: Zone, ns2: Server) -> None:
    await ns2.stop()
    survey = await settled(both, NAME, OLD, 60, CLOCK)
    assert survey.differences == ("ns2 refuses connections: nothing listens on that port",)
    assert survey.value == OLD


async def test_a_dead_primary_leaves_the_word_to_the_next(both: Zone, ns1: Server) -> None:
    await ns1.stop()
    survey = await ask_all(both, NAME, CLOCK)
    assert survey.value == OLD
    assert not survey.agreed


async def test_no_server_at_all_is_no_answer(both: Zone, ns1: Server, ns2: Server) -> None:
    await ns1.stop()
    await ns2.stop()
    survey = await ask_all(both, NAME, CLOCK)
    assert not survey.answered
    assert (survey.value, survey.ttl, survey.serial) == ((), -1, None)
    assert len(survey.differences) == 2
    nobody = await ask_all(Zone("example.test", ()), NAME, CLOCK)
    assert nobody.differences == ("no authoritative server is listed",)
    assert not nobody.agreed


async def test_all_on_the_wrong_value_is_not_settled(both: Zone) -> None:
    survey = await settled(both, NAME, NEW, 60, CLOCK)
    assert [d.split(" (")[0] for d in survey.differences] == [f"{n} still says 10.0.0.10" for n in ("ns1", "ns2")]


async def test_another_ttl_or_serial_is_a_difference(both: Zone, ns2: Server) -> None:
    ns2.records.set("puppet 300 A 10.0.0.10")
    assert "TTL of 300 s, not 60 s" in (await ask_all(both, NAME, CLOCK)).differences[0]
    ns2.records.set("puppet 60 A 10.0.0.10")
    assert (await ask_all(both, NAME, CLOCK)).differences == ("ns2 has another serial of the zone: 44, not 42",)
    assert (await settled(both, NAME, OLD, None, CLOCK)).differences[0].startswith("ns2 has another serial")


async def test_a_server_that_lost_the_zone_is_told(both: Zone, ns2: Server) -> None:
    ns2.refuses = dns.rcode.REFUSED
    assert (await ask_all(both, NAME, CLOCK)).differences == ("ns2 refuses to answer (REFUSED)",)
    ns2.refuses, ns2.authoritative = None, False
    assert "not authoritative" in (await ask_all(both, NAME, CLOCK)).differences[0]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("puppet 60 CNAME blue", "blue 60 A 10.0.0.10"), "puppet.example.test is a CNAME for blue.example.test"),
        (("puppet 60 A 10.0.0.10", "puppet 60 AAAA 2001:db8::1"), "AAAA 2001:db8::1 stands beside the A record"),
        (("puppet 60 A 10.0.0.10 10.0.0.11",), "2 addresses stand at puppet.example.test: 10.0.0.10 and 10.0.0.11"),
    ],
)
async def test_what_blocks_a_switch_is_said(
    both: Zone, ns1: Server, ns2: Server, lines: tuple[str], words: str
) -> None:
    ns1.records = ns2.records = Records(*lines)
    survey = await ask_all(both, NAME, CLOCK)
    (blocker,) = survey.blockers
    assert blocker.startswith(words)
    assert blocker.endswith("(ns1, ns2)")


async def test_addresses_behind_a_cname_are_not_this_names(both: Zone, ns1: Server, ns2: Server) -> None:
    ns1.records = ns2.records = Records("puppet 60 CNAME blue", "blue 60 A 10.0.0.10")
    assert (await ask_all(both, NAME, CLOCK)).value == ()
    assert "ns1 still says CNAME blue" in (await settled(both, NAME, OLD, 60, CLOCK)).differences[0]


async def test_the_same_questions_for_ipv6(both: Zone, ns1: Server, ns2: Server) -> None:
    ns1.records = ns2.records = Records("puppet 60 AAAA 2001:db8::1", "puppet 60 A 10.0.0.10")
    survey = await ask_all(both, NAME, CLOCK, rtype="AAAA")
    assert survey.value == ("2001:db8::1",)
    assert survey.blockers[0].startswith("A 10.0.0.10 stands beside the AAAA record")


async def test_a_name_outside_the_zone_is_not_asked_for(both: Zone, ns1: Server) -> None:
    with pytest.raises(Trouble, match="dns-name-outside"):
        await ask_all(both, "puppet.example.org", CLOCK)
    assert ns1.queries == 0


async def test_an_applied_update_whose_server_forgets_it_is_detected(zone: Zone, ns1: Server) -> None:
    before = ns1.records.copy()
    assert isinstance(await compare_and_set(zone, make_change(NAME, OLD, 60, NEW, 60), CLOCK), Applied)
    ns1.records = before  # killed before its journal reached the disk
    assert not (await settled(zone, NAME, NEW, 60, CLOCK)).agreed
