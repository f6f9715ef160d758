"""Anchors: what the hosts hold of a journal, written beside the claim. Asked by whoever audits a run; it only reads.

While a run holds its claim, each claimed host has the number and the hash of the last record at the time of its last change: a
journal that was cut, or made anew, does not hold that record. Once the claim was given back there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from handrail.base.problems import Problem, Trouble, Where
from handrail.base.safe import safe
from handrail.runbook.estate import Host
from handrail.session.asking import Given
from handrail.session.assembly import ways_for
from handrail.session.core import target_of
from handrail.session.recorded import replayed
from handrail.session.snapshots import Replayed
from handrail.ssh import claim as ssh_claim
from handrail.ssh.links import Links
from handrail.store.chain import Record
from handrail.store.run_folder import RunFolder

KEY: Final = "journal"
PATIENCE: Final = 20.0
MATCH: Final = "match"


async def ask_hosts(folder: RunFolder, given: Given) -> tuple[str, list[Problem]]:
    """Return what the hosts of a run say of its journal, in a line, and what does not match."""
    run = replayed(folder)
    ways = ways_for(run.binding, given)
    try:
        words = await asyncio.gather(*(_ask(run, ways.links, host) for host in _hosts(run)))
    finally:
        await ways.links.close()
    told = ", ".join(f"{host.name}: {word}" for host, word in zip(_hosts(run), words, strict=True))
    wrong = [
        Problem("audit-anchor", f"{safe(host.name)}: {word}", "ask who made this record", Where("journal.jsonl"))
        for host, word in zip(_hosts(run), words, strict=True)
        if word.startswith("NO MATCH")
    ]
    return told or "none is left: the claim was given back, or was never taken", wrong


def _hosts(run: Replayed) -> tuple[Host, ...]:
    """Return the hosts that carried the claim."""
    claim = run.state.claim
    return tuple(run.binding.estate.host(key) for key in claim.hosts) if claim else ()


async def _ask(run: Replayed, links: Links, host: Host) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            held = await ssh_claim.read_claim(links, target_of(run.binding.estate, host), run.info.run)
    except Trouble as err:
        return f"could not be asked ({err.problems[0].message})"
    except TimeoutError:
        return f"did not answer in {PATIENCE:.0f} s"
    if held is None or held.claim.run != run.info.run:
        return "none is left, the claim was given back" if held is None else f"held by run {safe(held.claim.run, 80)}"
    return compared(held.owed, run.records)


def compared(said: Mapping[str, Any], records: Sequence[Record]) -> str:
    """Return whether a journal holds the record that a host knows."""
    anchor = said.get(KEY)
    if not (
        isinstance(anchor, list) and len(anchor) == 2 and isinstance(anchor[0], int) and isinstance(anchor[1], str)
    ):
        return "nothing was written down there"
    number, head = anchor
    if 0 < number <= len(records) and records[number - 1].h == head:
        return f"{MATCH} (record {number})"
    return f"NO MATCH: it knows a record {number} {safe(head[:16], 16)}… that this journal does not hold"
