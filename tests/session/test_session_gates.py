"""The gate of a confirmed step, LIVE from end to end, and leaving while something runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import StepWord
from handrail.session import acts
from handrail.session.view import Mode

OLD, NEW = "10.0.0.10", "10.0.0.20"
UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
LOOK = step('on = "dr"\nrun = ["test", "!", "-e", "bad"]', stage="look", head="reads = true")
DNS = f'undo = "restore"\ndns = {{ name = "puppet.example.test", from = "{OLD}", to = "{NEW}" }}\n'
GATED = runbook(LOOK + step(f'confirm = "{NEW}"\nrecheck = ["look/x"]\n{DNS}', head='line = "clients move"'))


@pytest.fixture
async def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A world with a name server, whose gates look again every tenth of a second."""
    monkeypatch.setattr(acts, "FRESH", 0.1)
    async with a_world(tmp_path, dns=True) as world:
        yield world


def holds(drive: Drive) -> bool | None:
    gate = drive.at().gate
    assert gate is not None
    return gate.rechecks[0].holds


async def test_a_recheck_that_does_not_hold_closes_the_gate_and_opens_it_again(zone: World) -> None:
    drive = await zone.open(GATED).go(3)
    assert drive.word() is StepWord.AWAITING
    (zone["dr"].root / "bad").touch()
    await until(lambda: holds(drive) is False)
    assert "does not hold" in drive.submit(m.Confirm("s/x", NEW))
    (zone["dr"].root / "bad").unlink()
    await until(lambda: holds(drive) is True)
    await drive.ask(m.Confirm("s/x", f" {NEW} "))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_script_is_told_by_its_own_words_not_by_its_text(world: World) -> None:
    table = (
        'on = "dr"\nconfirm = "yes"\nscript = "echo secretly >> made"\nargs = ["{{ dr.address }}"]\n'
        'undo = { script = "rm -f made", title = "Take {{ dr.address }} away" }\n'
    )
    drive = await world.open(runbook(step(table).replace('title = "X"', 'title = "Let {{ dr.address }} in"'))).go(2)
    gate = drive.at().gate
    assert gate is not None
    assert (gate.what, gate.undo) == (f"Let {NEW} in", f"Take {NEW} away")


async def test_a_recheck_that_cannot_be_asked_closes_it_but_in_an_emergency(zone: World) -> None:
    drive = await zone.open(GATED).go(3)
    await zone.off("dr")
    await until(lambda: holds(drive) is None)
    assert "could not be asked" in drive.submit(m.Confirm("s/x", NEW))
    await drive.ask(m.LeaveGate("s/x"))
    assert drive.word() is StepWord.PENDING
    await zone.on("dr")
    await zone.off("primary")
    await drive.ask(m.Declare("emergency", "gone"))
    await drive.go()
    assert drive.word() is StepWord.AWAITING
    await zone.off("dr")
    await until(lambda: holds(drive) is None)
    assert "type a reason" in drive.submit(m.Confirm("s/x", NEW))
    await drive.ask(m.Confirm("s/x", NEW, "the room is dark, and it served a minute ago"))
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_a_name_server_that_goes_away_closes_the_gate_and_opens_it_again(zone: World) -> None:
    drive = await zone.open(GATED).go(3)
    assert zone.names is not None
    zone.names.deaf_udp = True
    zone.names.refuses = 2  # type: ignore[assignment]  # SERVFAIL
    await until(lambda: bool(drive.at().gate and drive.at().gate.blocked))  # type: ignore[union-attr]
    assert "cannot be read" in drive.submit(m.Confirm("s/x", NEW))
    zone.names.deaf_udp, zone.names.refuses = False, None
    await until(lambda: not drive.at().gate.blocked)  # type: ignore[union-attr]
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED


async def test_live_from_end_to_end(zone: World) -> None:
    zone.pin(forget=True)
    drive = await zone.open(GATED, Mode.LIVE, reason="never drilled, and told so").go(3)
    opened = drive.events()[0]
    assert opened.event == "run_opened"
    assert opened.body["mode"] == "REHEARSAL"  # the estate is of class staging
    await drive.ask(m.Confirm("s/x", NEW))
    assert drive.word() is StepWord.PASSED
    await drive.undo(OLD)
    assert zone.names is not None
    assert zone.names.records.values("puppet") == [OLD]
    await drive.session.close()
    assert not (zone["dr"].work / "claim").exists()


async def test_leaving_while_a_change_runs_leaves_it_running(world: World) -> None:
    table = 'on = "dr"\nscript = "echo x >> made; while [ ! -e go ]; do sleep 0.02; done"\n' + UNDO
    drive = world.open(runbook(step(table)))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    await drive.leave()
    assert "left" in drive.submit(m.Note("x"))
    (world["dr"].root / "go").touch()
    again = await world.resume(drive.run).rest()
    assert again.word() is StepWord.PASSED
    assert (world["dr"].root / "made").read_text() == "x\n"


async def test_paused_it_finishes_the_step_and_stands(world: World) -> None:
    wait = 'on = "dr"\nscript = "touch made; while [ ! -e go ]; do sleep 0.02; done"\n' + UNDO
    text = step(wait) + '[[stage.step]]\nid = "y"\ntitle = "Y"\non = "dr"\nrun = ["touch", "second"]\n' + UNDO
    drive = world.open(runbook(text))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    assert drive.submit(m.Pause()) == ""
    (world["dr"].root / "go").touch()
    await drive.rest()
    assert drive.word() is StepWord.PASSED
    assert drive.word("s/y") is StepWord.PENDING
    assert not (world["dr"].root / "second").exists()
    await drive.go()
    assert drive.word("s/y") is StepWord.PASSED


async def test_a_password_is_asked_again_after_a_resume_or_the_step_fails_with_nothing_sent(world: World) -> None:
    more = '\n[vars.password]\ntype = "secret"\n'
    table = 'on = "dr"\nscript = "cat > made"\nstdin = "{{ password }}"\n' + UNDO
    drive = world.open(runbook(step(table), more=more), values={"password": "hunter2hunter2"})
    await drive.go()
    await drive.leave()
    again = await world.resume(drive.run).rest()
    await again.go_all()
    assert again.word() is StepWord.FAILED, again.detail()
    assert "nothing was sent" in again.detail()
    assert not (world["dr"].root / "made").exists()
