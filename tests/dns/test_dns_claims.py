"""Every state of the record against every fault of the server: whatever is claimed is true, and nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dns.records import Records
from tests.dns.server import Server, write_key

from handrail.base.clock import SystemClock
from handrail.dns.results import (
    AlreadySo,
    Applied,
    Conflict,
    NotApplied,
    NotSent,
    Refused,
    Result,
    Unsettled,
    make_change,
)
from handrail.dns.update import Patience, compare_and_set
from handrail.dns.zone import Zone

NAME = "puppet.example.test"
MOVE = make_change(NAME, ("10.0.0.10",), 60, ("10.0.0.20",), 60)
PATIENCE = Patience(connect=5, reply=0.1, read=5, read_back=(0.0, 0.0, 0.0))

STATES = {
    "old": ("puppet 60 A 10.0.0.10",),
    "new": ("puppet 60 A 10.0.0.20",),
    "third": ("puppet 60 A 10.0.0.99",),
    "two": ("puppet 60 A 10.0.0.10 10.0.0.11",),
    "v6 too": ("puppet 60 A 10.0.0.10", "puppet 60 AAAA 2001:db8::1"),
    "cname": ("puppet 60 CNAME blue", "blue 60 A 10.0.0.10"),
    "none": ("blue 60 A 10.0.0.10",),
}
SILENT = ["lost", "stall", "late", "cut", "slow", "half", "short", "garbage", "stranger", "forged", "unsigned"]
WORDS = ["REFUSED", "SERVFAIL", "FORMERR", "NOTIMP", "NOTAUTH", "NOTZONE", "NXDOMAIN", "YXDOMAIN", "YXRRSET", "NXRRSET"]
FAULTS = ["", *SILENT, *WORDS, *(f"{w}!" for w in WORDS), "NOERROR!"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("state", STATES)
async def test_every_claim_is_true(tmp_path: Path, state: str, fault: str) -> None:
    async with Server(records=Records(*STATES[state])) as server:
        server.faults = [fault] if fault else []
        before = server.records.values("puppet")
        zone = Zone("example.test", (server.at,), (), write_key(tmp_path / "k"))
        result = await compare_and_set(zone, MOVE, SystemClock(), patience=PATIENCE)
        after = server.records.values("puppet")
    assert server.updates == 1
    assert _holds(result, before, after), (result, before, after)
    if state not in ("old", "v6 too"):
        assert before == after, "only the old record, exactly, may be replaced"
    if state == "v6 too":
        assert before == after, "an address of the other family protects the record"


def _holds(result: Result, before: list[str], after: list[str]) -> bool:
    """Tell whether what a result says of the record is so."""
    new = list(MOVE.new)
    match result:
        case Applied():
            return after == new
        case AlreadySo():
            return before == after == new
        case Conflict(found=found):
            return before == after and (list(found) == after or not after)
        case NotApplied(found=found):
            return before == after == list(found)
        case Refused():
            return before == after
        case NotSent() | Unsettled():
            return False  # the server could be reached and read throughout
