"""The journal's line format and its hash chain, on bytes alone: no files, no clock.

One record is one line of ASCII: `{"v":1,"seq":N,"prev":"…","ts":…,"mono":…,"boot":…,"actor":…,"host":…,"epoch":…,
"event":…,"body":{…},"h":"…"}` with `h = sha256(prev + the line without its h)`. The frame (the first three fields, the
last one, and the hash rule) is the same in every version, so that an old reader can tell "newer" from "damaged".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from handrail.base.problems import Problem, Where

State: TypeAlias = Literal["clean", "torn", "damaged", "newer"]

VERSION: Final = 1
GENESIS: Final = "0" * 64  # the first record's `prev`
LONGEST: Final = 16 << 20  # bytes in one line; a reader never holds more than this of what is no line

_DIGEST_AT: Final = slice(-67, -3)  # where the 64 hex digits of a line's hash stand
_HASH_AT: Final = -73  # where `,"h":"<64 hex>"}\n` begins, from the end of a line
_FIELDS: Final = ["v", "seq", "prev", "ts", "mono", "boot", "actor", "host", "epoch", "event", "body", "h"]
_FRAME: Final = re.compile(rb'\{"v":(\d{1,9}),"seq":(\d{1,18}),"prev":"([0-9a-f]{64})",')
_END: Final = re.compile(rb',"h":"[0-9a-f]{64}"\}\n\Z')


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it stands in the journal; `mono` counts seconds within one `boot`, `seq` counts from 1."""

    seq: int
    ts: str
    mono: float
    boot: str
    actor: str
    host: str
    epoch: int
    event: str
    body: Mapping[str, Any]
    prev: str
    h: str


@dataclass(frozen=True)
class Reading:
    """What a journal holds: the records up to its end or up to the first one that is bad."""

    records: tuple[Record, ...]
    state: State
    bad_seq: int | None = None
    problem: Problem | None = None
    good_length: int = 0  # bytes of the file that hold these records

    @property
    def damage(self) -> str:
        """Return why this is not the whole of what was written; empty when it is. What a crash cut off was never acted on."""
        return self.problem.message if self.problem and self.state != "torn" else ""


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


_encode = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode
_encode_in_order = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(
    seq: int, prev: str, ts: str, mono: float, boot: str, actor: str, host: str, epoch: int, event: str, body: object
) -> bytes:
    """Return one line of the journal; raise ValueError or TypeError for a body that is not JSON."""
    head = {"v": VERSION, "seq": seq, "prev": prev, "ts": ts, "mono": round(mono, 6), "boot": boot}
    fields = _encode_in_order({**head, "actor": actor, "host": host, "epoch": epoch, "event": event})
    text = f'{fields[:-1]},"body":{_encode(body)}'.encode("ascii")
    digest = sha256(prev.encode() + text + b"}").hexdigest()
    return text + b',"h":"' + digest.encode() + b'"}\n'


def decode(line: bytes) -> Record:
    """Return the record of a line whose hash holds; raise ValueError when its fields are not those of a record."""
    try:
        found, end = _decoder.scan_once(line.decode("ascii"), 0)  # type: ignore[attr-defined]
        _, seq, prev, ts, mono, boot, actor, host, epoch, event, body, h = found.values()
    except (StopIteration, RecursionError, AttributeError) as err:
        raise ValueError("not a record") from err
    texts = ts.__class__ is boot.__class__ is actor.__class__ is host.__class__ is event.__class__ is str
    if not (texts and list(found) == _FIELDS and body.__class__ is dict and epoch.__class__ is int):
        raise ValueError("not a record")
    if end != len(line) - 1 or mono.__class__ not in (int, float):
        raise ValueError("not a record")
    return Record(seq, ts, mono, boot, actor, host, epoch, event, body, prev, h)


def _hash_holds(line: bytes, prev: bytes) -> bool:
    digest = sha256(prev)
    digest.update(line[:_HASH_AT])
    digest.update(b"}")
    return line[_HASH_AT:] == b',"h":"' + digest.hexdigest().encode() + b'"}\n'


