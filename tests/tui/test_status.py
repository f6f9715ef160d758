"""The sentence for the channel: what it says in each state, and that it claims nothing it does not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession, failed, lost

from handrail.engine import messages as m
from handrail.engine.words import Way
from handrail.session.status import status_sentence
from handrail.session.view import Mode
from handrail.tui.header import title_of


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path, mode=Mode.LIVE)


def said(session: FakeSession) -> str:
    return status_sentence(session.snapshot)


def test_before_anything(session: FakeSession) -> None:
    assert said(session) == (
        "LIVE production, puppet-failover, 12:00Z: stage 1 of 5, 1.1 Where each server keeps its CA is next. "
        "Clients: not moved. Nothing stands changed. Next: Where each server keeps its CA. 15 min left of 15 min. ana"
    )


def test_while_copying(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    session.begin("sync/copy")
    assert "2.3 Copy certificates and CA runs." in said(session)
    assert "Way back open, 3 steps, 50 s." in said(session)
    session.tell(m.LinkNews("sync/copy", "h-dr", up=False))
    assert "runs, link lost." in said(session)


def test_failed_and_unknown(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    session.end("sync/hold", lost("h-dr"))
    assert "2.1 Hold the 15-minute sync is UNKNOWN. " in said(session)
    assert "Next: a decision." in said(session)


def test_clients_while_they_are_moved_and_after(session: FakeSession) -> None:
    session.to_stage("switch")
    session.open_gate("switch/dns")
    assert (
        "waits to be confirmed. Clients: not moved, but changed so far: 2.3 Copy certificates and CA (puppet-dr), "
        "2.2 Stop and mask the server (puppet-primary), 2.1 Hold the 15-minute sync (puppet-dr). Way back open, 3 steps"
    ) in said(session)
    assert session.submit(m.Confirm("switch/dns", "10.9.0.10")) is None
    session.begin("switch/dns", back="10.0.0.10")
    assert "Clients: being moved, not settled." in said(session)
    session.end("switch/dns")
    assert "Clients: moved." in said(session)


def test_what_was_sent_and_did_not_pass_is_not_called_not_moved(session: FakeSession) -> None:
    session.to_stage("switch")
    session.open_gate("switch/dns")
    assert session.submit(m.Confirm("switch/dns", "10.9.0.10")) is None
    session.begin("switch/dns", back="10.0.0.10")
    session.end("switch/dns", failed("dns"))
    assert (
        "3.1 Point puppet.example.test at the DR FAILED. Clients: being moved, not settled. Changed so far: 3.1"
        in said(session)
    )


def test_of_many_changes_the_newest_are_named_and_the_rest_counted(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handrail.session.status.MOST", 1)
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    assert "changed so far: 2.2 Stop and mask the server (puppet-primary), and 1 more. Way back" in said(session)


def test_of_a_damaged_record_it_says_so_first_and_never_done(session: FakeSession) -> None:
    session.to_stage("sign")
    session.base = replace(session.base, damage="record 17 of the journal was changed or lost")
    assert (
        ": THE RECORD IS NOT WHOLE (record 17 of the journal was changed or lost); as far as it can be read: "
        in said(session)
    )
    session.open_gate("sign/first")
    assert session.submit(m.Confirm("sign/first", "sign")) is None
    session.begin("sign/first")
    session.end("sign/first")
    assert ": done" not in said(session)
    assert "the last step that is told of has passed." in said(session)


def test_back_again(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold")
    assert session.submit(m.Pause()) is None
    assert session.submit(m.Undo()) is None
    session.begin("sync/hold", Way.BACK)
    assert "is being undone" in said(session)
    session.end("sync/hold", failed("h-dr"))
    assert "UNDO FAILED" in said(session)
    assert session.submit(m.Retry("sync/hold")) is None
    session.begin("sync/hold", Way.BACK)
    session.end("sync/hold")
    assert "undone, everything is as it was" in said(session)


def test_emergency_owed_held_and_closed(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    assert session.submit(m.Pause()) is None
    assert session.submit(m.Declare("emergency", "dark")) is None
    assert "EMERGENCY (primary lost)" in said(session)
    assert "Owed: undo 2.2 Stop and mask the server" in said(session)
    assert title_of(session.snapshot).startswith("LIVE EMERGENCY puppet-failover on production")
    assert session.submit(m.Leave()) is None
    assert "held, stage 2 of 5" in said(session)
    assert session.submit(m.Close("superseded")) is None
    assert "closed unfinished (superseded)" in said(session)


def test_over_the_target_and_restored(session: FakeSession) -> None:
    session.clock.pass_by(1200)
    assert "5 min over target." in said(session)
    session.base = replace(session.base, restored=708.0)
    assert "Restored in 12 min." in said(session)


def test_no_way_back_is_said(session: FakeSession) -> None:
    session.to_stage("sign")
    session.open_gate("sign/first")
    assert session.submit(m.Confirm("sign/first", "sign")) is None
    session.begin("sign/first")
    assert "No way back past 5.1 Let the DR server sign." in said(session)
    session.end("sign/first")
    assert ": done." in said(session)
