"""Closing on the command line a run whose simulated estate is gone: it closes, and says what stays changed and owed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli_record.conftest import Run
from tests.cli_record.records import Tale, held, make_run, owing
from tests.engine.rig import Rig

from handrail.engine import due as acts
from handrail.engine import messages as m
from handrail.store.audit import audit
from handrail.store.home import Home

RUN = "20261123-0100-aaaaaa"


def crashed(rig: Rig) -> None:
    """Let the console die while a step runs: nobody has left the run."""
    rig.stage()
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform) and act.step == "sync/mask")


@pytest.mark.parametrize(
    ("tale", "stays"),
    [(held, "2.1 Mask the old one ("), (owing, "2.1 Mask the old one ("), (crashed, "2.1 Mask the old one (")],
)
def test_a_drill_whose_estate_is_gone_is_closed(
    home: Home, handrail: Run, tmp_path: Path, tale: Tale, stays: str
) -> None:
    folder = make_run(home, RUN, mode="DRILL", tale=tale, sim_dir=str(tmp_path / "gone"))
    assert "is gone" in handrail("resume").err
    said = handrail("close", "--reason", "over and out")
    assert said.code == 8, said.err
    assert "is closed, unfinished" in said.out
    assert f"Stays changed: {stays}" in said.out
    assert "gone with it" in said.out
    assert ("Owed: undo 2.1 Mask the old one on primary (dark)" in said.out) is (tale is owing)
    assert audit(folder.path).ok
    made = json.loads(handrail("report", "--format", "json").out)
    assert (made["outcome"], made["closed"]) == ("closed", "over and out")
    assert "closed" in handrail("runs").out
    again = handrail("close", "--reason", "once more")
    assert (again.code, "was closed" in again.err) == (6, True), again.err


def test_closing_without_a_reason_changes_nothing(home: Home, handrail: Run, tmp_path: Path) -> None:
    folder = make_run(home, RUN, mode="DRILL", tale=held, sim_dir=str(tmp_path / "gone"))
    before = folder.journal.read_bytes()
    assert handrail("close", "--reason", " ").code != 8
    assert folder.journal.read_bytes() == before
