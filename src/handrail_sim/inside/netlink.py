"""Network cards without the `ip` program: raw rtnetlink (rtnetlink(7), veth(4)) and two ioctls (netdevice(7)).

It may import the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from typing import Final

_NEWLINK: Final = 16
_NEWADDR: Final = 20
_CREATE_EXCL: Final = 0x600
_REQUEST_ACK: Final = 5
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 18, 28
_KIND, _DATA, _PEER = 1, 2, 1
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_PACKET, _VNET_HDR, _ETH_P_ALL = 263, 15, 3


def mac_of(address: str) -> bytes:
    """Return the MAC address that belongs to an IPv4 address: locally administered, told from it alone."""
    return b"\x02\x77" + socket.inet_aton(address)


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def _request(kind: int, body: bytes) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.bind((0, 0))
        s.send(struct.pack("IHHII", 16 + len(body), kind, _CREATE_EXCL | _REQUEST_ACK, 1, 0) + body)
        (code,) = struct.unpack("i", s.recv(65536)[16:20])
        if code:
            raise OSError(-code, f"rtnetlink {kind}: {os.strerror(-code)}")


def add_veth(name: str, mac: bytes, peer: str, peer_net: int) -> None:
    """Make a pair of cards: `name` here, `peer` in the network namespace whose descriptor is `peer_net`."""
    link = struct.pack("BxHiII", 0, 0, 0, 0, 0)
    other = link + _attribute(_IFLA_IFNAME, peer.encode() + b"\0")
    other += _attribute(_IFLA_NET_NS_FD, struct.pack("I", peer_net)) + _attribute(_IFLA_MTU, struct.pack("I", 1500))
    info = _attribute(_KIND, b"veth\0") + _attribute(_DATA, _attribute(_PEER, other))
    body = link + _attribute(_IFLA_IFNAME, name.encode() + b"\0") + _attribute(_IFLA_ADDRESS, mac)
    _request(_NEWLINK, body + _attribute(_IFLA_LINKINFO, info))


def add_address(name: str, address: str, prefix: int) -> None:
    """Give a card an IPv4 address."""
    raw = socket.inet_aton(address)
    head = struct.pack("BBBBI", socket.AF_INET, prefix, 0, 0, socket.if_nametoindex(name))
    _request(_NEWADDR, head + _attribute(1, raw) + _attribute(2, raw))


def set_up(name: str) -> None:
    """Set a card's flag UP."""
    with socket.socket() as s:
        now = fcntl.ioctl(s, _GET_FLAGS, struct.pack("16sH14x", name.encode(), 0))
        (flags,) = struct.unpack("16xH", now[:18])
        fcntl.ioctl(s, _SET_FLAGS, struct.pack("16sH14x", name.encode(), flags | _UP))


def open_port(name: str) -> socket.socket:
    """Return a raw socket on a card that carries whole frames, each behind a 10-byte virtio header (packet(7))."""
    set_up(name)
    # Of no protocol until it is bound: else it would hear every card, and bind would wait until no processor delivers to it any more.
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    port.setsockopt(_PACKET, _VNET_HDR, 1)  # checksum and GSO state travel with the frame
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    port.bind((name, _ETH_P_ALL))
    port.setblocking(False)
    return port
