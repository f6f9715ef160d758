"""Messages with file descriptors over a SOCK_SEQPACKET socket, and packs of files in a memory file.

It may import the standard library only: both ends, inside and outside the namespaces, speak it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

Message = dict[str, Any]
LARGEST: Final = 200_000  # bytes: below net.core.wmem_max's default, which bounds one SEQPACKET message
MOST_FDS: Final = 8
_LENGTH: Final = struct.Struct(">I")

Entry = tuple[str, str, int, bytes]
"""A file of a pack: path, kind ("d", "f", "l"), mode, and its bytes or a link's target."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a message socket with room for the largest message."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return ends


def encode(message: Message) -> bytes:
    """Return a message's bytes; raise ValueError when it is too large to be sent in one piece."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogateescape")
    if len(data) > LARGEST:
        raise ValueError(f"a message of {len(data)} bytes; {LARGEST} is the most")
    return data


def send(sock: socket.socket, message: Message, fds: Sequence[int] = ()) -> None:
    """Send one message and copies of the descriptors."""
    socket.send_fds(sock, [encode(message)], list(fds))


def receive(sock: socket.socket) -> tuple[Message | None, list[int]]:
    """Return the next message and its descriptors; None is the end. None of the descriptors is inheritable."""
    data, fds, _flags, _address = socket.recv_fds(sock, LARGEST + 1, MOST_FDS)
    for fd in fds:
        os.set_inheritable(fd, False)  # recv_fds of 3.11 drops its flags: every job would hold every pipe
    return (json.loads(data.decode("utf-8", "surrogateescape")) if data else None), fds


def pack(entries: Iterable[Entry]) -> bytes:
    """Return the bytes of a pack: a length, a JSON head, then the contents one after the other."""
    listed = list(entries)
    head = json.dumps([(path, kind, mode, len(data)) for path, kind, mode, data in listed]).encode()
    return b"".join([_LENGTH.pack(len(head)), head, *(data for *_rest, data in listed)])


def unpack(blob: bytes) -> list[Entry]:
    """Return the entries that `pack` wrote."""
    start = _LENGTH.size + _LENGTH.unpack_from(blob)[0]
    entries: list[Entry] = []
    for path, kind, mode, size in json.loads(blob[_LENGTH.size : start]):
        entries.append((path, kind, mode, blob[start : start + size]))
        start += size
    return entries


def memory_file(data: bytes) -> int:
    """Return a descriptor of a memory file that holds the bytes, at its beginning."""
    fd = os.memfd_create("pack", os.MFD_CLOEXEC)
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def read_all(fd: int) -> bytes:
    """Return a memory file's bytes from its beginning; the descriptor stays open and its position unmoved."""
    return os.pread(fd, os.fstat(fd).st_size, 0)
