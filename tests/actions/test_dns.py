"""dns against a real name server in this process: every way a switch can end, and back again."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import dns.rcode
import dns.update
import pytest
from tests.dns.records import Records
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import until
from tests.store.bench import FaultyDisk

from handrail.dns.provider import Rfc2136
from handrail.engine import messages as m
from handrail.engine.words import StepWord

OLD, NEW = "10.0.0.10", "10.0.0.20"
LOOK = step('on = "dr"\nrun = ["true"]', stage="look", head="reads = true")
CHANGE = (
    f'confirm = "{NEW}"\nrecheck = ["look/x"]\nundo = "restore"\n'
    f'dns = {{ name = "puppet.example.test", from = "{OLD}", to = "{NEW}" }}'
)
SWITCH = runbook(LOOK + step(CHANGE, head='line = "clients move"'))


@pytest.fixture
async def zone(tmp_path: Path) -> AsyncIterator[World]:
    """A world with a name server and a secondary that serves the same records."""
    async with a_world(tmp_path, dns=True, second=True) as world:
        yield world


def records(world: World) -> Records:
    assert world.names is not None
    return world.names.records


async def checked(world: World, text: str = SWITCH) -> Drive:
    """Return a run whose checks have passed: what is spoiled from here on is spoiled between them and the switch."""
    drive = await world.open(text).go()  # which leads on to the gate
    assert drive.word("look/x") is StepWord.PASSED, drive.detail("reach/name-x")
    return await drive.ask(m.LeaveGate("s/x"))


async def at_gate(world: World, text: str = SWITCH) -> Drive:
    """Return a run that stands at the gate of its switch."""
    return await (await checked(world, text)).ask(m.Go())


async def switched(world: World, text: str = SWITCH, *faults: str) -> Drive:
    """Return a run after the word was typed at the gate."""
    drive = await at_gate(world, text)
    assert drive.word() is StepWord.AWAITING, drive.detail()
    assert world.names is not None
    world.names.faults.extend(faults)
    return await drive.ask(m.Confirm("s/x", NEW))


async def test_the_name_is_moved_and_put_back_with_its_ttl(zone: World) -> None:
    drive = await switched(zone, SWITCH.replace(f'to = "{NEW}"', f'to = "{NEW}", ttl = 30'))
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert records(zone).values("puppet") == [NEW]
    gate = drive.events("gate_opened")[0].body["gate"]
    assert OLD in gate["now"]
    assert "TTL 60 → 30" in gate["what"]
    assert "10.0.0.10" in str(drive.submit(m.Undo("", ())))  # the value that is put back has to be typed
    await drive.undo(OLD)
    assert drive.word() is StepWord.PENDING, drive.detail()
    assert records(zone).values("puppet") == [OLD]
    assert "puppet.example.test. 60 IN A 10.0.0.10" in [r.to_text() for r in records(zone).rrsets.values()]


@pytest.mark.parametrize("fault", ["cut", "half", "garbage", "unsigned"])
async def test_a_lost_or_doubtful_reply_is_settled_by_reading_back(zone: World, fault: str) -> None:
    drive = await switched(zone, SWITCH, fault)
    assert records(zone).values("puppet") == [NEW]
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert zone.names is not None
    assert zone.names.updates == 1  # read back, never sent again


async def test_an_update_that_never_arrived_has_failed_and_may_be_retried(zone: World) -> None:
    drive = await switched(zone, SWITCH, "lost")
    assert drive.word() is StepWord.FAILED, drive.detail()
    assert drive.state.started == ("s/x",)  # it was sent: it is in the way back
    await drive.ask(m.Retry("s/x"))
    assert drive.word() is StepWord.AWAITING  # the gate, with fresh rechecks
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED
    await drive.undo(OLD)
    assert records(zone).values("puppet") == [OLD]


@pytest.mark.parametrize("word", ["REFUSED", "NOTAUTH", "NOTZONE", "FORMERR"])
async def test_a_refusal_is_a_failure_with_nothing_changed(zone: World, word: str) -> None:
    drive = await switched(zone, SWITCH, word)
    assert drive.word() is StepWord.FAILED
    assert records(zone).values("puppet") == [OLD]
    assert not drive.state.started


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["puppet 60 A 10.0.0.99"], "is at 10.0.0.99, not at 10.0.0.10"),
        (["puppet 60 A 10.0.0.20"], "not at 10.0.0.10"),
        (["puppet 60 A 10.0.0.10 10.0.0.11"], "2 addresses stand"),
        (["puppet 60 A 10.0.0.10", "puppet 60 AAAA 2001:db8::1"], "AAAA"),
        (["puppet 60 CNAME blue", "blue 60 A 10.0.0.10"], "is a CNAME"),
        (["blue 60 A 10.0.0.10"], "no address"),
    ],
)
async def test_what_stands_in_the_way_closes_the_gate(zone: World, lines: list[str], says: str) -> None:
    drive = await checked(zone)
    fresh = Records(*lines)
    for server in (zone.names, zone.second):
        assert server is not None
        server.records = fresh
    await drive.ask(m.Go())
    assert drive.word() is StepWord.AWAITING
    assert says in drive.submit(m.Confirm("s/x", NEW))
    assert zone.names is not None
    assert zone.names.updates == 0


async def test_moved_by_somebody_else_between_the_gate_and_the_send(zone: World) -> None:
    drive = await at_gate(zone)
    records(zone).set("puppet 60 A 10.0.0.99")
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert "10.0.0.99" in drive.detail()
    assert records(zone).values("puppet") == ["10.0.0.99"]
    assert not drive.state.started


async def test_moved_by_somebody_else_after_the_last_look_is_refused_by_the_server(
    zone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zone.names is not None
    server, apply = zone.names, zone.names.apply

    def stolen(message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        if not message.update:  # the proof of the key
            return apply(message)
        records(zone).set("puppet 60 A 10.0.0.99")
        return apply(message)

    monkeypatch.setattr(server, "apply", stolen)
    drive = await switched(zone)
    assert drive.word() is StepWord.FAILED
    assert records(zone).values("puppet") == ["10.0.0.99"]
    assert not drive.state.started


async def test_an_address_that_appears_beside_it_after_the_last_word_stops_the_switch(zone: World) -> None:
    """A client that prefers IPv6 would go there whatever is switched; the gate's look was too early to see it."""
    drive = await at_gate(zone)
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    records(zone).set("puppet 60 AAAA 2001:db8::1")
    await drive.rest()
    assert drive.word() is StepWord.FAILED
    assert "AAAA 2001:db8::1 stands beside the A record" in drive.detail()
    assert records(zone).values("puppet") == [OLD]
    assert not drive.state.started


