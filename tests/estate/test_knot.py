"""The planned failover with Knot instead of BIND, both as primary and as secondary: there and back."""

from __future__ import annotations

from pathlib import Path

from tests.estate import nameservers
from tests.estate.driving import live
from tests.estate.estate import Estate, apart
from tests.runbooks.bed import drive, is_done, to_the_end

from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.plain.auto import Auto

NAMES = nameservers.knot


async def test_there_and_back(desk: Estate, tmp_path: Path) -> None:
    before = desk.looks()
    session = live(tmp_path, desk)
    there = await drive(session)
    assert is_done(there), there
    assert {text.split()[4] for text in desk.answers().values()} == {"10.77.2.10"}
    assert desk["ns1"].sh("kdig +short SOA example.test @10.77.3.53")  # it is Knot that answers
    state = await to_the_end(session, Auto(then_undo=True))
    assert outcome(state) is Outcome.UNDONE
    assert apart(before, desk.looks()) == ""
