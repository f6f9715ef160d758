"""Names to addresses the way the host does it. In plain folders libc asks the machine's resolver, so there we ask ourselves."""

from __future__ import annotations

import os
import socket
import struct
import time

from simhost.host import at, conf, root

SITES = "/etc/handrail-sim/sites"
_WAIT = 1.0  # seconds for an answer, as `options timeout:1` says
_TRIES = 2


def addresses(name: str) -> list[str]:
    """Return the IPv4 addresses of a name; raise `socket.gaierror` as getaddrinfo does."""
    if not root():
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))
    try:
        socket.inet_pton(socket.AF_INET, name)
    except OSError:
        return _from_hosts(name) or _from_dns(name)
    return [name]


def _from_hosts(name: str) -> list[str]:
    """Return what the host's own /etc/hosts says: a pinned name never heals, here as in real life."""
    try:
        lines = at("/etc/hosts").read_text("utf-8").splitlines()
    except OSError:
        return []
    rows = [line.split("#", 1)[0].split() for line in lines]
    return [row[0] for row in rows if name in row[1:] and ":" not in row[0]]


def _from_dns(name: str) -> list[str]:
    facts = conf()
    server = facts.get("resolver", ""), int(facts.get("dnsport") or 53)
    number = int.from_bytes(os.urandom(2), "big")
    query = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + _encode(name) + struct.pack("!HH", 1, 1)
    for _ in range(_TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(_WAIT)
            try:
                sock.connect(server)
                sock.send(query)
                reply = sock.recv(4096)
            except OSError:
                continue
        if reply[:2] == query[:2]:
            return _read(reply)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _encode(name: str) -> bytes:
    labels = name.rstrip(".").encode("idna").split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _skip_name(wire: bytes, pos: int) -> int:
    while wire[pos]:
        if wire[pos] >= 0xC0:
            return pos + 2
        pos += wire[pos] + 1
    return pos + 1


def _read(wire: bytes) -> list[str]:
    """Return the addresses of an answer; raise `socket.gaierror` if there are none."""
    _, flags, questions, answers, _, _ = struct.unpack("!HHHHHH", wire[:12])
    pos = 12
    for _ in range(questions):
        pos = _skip_name(wire, pos) + 4
    found = []
    for _ in range(answers):
        pos = _skip_name(wire, pos)
        kind, _, _, size = struct.unpack("!HHIH", wire[pos : pos + 10])
        if kind == 1:
            found.append(socket.inet_ntoa(wire[pos + 10 : pos + 14]))
        pos += 10 + size
    if found:
        return found
    if flags & 15 in (0, 3):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _far(own: str, other: str, facts: dict[str, str]) -> float:
    """Return the round trip in seconds between two hosts; in namespaces the network itself takes that time."""
    try:
        rows = [line.split() for line in at(SITES).read_text("utf-8").splitlines()]
    except OSError:
        return 0.0
    site = {row[0]: row[1] for row in rows if len(row) == 2}
    apart = site.get(own) != site.get(other) and other in site
    return float(facts.get("rtt_ms", "0")) / 1000 if apart else 0.0


def dial(host: str, port: int, timeout: float) -> socket.socket:
    """Return a TCP connection to a name or address, from the host's own address; raise OSError."""
    facts = conf()
    own = facts.get("address", "")
    source = (own, 0) if root() and own.startswith("127.") else None
    fault: OSError | None = None
    for address in addresses(host):
        if root():
            time.sleep(_far(own, address, facts))
        try:
            sock = socket.create_connection((address, port), timeout, source_address=source)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as e:
            fault = e
        else:
            return sock
    raise fault or socket.gaierror(socket.EAI_NONAME, "Name or service not known")
