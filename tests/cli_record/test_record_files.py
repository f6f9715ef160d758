"""The reports that a console leaves in the run's folder when it goes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.cli_record.records import Tale, closed, finished, held, make_run

from handrail.session.farewell import say_farewell
from handrail.session.recorded import replayed
from handrail.session.reports import write_reports
from handrail.session.snapshots import still
from handrail.session.view import Snapshot
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder

WRITTEN = ("report.md", "report.json", "report.html")


def shown(folder: RunFolder) -> Snapshot:
    """Return a run as it is shown when its console goes."""
    run = replayed(folder)
    return still(run, 1, run.state.at, datetime.now(UTC))


@pytest.mark.parametrize("mode", ["LIVE", "REHEARSAL", "CHECK", "DRILL"])
@pytest.mark.parametrize(("tale", "outcome"), [(finished, "done"), (held, "held"), (closed, "closed")])
async def test_every_run_leaves_its_reports(home: Home, mode: str, tale: Tale, outcome: str) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa", mode, tale)
    view = shown(folder)
    await say_farewell(home, folder, view)
    made = json.loads((folder.path / "report.json").read_text())
    assert made["mode"] == mode
    # a check ends before the first step that changes something: nothing in it fails here
    assert made["outcome"] == ("done" if (mode, outcome) == ("CHECK", "held") else outcome)
    assert (folder.path / "report.md").read_text().startswith(f"# {mode} report")
    assert f"<title>{mode} report" in (folder.path / "report.html").read_text()
    assert all((folder.path / name).stat().st_mode & 0o777 == 0o600 for name in WRITTEN)


async def test_a_console_that_may_not_write_any_more_leaves_none(home: Home) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    await say_farewell(home, folder, replace(shown(folder), trouble="somebody else drives"))
    assert not any((folder.path / name).exists() for name in WRITTEN)


async def test_a_report_that_cannot_be_written_holds_nobody_up(home: Home) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    (folder.path / "report.md").mkdir()
    await say_farewell(home, folder, shown(folder))
    assert (folder.path / "report.md").is_dir()


def test_a_report_is_replaced_by_the_next(home: Home) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    (folder.path / "report.md").write_text("from before")
    made = write_reports(folder, shown(folder))
    assert [path.name for path in made] == list(WRITTEN)
    assert "from before" not in (folder.path / "report.md").read_text()
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]
