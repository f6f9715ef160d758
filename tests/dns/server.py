"""A small authoritative DNS server in this process: UDP and TCP on a free loopback port, TSIG, RFC 2136, and faults.

`faults` names what happens to the next updates, one each: "lost" (never applied, connection cut), "cut" (applied, then
cut), "half" (applied, half a reply), "stall" (not applied, no reply), "slow" (applied, no reply), "late" (no reply, applied
by the third read after it), "short" (applied, TC set), "garbage", "stranger" (applied, reply to something else), "forged"
(applied, signed with another key), "unsigned" (applied), or a response code that is answered without applying anything; with "!"
behind it the reply is not signed. Subclass it to do more.
"""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
from dns.rdtypes.ANY.TSIG import TSIG
from tests.dns.records import ORIGIN, Records

from handrail.dns.zone import NameServer

SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0LXNlcnZlci0wMTIzNDU="
OTHER_SECRET = "YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3Qtc2VydmVy"
KEY = dns.tsig.Key("dr-switch", SECRET)
SMALL = 512  # bytes a UDP answer may have (RFC 1035, 4.2.1)


def write_key(path: Path, *, name: str = "dr-switch", secret: str = SECRET, algorithm: str = "hmac-sha256") -> Path:
    """Write a key file as tsig-keygen does, mode 0600."""
    path.write_text(f'key "{name}" {{\n\talgorithm {algorithm};\n\tsecret "{secret}";\n}};\n')
    path.chmod(0o600)
    return path


