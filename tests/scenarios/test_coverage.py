"""Coverage: folded from journals, at the digest the runbook has now, and nothing counts that was not really done."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.runbooks.bed import RUNBOOKS

from handrail.base.clock import SystemClock
from handrail.cli.covered import coverage_lines
from handrail.runbook.document import digest
from handrail.runbook.read import read_runbook
from handrail.session.bookcards import changed_since, runbook_card
from handrail.session.coverage import as_json, coverage, done_by
from handrail.session.coverage import kept as drilled
from handrail.session.people import operator
from handrail.store.drills import Drill, add_drill
from handrail.store.home import Home
from handrail.store.journal import Journal, read_run
from handrail.store.run_folder import RunFolder
from handrail.store.training import Practised, keep

SMALL = """
format = 1
[runbook]
id = "small"
title = "A small one"
roles = { dr = "one" }
[[stage]]
id = "s"
title = "S"
[[stage.step]]
id = "x"
title = "X"
on = "dr"
run = ["COMMAND"]
undo = { run = ["true"] }
"""
SECOND = SMALL[SMALL.index("[[stage]]") :].replace('"s"', '"t"').replace('"x"', '"y"').replace('"X"', '"Y"')

FILE = RUNBOOKS / "puppet-failover.toml"
RUNBOOK = read_runbook(FILE)
DIGEST = digest(FILE.read_bytes())


def ended(step: str, verdict: str = "passed", how: str = "ran") -> tuple[str, dict[str, Any]]:
    body = {"at": 1.0, "step": step, "attempt": 1, "way": "forward", "verdict": verdict}
    return "attempt_ended", body if how == "ran" else {**body, "how": how}


def undone(step: str, how: str = "ran") -> tuple[str, dict[str, Any]]:
    return "step_undone", {"at": 2.0, "step": step} | ({} if how == "ran" else {"how": how})


def kept(
    home: Home, run: str, *records: tuple[str, dict[str, Any]], mode: str = "DRILL", mark: str = DIGEST
) -> RunFolder:
    folder = RunFolder.create(home, run, runbook=b"", inputs={}, estate=b"")
    journal = Journal.create(folder.path, SystemClock(), "maria", 1)
    opened = {"at": 0.0, "run": run, "mode": mode, "route": "planned", "operator": "maria", "host": "h", "runbook": "x"}
    journal.append("run_opened", {**opened, "digest": mark, "estate": "e", "tool": "0", "scenario": "unannounced"})
    for name, body in records:
        journal.append(name, body)
    journal.append("scenario_told", {"at": 3.0, "name": "dr-disk-full", "title": "t"})
    journal.close()
    return folder


def test_what_was_done_and_undone_counts_with_its_scenario(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    kept(home, "r1", ended("copy/timer"), ended("copy/mask"), undone("copy/mask"))
    made = coverage(home, RUNBOOK, DIGEST)
    steps = {step.step: step for step in made.steps}
    assert (made.runs, made.forward, made.back) == (1, 2, 1)
    mask = steps["copy/mask"]
    assert mask.back is not None
    assert (mask.back.by, mask.back.run, mask.back.scenario) == ("maria", "r1", "dr-disk-full")
    assert steps["copy/timer"].forward is not None
    assert steps["copy/timer"].back is None
    assert as_json(made)["undo"] == 1
    lines = list(coverage_lines(made))
    assert any("maria, dr-disk-full" in line for line in lines)
    assert "never undone at this digest" in lines[-1]


def test_nothing_counts_that_was_said_by_hand_or_was_so_already_or_failed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    kept(
        home,
        "r1",
        ended("copy/timer", how="by hand"),
        ended("copy/hold", "failed"),
        ended("copy/mask", how="already so"),
    )
    kept(home, "r2", undone("copy/timer", how="by hand"))
    made = coverage(home, RUNBOOK, DIGEST)
    assert (made.runs, made.forward, made.back) == (2, 0, 0)


def test_only_drills_of_this_very_file_count(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    kept(home, "r1", ended("copy/timer"), mode="LIVE")
    kept(home, "r2", ended("copy/timer"), mark="0" * 64)
    assert coverage(home, RUNBOOK, DIGEST).runs == 0


def test_a_record_that_is_not_whole_proves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    folder = kept(home, "r1", ended("copy/timer"))
    folder.journal.write_bytes(folder.journal.read_bytes().replace(b"copy/timer", b"copy/tmier"))
    made = coverage(home, RUNBOOK, DIGEST)
    assert (made.runs, made.forward, made.unreadable) == (0, 0, ("r1",))


def test_what_a_summary_keeps_is_what_the_journal_says_and_an_old_one_is_not_believed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    folder = kept(home, "r1", ended("copy/timer"), ended("copy/mask"), undone("copy/mask"))
    asked = as_json(coverage(home, RUNBOOK, DIGEST))
    records = read_run(folder.path).records
    done = done_by(records, "r1")
    folder.write_summary(records[-1].h, {"drilled": drilled(done)})
    assert as_json(coverage(home, RUNBOOK, DIGEST)) == asked
    empty: dict[str, object] = {"drilled": {"forward": {}, "back": {}}}
    folder.write_summary(records[-1].h, empty)
    assert coverage(home, RUNBOOK, DIGEST).forward == 0, "it is what was read"
    folder.write_summary(records[-2].h, empty)
    assert as_json(coverage(home, RUNBOOK, DIGEST)) == asked
    folder.write_summary(records[-1].h, {"drilled": {"forward": {"copy/timer": {"who": "x"}}}})
    assert as_json(coverage(home, RUNBOOK, DIGEST)) == asked


def test_home_says_what_was_never_undone_and_what_changed_since(tmp_path: Path) -> None:
    home, path = Home(tmp_path / "home").make(), tmp_path / "small.toml"
    before = SMALL.replace("COMMAND", "true")
    folder = RunFolder.create(home, "r1", runbook=before.encode(), inputs={}, estate=b"")
    mark = digest(before.encode())
    add_drill(
        home, Drill(mark, "small", "2026-11-20T10:00:00.000Z", "maria", "done", run="r1", restored=61.0, took=80.0)
    )
    path.write_text(before)
    card = runbook_card(home, path)
    assert (card.changed, card.restored, card.took, card.undo_never) == ((), 61.0, 80.0, ("1.1 X",))
    assert changed_since(home, card) == ("nothing is different since the last drill, by maria",)
    path.write_text(SMALL.replace("COMMAND", "false") + SECOND)
    card = runbook_card(home, path)
    assert card.changed == ("changed: 1.1 X (run)", "new: 2.1 Y")
    told = changed_since(home, card)
    assert told[:2] == card.changed
    assert '-run = ["true"]' in told
    assert '+run = ["false"]' in told
    path.write_text("# a word\n" + before)
    assert runbook_card(home, path).changed == ("the file changed, and none of its steps did",)
    shutil.rmtree(folder.path)
    assert "nobody can say how" in runbook_card(home, path).changed[0]


def test_home_says_who_is_due(tmp_path: Path) -> None:
    home, path = Home(tmp_path / "home").make(), tmp_path / "small.toml"
    path.write_text(SMALL.replace("COMMAND", "true"))
    for who, due in (("ana", "2026-01-01"), ("bob", "2999-01-01"), (operator(), "2998-02-03")):
        keep(home, who, Practised("small", "2025-12-25T10:00:00.000Z", "titles", "done", due, 7))
    card = runbook_card(home, path)
    assert card.people_due == ("ana",)
    assert card.due is not None
    assert card.due.date().isoformat() == "2998-02-03"
