"""More than one console, and worlds that fall apart: claims, takeovers, full disks, lost roles, what is owed."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.actions.trees import hold, lay, lay_both, leftovers, let_go, reached, seen
from tests.dns.records import Records
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import until
from tests.store.bench import FaultyDisk

from handrail.base.clock import SystemClock
from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine.words import Outcome, StepWord
from handrail.session import mailbox
from handrail.session.exits import Exit, exit_of
from handrail.session.recorded import replayed
from handrail.session.takeover import Asking
from handrail.session.watching import Watching
from handrail.store import asking
from handrail.store.run_folder import RunFolder

UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
TOUCH = runbook(step('on = "dr"\nscript = "echo x >> made"\n' + UNDO))
WAITS = 'on = "dr"\nscript = "echo x >> made; while [ ! -e go ]; do sleep 0.02; done"\n' + UNDO


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_OPERATOR", "ann")


def other_home(world: World, place: Path) -> World:
    """Return the same hosts as another machine sees them: another home."""
    place.mkdir()
    for name in ("user", "authorized", "switch.key"):
        if (world.place / name).exists():
            shutil.copy2(world.place / name, place / name)
    twin = World(place, world.machines, world.names, world.second, place / "user")
    twin.pin()
    return twin


class Early(SystemClock):
    """A clock of half a minute ago: what is asked by it has stood for as long as anybody has to answer."""

    def mono(self) -> float:
        return super().mono() - asking.PATIENCE - 1.0


def long_ago(world: World, drive: Drive) -> None:
    """Ask for a run, half a minute ago, as whoever is the operator now."""
    Asking(Early()).ask(RunFolder.open(world.home, drive.run))


# ------------------------------------------------------------------ claims


async def test_a_second_run_is_refused_with_the_holders_name(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await world.open(TOUCH).go(2)
    assert first.word() is StepWord.PASSED
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    twin = other_home(world, tmp_path / "twin")
    second = await twin.open(TOUCH).go(2)
    assert "ann" in second.state.claim_refused
    assert first.run in json.dumps([r.body for r in second.events("claim_refused")])
    assert second.word() is StepWord.PENDING
    assert exit_of(second.state) is Exit.REFUSED
    assert (world["dr"].root / "made").read_text() == "x\n"
    await first.session.close()  # it is done: its claim goes
    await second.go()
    assert second.word() is StepWord.PASSED
    await second.session.close()
    assert not (world["dr"].work / "claim").exists()


async def test_a_claim_is_broken_by_the_holders_name_and_what_is_owed_is_inherited(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The laptop with the folder is gone: a colleague starts anew and knows what is owed."""
    undo = 'undo = { script = "exit 1" }\n'
    first = await world.open(runbook(step('on = "dr"\nrun = ["touch", "made"]\n' + undo))).go(2)
    await first.undo()
    assert first.word() is StepWord.UNDO_FAILED
    await first.ask(m.Owe("s/x", "no key to the room"))
    assert first.state.owed
    await until(lambda: "no key to the room" in "".join(p.read_text() for p in (world["dr"].work / "claim").iterdir()))
    await first.crash()
    shutil.rmtree(first.folder)
    world.drives.clear()
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    twin = other_home(world, tmp_path / "twin")
    refused = await twin.open(TOUCH, successor_of="carl", reason="laptop lost").go(2)
    assert refused.state.claim_refused
    await refused.crash()
    second = await twin.open(TOUCH, successor_of="ann", reason="laptop lost").go(2)
    assert second.word() is StepWord.PASSED, second.state.claim_refused
    assert [o.step for o in second.state.owed] == ["s/x"]
    assert "belongs to another run" in second.submit(m.Settle(second.state.owed[0].id))
    await second.ask(m.Settle(second.state.owed[0].id, "done by hand at the console"))
    assert not second.state.owed


async def test_two_consoles_on_one_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = world.open(runbook(step(WAITS)))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    with pytest.raises(Trouble, match="ann"):
        world.resume(drive.run)
    with pytest.raises(Trouble):
        world.resume(drive.run, "she is asleep", "carl")
    with pytest.raises(Trouble):
        world.resume(drive.run, "", "ann")
    with pytest.raises(Trouble, match="asked first"):
        world.resume(drive.run, "she is asleep", "ann")
    long_ago(world, drive)
    second = world.resume(drive.run, "she is asleep", "ann")
    why = drive.submit(m.Note("still here"))
    assert "bob" in why
    assert drive.session.snapshot.trouble
    (world["dr"].root / "go").touch()
    await second.rest()
    assert second.word() is StepWord.PASSED
    assert (world["dr"].root / "made").read_text() == "x\n"
    assert second.state.driver == "bob"
    await drive.session.close()
    assert second.submit(m.Note("I have it")) == ""