async def test_an_undo_does_not_overwrite_what_somebody_else_did(zone: World) -> None:
    drive = await switched(zone)
    assert drive.word() is StepWord.PASSED
    records(zone).set("puppet 60 A 10.0.0.99")
    await drive.undo(OLD)
    assert drive.word() is StepWord.UNDO_FAILED
    assert "10.0.0.99" in drive.detail()
    assert records(zone).values("puppet") == ["10.0.0.99"]


async def test_a_stale_secondary_is_not_done(zone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rfc2136, "patience", 0.5)
    assert zone.second is not None
    drive = await at_gate(zone)
    zone.second.records = records(zone).copy()
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert "still says 10.0.0.10" in drive.detail()
    assert drive.state.started == ("s/x",)
    zone.second.records = records(zone)
    await drive.ask(m.Probe("s/x"))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_secondary_that_is_down_is_not_done(zone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rfc2136, "patience", 0.5)
    drive = await at_gate(zone)
    assert zone.second is not None
    await zone.second.stop()
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert records(zone).values("puppet") == [OLD]  # it was seen before the send


async def test_no_key_file_and_no_server_send_nothing(zone: World) -> None:
    drive = await at_gate(zone)
    (zone.place / "switch.key").unlink()
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.FAILED
    assert not drive.state.started
    assert zone.names is not None
    assert zone.names.updates == 0


