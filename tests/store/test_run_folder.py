"""One folder per run: private or a group's, exact copies, found again by a person's word."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.store.bench import FaultyDisk, SteppingClock, new_journal

from handrail.base.problems import Trouble
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.lock import acquire, takeover
from handrail.store.run_folder import RunFolder, find_run, list_runs
from handrail.store.trusted import fault


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def new_run(home: Home, run_id: str, records: int = 0) -> RunFolder:
    folder = RunFolder.create(home, run_id, runbook=b"a = 1\r\n", inputs={"b": ["\u202e"]}, estate=b"\xff")
    if records:
        new_journal(folder.path, records).close()
    return folder


def code_of(err: pytest.ExceptionInfo[Trouble]) -> str:
    return err.value.problems[0].code


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_keeps_exact_copies(home: Home) -> None:
    new_run(home, "20261123-0512-aaaaaa")
    folder = RunFolder.open(home, "20261123-0512-aaaaaa")
    assert folder.runbook() == b"a = 1\r\n"
    assert folder.inputs() == {"b": ["\u202e"]}
    assert folder.estate() == b"\xff"
    assert folder.run_id == "20261123-0512-aaaaaa"


def test_everything_is_private_whatever_the_umask(home: Home) -> None:
    before = os.umask(0)
    try:
        folder = new_run(home, "r1", 2)
        acquire(folder.path, "alice", SteppingClock()).release()
        folder.write_status("ok")
        folder.write_summary("h", {})
    finally:
        os.umask(before)
    assert mode_of(folder.path) == mode_of(folder.out) == 0o700
    files = [p for p in folder.path.iterdir() if p.is_file()]
    assert len(files) == 8
    assert {mode_of(p) for p in files} == {0o600}


def test_a_groups_home_makes_groups_files(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(0o2770)
    before = os.umask(0o077)
    try:
        home = Home(path).make()
        folder = new_run(home, "r1", 2)
        lock = acquire(folder.path, "alice", SteppingClock())
        takeover(folder.path, "bob", SteppingClock(), seen=lock.holder, typed="alice", reason="x")
        folder.write_status("ok")
    finally:
        os.umask(before)
    assert {mode_of(p) for p in (home.runs, home.estates, folder.path, folder.out)} == {0o2770}
    assert {mode_of(p) for p in folder.path.iterdir() if p.is_file()} == {0o660}


@pytest.mark.parametrize("kind", ["open", "write", "sync"])
@pytest.mark.parametrize("nth", range(1, 4))
def test_a_run_that_cannot_be_written_is_not_begun(home: Home, kind: str, nth: int) -> None:
    disk = FaultyDisk(kind, nth)
    with pytest.raises(Trouble) as err:
        RunFolder.create(home, "r1", runbook=b"x", inputs={}, estate=b"x", disk=disk)
    assert code_of(err) == "run-unwritable"
    problem = list_runs(home)[0].problem
    assert problem
    assert problem.code == "run-not-begun"


def test_a_run_is_made_once(home: Home) -> None:
    new_run(home, "r1")
    with pytest.raises(Trouble) as err:
        new_run(home, "r1")
    assert code_of(err) == "run-exists"


@pytest.mark.parametrize("word", ["../runs", "", ".", "a/b", "-x", "a\n", "\x1b[2J", "x" * 65])
def test_only_an_id_is_an_id(home: Home, word: str) -> None:
    with pytest.raises(Trouble) as err:
        RunFolder.open(home, word)
    assert code_of(err) == "run-unknown"
    assert "\x1b" not in str(err.value)


def test_names_last_before_the_run_begins(home: Home) -> None:
    disk = FaultyDisk()
    RunFolder.create(home, "r1", runbook=b"", inputs={}, estate=b"", disk=disk)
    assert [kind for kind, _ in disk.calls].count("sync") == 5, "three files, their folder, and the folder above"
    assert disk.calls[-1][0] == "sync"


@pytest.mark.parametrize("kind", ["link", "pipe", "world"])
def test_what_may_be_a_trap_is_refused(home: Home, tmp_path: Path, kind: str) -> None:
    folder = new_run(home, "r1", 1)
    path = folder.path / "runbook.toml"
    if kind == "world":
        path.chmod(0o602)
    else:
        other = path.rename(tmp_path / "other")
        path.symlink_to(other) if kind == "link" else os.mkfifo(path)
    with pytest.raises(Trouble) as err:
        folder.runbook()
    assert code_of(err) == "untrusted-file"


@pytest.mark.parametrize("kind", ["link", "world", "file"])
def test_a_folder_that_may_be_a_trap_is_refused(home: Home, tmp_path: Path, kind: str) -> None:
    folder = new_run(home, "r1", 1)
    if kind == "world":
        folder.path.chmod(0o707)
    else:
        other = folder.path.rename(tmp_path / "other")
        folder.path.symlink_to(other) if kind == "link" else folder.path.write_text("")
    for attempt in (lambda: RunFolder.open(home, "r1"), lambda: Journal.open(folder.path, SteppingClock(), "a", 1)):
        with pytest.raises(Trouble) as err:
            attempt()
        assert code_of(err) == "untrusted-file"


def status(mode: int, uid: int, gid: int = 50) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("folder_mode", "uid", "word"),
    [
        (0o40700, 1000, ""),
        (0o40700, 1001, "belongs"),
        (0o42770, 1001, ""),
        (0o42770, 1002, "belongs"),
        (0o42770, 0, ""),  # root makes a group's home; it could write all of it anyway
        (0o40700, 0, "belongs"),
        (0o42750, 1001, "belongs"),
    ],
)
def test_owners_are_me_or_a_member_of_the_groups_folder(folder_mode: int, uid: int, word: str) -> None:
    members = {(1001, 50)}
    found = fault(
        status(0o100660, uid, 7),
        status(folder_mode, 1000),
        me=1000,
        member=lambda user, group: (user, group) in members,
    )
    assert found.startswith(word)
    assert bool(found) == bool(word)


def test_inputs_that_cannot_be_read_are_told(home: Home) -> None:
    folder = new_run(home, "r1")
    (folder.path / "inputs.json").write_bytes(b"[" * 100_000)
    with pytest.raises(Trouble) as err:
        folder.inputs()
    assert code_of(err) == "run-damaged"


def test_runs_are_listed_by_both_ends(home: Home) -> None:
    assert list_runs(Home(home.path / "nowhere")) == []
    new_run(home, "20261123-0512-zzzzzz", 3)
    new_run(home, "20261123-0512-aaaaaa", 1)
    new_run(home, "20261124-0512-mmmmmm")
    (home.runs / ".hidden").mkdir()
    (home.runs / "file").write_text("")
    found = list_runs(home)
    assert [r.run_id for r in found] == ["20261123-0512-zzzzzz", "20261123-0512-aaaaaa", "20261124-0512-mmmmmm"]
    ends = [(r.first.seq, r.last.seq) for r in found if r.first and r.last]
    assert ends == [(1, 3), (1, 1)]
    assert found[2].problem
    assert found[2].problem.code == "run-not-begun"


def test_a_glance_survives_any_damage(home: Home) -> None:
    folder = new_run(home, "r1", 3)
    data = folder.journal.read_bytes()
    for cut in range(0, len(data), 11):
        folder.journal.write_bytes(data[:cut])
        assert len(list_runs(home)) == 1
    folder.journal.write_bytes(data + b"torn")
    last = list_runs(home)[0].last
    assert last
    assert last.seq == 3
    folder.journal.write_bytes(data.replace(b"copy-3", b"copy-4"))
    problem = list_runs(home)[0].problem
    assert problem
    assert problem.code == "journal-damaged"


def test_a_glance_reads_long_records(home: Home) -> None:
    folder = new_run(home, "r1")
    journal = Journal.create(folder.path, SteppingClock(), "alice", 1)
    for letter in "ab":
        journal.append("long", {"text": letter * 300_000})
    journal.close()
    found = list_runs(home)[0]
    assert found.first
    assert found.last
    assert (found.first.body["text"][0], found.last.body["text"][0]) == ("a", "b")


def test_the_summary_is_only_a_cache(home: Home) -> None:
    folder = new_run(home, "r1")
    journal = new_journal(folder.path, 2)
    assert list_runs(home)[0].summary == {}
    folder.write_summary(journal.head, {"outcome": "held"})
    assert list_runs(home)[0].summary == {"outcome": "held"}
    journal.append("noted", {})
    assert list_runs(home)[0].summary == {}, "older than the journal"
    (folder.path / "summary.json").write_text("{")
    assert list_runs(home)[0].summary == {}


def test_a_run_is_found_by_a_persons_word(home: Home) -> None:
    with pytest.raises(Trouble) as err:
        find_run(home)
    assert "no run yet" in str(err.value)
    for run_id in ("20261123-0512-zzzzzz", "20261123-0512-aaaaaa", "20261124-0512-mmmmmm"):
        new_run(home, run_id)
    assert find_run(home).run_id == "20261124-0512-mmmmmm"
    assert find_run(home, "20261124").run_id == "20261124-0512-mmmmmm"
    assert find_run(home, "20261123-0512-z").run_id == "20261123-0512-zzzzzz"
    with pytest.raises(Trouble) as err:
        find_run(home, "20261123")
    assert code_of(err) == "run-ambiguous"
    with pytest.raises(Trouble) as err:
        find_run(home, "20261124-0512-mmmmmn")
    assert code_of(err) == "run-unknown"
    assert "did you mean 20261124-0512-mmmmmm" in str(err.value)


def test_a_status_is_replaced_whole(home: Home) -> None:
    folder = new_run(home, "r1")
    folder.write_status("one")
    with pytest.raises(OSError, match="Input/output"):
        folder.write_status("two", disk=FaultyDisk("write", 1))
    assert (folder.path / "status.txt").read_text() == "one"
    assert [p.name for p in folder.path.iterdir() if p.name.startswith(".")] == [], "nothing is left lying about"
