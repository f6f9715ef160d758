"""Relays and doors by themselves: order, delay, stall, half-open streams, datagrams of many peers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest

from handrail_sim.doors import TcpDoor, UdpDoor
from handrail_sim.machine import HostDown


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram with itself, in capitals."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        self.transport.sendto(data.upper(), addr)


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer all that comes in capitals, once the input has ended."""
    data = await reader.read()
    writer.write(data.upper())
    await writer.drain()
    writer.close()


def free() -> tuple[str, int]:
    """Return an address that nobody listens at."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address: tuple[str, int] = s.getsockname()
        return address


async def connected(kind: socket.SocketKind, address: tuple[str, int]) -> socket.socket:
    """Return a non-blocking connected socket."""
    sock = socket.socket(socket.AF_INET, kind)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, address)
    return sock


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, int]]:
    """Return the address of a server that shouts."""
    running = await asyncio.start_server(shout, "127.0.0.1", 0)
    yield running.sockets[0].getsockname()
    running.close()


async def through(door: TcpDoor, data: bytes) -> bytes:
    """Return what comes back through a door."""
    reader, writer = await asyncio.open_connection(*door.outside)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("delay", [0.0, 0.02])
async def test_a_half_closed_stream_still_answers_in_order(server: tuple[str, int], delay: float) -> None:
    door = TcpDoor(free(), lambda: connected(socket.SOCK_STREAM, server), lambda: delay)
    door.open()
    data = b"".join(b"%d " % n for n in range(400_000))
    assert await through(door, data) == data.upper()
    while door.count():
        await asyncio.sleep(0)
    door.close()


async def test_many_at_once(server: tuple[str, int]) -> None:
    door = TcpDoor(free(), lambda: connected(socket.SOCK_STREAM, server), lambda: 0.0)
    door.open()
    sent = [f"word {n}".encode() for n in range(50)]
    assert await asyncio.gather(*(through(door, data) for data in sent)) == [data.upper() for data in sent]
    door.close()


async def test_a_stalled_door_holds_and_then_gives_everything(server: tuple[str, int]) -> None:
    door = TcpDoor(free(), lambda: connected(socket.SOCK_STREAM, server), lambda: 0.0)
    door.open()
    door.stall(on=True)
    waiting = asyncio.ensure_future(through(door, b"held"))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    door.stall(on=False)
    assert await waiting == b"HELD"
    door.close()


async def test_a_door_to_a_host_that_is_down_resets() -> None:
    async def down() -> socket.socket:
        raise HostDown("alpha")

    door = TcpDoor(free(), down, lambda: 0.0)
    door.open()
    with pytest.raises(ConnectionResetError):
        await through(door, b"x")
    door.close()
    with pytest.raises(ConnectionRefusedError):
        await through(door, b"x")


async def test_dropping_breaks_connections_and_new_ones_work(server: tuple[str, int]) -> None:
    door = TcpDoor(free(), lambda: connected(socket.SOCK_STREAM, server), lambda: 0.0)
    door.open()
    reader, writer = await asyncio.open_connection(*door.outside)
    writer.write(b"x")
    while not door.count():
        await asyncio.sleep(0)
    assert door.drop() == 1
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert await through(door, b"again") == b"AGAIN"
    door.close()


async def test_datagrams_of_many_peers_go_back_to_each() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    where = transport.get_extra_info("sockname")
    door = UdpDoor(free(), lambda: connected(socket.SOCK_DGRAM, where), lambda: 0.0)
    door.open()
    peers = [await connected(socket.SOCK_DGRAM, door.outside) for _ in range(20)]
    for number, peer in enumerate(peers):
        await loop.sock_sendall(peer, b"peer %d" % number)
    for number, peer in enumerate(peers):
        assert await loop.sock_recv(peer, 100) == b"PEER %d" % number
        peer.close()
    assert door.drop() == 20
    door.close()
    transport.close()
