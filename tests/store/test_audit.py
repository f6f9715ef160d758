"""The audit: whatever is changed in a run's folder, it says so, and says what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.store.bench import SteppingClock

from handrail.store.audit import Audit, audit
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.run_folder import RunFolder
from handrail.store.spool import Spool

RUNBOOK = b"format = 1\r\n"
NAMES = ["sync.copy.1.main.dr1.log", "sync.copy.1.main.web02-2222~0a1b2c3d.log"]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a finished run of five records and two outputs."""
    home = Home(tmp_path / "home").make()
    folder = RunFolder.create(home, "r1", runbook=RUNBOOK, inputs={}, estate=b"")
    journal = Journal.create(folder.path, SteppingClock(), "alice", 1)
    journal.append("run_opened", {"digest": sha256(RUNBOOK).hexdigest(), "mode": "drill"})
    journal.append("attempt_started", {"step": "sync/copy"})
    for number, name in enumerate(NAMES):
        spool = Spool.open(folder.out, name, SteppingClock())
        spool.write("out", b"copied\n" * (number + 5), 1000.0)
        sealed = spool.seal()
        output = {"file": sealed.file, "length": sealed.length, "sha256": sealed.sha256}
        journal.append("host_ended", {"output": output} if number else {"result": {"host": "dr1", "output": output}})
    journal.append("host_ended", {"result": {"host": "dr2"}})
    journal.close()
    return folder


def codes(found: Audit) -> list[str]:
    return [p.code for p in found.problems]


def test_an_untouched_run_is_sound(run: RunFolder) -> None:
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    found = audit(run.path)
    assert (found.ok, found.records, codes(found)) == (True, 5, [])
    assert len(found.head) == 64
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before, "an audit writes nothing"


def relink(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


CHANGES: list[tuple[str, Callable[[RunFolder], Any], str]] = [
    ("journal edited", lambda r: r.journal.write_bytes(r.journal.read_bytes().replace(b"drill", b"LIVE!")), "damaged"),
    ("journal cut", lambda r: r.journal.write_bytes(r.journal.read_bytes().split(b"\n")[0] + b"\n"), "rolled-back"),
    ("journal gone", lambda r: r.journal.unlink(), "audit-unreadable"),
    ("journal a link", lambda r: relink(r.journal), "untrusted-file"),
    ("anchor a link", lambda r: relink(r.path / "head"), "untrusted-file"),
    ("anchor forged", lambda r: (r.path / "head").write_text(f"{3:012d} {'0' * 64}\n"), "journal-damaged"),
    ("runbook changed", lambda r: (r.path / "runbook.toml").write_bytes(RUNBOOK + b"#"), "audit-runbook"),
    ("runbook gone", lambda r: (r.path / "runbook.toml").unlink(), "audit-unreadable"),
    ("output changed", lambda r: (r.out / NAMES[0]).write_bytes(b"Copied\n" * 5), "audit-output"),
    ("output cut", lambda r: (r.out / NAMES[1]).write_bytes(b"copied\n" * 4), "audit-output-cut"),
    ("output longer", lambda r: (r.out / NAMES[1]).write_bytes(b"copied\n" * 7), "audit-output-longer"),
    ("output gone", lambda r: (r.out / NAMES[0]).unlink(), "audit-output-lost"),
    ("output world", lambda r: (r.out / NAMES[0]).chmod(0o666), "untrusted-file"),
    ("folder world", lambda r: r.path.chmod(0o777), "untrusted-file"),
]


@pytest.mark.parametrize(("change", "code"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_every_change_is_found(run: RunFolder, change: Callable[[RunFolder], Any], code: str) -> None:
    change(run)
    found = audit(run.path)
    assert not found.ok
    assert any(code in c for c in codes(found)), codes(found)


def test_the_damaged_record_is_named(run: RunFolder) -> None:
    run.journal.write_bytes(run.journal.read_bytes().replace(b"sync/copy", b"sync/kopy", 1))
    found = audit(run.path)
    assert found.records == 1
    assert "record 2 " in str(found.problems[0])


def test_a_torn_end_is_a_warning(run: RunFolder) -> None:
    run.journal.write_bytes(run.journal.read_bytes() + b'{"v":1,"se')
    found = audit(run.path)
    assert (found.ok, found.records, codes(found)) == (True, 5, ["journal-torn"])


def test_a_journal_without_a_digest_is_a_warning(folder: Path) -> None:
    journal = Journal.create(folder, SteppingClock(), "alice", 1)
    journal.append("noted", {"digest": 5})
    assert (audit(folder).ok, codes(audit(folder))) == (True, ["audit-no-digest"])


@pytest.mark.parametrize(
    "output",
    [
        "x",
        5,
        ["out/a"],
        {"file": "../../etc/shadow"},
        {"file": "out/../journal.jsonl"},
        {"file": "out/.x"},
        {"file": "a.log", "length": -1, "sha256": "0" * 64},
        {"file": "a.log", "length": 1, "sha256": "\x1b[2J"},
    ],
)
def test_an_output_that_cannot_be_is_told_safely(folder: Path, output: object) -> None:
    journal = Journal.create(folder, SteppingClock(), "alice", 1)
    journal.append("run_opened", {})
    journal.append("host_ended", {"output": output})
    found = audit(folder)
    assert "audit-output" in codes(found)
    assert "\x1b" not in str(found.problems)


def test_an_output_told_in_parts_is_checked_in_parts(folder: Path) -> None:
    (folder / "out").mkdir(0o700)
    spool = Spool.open(folder / "out", "a.log", SteppingClock())
    journal = Journal.create(folder, SteppingClock(), "alice", 1)
    for _ in range(3):
        spool.write("out", b"more\n", 1000.0)
        told = spool.so_far()
        journal.append("host_ended", {"output": {"file": "a.log", "length": told.length, "sha256": told.sha256}})
    assert audit(folder).ok
    (folder / "out" / "a.log").write_bytes(b"more\nMore\nmore\n")
    assert codes(audit(folder)).count("audit-output") == 2


@pytest.mark.parametrize(("seconds", "way"), [(-3600, "back by 1h00m"), (86400, "forward by 1d"), (1.5, "")])
def test_a_wall_clock_that_was_set_is_said_and_breaks_no_order(tmp_path: Path, seconds: float, way: str) -> None:
    clock = SteppingClock()
    folder = RunFolder.create(Home(tmp_path / "home").make(), "r1", runbook=RUNBOOK, inputs={}, estate=b"")
    journal = Journal.create(folder.path, clock, "alice", 1)
    journal.append("run_opened", {"digest": sha256(RUNBOOK).hexdigest()})
    clock.time += timedelta(seconds=seconds)
    journal.append("note_made", {})
    clock.time += timedelta(minutes=5)  # the laptop slept: both clocks go on
    clock.seconds += 300
    journal.append("note_made", {})
    journal.close()
    found = audit(folder.path)
    assert (found.ok, found.records) == (True, 3)
    said = [p.message for p in found.problems]
    assert said == ([f"the wall clock was set {way} before record 2"] if way else [])
