"""The records of a test server, and RFC 2136 upon them: prerequisites (3.2), then the update (3.4). Pure."""

from __future__ import annotations

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update

ORIGIN = dns.name.from_text("example.test")
Key = tuple[dns.name.Name, dns.rdatatype.RdataType]


class Records:
    """RRsets by name and type, and the serial that moves when they do."""

    def __init__(self, *lines: str, serial: int = 41) -> None:
        self.serial = serial
        self.rrsets: dict[Key, dns.rrset.RRset] = {}
        for line in lines:
            self.set(line)

    def set(self, line: str) -> None:
        """Put an RRset there from "name ttl type value ...", replacing what was; relative to the origin."""
        owner, ttl, kind, *values = line.split(" ", 3) if " TXT " in line else line.split()
        name = dns.name.from_text(owner, ORIGIN)
        rrset = dns.rrset.from_text_list(name, int(ttl), "IN", kind, values, origin=ORIGIN, relativize=False)
        self.rrsets[name, rrset.rdtype] = rrset
        self.serial += 1

    def drop(self, owner: str, kind: str) -> None:
        del self.rrsets[dns.name.from_text(owner, ORIGIN), dns.rdatatype.from_text(kind)]
        self.serial += 1

    def values(self, owner: str, kind: str = "A") -> list[str]:
        rrset = self.get(dns.name.from_text(owner, ORIGIN), dns.rdatatype.from_text(kind))
        return sorted(r.to_text() for r in rrset) if rrset else []

    def get(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        return self.rrsets.get((name, kind))

    def exists(self, name: dns.name.Name) -> bool:
        return name == ORIGIN or any(owner == name for owner, _ in self.rrsets)

    def soa(self) -> dns.rrset.RRset:
        text = f"ns1.example.test. hostmaster.example.test. {self.serial} 3600 600 86400 60"
        return dns.rrset.from_text(ORIGIN, 60, "IN", "SOA", text)

    def copy(self) -> Records:
        twin = Records(serial=self.serial)
        twin.rrsets = dict(self.rrsets)
        return twin

    def update(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        """Apply an update if its prerequisites hold; return the response code."""
        if not message.zone or message.zone[0].name != ORIGIN:
            return dns.rcode.NOTAUTH
        if any(not r.name.is_subdomain(ORIGIN) for r in (*message.prerequisite, *message.update)):
            return dns.rcode.NOTZONE
        failed = self._failed(message.prerequisite)
        if failed is not None:
            return failed
        before = {key: rrset.to_text() for key, rrset in self.rrsets.items()}
        for rrset in message.update:
            self._apply(rrset)
        if before != {key: rrset.to_text() for key, rrset in self.rrsets.items()}:
            self.serial += 1
        return dns.rcode.NOERROR

    def _failed(self, prerequisites: list[dns.rrset.RRset]) -> dns.rcode.Rcode | None:
        exact: dict[Key, set[dns.rdata.Rdata]] = {}
        for rrset in prerequisites:
            stands = self.get(rrset.name, rrset.rdtype)
            if rrset.deleting == dns.rdataclass.NONE and stands is not None:
                return dns.rcode.YXRRSET
            if rrset.deleting == dns.rdataclass.ANY and stands is None:
                return dns.rcode.NXRRSET
            if rrset.deleting is None:
                exact.setdefault((rrset.name, rrset.rdtype), set()).update(rrset)
        for key, wanted in exact.items():
            if set(self.rrsets.get(key, ())) != wanted:
                return dns.rcode.NXRRSET
        return None

    def _apply(self, rrset: dns.rrset.RRset) -> None:
        key = (rrset.name, rrset.rdtype)
        if rrset.deleting == dns.rdataclass.ANY:
            self.rrsets.pop(key, None)
        elif rrset.deleting is None:
            stood = list(self.rrsets.get(key, ()))
            self.rrsets[key] = dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [*stood, *rrset])
