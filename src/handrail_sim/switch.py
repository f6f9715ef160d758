"""The network between the hosts: one switch with a port per host, sites a round trip apart, and faults.

Frames come with a 10-byte virtio header before the Ethernet header. The switch answers ARP itself: a MAC address follows
from the IPv4 address. It runs in the estate's loop and opens nothing but the sockets that it is given.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Final, Literal

from handrail_sim.inside.netlink import mac_of

Link = Literal["up", "cut", "stall"]
_HEADER: Final = 10
_LARGEST_FRAME: Final = 70_000
_BURST: Final = 32
_OUTGOING: Final = 4
_ARP, _ARP_REQUEST, _ARP_REPLY = b"\x08\x06", b"\0\x01", b"\0\x02"
_IPV4: Final = b"\x08\x00"
_GIVE_UP_AFTER: Final = 1.0  # seconds until "no route to host"
_ROUTER: Final = socket.inet_aton("10.77.0.1")
_MOST_PENDING: Final = 4096  # frames on their way to one port: beyond it they are lost, as in life


@dataclass
class _Port:
    mac: bytes
    address: bytes
    site: str
    socket: socket.socket
    pending: collections.deque[tuple[float, bytes]] = field(default_factory=collections.deque)


class Switch:
    """Carries frames between ports; `rtt` seconds lie between any two sites."""

    def __init__(self, rtt: float) -> None:
        self.rtt = rtt
        self.frames = 0
        self._ports: dict[bytes, _Port] = {}
        self._links: dict[bytes, Link] = {}
        self._known: set[bytes] = set()  # every address that ever had a port: ARP is answered for all of them
        self._asked: set[tuple[bytes, bytes]] = set()  # source and target of which an "unreachable" is on its way
        self._dark: set[str] = set()
        self._parted: set[frozenset[str]] = set()

    def plug(self, address: str, site: str, sock: socket.socket) -> None:
        """Take a host's raw socket as its port; a former one of that host is closed."""
        self.unplug(address)
        port = _Port(mac_of(address), socket.inet_aton(address), site, sock)
        self._ports[port.mac] = port
        self._known.add(port.mac)
        asyncio.get_running_loop().add_reader(sock, self._receive, port)

    def unplug(self, address: str) -> None:
        """Close a host's port; what is sent to its address is unreachable from now on."""
        port = self._ports.pop(mac_of(address), None)
        if port:
            asyncio.get_running_loop().remove_reader(port.socket)
            port.socket.close()

    def close(self) -> None:
        """Close every port."""
        for port in list(self._ports.values()):
            self.unplug(socket.inet_ntoa(port.address))

    def set_link(self, address: str, link: Link) -> None:
        """Set a host's link: `cut` answers nothing (no route to host), `stall` swallows everything (silence)."""
        self._links[mac_of(address)] = link

    def set_site(self, site: str, *, dark: bool) -> None:
        """Make a site unreachable from other sites, in silence; inside it the hosts still talk."""
        (self._dark.add if dark else self._dark.discard)(site)

    def part(self, one: str, other: str, *, apart: bool) -> None:
        """Cut or mend the line between two sites, in silence."""
        (self._parted.add if apart else self._parted.discard)(frozenset({one, other}))

    def _receive(self, source: _Port) -> None:
        for _ in range(_BURST):
            try:
                frame, origin = source.socket.recvfrom(_LARGEST_FRAME)
            except OSError:  # nothing more, or the card went down with its host
                return
            if origin[2] != _OUTGOING and self._links.get(source.mac, "up") == "up":
                self._carry(source, frame)

    def _carry(self, source: _Port, frame: bytes) -> None:
        self.frames += 1
        if frame[_HEADER + 12 : _HEADER + 14] == _ARP:
            self._answer_arp(source, frame)
            return
        target = frame[_HEADER : _HEADER + 6]
        if target in self._known and (target not in self._ports or self._links.get(target) == "cut"):
            self._unreachable(source, target, frame)
        elif target in self._ports:
            self._pass_on(source, self._ports[target], frame)
        elif target[0] & 1:
            for port in list(self._ports.values()):
                if port is not source:
                    self._pass_on(source, port, frame)

    def _pass_on(self, source: _Port, target: _Port, frame: bytes) -> None:
        if self._links.get(target.mac, "up") != "up" or not self._joined(source.site, target.site):
            return
        delay = self.rtt / 2 if source.site != target.site else 0.0
        if not delay:
            self._send(target, frame)
        elif len(target.pending) < _MOST_PENDING:
            self._delay(target, frame, delay)

    def _joined(self, one: str, other: str) -> bool:
        if one == other:
            return True
        return not ({one, other} & self._dark) and frozenset({one, other}) not in self._parted

    def _delay(self, target: _Port, frame: bytes, delay: float) -> None:
        """Queue a frame; frames for one port leave in the order in which they are due."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        if not target.pending:
            loop.call_at(due, self._release, target)
        target.pending.append((due, frame))

    def _release(self, target: _Port) -> None:
        loop = asyncio.get_running_loop()
        while target.pending and target.pending[0][0] <= loop.time():
            self._send(target, target.pending.popleft()[1])
        if target.pending:
            loop.call_at(target.pending[0][0], self._release, target)

    @staticmethod
    def _send(target: _Port, frame: bytes) -> None:
        with contextlib.suppress(OSError):  # a full queue, or a host that went down: a lost packet, as in life
            target.socket.send(frame)

    def _unreachable(self, source: _Port, target: bytes, frame: bytes) -> None:
        """Tell the sender after a while that the host cannot be reached, as the last router would (RFC 792)."""
        pair = (source.mac, target)
        if frame[_HEADER + 12 : _HEADER + 14] == _IPV4 and pair not in self._asked:
            self._asked.add(pair)
            asyncio.get_running_loop().call_later(_GIVE_UP_AFTER, self._tell_unreachable, pair, frame)

    def _tell_unreachable(self, pair: tuple[bytes, bytes], frame: bytes) -> None:
        self._asked.discard(pair)
        source = self._ports.get(pair[0])
        if source and (pair[1] not in self._ports or self._links.get(pair[1]) == "cut"):
            self._send(source, host_unreachable(frame))

    def _answer_arp(self, source: _Port, frame: bytes) -> None:
        """Answer a request for any host there ever was (RFC 826): whether it can be reached is told by ICMP, or not."""
        body = frame[_HEADER + 14 :]
        wanted = mac_of(socket.inet_ntoa(body[24:28]))
        if body[6:8] != _ARP_REQUEST or wanted not in self._known or wanted == source.mac:
            return
        reply = bytes(_HEADER) + source.mac + wanted + _ARP + body[:6] + _ARP_REPLY
        self._send(source, reply + wanted + body[24:28] + body[8:18])


def host_unreachable(frame: bytes) -> bytes:
    """Return the frame that answers an IPv4 frame with "host unreachable" (RFC 792: type 3, code 1)."""
    ethernet, packet = frame[_HEADER : _HEADER + 14], frame[_HEADER + 14 :]
    quoted = packet[: (packet[0] & 15) * 4 + 8]
    quoted += b"\0" * (len(quoted) % 2)
    message = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    message = message[:2] + checksum(message) + message[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(message), 0, 0, 64, 1, 0, _ROUTER, packet[12:16])
    head = head[:10] + checksum(head) + head[12:]
    return bytes(_HEADER) + ethernet[6:12] + ethernet[:6] + _IPV4 + head + message


def checksum(data: bytes) -> bytes:
    """Return the Internet checksum of an even number of bytes (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)
