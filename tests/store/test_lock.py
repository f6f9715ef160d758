"""Who drives: one console, named; a takeover leaves the old one without a say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store.bench import FaultyDisk, SteppingClock, new_journal

from handrail.base.problems import Trouble
from handrail.store.asking import Said, answer, answered, ask_for, asked, forget, may_take, withdraw
from handrail.store.journal import Journal, JournalDead, read_journal
from handrail.store.lock import Holder, Lock, acquire, holder_of, is_gone, read_epoch, silence_of, takeover

DRIVER = """
import sys
from pathlib import Path
from handrail.base.clock import SystemClock
from handrail.store.journal import Journal
from handrail.store.lock import acquire
folder, clock = Path(sys.argv[1]), SystemClock()
lock = acquire(folder, "alice", clock)
journal = Journal.open(folder, clock, "alice", lock.epoch, guard=lock.check)
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(journal.append("tick", {}).seq, flush=True)
    except Exception as err:
        print(err.problems[0].code, flush=True)
"""


@contextmanager
def driving(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run another console that holds the lock and writes a record for each line it is told."""
    pipe = subprocess.PIPE
    other = subprocess.Popen([sys.executable, "-c", DRIVER, str(folder)], stdin=pipe, stdout=pipe, text=True)
    assert other.stdout
    assert other.stdout.readline() == "ready\n"
    try:
        yield other
    finally:
        other.kill()
        other.communicate()


def tell(other: subprocess.Popen[str]) -> None:
    assert other.stdin
    other.stdin.write("go\n")
    other.stdin.flush()


def heard(other: subprocess.Popen[str]) -> str:
    assert other.stdout
    return other.stdout.readline().strip()


def code_of(err: pytest.ExceptionInfo[Trouble]) -> str:
    return err.value.problems[0].code


def take(folder: Path, seen: Holder, clock: SteppingClock, typed: str = "alice", reason: str = "no answer") -> Lock:
    return takeover(folder, "bob", clock, seen=seen, typed=typed, reason=reason)


def test_a_lock_names_its_holder(folder: Path, clock: SteppingClock) -> None:
    assert holder_of(folder) is None
    lock = acquire(folder, "alice", clock)
    held = holder_of(folder)
    assert held == lock.holder
    assert (held.who, held.pid, held.epoch) == ("alice", os.getpid(), 1)
    lock.beat()
    later = holder_of(folder)
    assert later
    assert later.keyed > held.keyed
    assert later.since == held.since
    lock.release()
    assert holder_of(folder) is None
    with pytest.raises(Trouble) as err:
        lock.check()
    assert code_of(err) == "lock-lost"
    assert acquire(folder, "bob", clock).epoch == 1


def test_another_process_is_refused_by_name(folder: Path, clock: SteppingClock) -> None:
    new_journal(folder, 1).close()
    with driving(folder) as other:
        with pytest.raises(Trouble) as err:
            acquire(folder, "bob", clock)
        assert code_of(err) == "run-locked"
        assert f"alice on {os.uname().nodename} (pid {other.pid})" in str(err.value)
        tell(other)
        assert heard(other) == "2", "being asked did not cost it the lock"
    assert acquire(folder, "bob", clock).epoch == 1, "the lock of a killed console is free"


def test_opening_the_lock_file_elsewhere_does_not_lose_it(folder: Path, clock: SteppingClock) -> None:
    lock = acquire(folder, "alice", clock)
    (folder / "lock").read_bytes()
    os.close(os.open(folder / "lock", os.O_RDWR))
    with pytest.raises(Trouble):
        acquire(folder, "bob", clock)
    lock.check()


