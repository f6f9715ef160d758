"""One console asks another for its run: it is handed over, declined, or, unanswered, taken; two consoles, real hosts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.session.test_session_people import TOUCH, UNDO, WAITS, Early, long_ago
from tests.session.world import Drive, World, runbook, step
from tests.ssh.bench import until

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine.words import StepWord
from handrail.session.standing import Stage, facts
from handrail.session.takeover import Asking, stand
from handrail.store import asking
from handrail.store.lock import holder_of
from handrail.store.run_folder import RunFolder


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_OPERATOR", "ann")


Becomes = Callable[[], Asking]


@pytest.fixture
def becomes_bob(monkeypatch: pytest.MonkeyPatch) -> Becomes:
    """Let bob be the operator from the call on, at a console of his own."""

    def become() -> Asking:
        monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
        return Asking()

    return become


def folder_of(world: World, drive: Drive) -> RunFolder:
    return RunFolder.open(world.home, drive.run)


async def shown(drive: Drive) -> None:
    """Wait until the holder's console shows that somebody asks."""
    snap = drive.session.snapshot
    while snap.relief is None:
        snap = await drive.session.changed(snap.seq)


async def test_a_run_is_handed_over_with_a_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = await world.open(TOUCH).go(2)
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    folder, asks = folder_of(world, drive), Asking()
    assert asks.reply(folder).stage is Stage.UNASKED
    asks.ask(folder, "your VPN is \x1b[2Jdown")
    assert asks.reply(folder).stage is Stage.WAITING
    await shown(drive)
    found = drive.session.snapshot.relief
    assert found
    assert (found.who, found.note) == ("bob", "your VPN is down")
    assert 0 < found.until - drive.session.core.now() <= asking.PATIENCE
    assert drive.submit(m.HandOver(note="the copy is good", at_once=True)) == ""
    await drive.session.close()
    assert asks.reply(folder).stage is Stage.FREE
    second = world.resume(drive.run)
    await second.rest()
    assert asking.asked(folder.path) is None
    assert [n.text for n in second.state.notes] == ["to bob, who takes over: the copy is good"]
    assert second.state.driver == "bob"
    assert "handed over to bob" in str([r.body for r in second.events("held")])
    assert drive.submit(m.Go()) == "this console has left the run"


async def test_it_is_handed_over_once_the_running_step_has_ended(world: World, becomes_bob: Becomes) -> None:
    drive = world.open(runbook(step(WAITS) + step('on = "dr"\nrun = ["touch", "more"]\n' + UNDO, stage="t")))
    await drive.go()
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    folder, bob = folder_of(world, drive), becomes_bob()
    bob.ask(folder)
    await shown(drive)
    assert drive.submit(m.HandOver(note="wait for it", at_once=False)) == ""
    reply = bob.reply(folder)
    assert (reply.stage, reply.words) == (Stage.HANDING, "wait for it")
    assert holder_of(folder.path) is not None
    (world["dr"].root / "go").touch()
    await until(lambda: bob.reply(folder).stage is Stage.FREE)
    assert drive.word() is StepWord.PASSED
    assert drive.state.held
    assert not (world["dr"].root / "more").exists()
    second = await world.resume(drive.run).rest()
    assert second.word() is StepWord.PASSED
    assert (world["dr"].root / "made").read_text() == "x\n"


async def test_one_who_declines_goes_on_and_the_run_cannot_be_taken(world: World, becomes_bob: Becomes) -> None:
    drive = world.open(TOUCH)
    folder = folder_of(world, drive)
    assert drive.submit(m.Decline(words="no")) == "nobody asks for this run"
    assert drive.submit(m.HandOver()) == "nobody asks for this run"
    bob = becomes_bob()
    Asking(Early()).ask(folder)
    bob.ask(folder)
    await shown(drive)
    assert "say a word to bob" in drive.submit(m.Decline(words=" "))
    assert drive.submit(m.Decline(words="two more minutes")) == ""
    reply = bob.reply(folder)
    assert (reply.stage, reply.words, reply.may_take) == (Stage.DECLINED, "two more minutes", False)
    assert drive.session.snapshot.relief is None
    assert "two more minutes" in drive.state.notes[-1].text
    with pytest.raises(Trouble, match="asked first"):
        world.resume(drive.run, "I want it", "ann")
    await drive.go(2)
    assert drive.word() is StepWord.PASSED


