"""What a record says besides what was done: the runbook's revision, who was there and how that is known, clocks, findings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.session.world import Drive, World, runbook, step

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.report.data import Report
from handrail.session import people
from handrail.session.afterwards import write_note
from handrail.session.anchors import ask_hosts, compared
from handrail.session.asking import NOTHING
from handrail.session.recorded import replayed
from handrail.session.reports import report_of
from handrail.session.revision import revision_of
from handrail.session.snapshots import still
from handrail.store.audit import audit
from handrail.store.run_folder import RunFolder

BOOK = runbook(step('on = "dr"\nrun = ["uname"]', head="reads = true"))


def told(folder: RunFolder) -> Report:
    run = replayed(folder)
    return report_of(folder, still(run, 1, run.state.at, run.info.started))


async def over(world: World) -> tuple[Drive, RunFolder]:
    drive = world.open(BOOK)
    await drive.go_all()
    await drive.leave()
    return drive, RunFolder.open(world.home, drive.run)


def git(place: Path, *words: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ["-c", "user.name=ana", "-c", "user.email=ana@example.test"]
    return subprocess.run(["git", *who, *words], cwd=place, env=env, check=True, capture_output=True, text=True).stdout


async def test_the_record_says_who_opened_it_how_that_is_known_and_what_the_clocks_were(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_OPERATOR", "ana")
    _, folder = await over(world)
    report = told(folder)
    assert report.epochs[0].by == "ana"
    assert report.epochs[0].known.startswith("named by HANDRAIL_OPERATOR, user ")
    assert {clock.name for clock in report.clocks} == {"dr"}
    assert all(abs(clock.offset) <= clock.within + 0.1 and clock.within < 30.0 for clock in report.clocks)
    assert report.scope
    assert report.revision == ""
    assert report.restored is None or report.restored >= report.started


def test_how_a_person_is_known_is_never_more_than_what_there_was() -> None:
    who = people.known_as({})
    assert who == f"user {who.split()[1]} (uid {os.getuid()})"
    assert people.known_as({"SUDO_USER": "ana", "SUDO_UID": "1000"}).startswith("by sudo from ana (uid 1000), user ")
    assert people.known_as({"SSH_CONNECTION": "10.0.0.5 50000 10.0.0.1 22"}).endswith("over ssh from 10.0.0.5")
    assert "\x1b" not in people.known_as({"SUDO_USER": "a\x1b[2Jb"})


def test_a_revision_is_the_commit_and_whether_the_file_differs(tmp_path: Path) -> None:
    book = tmp_path / "book.toml"
    book.write_text("format = 1\n")
    assert revision_of(book) == ""
    git(tmp_path, "init", "-q")
    assert revision_of(book) == ""
    git(tmp_path, "add", "book.toml")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert revision_of(book) == commit
    book.write_text("format = 1 # other\n")
    assert revision_of(book) == f"{commit}, changed since"
    (tmp_path / "new.toml").write_text("")
    assert revision_of(tmp_path / "new.toml") == ""
    assert revision_of(tmp_path / "nowhere" / "x.toml") == ""


async def test_a_finding_is_kept_when_the_run_is_over_and_no_host_is_asked(world: World) -> None:
    drive, folder = await over(world)
    world.drives.clear()  # the record goes on without that console
    before, jobs = told(folder), world["dr"].jobs
    await world.off("dr")
    write_note(folder, m.Note("the pager was silent", owner="tom", due="2026-12-01"))
    write_note(folder, m.Note("see you", next_test="2027-02-01"))
    after = told(folder)
    assert [(f.text, f.owner, f.due) for f in after.findings] == [("the pager was silent", "tom", "2026-12-01")]
    assert after.next_test == "2027-02-01"
    assert (after.outcome, after.ended, after.took) == (before.outcome, before.ended, before.took)
    assert audit(folder.path).ok
    assert world["dr"].jobs == jobs
    assert "the pager was silent" in (folder.path / "report.md").read_text()
    assert drive.events("note_made")


async def test_a_run_that_somebody_drives_takes_no_note_from_the_side(world: World) -> None:
    drive = world.open(BOOK)
    with pytest.raises(Trouble, match="is driven by"):
        write_note(RunFolder.open(world.home, drive.run), m.Note("no"))
    await drive.leave()


async def test_another_estate_file_than_the_run_s_is_damage(world: World) -> None:
    _, folder = await over(world)
    (folder.path / "estate.toml").write_bytes(folder.estate() + b"\n")
    found = audit(folder.path)
    assert [p.code for p in found.problems] == ["audit-estate"]
    assert not found.ok


async def test_a_host_that_holds_the_claim_knows_a_record_of_the_journal(world: World) -> None:
    change = step('on = "dr"\nrun = ["touch", "made"]\nundo = { run = ["rm", "-f", "made"] }\n')
    last = step('on = "dr"\nrun = ["false"]', stage="last", head="reads = true")
    drive = world.open(runbook(change + last))
    await drive.go_all()
    await drive.leave()
    folder = RunFolder.open(world.home, drive.run)
    told, wrong = await ask_hosts(folder, NOTHING)
    assert wrong == []
    assert "dr: match (record " in told
    records = replayed(folder).records
    assert compared({"journal": [3, records[2].h]}, records) == "match (record 3)"
    for strange in ({"journal": [3, "0" * 64]}, {"journal": [len(records) + 1, records[-1].h]}):
        assert compared(strange, records).startswith("NO MATCH")
    assert compared({}, records) == "nothing was written down there"
    await world.off("dr")
    told, wrong = await ask_hosts(folder, NOTHING)
    assert "dr: could not be asked" in told
    assert wrong == []
