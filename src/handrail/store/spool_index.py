"""The index beside an output file: which bytes came when, and on which stream.

One record of 32 bytes per stretch of output, little-endian: offset (8), length (4), stream (1), flags (1), nothing
(2), time in ms since 1970 (8), source (8): how many bytes of the host's stream are settled by it. A stretch grows in
place while output of one stream keeps coming; only the last record ever changes. 32 bytes never straddle a page.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeAlias

from handrail.base.ids import file_word

HostStream: TypeAlias = Literal["out", "err"]
Stream: TypeAlias = Literal["out", "err", "note"]

HOST_STREAMS: Final[tuple[HostStream, ...]] = ("out", "err")
STREAMS: Final[tuple[Stream, ...]] = ("out", "err", "note")
MAGIC: Final = b"HRIDX1".ljust(32, b"\0")
ENTRY: Final = struct.Struct("<QIBBHQQ")
SIZE: Final = ENTRY.size
IN_KEY: Final = 1  # flag: the stretch ends inside a private key that is being masked


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some output of one stream; `offset` counts in the log, or in the notes' file for a note."""

    offset: int
    length: int
    stream: Stream
    in_key: bool
    at_ms: int
    source: int

    def pack(self) -> bytes:
        """Return the 32 bytes."""
        flags = IN_KEY if self.in_key else 0
        return ENTRY.pack(self.offset, self.length, STREAMS.index(self.stream), flags, 0, self.at_ms, self.source)


def unpack(data: bytes) -> list[Stretch]:
    """Return the stretches in whole records of `data`; raise ValueError for a stream that does not exist."""
    whole = data[: len(data) // SIZE * SIZE]
    try:
        return [
            Stretch(offset, length, STREAMS[stream], bool(flags & IN_KEY), at, source)
            for offset, length, stream, flags, _, at, source in ENTRY.iter_unpack(whole)
        ]
    except IndexError as err:
        raise ValueError("no such stream") from err


def read_stretches(fd: int, first: int, count: int) -> list[Stretch]:
    """Return up to `count` stretches of an index file, from number `first` on; the header is not one."""
    return unpack(os.pread(fd, count * SIZE, (first + 1) * SIZE))


def spool_name(step: str, attempt: int, part: str, host: str) -> str:
    """Return the file name of one host's output, `sync.copy.1.main.dr1.log`: readable, and never the same for two."""
    word = file_word(host)
    if word != host:
        word = f"{word}~{sha256(host.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{file_word(step.replace('/', '.'))}.{attempt}.{file_word(part)}.{word}.log"


def beside(log: Path) -> tuple[Path, Path]:
    """Return the paths of the index and of the notes that belong to an output file."""
    return log.with_suffix(".idx"), log.with_suffix(".note")