async def test_a_person_edits_and_the_console_waits_until_it_sees_it(zone: World) -> None:
    text = zone.estate().read_text().replace('provider = "rfc2136"', 'provider = "manual"')
    text = "\n".join(line for line in text.splitlines() if not line.startswith("key_file")) + "\n"
    zone.estate = lambda *_: zone.place / "estate.toml"  # type: ignore[method-assign]
    (zone.place / "estate.toml").write_text(text)
    drive = await at_gate(zone)
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    await drive.until(lambda state: "attempt" in state.step("s/x").notes.get("dns", {}))
    assert drive.word() is StepWord.RUNNING
    records(zone).set(f"puppet 60 A {NEW}")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def stopped_after_the_send(zone: World, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Return a run whose switch was stopped while a secondary still told the old address: UNKNOWN."""
    monkeypatch.setattr(Rfc2136, "patience", 30.0)
    drive = await at_gate(zone)
    assert zone.second is not None
    zone.second.records = records(zone).copy()
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    await drive.until(lambda state: "attempt" in state.step("s/x").notes.get("dns", {}))
    await drive.ask(m.StopStep("s/x"))
    assert drive.word() is StepWord.UNKNOWN, drive.detail()
    return drive


async def test_stopped_after_the_send_it_is_unknown_until_somebody_asks(
    zone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = await stopped_after_the_send(zone, monkeypatch)
    assert zone.second is not None
    assert drive.state.started == ("s/x",)
    zone.second.records = records(zone)
    await drive.ask(m.Probe("s/x"))
    assert drive.word() is (StepWord.PASSED if records(zone).values("puppet") == [NEW] else StepWord.FAILED)


@pytest.mark.parametrize(("stands", "word"), [(NEW, StepWord.PASSED), (OLD, StepWord.FAILED)])
async def test_who_asks_what_became_of_a_switch_reads_and_sends_nothing(
    zone: World, monkeypatch: pytest.MonkeyPatch, stands: str, word: StepWord
) -> None:
    drive = await stopped_after_the_send(zone, monkeypatch)
    assert zone.second is not None
    assert zone.names is not None
    records(zone).set(f"puppet 60 A {stands}")
    zone.second.records, sent = records(zone), zone.names.updates
    await drive.ask(m.Reattach("s/x"))
    assert drive.word() is word, drive.detail()
    assert (zone.names.updates, records(zone).values("puppet")) == (sent, [stands])


async def test_killed_after_the_send_it_is_settled_by_reading(zone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rfc2136, "patience", 30.0)
    drive = await at_gate(zone)
    assert zone.second is not None
    zone.second.records = records(zone).copy()
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    await until(lambda: records(zone).values("puppet") == [NEW])
    await drive.crash()
    zone.second.records = records(zone)
    again = await zone.resume(drive.run).rest()
    assert again.word() is StepWord.PASSED, again.detail()
    assert records(zone).values("puppet") == [NEW]


ASKED = step(
    f'reads = true\ndns = {{ name = "puppet.example.test", from = "{OLD}", to = "{NEW}", ttl = 60 }}', stage="look"
)


async def test_a_step_that_only_reads_says_whether_a_switch_would_do_and_sends_no_change(zone: World) -> None:
    drive = await zone.open(runbook(ASKED)).go()
    assert drive.word("look/x") is StepWord.PASSED, drive.detail()
    assert zone.names is not None
    assert (zone.names.proofs, zone.names.updates) == (1, 0)  # the one that has a prerequisite and nothing to do
    assert records(zone).values("puppet") == [OLD]
    assert not drive.state.started


@pytest.mark.parametrize(
    ("lines", "faults", "says"),
    [
        (["puppet 60 A 10.0.0.99"], [], "it is 10.0.0.10, alone: puppet.example.test is at 10.0.0.99"),
        (["puppet 3600 A 10.0.0.10"], [], "its TTL is at most 60 s"),
        (["puppet 60 A 10.0.0.10"], ["REFUSED"], "answers REFUSED"),
        (["puppet 60 A 10.0.0.10"], ["unsigned"], "do not agree about the key"),
    ],
)
async def test_a_switch_that_would_not_do_is_found_before_anybody_needs_it(
    zone: World, lines: list[str], faults: list[str], says: str
) -> None:
    fresh = Records(*lines)
    for server in (zone.names, zone.second):
        assert server is not None
        server.records = fresh
    assert zone.names is not None
    zone.names.faults.extend(faults)
    drive = await zone.open(runbook(ASKED)).go()
    assert drive.word("look/x") is StepWord.FAILED
    seen = [
        f"{c.what}: {c.seen}"
        for r in drive.state.step("look/x").attempts[-1].results.values()
        for c in r.checks
        if not c.holds
    ]
    assert says in "; ".join(seen), seen


async def test_a_dead_journal_sends_no_update(zone: World) -> None:
    """The note before the send cannot be written: not one byte of the update may leave."""
    drive = await at_gate(zone)
    journal = drive.session._files.journal
    append = journal.append

    def failing(event: str, body: dict[str, object]) -> object:
        data = body.get("data")
        if event == "noted" and isinstance(data, dict) and "attempt" in data:
            journal._disk = FaultyDisk("write", 1, errno.ENOSPC)
        return append(event, body)

    journal.append = failing  # type: ignore[method-assign, assignment]
    assert drive.submit(m.Confirm("s/x", NEW)) == ""
    snapshot = drive.session.snapshot
    while not snapshot.trouble:
        snapshot = await drive.session.changed(snapshot.seq)
    await drive.session.close()
    assert zone.names is not None
    assert zone.names.updates == 0
    assert records(zone).values("puppet") == [OLD]