def test_a_stopped_console_that_wakes_up_writes_nothing(folder: Path, clock: SteppingClock) -> None:
    new_journal(folder, 1).close()
    with driving(folder) as other:
        other.send_signal(signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        seen = holder_of(folder)
        assert seen
        lock = take(folder, seen, clock)
        assert (lock.epoch, read_epoch(folder)) == (2, 2)
        journal = Journal.open(folder, clock, "bob", lock.epoch, guard=lock.check)
        tell(other)
        other.send_signal(signal.SIGCONT)
        assert heard(other) == "superseded"
        tell(other)
        assert heard(other) == "superseded"
        journal.append("tock", {})
        assert [r.event for r in read_journal(journal.path).records] == ["step_started", "tock"]
        assert holder_of(folder) == lock.holder
    lock.release()
    assert acquire(folder, "carol", clock).epoch == 2


def test_the_old_console_is_told_who_took_over(folder: Path, clock: SteppingClock) -> None:
    journal = new_journal(folder, 1)
    old = acquire(folder, "alice", clock)
    old.check()
    new = take(folder, old.holder, clock)
    with pytest.raises(Trouble) as err:
        old.check()
    assert code_of(err) == "superseded"
    assert "bob on " in str(err.value)
    new.check()
    journal.close()


@pytest.mark.parametrize(("typed", "reason"), [("", "why"), ("alicia", "why"), ("alice", ""), ("alice", "  ")])
def test_a_takeover_needs_the_name_and_a_reason(folder: Path, clock: SteppingClock, typed: str, reason: str) -> None:
    new_journal(folder, 1).close()
    old = acquire(folder, "alice", clock)
    with pytest.raises(Trouble) as err:
        take(folder, old.holder, clock, typed, reason)
    assert code_of(err) == "takeover-refused"
    old.check()


def test_of_two_takeovers_one_wins(folder: Path, clock: SteppingClock) -> None:
    new_journal(folder, 1).close()
    old = acquire(folder, "alice", clock)
    seen = old.holder
    winner = take(folder, seen, clock)
    with pytest.raises(Trouble) as err:
        take(folder, seen, clock)
    assert code_of(err) == "run-locked"
    assert "bob" in str(err.value)
    winner.check()


def test_a_takeover_does_not_cut_into_a_record(
    folder: Path, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handrail.store.lock.PATIENCE", 0.05)
    old = acquire(folder, "alice", clock)
    codes: list[str] = []

    class Slow(FaultyDisk):
        def sync_data(self, at: str, fd: int) -> None:
            with pytest.raises(Trouble) as err:
                take(folder, old.holder, clock)
            codes.append(code_of(err))
            super().sync_data(at, fd)

    journal = Journal.create(folder, clock, "alice", 1, guard=old.check, disk=Slow())
    journal.append("tick", {})
    assert codes == ["takeover-busy"]
    new = take(folder, old.holder, clock)
    with pytest.raises(JournalDead):
        journal.append("tick", {})
    new.check()


@pytest.mark.parametrize("kind", ["open", "write", "sync", "rename"])
def test_a_failing_takeover_leaves_the_holder_alone(folder: Path, clock: SteppingClock, kind: str) -> None:
    new_journal(folder, 1).close()
    old = acquire(folder, "alice", clock)
    for nth in range(1, 9):
        disk = FaultyDisk(kind, nth)
        try:
            new = takeover(folder, "bob", clock, seen=old.holder, typed="alice", reason="x", disk=disk)
        except Trouble:
            # only when the new epoch is in place and cannot be made to last may it have gone to nobody
            if read_epoch(folder) == 1:
                old.check()
                continue
            assert holder_of(folder) is None
            break
        new.check()
        break


def test_a_lock_that_cannot_be_opened_is_told(folder: Path, clock: SteppingClock) -> None:
    with pytest.raises(Trouble) as err:
        acquire(folder, "alice", clock, disk=FaultyDisk("open", 1))
    assert code_of(err) == "lock-unusable"
    with pytest.raises(Trouble) as err:
        acquire(folder / "nowhere", "alice", clock)
    assert code_of(err) == "lock-unusable"


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_lock_file_that_goes_takes_the_right_with_it(folder: Path, clock: SteppingClock, how: str) -> None:
    lock = acquire(folder, "alice", clock)
    (folder / "lock").unlink()
    if how == "replaced":
        second = acquire(folder, "bob", clock)
        second.check()
    with pytest.raises(Trouble) as err:
        lock.check()
    assert code_of(err) == "lock-lost"


@pytest.mark.parametrize("name", ["lock", "epoch"])
@pytest.mark.parametrize("kind", ["link", "pipe", "world"])
def test_what_may_be_a_trap_is_refused(folder: Path, clock: SteppingClock, name: str, kind: str) -> None:
    path = folder / name
    if kind == "link":
        path.symlink_to(folder.parent / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("1\n")
        path.chmod(0o666)
    with pytest.raises(Trouble) as err:
        acquire(folder, "alice", clock)
    assert code_of(err) == "untrusted-file"
    assert not (folder.parent / "elsewhere").exists()


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "\x1b[2J"])
def test_an_epoch_that_is_no_number_is_refused(folder: Path, clock: SteppingClock, text: str) -> None:
    (folder / "epoch").write_text(text)
    with pytest.raises(Trouble) as err:
        acquire(folder, "alice", clock)
    assert code_of(err) == "epoch-damaged"


@pytest.mark.parametrize("note", [b"", b"\xff\x00", b"[]", b'{"who": "x"}', b"[" * 4096])
def test_a_note_that_cannot_be_read_still_means_somebody(folder: Path, clock: SteppingClock, note: bytes) -> None:
    lock = acquire(folder, "alice", clock)
    (folder / "lock").write_bytes(note)
    with pytest.raises(Trouble) as err:
        acquire(folder, "bob", clock)
    assert "somebody" in str(err.value)
    lock.check()


def test_a_holder_can_be_asked_and_can_answer(folder: Path, clock: SteppingClock) -> None:
    assert asked(folder) is None
    question = ask_for(folder, "bob\x1b[2J", "bastion2", clock, note="VPN is \x1b]0;lost\x07")
    assert asked(folder) == question
    assert (question.who, question.host, question.note) == ("bob", "bastion2", "VPN is ")
    assert answered(folder, question) is None
    answer(folder, question, Said.HANDING, "after 2.3", "ann")
    given = answered(folder, question)
    assert given
    assert (given.said, given.words, given.by) == (Said.HANDING, "after 2.3", "ann")
    answer(folder, question, Said.DECLINED, "two minutes \x1b[2J", "ann")
    given = answered(folder, question)
    assert given
    assert (given.said, given.words) == (Said.DECLINED, "two minutes ")
    assert asked(folder) is None
    again = ask_for(folder, "bob", "bastion2", clock)
    assert answered(folder, again) is None, "an answer is to one question"
    withdraw(folder, question)
    assert asked(folder) == again, "a question is withdrawn by who asked it"
    withdraw(folder, again)
    forget(folder)
    for rubbish in (b"", b"[]", b"{}", b"\xff", b"[" * 999, b'{"id": "x", "who": 1}'):
        (folder / "asked").write_bytes(rubbish)
        (folder / "answer").write_bytes(rubbish)
        assert asked(folder) is None
        assert answered(folder, again) is None
    forget(folder)
    (folder / "asked").symlink_to(folder.parent / "elsewhere")
    assert asked(folder) is None


def test_a_run_may_be_taken_only_from_one_who_was_asked_for_long_enough(folder: Path, clock: SteppingClock) -> None:
    assert may_take(folder, "bob", clock, 30.0) == "they are asked first"
    question = ask_for(folder, "bob", "bastion2", clock)
    assert "30 s left" in may_take(folder, "bob", clock, 30.0)
    assert may_take(folder, "carol", clock, 30.0) == "they are asked first", "somebody else's question is not mine"
    clock.seconds += 29
    assert "1 s left" in may_take(folder, "bob", clock, 30.0)
    clock.seconds += 2
    assert may_take(folder, "bob", clock, 30.0) == ""
    answer(folder, question, Said.DECLINED, "no", "ann")
    assert may_take(folder, "bob", clock, 30.0) == "they are asked first"


def test_a_question_from_before_a_reboot_has_not_stood(folder: Path, clock: SteppingClock) -> None:
    ask_for(folder, "bob", "bastion2", clock)
    found = json.loads((folder / "asked").read_bytes())
    (folder / "asked").write_text(json.dumps({**found, "boot": "another", "mono": 0.0}))
    clock.seconds += 1000
    assert "30 s left" in may_take(folder, "bob", clock, 30.0)


def test_a_holder_whose_process_is_gone_is_told_from_one_that_is_stopped(folder: Path, clock: SteppingClock) -> None:
    new_journal(folder, 1).close()
    with driving(folder) as other:
        seen = holder_of(folder)
        assert seen
        assert not is_gone(seen)
        other.send_signal(signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        assert not is_gone(seen)
        assert not is_gone(replace(seen, host="another-machine", pid=2**22 + 1))
    assert is_gone(seen)


def test_a_console_that_lives_is_not_silent(folder: Path, clock: SteppingClock) -> None:
    lock = acquire(folder, "alice", clock)
    os.utime(folder / "lock", (0, 0))
    silent = silence_of(folder, lock.holder)
    assert silent is not None
    assert silent > 1e9
    lock.pulse()
    silent = silence_of(folder, lock.holder)
    assert silent is not None
    assert silent < 1e6
    (folder / "lock").unlink()
    assert silence_of(folder, lock.holder) is None


def test_a_question_that_cannot_be_left_is_told(folder: Path, clock: SteppingClock) -> None:
    with pytest.raises(Trouble) as err:
        ask_for(folder, "bob", "bastion2", clock, disk=FaultyDisk("rename", 1))
    assert code_of(err) == "asking"
    assert list(folder.iterdir()) == []


def test_a_hostile_name_cannot_act_on_the_terminal(folder: Path, clock: SteppingClock) -> None:
    lock = acquire(folder, "\x1b]52;c;eA==\x07mallory\u202e", clock)
    with pytest.raises(Trouble) as err:
        acquire(folder, "bob", clock)
    assert "\x1b" not in str(err.value)
    assert "\u202e" not in str(err.value)
    lock.release()
