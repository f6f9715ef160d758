"""runs, runs prune and runs export: what is kept, what may go, and what an archive holds."""

from __future__ import annotations

import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli_record.conftest import Run
from tests.cli_record.records import Tale, closed, finished, held, make_run, names, owing

from handrail.base.clock import SystemClock
from handrail.store.audit import audit
from handrail.store.home import Home
from handrail.store.lock import acquire

LONG_AGO = timedelta(days=90)


def test_runs_are_listed_newest_first(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa")
    make_run(home, "20261123-0200-bbbbbb", mode="DRILL", tale=held)
    lines = handrail("runs").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["20261123-0200-bbbbbb", "held", "DRILL"],
        ["20261123-0100-aaaaaa", "done", "LIVE"],
    ]


def test_runs_as_json(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa", tale=owing)
    lock = acquire(folder.path, "ana", SystemClock())
    (made,) = json.loads(handrail("runs", "--json").out)
    lock.release()
    assert {k: made[k] for k in ("run", "mode", "runbook", "estate", "outcome", "driven")} == {
        "run": "20261123-0100-aaaaaa",
        "mode": "LIVE",
        "runbook": "tiny",
        "estate": "production",
        "outcome": "done",
        "driven": True,
    }
    assert made["owed"] == ["undo 2.1 Mask the old one on primary"]
    assert made["holder"].startswith("ana")
    assert json.loads(handrail("runs", "--json").out)[0]["driven"] is False


@pytest.mark.parametrize(
    ("mode", "tale", "goes"),
    [
        ("LIVE", finished, True),
        ("LIVE", closed, True),
        ("LIVE", held, False),
        ("LIVE", owing, False),
        ("REHEARSAL", held, False),
        ("DRILL", held, True),
        ("DRILL", finished, True),
        ("CHECK", held, True),
    ],
)
def test_prune_keeps_what_is_needed(home: Home, handrail: Run, mode: str, tale: Tale, goes: bool) -> None:
    folder = make_run(home, "20260823-0100-aaaaaa", mode, tale, LONG_AGO)
    said = handrail("runs", "prune", "--older-than", "30d", "--yes")
    assert said.code == 0
    assert folder.path.exists() is not goes
    assert ("pruned 1" in said.out) is goes
    assert ("kept 20260823-0100-aaaaaa" in said.err) is not goes


def test_prune_takes_a_drill_whose_estate_is_gone_already(home: Home, handrail: Run, tmp_path: Path) -> None:
    folder = make_run(home, "20260823-0100-aaaaaa", "DRILL", held, LONG_AGO, sim_dir=str(tmp_path / "gone"))
    assert "pruned 1" in handrail("runs", "prune", "--older-than", "30d", "--yes").out
    assert not folder.path.exists()


def test_prune_keeps_the_young_and_the_driven(home: Home, handrail: Run) -> None:
    young = make_run(home, "20261123-0100-aaaaaa")
    driven = make_run(home, "20260823-0100-bbbbbb", ago=LONG_AGO)
    lock = acquire(driven.path, "ana", SystemClock())
    said = handrail("runs", "prune", "--older-than", "30d", "--yes")
    lock.release()
    assert "nothing to prune" in said.out
    assert "drives it" in said.err
    assert names(home.runs) == sorted([young.run_id, driven.run_id])


def test_prune_does_not_go_on_unasked(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20260823-0100-aaaaaa", ago=LONG_AGO)
    said = handrail("runs", "prune", "--older-than", "30d")
    assert said.code == 2
    assert "--yes" in said.err
    assert folder.path.exists()
    assert handrail("runs", "prune", "--older-than", "soon", "--yes").code == 2


def test_export_holds_the_record_and_passes_its_audit(home: Home, handrail: Run, tmp_path: Path) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa", mode="DRILL")
    acquire(folder.path, "ana", SystemClock()).release()
    (folder.path / "report.md").symlink_to("/etc/passwd")
    said = handrail("runs", "export", "20261123", str(tmp_path))
    place = tmp_path / "handrail-DRILL-tiny-20261123-0100-aaaaaa.tar.gz"
    assert said.code == 0
    assert str(place) in said.out
    assert place.stat().st_mode & 0o777 == 0o600
    with tarfile.open(place) as archive:
        found = {m.name for m in archive.getmembers()}
        assert all(m.isfile() and m.name.startswith("20261123-0100-aaaaaa/") for m in archive.getmembers())
        archive.extractall(tmp_path / "there")
    inside = {name.split("/", 1)[1] for name in found}
    assert {"journal.jsonl", "head", "runbook.toml", "estate.toml", "inputs.json"} <= inside
    assert {"report.md", "report.json", "report.html"} <= inside
    assert "lock" not in inside
    there = tmp_path / "there" / "20261123-0100-aaaaaa"
    assert audit(there).ok
    assert audit(there).head == audit(folder.path).head
    assert (there / "report.md").read_text().startswith("# DRILL report")


def test_export_never_writes_over_a_file(home: Home, handrail: Run, tmp_path: Path) -> None:
    make_run(home, "20261123-0100-aaaaaa")
    (tmp_path / "x.tar.gz").write_text("mine")
    said = handrail("runs", "export", "20261123", str(tmp_path / "x.tar.gz"))
    assert said.code == 2
    assert "cannot be written" in said.err
    assert (tmp_path / "x.tar.gz").read_text() == "mine"
