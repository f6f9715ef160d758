"""Sites, round trips, links that are cut or fall silent: on the switch and at the doors."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import asyncssh
import pytest
from tests.sim_machines.bed import Sim, finish, start

ASK = "timeout {} bash -c 'cat </dev/tcp/10.77.1.10/8140'"
SILENT = 124  # timeout(1)


@pytest.fixture(scope="module")
def net() -> Iterator[Sim]:
    """Return an estate in namespaces whose network tests may break and must mend."""
    sim = start("namespaces", "--rtt", "0ms")
    yield sim
    finish(sim)


def ask(sim: Sim, host: str, seconds: float = 20) -> tuple[int, str]:
    """Ask the primary's service from another host; return the status and what was said."""
    done = sim.ctl("exec", host, ASK.format(seconds))
    return done["rc"], done["out"] + done["err"]


def test_a_round_trip_lies_between_sites_only(net: Sim) -> None:
    assert net.ctl("rtt", "200ms")["rtt"] == 0.2
    connect = (
        "exec 3<>/dev/tcp/10.77.1.10/8140; s=${EPOCHREALTIME/./}; cat <&3 >/dev/null; e=${EPOCHREALTIME/./}; echo $s $e"
    )
    began = time.monotonic()
    net.sh("beta", connect)
    assert time.monotonic() - began >= 0.2
    net.ctl("rtt", "0ms")
    assert ask(net, "beta")[0] == 0


def test_a_cut_link_has_no_route_and_comes_back(net: Sim) -> None:
    net.ctl("link", "alpha", "cut")
    rc, said = ask(net, "web01")
    assert rc == 1
    assert "No route to host" in said
    with pytest.raises(ConnectionRefusedError), socket.create_connection(net.door("alpha", "ssh")):
        pass
    net.ctl("link", "alpha", "up")
    assert ask(net, "web01")[0] == 0


def test_a_stalled_link_is_silent_and_comes_back(net: Sim) -> None:
    net.ctl("link", "alpha", "stall")
    assert ask(net, "web01", 0.3)[0] == SILENT
    with socket.create_connection(net.door("alpha", "ssh")) as door:
        door.settimeout(0.3)
        with pytest.raises(TimeoutError):
            door.recv(100)
        net.ctl("link", "alpha", "up")
        door.settimeout(10)
        assert door.recv(100).startswith(b"SSH-2.0-")
    assert ask(net, "web01")[0] == 0


async def test_an_ssh_connection_survives_a_stall_without_losing_a_byte(net: Sim) -> None:
    async with await net.connect("alpha") as connection:
        process = await connection.create_process("while read n; do echo $n; done", encoding=None)
        process.stdin.write(b"before\n")
        assert await process.stdout.readline() == b"before\n"
        await asyncio.to_thread(net.ctl, "link", "alpha", "stall")
        process.stdin.write(b"during\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.stdout.readline(), 0.2)
        await asyncio.to_thread(net.ctl, "link", "alpha", "up")
        assert await process.stdout.readline() == b"during\n"
        process.stdin.write_eof()
        assert (await process.wait()).exit_status == 0


async def test_cutting_breaks_what_is_connected(net: Sim) -> None:
    connection = await net.connect("alpha")
    await asyncio.to_thread(net.ctl, "link", "alpha", "cut")
    await connection.wait_closed()
    await asyncio.to_thread(net.ctl, "link", "alpha", "up")
    async with await net.connect("alpha") as again:
        assert (await again.run("true")).exit_status == 0


def test_a_dark_site_is_silent_outside_and_talks_inside(net: Sim) -> None:
    net.ctl("site", "a", "down")
    assert ask(net, "beta", 0.3)[0] == SILENT
    assert ask(net, "web01")[0] == 0
    with socket.create_connection(net.door("alpha", "ssh")) as door:
        door.settimeout(0.3)
        with pytest.raises(TimeoutError):
            door.recv(100)
    net.ctl("site", "a", "up")
    assert ask(net, "beta")[0] == 0


def test_two_sites_can_be_parted(net: Sim) -> None:
    net.ctl("part", "a", "b", "on")
    assert ask(net, "beta", 0.3)[0] == SILENT
    assert ask(net, "ns1")[0] == 0
    net.ctl("part", "a", "b", "off")
    assert ask(net, "beta")[0] == 0


def test_a_powered_off_host_has_no_route(net: Sim) -> None:
    net.ctl("power", "alpha", "off")
    rc, said = ask(net, "beta")
    assert (rc, "No route to host" in said) == (1, True)
    net.ctl("power", "alpha", "on")
    assert ask(net, "beta")[0] == 0


async def test_big_streams_cross_the_switch_whole(net: Sim) -> None:
    await asyncio.to_thread(net.ctl, "rtt", "10ms")
    async with await net.connect("alpha") as source:
        served = source.run(
            'python3 -c \'import socket; s=socket.create_server(("10.77.1.10", 9)); print(flush=True); '
            "c=s.accept()[0]; c.sendall(bytes(20_000_000)); c.close()'",
            encoding=None,
        )
        task = asyncio.ensure_future(served)
        read = "until exec 3<>/dev/tcp/10.77.1.10/9; do :; done 2>/dev/null; wc -c <&3"
        done = await asyncio.to_thread(net.sh, "beta", read)
        assert done.strip() == "20000000"
        assert (await task).exit_status == 0
    await asyncio.to_thread(net.ctl, "rtt", "0ms")


def test_a_stranger_to_the_protocol_is_let_go(net: Sim) -> None:
    with socket.create_connection(net.door("alpha", "ssh")) as door:
        door.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while door.recv(4096):
            pass
    assert asyncssh.__version__
