"""What an estate looks like: what its template says must be the same again after an undo, and what its name servers answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dns.exception
import dns.message
import dns.query
import tomli

from handrail_sim.asking import ask

_ANSWER_WITHIN: Final = 2.0
_TYPES: Final = ("A", "AAAA", "CNAME")


def looks(folder: Path) -> dict[str, str]:
    """Return everything that is compared, as text by name; two equal answers mean that nothing is different."""
    found: dict[str, str] = dict(ask(folder, ["looks"])["looks"])
    file: dict[str, Any] = tomli.loads((folder / "estate.toml").read_text(encoding="utf-8"))
    for server in file.get("dns", {}).get("servers", ()):
        label, _, address = str(server).rpartition("=")
        found[f"{label}: what the name says"] = _answers(str(file["vars"]["fqdn"]), address, int(file["dns"]["port"]))
    return found


def _answers(name: str, address: str, port: int) -> str:
    told = []
    for kind in _TYPES:
        try:
            reply = dns.query.tcp(dns.message.make_query(name, kind), address, _ANSWER_WITHIN, port)
        except (OSError, EOFError, dns.exception.DNSException) as e:
            told.append(f"{kind}: {type(e).__name__}")
            continue
        told += sorted(line for rrset in reply.answer for line in rrset.to_text().splitlines())
    return "; ".join(told)