async def test_one_who_was_asked_just_now_has_time_to_answer(world: World, becomes_bob: Becomes) -> None:
    drive = world.open(TOUCH)
    becomes_bob().ask(folder_of(world, drive))
    with pytest.raises(Trouble, match="s left to answer"):
        world.resume(drive.run, "I want it", "ann")
    assert drive.submit(m.Note("still here")) == ""


async def test_a_question_that_somebody_else_asks_over_does_not_count(
    world: World, becomes_bob: Becomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = world.open(TOUCH)
    folder, bob = folder_of(world, drive), becomes_bob()
    bob.ask(folder)
    monkeypatch.setenv("HANDRAIL_OPERATOR", "carol")
    long_ago(world, drive)
    reply = bob.reply(folder)
    assert (reply.stage, reply.words) == (
        Stage.UNASKED,
        "your question does not stand any more: carol asks for it now",
    )
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    with pytest.raises(Trouble, match="asked first"):
        world.resume(drive.run, "I want it", "ann")
    bob.withdraw(folder)
    assert asking.asked(folder.path) is not None, "carol's question is not bob's to withdraw"


async def test_what_one_who_takes_over_sees(world: World, becomes_bob: Becomes) -> None:
    drive = world.open(runbook(step('on = "dr"\nrun = ["touch", "first"]\n' + UNDO, stage="a") + step(WAITS)))
    await drive.go(2)
    assert drive.submit(m.Note("network says fibre cut")) == ""
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    becomes_bob()
    found = stand(folder_of(world, drive))
    assert (found.holder, found.host, found.gone) == ("ann", os.uname().nodename, False)
    told = dict(facts(found))
    assert told["console"].startswith("alive, last key ")
    assert told["where"] == "stage 3 of 3, 3.1 X (running)"
    assert told["under way"].startswith("3.1 X, running on dr since ")
    assert told["note"].endswith('ann: "network says fibre cut"')
    assert told["changed"] == "3.1 X (dr, running); 2.1 X (dr)"
    assert told["undo"] == "3.1 X; 2.1 X (about 10 s)"
    assert told["owed"] == "nothing"
    (world["dr"].root / "go").touch()
    await drive.rest()
    await drive.leave()
    with pytest.raises(Trouble, match="nobody drives"):
        stand(folder_of(world, drive))


HOLDER = """
import sys, time
from pathlib import Path
from collections.abc import Callable
from handrail.base.clock import SystemClock
from handrail.store.lock import acquire
lock = acquire(Path(sys.argv[1]), "ann", SystemClock())
print("ready", flush=True)
time.sleep(600)
"""


async def test_a_stopped_console_is_asked_and_a_dead_one_is_not(world: World, becomes_bob: Becomes) -> None:
    """SIGSTOP: it holds the lock and cannot answer. Killed: the lock is free, and nobody has to be asked."""
    drive = await world.open(TOUCH).go(2)
    await drive.leave()
    folder = folder_of(world, drive)
    becomes_bob()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        assert not stand(folder).gone
        with pytest.raises(Trouble, match="asked first"):
            world.resume(drive.run, "she does not answer", "ann")
        long_ago(world, drive)
        second = await world.resume(drive.run, "she does not answer", "ann").rest()
        assert second.state.epoch > drive.state.epoch
        await second.leave()
    finally:
        holder.kill()
        holder.communicate()
    third = await world.resume(drive.run).rest()
    assert third.word() is StepWord.PASSED
