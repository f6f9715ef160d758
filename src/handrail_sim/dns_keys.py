"""TSIG (RFC 8945): key files, checking a request's signature, and the error answers that name what is wrong with it."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig
from dns.rcode import Rcode

TsigData = dns.rdtypes.ANY.TSIG.TSIG
Keys = Mapping[dns.name.Name, dns.tsig.Key]

_KEY: Final = re.compile(r'key\s+"?([^"\s{]+)"?\s*\{(.*?)\}\s*;', re.DOTALL)
_COMMENT: Final = re.compile(r'("[^"]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)  # "//" may stand in a secret
_FUDGE: Final = 300


def parse_keys(text: str) -> dict[dns.name.Name, dns.tsig.Key]:
    """Return the keys of a file in BIND's `key "name" { algorithm ...; secret "..."; };` form; raise ValueError."""
    keys = {}
    for name, body in _KEY.findall(_COMMENT.sub(lambda found: found[1] or " ", text)):
        fields = dict(re.findall(r'(algorithm|secret)\s+"?([^";\s]+)"?\s*;', body))
        if set(fields) != {"algorithm", "secret"}:
            raise ValueError(f"key {name!r} needs an algorithm and a secret")
        key = dns.tsig.Key(dns.name.from_text(name).canonicalize(), fields["secret"], fields["algorithm"].lower())
        keys[key.name] = key
    if not keys:
        raise ValueError("no key in the key file")
    return keys


@dataclass(frozen=True)
class Request:
    """A message that was understood; `key` is the name of the key that signed it, None if nobody did."""

    message: dns.message.Message
    key: dns.name.Name | None


@dataclass(frozen=True)
class Rejected:
    """A message that was not; `answer` is the wire to send back, None for silence."""

    answer: bytes | None


def read_request(wire: bytes, keys: Keys) -> Request | Rejected:
    """Return the request in a wire, its signature checked, or the error answer."""
    try:
        message = dns.message.from_wire(wire, keyring=False)
    except (dns.exception.DNSException, ValueError, struct.error):
        return Rejected(_format_error(wire))
    if message.flags & dns.flags.QR:
        return Rejected(None)  # answering answers makes loops
    if message.tsig is None:
        return Request(message, None)
    return _check_signature(wire, message, keys)


def _check_signature(wire: bytes, message: dns.message.Message, keys: Keys) -> Request | Rejected:
    owner, asked = _tsig(message)
    key = keys.get(owner.canonicalize())
    if key is None or asked.algorithm != key.algorithm:
        return Rejected(_unsigned_error(message, Rcode.BADKEY))
    try:
        return Request(dns.message.from_wire(wire, keyring=key), key.name)
    except dns.tsig.BadTime:
        return Rejected(_bad_time(message, key))
    except dns.exception.DNSException:
        return Rejected(_unsigned_error(message, Rcode.BADSIG))


def _tsig(message: dns.message.Message) -> tuple[dns.name.Name, TsigData]:
    """Return the name of the key that is said to have signed, and the record's data."""
    record = cast(dns.rrset.RRset, message.tsig)
    return record.name, cast(TsigData, record[0])


def _format_error(wire: bytes) -> bytes | None:
    """Return a bare FORMERR header for what could not be read; nothing for scraps and answers."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    number, flags = struct.unpack("!HH", wire[:4])
    return struct.pack("!HHHHHH", number, 0x8000 | (flags & 0x7900) | Rcode.FORMERR, 0, 0, 0, 0)


def _unsigned_error(message: dns.message.Message, error: Rcode) -> bytes:
    """Return NOTAUTH with an unsigned TSIG record that carries the error (RFC 8945, section 5.3.2)."""
    owner, asked = _tsig(message)
    response = _not_auth(message)
    wire = response.to_wire()
    seconds = int(time.time())
    data = asked.algorithm.to_wire() or b""
    data += struct.pack("!HIHHHHH", seconds >> 32, seconds & 0xFFFFFFFF, _FUDGE, 0, message.id, error, 0)
    record = owner.to_wire() or b""
    record += struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(data)) + data
    (extra,) = struct.unpack("!H", wire[10:12])
    return bytes(wire[:10] + struct.pack("!H", extra + 1) + wire[12:] + record)


def _bad_time(message: dns.message.Message, key: dns.tsig.Key) -> bytes:
    """Return NOTAUTH, signed, with the server's time in the TSIG record (RFC 8945, section 5.2.3)."""
    _, asked = _tsig(message)
    response = _not_auth(message)
    now = int(time.time()).to_bytes(6, "big")
    response.use_tsig(key, key.name, _FUDGE, message.id, Rcode.BADTIME, now, key.algorithm)
    response.request_mac = asked.mac
    return response.to_wire()


def _not_auth(message: dns.message.Message) -> dns.message.Message:
    message.keyring = None  # or the answer would be signed like an ordinary one
    response = dns.message.make_response(message)
    response.tsig = None
    response.set_rcode(Rcode.NOTAUTH)
    return response