async def test_an_older_epoch_is_refused_by_the_host_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console that does not see the takeover (its folder is elsewhere): the hosts refuse what it sends."""
    first, mid = (step(f'on = "dr"\nrun = ["touch", "{name}"]\n' + UNDO, stage=name) for name in ("first", "mid"))
    drive = await world.open(runbook(first + mid + step('on = "dr"\nscript = "echo x >> made"\n' + UNDO))).go(3)
    assert drive.word("mid/x") is StepWord.PASSED
    monkeypatch.setattr(drive.session._files.lock, "check", lambda: None)
    for guard in ("_guard", "_check_file"):
        monkeypatch.setattr(drive.session._files.journal, guard, lambda: None)
    long_ago(world, drive)
    second = world.resume(drive.run, "asleep", "ann")
    await second.rest()
    await second.undo(to="mid")
    assert second.word("mid/x") is StepWord.PENDING
    assert drive.submit(m.Go()) == ""
    await drive.rest()
    assert not (world["dr"].root / "made").exists()
    assert "the host refused it (epoch)" in drive.detail()
    world.drives.clear()  # two consoles wrote to one journal: the oracle has nothing to hold it against
    await drive.crash()
    await second.crash()


async def test_who_looks_on_sees_it_and_may_leave_a_note(world: World) -> None:
    drive = world.open(runbook(step(WAITS)))
    await drive.go()
    watching = Watching(RunFolder.open(world.home, drive.run))
    assert watching.submit(m.Go()) is not None
    assert drive.submit(m.Go()) == ""
    shown = watching.snapshot
    while shown.state.step("s/x").word is not StepWord.RUNNING:
        shown = await watching.changed(shown.seq)
    assert watching.submit(m.Note("I see it \x1b[2J")) is None
    await drive.until(lambda state: bool(state.notes))
    (world["dr"].root / "go").touch()
    await drive.rest()
    while shown.state.step("s/x").word is not StepWord.PASSED:
        shown = await watching.changed(shown.seq)
    await watching.close()


@pytest.mark.parametrize("text", ["[]", "{", '{"text": 1}', '{"text": "a", "by": ["x"]}', "\x00"])
async def test_a_hostile_note_stops_nothing(world: World, text: str) -> None:
    drive = world.open(TOUCH)
    (drive.folder / "inbox").mkdir()
    (drive.folder / "inbox" / "1.json").write_text(text)
    os.mkfifo(drive.folder / "inbox" / "2.json")
    (drive.folder / "inbox" / "3.json").mkdir()
    mailbox.leave_note(drive.folder, "after it", "bob")
    await drive.until(lambda state: any(n.text == "after it" for n in state.notes))
    await drive.go(2)
    assert drive.word() is StepWord.PASSED


async def test_a_closed_run_is_not_resumed_and_stays_free(world: World) -> None:
    drive = await world.open(TOUCH).go(2)
    await drive.undo()
    await drive.go_all()
    assert drive.submit(m.Close("done with it")) == ""
    await drive.session.close()
    for _ in range(2):
        with pytest.raises(Trouble, match="was closed"):
            world.resume(drive.run)


# ------------------------------------------------------------------ disks


@pytest.mark.parametrize("kind", ["write", "sync_data"])
async def test_a_full_disk_stops_the_run_and_nothing_is_lost(world: World, kind: str) -> None:
    """At every write of a run's journal: nothing is sent that is not on disk, and the run goes on once there is room."""
    text = runbook(step('on = "dr"\nscript = "echo x >> made"\n' + UNDO, verify='run = ["test", "-e", "made"]'))
    clean = await world.open(text).go(2)
    total = len(clean.events())
    await clean.undo()
    await clean.session.close()
    for nth in range(2, total, 3):
        drive = world.open(text)
        journal = drive.session._files.journal
        journal._disk = FaultyDisk(kind, nth, errno.ENOSPC)
        for _ in range(2):
            if drive.submit(m.Go()):
                break
            while not drive.session.snapshot.trouble and not _rests(drive):
                await drive.session.changed(drive.session.snapshot.seq)
        assert "journal" in drive.session.snapshot.trouble or "written" in drive.session.snapshot.trouble, nth
        assert drive.submit(m.Note("x")) == drive.session.snapshot.trouble
        await drive.session.close()
        again = world.resume(drive.run)
        await again.rest()
        await again.go_all()
        assert again.word() is StepWord.PASSED, (nth, again.detail())
        assert (world["dr"].root / "made").read_text() == "x\n", nth
        await again.undo()
        await again.session.close()