class Walk:
    """Iterates over the good records of a journal's lines; afterwards it says how the walk ended.

    `state` is "clean" until the end proves otherwise; `good_length` counts the bytes of good records, `head` is the
    last good hash and `seq` its number. A damaged record ends the walk; a newer one that can still be read does not.
    """

    def __init__(self, lines: Iterable[bytes], *, seq: int = 0, head: str = GENESIS) -> None:
        """Begin after the record `seq` with hash `head`: at the beginning, or where an earlier walk ended."""
        self._lines = iter(lines)
        self.state: State = "clean"
        self.seq = seq
        self.head = head
        self.good_length = 0
        self._expected = b""  # how the line that is looked at has to begin

    def __iter__(self) -> Iterator[Record]:
        """Yield each good record, in order."""
        for line in self._linked():
            try:
                record = decode(line)
            except ValueError:
                self._end_badly(line)
                return
            self._count(line)
            yield record

    def skim(self) -> tuple[bytes, bytes]:
        """Return the first and the last good line; every hash is recomputed, and no record is decoded. Empty for none."""
        first = last = b""
        for line in self._linked():
            self._count(line)
            first, last = first or line, line
        return first, last

    def _linked(self) -> Iterator[bytes]:
        """Yield each line whose place and hash are right; the first other one ends the walk."""
        prev = self.head.encode()
        for seq, line in enumerate(self._lines, self.seq + 1):
            self._expected = b'{"v":1,"seq":%d,"prev":"%b",' % (seq, prev)
            known = line.startswith(self._expected) or self._is_newer(line, seq, prev)
            if not known or not _hash_holds(line, prev):
                self._end_badly(line)
                return
            prev = line[_DIGEST_AT]
            yield line

    def _count(self, line: bytes) -> None:
        self.seq += 1
        self.head = line[_DIGEST_AT].decode()
        self.good_length += len(line)

    def _is_newer(self, line: bytes, seq: int, prev: bytes) -> bool:
        """Tell whether a line is the next record of this chain, in a version that this reader does not know."""
        frame = _FRAME.match(line)
        newer = bool(frame and int(frame[1]) > VERSION and int(frame[2]) == seq and frame[3] == prev)
        if newer and _hash_holds(line, prev):
            self.state = "newer"
        return newer

    def _end_badly(self, line: bytes) -> None:
        if self.state == "newer":
            return
        last = next(self._lines, None) is None
        self.state = "torn" if last and is_torn(line, self._expected) else "damaged"


def is_torn(line: bytes, expected: bytes) -> bool:
    """Tell whether a bad last line is what a crash leaves of a write, and not a record that was changed later.

    A crash leaves a line without its end, or pages of zeros where data never arrived. A whole record with one bad
    byte keeps its beginning (`expected`) or its end: it may have been acted upon and must never be cut.
    """
    if not line.endswith(b"\n") or b"\0\0" in line:
        return True
    if line.startswith(expected) or _END.search(line):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def problem_of(state: State, bad_seq: int, file: str) -> Problem | None:
    """Return what to tell the operator about a journal in this state: None when it is clean."""
    where = Where(file, bad_seq)
    if state == "torn":
        return Problem("journal-torn", f"record {bad_seq} was cut off by a crash", "", where, "warning")
    if state == "damaged":
        hint = "the run can be read up to there, not resumed; keep the folder and ask who touched it"
        return Problem("journal-damaged", f"record {bad_seq} of the journal was changed or lost", hint, where)
    if state == "newer":
        hint = "use the Handrail that wrote it; this one can only read"
        return Problem("journal-newer", "the journal was written by a newer Handrail", hint, where)
    return None


def reading(lines: Iterable[bytes], file: str = "journal.jsonl") -> Reading:
    """Return what the lines of a journal hold."""
    walk = Walk(lines)
    records = tuple(walk)
    bad = None if walk.state == "clean" else walk.seq + 1
    problem = problem_of(walk.state, walk.seq + 1, file)
    return Reading(records, walk.state, bad, problem, walk.good_length)
