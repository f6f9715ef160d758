"""What must be true at the end of a scenario, asked of the estate itself: on its hosts, of its name servers, of the journal."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import tomli

from handrail.base.problems import Trouble
from handrail.runbook.scenario_model import EndCheck
from handrail_sim.asking import ask
from handrail_sim.scenario_story import Story

_AGAIN: Final = 0.5  # seconds
_ANSWER_WITHIN: Final = 2.0


@dataclass(frozen=True)
class Judged:
    """One check: what must be true, whether it is, and what was seen."""

    what: str
    holds: bool
    seen: str


@dataclass(frozen=True)
class Judge:
    """Asks the checks of one run on one estate."""

    folder: Path
    hosts: Mapping[str, tuple[str, ...]]
    story: Story

    def judge(self, check: EndCheck) -> Judged:
        """Return whether a check holds, asked again for as long as it says."""
        end = time.monotonic() + check.within
        while True:
            holds, seen = self._once(check)
            if holds or time.monotonic() >= end:
                return Judged(check.title, holds, seen[:300])
            time.sleep(_AGAIN)

    def _once(self, check: EndCheck) -> tuple[bool, str]:
        if check.name_leads_to:
            return self._name(check.name_leads_to)
        if check.run and check.on:
            return self._command(check.on, check.run, check.match)
        missing = sorted(set(check.passed) - self.story.passed)
        touched = sorted(set(check.untouched) & self.story.stands)
        told = [f"did not pass: {', '.join(missing)}"] * bool(missing)
        told += [f"stands: {', '.join(touched)}"] * bool(touched)
        return not told, "; ".join(told) or "as it should be"

    def _command(self, where: str, command: str, match: str | None) -> tuple[bool, str]:
        told, good = [], True
        for name in self.hosts.get(where, (where,)):
            try:
                answer = ask(self.folder, ["exec", name, command])
            except Trouble as e:
                answer = {"ok": False, "problem": str(e)}
            said = str(answer.get("out", "")) + str(answer.get("err", "")) + str(answer.get("problem", ""))
            fits = match is None or re.search(match, said, re.MULTILINE) is not None
            good = good and bool(answer.get("ok")) and answer.get("rc") == 0 and fits
            told.append(f"{name}: exit {answer.get('rc')} {' '.join(said.split())}")
        return good, "; ".join(told)

    def _name(self, role: str) -> tuple[bool, str]:
        """Ask every authoritative name server, from outside, as the console does."""
        file: dict[str, Any] = tomli.loads((self.folder / "estate.toml").read_text(encoding="utf-8"))
        table = file["roles"][role]
        wanted = {str(table.get("address") or table["hosts"][0]["address"])}
        query = dns.message.make_query(str(file["vars"]["fqdn"]), "A")
        told, good = [], True
        for server in file["dns"]["servers"]:
            label, _, address = str(server).rpartition("=")
            try:
                reply = dns.query.tcp(query, address, _ANSWER_WITHIN, file["dns"]["port"])
            except (OSError, EOFError, dns.exception.DNSException) as e:
                told.append(f"{label}: {type(e).__name__}")
                good = False
                continue
            found = {str(r) for rrset in reply.answer if rrset.rdtype == dns.rdatatype.A for r in rrset}
            good = good and found == wanted
            told.append(f"{label}: {' '.join(sorted(found)) or 'no address'}")
        return good, "; ".join(told)