def _rests(drive: Drive) -> bool:
    from tests.session.world import at_rest

    return at_rest(drive.state)


# ------------------------------------------------------------------ the primary is lost


def emergency_book() -> str:
    look = step('on = "dr"\nrun = ["true"]', stage="look", head="reads = true")
    mark = 'on = ["primary", "dr"]\nrun = ["touch", "held"]\nundo = { run = ["rm", "-f", "held"] }\n'
    copy = 'undo = "restore"\n[stage.step.sync]\nfrom = "primary"\nto = "dr"\ndirs = ["{{ here.root }}/ssl"]\n'
    change = 'confirm = "10.0.0.20"\nrecheck = ["look/x"]\nundo = "restore"\n'
    change += 'dns = { name = "puppet.example.test", from = "10.0.0.10", to = "10.0.0.20" }'
    clients = step('on = "clients"\nrun = ["touch", "moved"]\nundo = { run = ["rm", "-f", "moved"] }', stage="clients")
    book = look + step(mark, stage="mark") + step(copy, stage="copy")
    book += step(change, stage="dns", head='line = "clients move"') + clients
    return runbook(book, 'primary = "one", dr = "one", clients = "many"')


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path, clients=2, dns=True) as world:
        lay_both(world)
        lay(world["primary"].root, {"ssl/big.pem": "x" * 5000})
        yield world


def answers(world: World) -> list[str]:
    assert world.names is not None
    records: Records = world.names.records
    return records.values("puppet")


async def test_the_emergency_in_the_middle_of_the_copy(whole: World) -> None:
    """The primary goes while its files are on their way: the run reaches the clients, and says what is owed."""
    before = seen(whole["dr"].root / "ssl")
    drive = whole.open(emergency_book())
    await drive.go(3)
    hold(whole, "primary", "tar")
    assert drive.submit(m.Go()) == ""
    await until(lambda: reached(whole, "primary", "tar"))
    await whole.off("primary")
    await drive.until(lambda state: "primary" in state.step("copy/x").no_link)
    assert "reason" in drive.submit(m.Declare("emergency", ""))
    await drive.ask(m.Declare("emergency", "the room is on fire"))
    assert drive.state.lost == {"primary"}
    assert drive.word("copy/x") in (StepWord.UNKNOWN, StepWord.FAILED)
    assert seen(whole["dr"].root / "ssl") == before
    await drive.go_all()
    assert drive.word("dns/x") is StepWord.AWAITING, (drive.detail("dns/x"), drive.detail("copy/x"))
    await drive.ask(m.Confirm("dns/x", "10.0.0.20"))
    await drive.go_all()
    assert drive.word("clients/x") is StepWord.PASSED
    assert answers(whole) == ["10.0.0.20"]
    assert (whole["c1"].root / "moved").exists()
    await drive.undo("10.0.0.10")
    assert answers(whole) == ["10.0.0.10"]
    assert not (whole["dr"].root / "held").exists()
    assert leftovers(whole) == []
    assert [(o.step, o.host) for o in drive.state.owed] == [("mark/x", "primary")]
    assert exit_of(drive.state) is not Exit.UNDONE  # something is owed
    let_go(whole, "primary", "tar")
    await whole.on("primary")
    owed = drive.state.owed[0]
    await drive.ask(m.Settle(owed.id))
    assert not drive.state.owed
    assert not (whole["primary"].root / "held").exists()


async def test_what_is_owed_is_settled_only_when_it_is_done(whole: World) -> None:
    drive = whole.open(emergency_book())
    await drive.go(3)
    await whole.off("primary")
    await drive.ask(m.Declare("emergency", "gone"))
    await drive.undo()
    owed = drive.state.owed[0]
    await drive.ask(m.Settle(owed.id))
    assert [o.id for o in drive.state.owed] == [owed.id]  # the host is still away
    await whole.on("primary")
    await drive.ask(m.Settle(owed.id))
    assert not drive.state.owed, drive.state
    assert not (whole["primary"].root / "held").exists()
    await drive.session.close()
    found = replayed(RunFolder.open(whole.home, drive.run)).state
    assert not found.owed


async def test_an_undo_whose_host_is_away_waits_and_ends_when_it_is_back(world: World) -> None:
    drive = await world.open(TOUCH).go(2)
    await world.off("dr")
    assert drive.submit(m.Undo()) == ""
    await drive.rest()
    assert drive.word() in (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN)
    await world.on("dr")
    await drive.ask(m.Retry("s/x"))
    assert drive.word() is StepWord.PENDING, drive.detail()
    assert not (world["dr"].root / "made").exists()
    assert drive.session.outcome is Outcome.UNDONE