class Server:
    """One authoritative server; as a context manager it listens while it is entered."""

    def __init__(self, label: str = "ns1", records: Records | None = None, address: str = "127.0.0.1") -> None:
        self.label = label
        self.address = address
        self.records = records or Records("puppet 60 A 10.0.0.10")
        self.keys = {KEY.name: KEY}
        self.faults: list[str] = []
        self.updates = 0  # messages that arrived and would change something, applied or not
        self.proofs = 0  # updates that arrived with nothing to do
        self.queries = 0
        self.skew = 0  # seconds this server's clock is ahead
        self.authoritative = True
        self.refuses: dns.rcode.Rcode | None = None  # answers every query so
        self.deaf_udp = False
        self.truncates = False
        self.peer = ("", 0)  # who sent the last UDP packet
        self._late: list[dns.update.UpdateMessage] = []
        self._reads_since = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        while True:
            self._tcp = await asyncio.start_server(self._serve_tcp, self.address, 0)
            port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self.address, port))
            except OSError:  # taken by somebody else for UDP
                self._tcp.close()
                continue
            self.at = NameServer(self.label, self.address, port)
            return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut every connection; may be done twice."""
        self._udp.close()
        self._tcp.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._tcp.wait_closed()
        await asyncio.sleep(0)

    # ------------------------------------------------------------------ queries

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Return the answer to a query, whole."""
        self.queries += 1
        self._reads_since += 1
        if self._late and self._reads_since >= 3:
            self.records.update(self._late.pop())
        reply = dns.message.make_response(query)
        if self.refuses is not None:
            reply.set_rcode(self.refuses)
            return reply
        if self.authoritative:
            reply.flags |= dns.flags.AA
        self._fill(reply, query.question[0].name, query.question[0].rdtype)
        return reply

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        while (cname := self.records.get(name, dns.rdatatype.CNAME)) and kind != dns.rdatatype.CNAME:
            reply.answer.append(cname)
            name = cname[0].target
        soa = self.records.soa()
        found = soa if (name, kind) == (ORIGIN, dns.rdatatype.SOA) else self.records.get(name, kind)
        if found:
            reply.answer.append(found)
        else:
            reply.authority.append(soa)
            if not self.records.exists(name):
                reply.set_rcode(dns.rcode.NXDOMAIN)

    def datagram(self, wire: bytes) -> bytes | None:
        """Return what is sent back for a UDP packet: cut to its question with TC set if it is too long."""
        if self.deaf_udp:
            return None
        query = dns.message.from_wire(wire)
        reply = self.answer(query)
        whole = reply.to_wire()
        if len(whole) <= SMALL and not self.truncates:
            return whole
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC | dns.flags.AA
        return short.to_wire()

    # ------------------------------------------------------------------ updates

    def verify(self, wire: bytes) -> dns.message.Message:
        """Return a message if its signature holds; raise a TSIG error of dnspython's otherwise."""
        loose = dns.message.from_wire(wire, keyring=False)
        if loose.tsig and abs(loose.tsig[0].time_signed - (time.time() + self.skew)) > loose.tsig[0].fudge:
            raise dns.tsig.BadTime
        return dns.message.from_wire(wire, keyring=self.keys)

    def update(self, wire: bytes) -> bytes | None:
        """Return the bytes to send for an update; None cuts the connection, b"" says nothing and holds it open."""
        asked = dns.message.from_wire(wire, keyring=False)
        assert isinstance(asked, dns.update.UpdateMessage)
        if asked.update:
            self.updates += 1
        else:
            self.proofs += 1
        try:
            message = self.verify(wire)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadKey):
            return self._not_verified(wire, dns.rcode.BADKEY)
        except dns.tsig.BadSignature:
            return self._not_verified(wire, dns.rcode.BADSIG)
        except dns.tsig.BadTime:
            return self._not_verified(wire, dns.rcode.BADTIME, int(time.time() + self.skew).to_bytes(6, "big"))
        assert isinstance(message, dns.update.UpdateMessage)
        return self._faulty(message, self.faults.pop(0) if self.faults else "")

    def _faulty(self, message: dns.update.UpdateMessage, fault: str) -> bytes | None:
        if fault == "lost":
            return None
        if fault == "stall":
            return b""
        if fault == "late":
            self._late, self._reads_since = [message], 0
            return b""
        word, bang, _ = fault.partition("!")
        if word.isupper():
            return self._reply(message, dns.rcode.from_text(word), signed=not bang)
        rcode = self.apply(message)
        if fault in ("cut", "slow"):
            return None if fault == "cut" else b""
        if fault == "garbage":
            return b"\x00\x01garbage"
        if fault == "stranger":
            message.id ^= 1
        good = self._reply(message, rcode, signed=fault != "unsigned", forged=fault == "forged", short=fault == "short")
        return good[: len(good) // 2] if fault == "half" else good

    def apply(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        """Apply an update to the records and return the response code; a subclass may refuse."""
        return self.records.update(message)

    def _reply(
        self,
        message: dns.message.Message,
        rcode: dns.rcode.Rcode,
        *,
        signed: bool = True,
        forged: bool = False,
        short: bool = False,
    ) -> bytes:
        reply = dns.message.make_response(message)
        reply.set_rcode(rcode)
        if short:
            reply.flags |= dns.flags.TC
        if forged:
            reply.use_tsig(dns.tsig.Key("dr-switch", OTHER_SECRET))
        if not signed:
            reply.tsig = None
            reply.want_tsig_sign = False
        return reply.to_wire()

    def _not_verified(self, wire: bytes, error: dns.rcode.Rcode, other: bytes = b"") -> bytes:
        """Return NOTAUTH with an unsigned TSIG record that says why (RFC 8945, 5.2)."""
        loose = dns.message.from_wire(wire, keyring=False)
        assert loose.tsig
        theirs = loose.tsig[0]
        reply = dns.message.make_response(loose)
        reply.set_rcode(dns.rcode.NOTAUTH)
        rdata = TSIG(  # type: ignore[no-untyped-call]
            theirs.rdclass, theirs.rdtype, theirs.algorithm, theirs.time_signed, 300, b"", loose.id, error, other
        )
        reply.tsig = dns.rrset.from_rdata(loose.tsig.name, 0, rdata)
        return reply.to_wire()

    # ------------------------------------------------------------------ sockets

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                wire = await reader.readexactly(length)
                reply = self.stream(wire)
                if reply is None:
                    break
                if reply:
                    announced = len(reply) * 2 if self._is_half(reply) else len(reply)
                    writer.write(struct.pack("!H", announced) + reply)
                    if announced != len(reply):
                        await writer.drain()
                        break
        except (asyncio.IncompleteReadError, ConnectionError, dns.exception.DNSException):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def stream(self, wire: bytes) -> bytes | None:
        """Return what is sent back for a TCP message."""
        opcode = wire[2] >> 3 & 0xF
        if opcode == dns.opcode.UPDATE:
            return self.update(wire)
        return self.answer(dns.message.from_wire(wire)).to_wire()

    @staticmethod
    def _is_half(reply: bytes) -> bool:
        """Tell whether these bytes are the first half of a message: its records are not all there."""
        try:
            dns.message.from_wire(reply, keyring=False)
        except dns.exception.DNSException:
            return not reply.endswith(b"garbage")
        return False


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self.server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.server.peer = addr
        reply = self.server.datagram(data)
        if reply is not None:
            self.server._udp.sendto(reply, addr)
