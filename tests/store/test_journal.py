"""The journal on a disk: durable before it returns, dead after any error, whole again after any crash."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.store.bench import FaultyDisk, SteppingClock, body_of, journal_bytes, new_journal

from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.secrets import Secret
from handrail.store import emergency
from handrail.store import journal as module
from handrail.store.anchor import Anchor, read_anchor
from handrail.store.disk import DISK
from handrail.store.journal import Journal, JournalDead, iter_torn, read_journal, read_run, walk_journal

WRITER = """
import sys
from pathlib import Path
from handrail.base.clock import SystemClock
from handrail.store.journal import Journal
folder = Path(sys.argv[1])
journal = (Journal.open if (folder / "journal.jsonl").exists() else Journal.create)(folder, SystemClock(), "w", 1)
while True:
    record = journal.append("tick", {"text": "z" * 300})
    sys.stdout.write(f"{record.seq} {record.h}\\n")
    sys.stdout.flush()
"""


@pytest.fixture(autouse=True)
def _emergencies_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(emergency, "emergency_folders", lambda: [tmp_path / "missing", tmp_path / "elsewhere"])


def code_of(err: pytest.ExceptionInfo[Trouble]) -> str:
    return err.value.problems[0].code


def reopen(folder: Path, **options: Any) -> Journal:
    return Journal.open(folder, SteppingClock(), "bob", 1, **options)


def test_a_record_carries_who_when_and_where(folder: Path, clock: SteppingClock) -> None:
    journal = Journal.create(folder, clock, "alice", 3, boot="boot-1", host="bastion1")
    record = journal.append("noted", {"text": "hello", "pair": (1, 2)})
    assert (record.seq, record.actor, record.epoch, record.boot, record.host) == (1, "alice", 3, "boot-1", "bastion1")
    assert record.ts == "2026-11-23T05:12:00.001Z"
    assert record.body == {"text": "hello", "pair": [1, 2]}, "what is returned is what a reader will read"
    assert journal.tail is record
    assert journal.head == record.h
    assert read_journal(journal.path).records == (record,)
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_this_machine_signs_unless_told_otherwise(folder: Path) -> None:
    record = Journal.create(folder, SteppingClock(), "alice", 1).append("noted", {})
    assert record.host
    assert record.boot == module.boot_id()


def test_a_journal_is_created_once(folder: Path) -> None:
    new_journal(folder, 1)
    with pytest.raises(Trouble) as err:
        new_journal(folder, 1)
    assert err.value.problems == (
        Problem("journal-unusable", f"the journal {folder / 'journal.jsonl'} cannot be opened: File exists"),
    )
    (folder / "journal.jsonl").unlink()
    with pytest.raises(Trouble, match=f"the journal {folder}/journal.jsonl cannot be opened: No such file"):
        reopen(folder)


def test_it_goes_on_after_a_close(folder: Path) -> None:
    new_journal(folder, 3).close()
    journal = reopen(folder, boot="boot-2", host="bastion2", disk=(disk := FaultyDisk("write", 99)))
    assert [r.seq for r in journal.records] == [1, 2, 3]
    record = journal.append("noted", {})
    assert (record.seq, record.actor, record.epoch, record.boot, record.host) == (4, "bob", 1, "boot-2", "bastion2")
    assert min(disk.count("write"), disk.count("open")) > 0, "the disk that was given does all of it"
    assert read_journal(journal.path).state == "clean"


def test_a_closed_journal_takes_nothing(folder: Path) -> None:
    journal = new_journal(folder, 1)
    journal.close()
    with pytest.raises(JournalDead) as err:
        journal.append("noted", {})
    assert err.value.problems[0] == Problem("journal-closed", "the journal was closed")


def test_a_second_close_closes_nothing_of_others(folder: Path) -> None:
    journal = new_journal(folder, 1)
    journal.close()
    with (folder / "other").open("w") as other:  # it is given the number that the journal's file had
        journal.close()
        other.write("still open")
    assert (folder / "other").read_text() == "still open"


def test_a_machine_that_names_no_boot_can_still_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BOOT_ID", folder / "missing")
    journal = Journal.create(folder, SteppingClock(), "alice", 1)
    assert journal.append("noted", {}).boot == ""
    assert read_journal(journal.path).state == "clean"


def test_a_walk_holds_one_record_at_a_time(folder: Path) -> None:
    path = new_journal(folder, 5).path
    with walk_journal(path) as walk:
        assert [r.seq for r in walk] == [1, 2, 3, 4, 5]
        assert walk.state == "clean"


def test_a_body_that_is_not_json_leaves_the_journal_alive(folder: Path) -> None:
    journal = new_journal(folder, 1)
    for bad in (float("inf"), b"x", "y" * (17 << 20)):
        with pytest.raises((ValueError, TypeError)):
            journal.append("noted", {"bad": bad})
    assert journal.append("noted", {}).seq == 2


def test_cut_anywhere_in_the_last_record_it_recovers(folder: Path, tmp_path: Path) -> None:
    data = journal_bytes(folder, 3)
    start = data.rindex(b"\n", 0, -1) + 1
    second = data[:start][-67:-3]
    for cut in range(start + 1, len(data)):
        (folder / "journal.jsonl").write_bytes(data[:cut])
        (folder / "head").write_bytes(b"000000000002 " + second + b"\n")
        journal = reopen(folder)
        assert [r.event for r in journal.records[2:]] == ["journal_repaired"] * (cut - start)
        repair = journal.records[-1].body
        assert (folder / repair["copy"]).read_bytes() == data[start:cut]
        assert repair["length"] == cut - start
        journal.close()
        assert read_journal(journal.path).state == "clean"
        if cut - start > 30:
            break
    names = {p.name for p in folder.glob("journal.torn.*")}
    assert names == {f"journal.torn.{n}" for n in range(1, len(names) + 1)}


def test_cut_anywhere_without_an_anchor_it_goes_on_from_the_prefix(folder: Path) -> None:
    data = journal_bytes(folder, 6)
    for cut in range(0, len(data), 43):
        for path in folder.iterdir():
            path.unlink()
        (folder / "journal.jsonl").write_bytes(data[:cut])
        before = read_journal(folder / "journal.jsonl")
        journal = reopen(folder)
        repaired = before.state == "torn"
        assert tuple(journal.records[: len(before.records)]) == before.records
        assert len(journal.records) == len(before.records) + repaired
        journal.close()


def test_a_repair_that_was_itself_interrupted_is_still_recorded(folder: Path) -> None:
    data = journal_bytes(folder, 3)
    (folder / "journal.torn.1").write_bytes(b'{"v":1,"se')  # copied and cut, then killed before the event
    journal = reopen(folder)
    assert journal.records[-1].event == "journal_repaired"
    assert journal.records[-1].body["copy"] == "journal.torn.1"
    journal.close()
    assert len(reopen(folder).records) == 4, "and told once only"
    assert journal.path.read_bytes().startswith(data)


@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("kind", ["write", "sync", "sync_data", "truncate", "open"])
def test_a_failing_repair_refuses_and_can_be_repeated(folder: Path, kind: str, nth: int) -> None:
    path = folder / "journal.jsonl"
    path.write_bytes(journal_bytes(folder, 3) + b'{"v":1,"se')
    try:
        Journal.open(folder, SteppingClock(), "bob", 1, disk=FaultyDisk(kind, nth)).close()
    except Trouble:
        assert read_journal(path).state in ("clean", "torn")
    journal = reopen(folder)
    assert {r.event for r in journal.records[3:]} == {"journal_repaired"}
    assert read_journal(path).state == "clean"


def test_damage_is_refused_and_stays_readable(folder: Path) -> None:
    data = journal_bytes(folder, 9)
    path = folder / "journal.jsonl"
    path.write_bytes(data.replace(b"copy-5", b"copy-6"))
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) == "journal-damaged"
    assert "record 5 " in str(err.value)
    assert len(read_journal(path).records) == 4
    assert path.read_bytes() != data
    assert not list(folder.glob("journal.torn.*"))


def test_random_damage_is_never_resumed_silently(folder: Path) -> None:
    data = journal_bytes(folder, 12)
    dice = random.Random(4)
    for _ in range(150):
        position, bit = dice.randrange(len(data)), dice.randrange(8)
        spoiled = bytearray(data)
        spoiled[position] ^= 1 << bit
        (folder / "journal.jsonl").write_bytes(spoiled)
        with pytest.raises(Trouble) as err:
            reopen(folder)
        assert code_of(err) in ("journal-damaged", "journal-rolled-back")
        assert (folder / "journal.jsonl").read_bytes() == spoiled, "a refusal changes nothing"


def test_a_newer_journal_is_not_written_to(folder: Path) -> None:
    path = folder / "journal.jsonl"
    data = journal_bytes(folder, 2)
    fields = json.loads(data.splitlines()[1])
    head = fields.pop("h")
    text = json.dumps({**fields, "v": 2, "prev": head, "seq": 3}, separators=(",", ":"))
    digest = sha256((head + text).encode()).hexdigest()
    path.write_bytes(data + f'{text[:-1]},"h":"{digest}"}}\n'.encode())
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) == "journal-newer"
    assert read_journal(path).state == "newer"


def test_a_lost_tail_is_noticed(folder: Path) -> None:
    data = journal_bytes(folder, 9)
    lines = data.splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:5]))
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) == "journal-rolled-back"
    assert "record 9" in str(err.value)
    journal = reopen(folder, accept_loss=True)
    assert (journal.records[-1].event, journal.records[-1].body) == ("journal_rolled_back", {"had": 9, "has": 5})
    journal.close()
    reopen(folder).close()


def test_a_newline_that_rotted_does_not_cost_a_record(folder: Path) -> None:
    data = journal_bytes(folder, 4)
    (folder / "journal.jsonl").write_bytes(data[:-1] + b"\x0b")
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) == "journal-rolled-back"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"000000000099"])
def test_an_anchor_that_cannot_be_read_stops_nobody(folder: Path, content: bytes) -> None:
    journal_bytes(folder, 2)
    (folder / "head").write_bytes(content)
    assert len(reopen(folder).records) == 2


def test_a_forged_last_record_is_noticed_by_the_anchor(folder: Path) -> None:
    data = journal_bytes(folder, 3)
    line = data.splitlines(keepends=True)[-1]
    text = line[:-73].replace(b'"actor":"alice"', b'"actor":"mall0"')
    prev = json.loads(line)["prev"].encode()
    digest = sha256(prev + text + b"}").hexdigest().encode()
    (folder / "journal.jsonl").write_bytes(data.replace(line, text + b',"h":"' + digest + b'"}\n'))
    assert read_journal(folder / "journal.jsonl").state == "clean"
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) == "journal-damaged"


@pytest.mark.parametrize("short", [1, 7, 100])
def test_short_writes_are_completed(folder: Path, short: int) -> None:
    new_journal(folder, 3, disk=FaultyDisk(short=short)).close()
    assert len(reopen(folder).records) == 3


def test_a_write_that_takes_nothing_is_a_full_disk(folder: Path) -> None:
    class Taking(FaultyDisk):
        def write(self, at: str, fd: int, data: bytes) -> int:
            self.calls.append(("write", at))
            assert len(self.calls) < 100, "it is asked again and again"
            return 0 if at == "journal.append" else super().write(at, fd, data)

    journal = Journal.create(folder, SteppingClock(), "alice", 1, disk=Taking())
    with pytest.raises(JournalDead, match="No space left"):
        journal.append("tick", {})
    journal.close()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("kind", ["write", "sync_data"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_any_failure_kills_the_journal_and_saves_the_record(folder: Path, kind: str, nth: int, error: int) -> None:
    disk = FaultyDisk(kind, nth, error)
    journal = Journal.create(folder, SteppingClock(), "alice", 1, disk=disk)
    acked = nth - 1
    for number in range(1, nth):
        journal.append("tick", body_of(number))
    with pytest.raises(JournalDead) as err:
        journal.append("tick", body_of(nth))
    assert code_of(err) == "journal-write"
    assert os.strerror(error) in str(err.value)
    assert disk.calls[-1][1] == "emergency.write"
    syncs = disk.count("sync_data")
    with pytest.raises(JournalDead) as again_dead:
        journal.append("tick", body_of(99))
    assert again_dead.value.problems == err.value.problems
    assert disk.count("sync_data") == syncs + 1, "only the emergency file is synced: a failed fsync is never retried"
    assert journal.emergency
    saved = journal.emergency.read_text().splitlines()
    assert tuple(saved) == journal.unsaved
    assert [json.loads(line)["body"] for line in saved] == [body_of(nth), body_of(99)]
    assert journal.emergency.stat().st_mode & 0o777 == 0o600
    wrong, kept_at = err.value.problems
    assert wrong.message == f"the journal cannot be written: {os.strerror(error)}"
    assert wrong.hint == "nothing more is sent; see to the disk, then resume the run"
    assert (kept_at.code, kept_at.severity) == ("journal-emergency", "warning")
    assert kept_at.message == f"what could not be written is in {journal.emergency}"
    journal.close()
    again = reopen(folder)
    kept = [r for r in again.records if r.event == "tick"]
    assert len(kept) in (acked, acked + 1), "nothing acknowledged is lost"
    assert [r.body for r in kept[:acked]] == [body_of(n) for n in range(1, acked + 1)]


def test_nowhere_to_write_still_keeps_the_record_for_printing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency, "emergency_folders", lambda: [folder / "missing"])
    journal = new_journal(folder, 1, disk=FaultyDisk("write", 2))
    with pytest.raises(JournalDead):
        journal.append("tick", {"n": 1})
    assert journal.emergency is None
    assert json.loads(journal.unsaved[0])["body"] == {"n": 1}


def test_an_interrupted_append_is_not_built_upon(folder: Path) -> None:
    class Interrupted(FaultyDisk):
        def sync_data(self, at: str, fd: int) -> None:
            super().sync_data(at, fd)
            if self.count("sync_data") == 2:
                raise KeyboardInterrupt

    journal = new_journal(folder, 1, disk=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        journal.append("tick", {})
    with pytest.raises(JournalDead) as err:
        journal.append("tock", {})
    assert code_of(err) == "journal-interrupted"
    journal.close()
    assert [r.event for r in reopen(folder).records] == ["step_started", "tick"]


@pytest.mark.parametrize("how", ["removed", "replaced", "longer", "shorter"])
def test_a_file_that_is_not_ours_any_more_is_not_written(folder: Path, how: str) -> None:
    journal = new_journal(folder, 2)
    data = journal.path.read_bytes()
    if how in ("removed", "replaced"):
        journal.path.unlink()
    if how != "removed":
        journal.path.write_bytes({"replaced": data, "longer": data + b"x", "shorter": data[:-1]}[how])
    with pytest.raises(JournalDead) as err:
        journal.append("tick", {})
    replaced = Problem("journal-replaced", f"the journal {journal.path} was removed or replaced")
    foreign = Problem("journal-foreign-write", "somebody else has written to the journal")
    assert err.value.problems[0] == (replaced if how in ("removed", "replaced") else foreign)
    assert len(journal.unsaved) == 1


def test_the_guard_is_asked_before_every_record(folder: Path) -> None:
    allowed = [True]

    def guard() -> None:
        if not allowed[0]:
            raise trouble("superseded", "taken over")

    journal = new_journal(folder, 2, guard=guard)
    allowed[0] = False
    before = journal.path.read_bytes()
    with pytest.raises(JournalDead) as err:
        journal.append("tick", {})
    assert code_of(err) == "superseded"
    assert journal.path.read_bytes() == before


def test_secrets_do_not_reach_the_file(folder: Path) -> None:
    journal = new_journal(folder, 1)
    journal.hide([Secret("hunter2-canary"), Secret('quo"ted\\canary')])
    key = "-----BEGIN RSA PRIVATE KEY-----\nTUlJRW93canary\n-----END RSA PRIVATE KEY-----\n"
    body = {"a": ["x hunter2-canary"], "b": {"hunter2-canary": 'quo"ted\\canary'}, "c": key, "d": ("fine", 5)}
    record = journal.append("noted", body)
    assert b"canary" not in journal.path.read_bytes()
    assert record.body["d"] == ["fine", 5]
    assert record.body["a"] == ["x [redacted]"]
    assert read_journal(journal.path).state == "clean"


@pytest.mark.parametrize("kind", ["link", "pipe", "world", "folder"])
@pytest.mark.parametrize("name", ["journal.jsonl", "head"])
def test_what_may_be_a_trap_is_refused(folder: Path, tmp_path: Path, name: str, kind: str) -> None:
    journal_bytes(folder, 2)
    path = folder / name
    other = path.rename(tmp_path / "other")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(other.read_bytes())
        path.chmod(0o666)
    with pytest.raises(Trouble) as err:
        reopen(folder)
    assert code_of(err) in ("untrusted-file", "journal-unusable")
    if name == "journal.jsonl":
        with pytest.raises(Trouble) as err:
            read_journal(path)
        assert code_of(err) == "untrusted-file"
    else:
        found = read_run(folder)
        assert found.problem
        assert (found.state, found.problem.code, len(found.records)) == ("damaged", "untrusted-file", 2)


def test_a_damaged_journal_is_told_before_its_anchor(folder: Path) -> None:
    data = journal_bytes(folder, 3)
    (folder / "journal.jsonl").write_bytes(data.replace(b"copy-2", b"copy-9"))
    (folder / "head").unlink()
    (folder / "head").symlink_to("elsewhere")
    found = read_run(folder)
    assert found.problem
    assert (found.problem.code, found.bad_seq, len(found.records)) == ("journal-damaged", 2, 1)


def test_a_torn_end_that_shrinks_while_it_is_copied_ends_the_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"whole torn")
    with (tmp_path / "file").open("rb") as file:
        assert b"".join(iter_torn(file.fileno(), 6, 1000)) == b"torn"


def test_the_anchor_of_another_member_of_the_group_is_written_and_keeps_its_mode(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o2770)
    journal_bytes(folder, 2)
    (folder / "head").chmod(0o640)  # only its owner may change that: who is refused writes no anchor
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    anchor = Anchor(folder, DISK)
    anchor.note(7, "ab" * 32)
    anchor.close()
    assert read_anchor(folder) == (7, "ab" * 32)
    assert (folder / "head").stat().st_mode & 0o777 == 0o640


def test_twenty_kills_lose_nothing_that_was_acknowledged(folder: Path) -> None:
    dice = random.Random(7)
    acked: list[str] = []
    for _ in range(20):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        heard = [writer.stdout.readline() for _ in range(dice.randrange(1, 60))]
        writer.kill()
        heard += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        acked += [line for line in heard if line.endswith("\n")]
        found = read_journal(folder / "journal.jsonl")
        assert found.state in ("clean", "torn")
        hashes = {f"{r.seq} {r.h}\n" for r in found.records}
        assert hashes.issuperset(acked)
    assert len(acked) > 100
