"""The resolver keeps answers for as long as their TTL says, absences for as long as the SOA says, and can forget."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.flags
import dns.message
import dns.update
from tests.sim_services.dnsbench import ADMIN, FQDN, ORIGIN, send, serving, update, values

from handrail_sim.dns_sockets import Peer
from handrail_sim.resolver import Resolver


class Hand:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def resolving(clock: Hand, *forward: int) -> AsyncIterator[Resolver]:
    peers: list[Peer] = [("127.0.0.1", port) for port in forward]
    resolver = Resolver(peers, (ORIGIN,), clock)
    await resolver.start("127.0.0.1", 0)
    try:
        yield resolver
    finally:
        await resolver.close()


async def look(resolver: Resolver, name: str, rdtype: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype)
    how = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    answer: dns.message.Message = await how(query, "127.0.0.1", port=resolver.port, timeout=10)
    return answer


async def test_a_change_is_seen_when_the_ttl_has_run_out(tmp_path: Path) -> None:
    clock = Hand()
    async with serving(tmp_path) as server, resolving(clock, server.port) as resolver:
        assert (await look(resolver, FQDN)).answer[0].ttl == 5
        message = update()
        message.replace(FQDN, 5, "A", "10.77.2.10")
        assert await send(server, message) == "NOERROR"
        clock.now += 3
        kept = await look(resolver, FQDN)
        assert (values(kept), kept.answer[0].ttl) == (["10.77.1.10"], 2)
        assert kept.flags & dns.flags.RA
        clock.now += 2
        assert values(await look(resolver, FQDN)) == ["10.77.2.10"]


async def test_a_flush_forgets(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, resolving(Hand(), server.port) as resolver:
        await look(resolver, FQDN)
        message = update()
        message.replace(FQDN, 5, "A", "10.77.2.10")
        await send(server, message)
        resolver.flush()
        assert values(await look(resolver, FQDN)) == ["10.77.2.10"]


async def test_what_does_not_exist_is_remembered_too(tmp_path: Path) -> None:
    clock = Hand()
    async with serving(tmp_path) as server, resolving(clock, server.port) as resolver:
        assert (await look(resolver, "new.example.test")).rcode().name == "NXDOMAIN"
        message = dns.update.UpdateMessage(ORIGIN, keyring=ADMIN)
        message.add("new.example.test.", 5, "A", "10.0.0.9")
        assert await send(server, message) == "NOERROR"
        assert (await look(resolver, "new.example.test")).rcode().name == "NXDOMAIN"
        clock.now += 5
        assert values(await look(resolver, "new.example.test")) == ["10.0.0.9"]


async def test_only_its_zones_are_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, resolving(Hand(), server.port) as resolver:
        assert (await look(resolver, "example.org")).rcode().name == "REFUSED"
        assert (await look(resolver, "example.test", "AXFR", tcp=True)).rcode().name == "REFUSED"


async def test_large_answers_come_whole_over_tcp(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, resolving(Hand(), server.port) as resolver:
        assert (await look(resolver, "big.example.test", "TXT")).flags & dns.flags.TC
        assert len(values(await look(resolver, "big.example.test", "TXT", tcp=True))) == 13


async def test_the_second_server_is_asked_when_the_first_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, resolving(Hand(), 9, server.port) as resolver:
        answers = await asyncio.gather(*(look(resolver, FQDN) for _ in range(5)))
        assert [values(a) for a in answers] == [["10.77.1.10"]] * 5


async def test_nobody_answers_is_servfail(tmp_path: Path) -> None:
    async with resolving(Hand(), 9) as resolver:
        assert (await look(resolver, FQDN)).rcode().name == "SERVFAIL"


async def test_the_program_flushes_on_usr1_and_ends_on_term() -> None:
    words = ("--listen", "127.0.0.1:0", "--forward", "127.0.0.1:9", "--zone", "example.test")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handrail_sim.resolver", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert (await process.stdout.readline()).startswith(b"listening on 127.0.0.1:")
    process.send_signal(signal.SIGUSR1)
    assert b"flushed 0 answers" in await process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    await process.communicate()
