"""status, report and audit on the command line, over real journals."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli_record.conftest import Run
from tests.cli_record.records import append_newer, closed, held, make_longer, make_run, owing, spoil
from tests.report.tales import read_html

from handrail.store.home import Home
from handrail.store.run_folder import RunFolder


def test_without_runs_they_say_what_to_do(home: Home, handrail: Run) -> None:
    for command in ("status", "report", "audit"):
        said = handrail(command)
        assert (said.code, said.out) == (2, "")
        assert "there is no run yet" in said.err
    said = handrail("runs")
    assert (said.code, said.out) == (0, "")
    assert "handrail drill" in said.err
    assert not home.path.exists()


def test_a_wrong_name_gets_a_suggestion(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa")
    said = handrail("report", "20261123-0100-aaaaab")
    assert said.code == 2
    assert "did you mean 20261123-0100-aaaaaa?" in said.err


def test_status_is_one_sentence_and_what_is_owed(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa", tale=held)
    said = handrail("status")
    assert said.code == 0
    assert said.out.startswith("LIVE production, tiny, ")
    assert "3.1 Who answers FAILED" in said.out
    assert said.out.count("\n") == 1
    make_run(home, "20261123-0200-bbbbbb", tale=owing)
    said = handrail("status")
    assert "owed: undo 2.1 Mask the old one on primary (dark)" in said.out.splitlines()[1]


def test_report_is_markdown_unless_asked(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa")
    said = handrail("report")
    assert said.code == 0
    assert said.out.startswith("# LIVE report: tiny on production\n")
    assert "Done: every needed step passed" in said.out
    assert handrail("report", "20261123", "--format", "text").out.startswith("LIVE report: tiny on production\n")


def test_report_as_json_and_html(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa", mode="DRILL", tale=held, simulated="folders", shortened="all of it")
    made = json.loads(handrail("report", "--format", "json").out)
    assert (made["mode"], made["outcome"], made["estate"]["simulated"]) == ("DRILL", "held", "folders")
    assert [s["id"] for s in made["steps"]][-2:] == ["sync/mask", "look/who"]
    assert made["steps"][-1]["attempts"][0]["hosts"][0]["name"] == "puppet-dr"
    assert made["rto"] == {"target": 900.0, "actual": None, "met": None, "until": ""}
    page = read_html(handrail("report", "--format", "html").out)
    assert "DRILL. A drill on a simulated estate" in page.text


def test_report_into_a_file_and_into_a_folder(home: Home, handrail: Run, tmp_path: Path) -> None:
    make_run(home, "20261123-0100-aaaaaa", mode="DRILL")
    said = handrail("report", "--format", "json", "--out", str(tmp_path / "r.json"))
    assert said.out == ""
    assert json.loads((tmp_path / "r.json").read_text())["run"] == "20261123-0100-aaaaaa"
    said = handrail("report", "--format", "html", "--out", str(tmp_path))
    named = tmp_path / "handrail-DRILL-tiny-20261123-0100-aaaaaa.html"
    assert str(named) in said.err
    assert named.read_text().startswith("<!doctype html>")
    said = handrail("report", "--out", str(tmp_path / "no" / "r.md"))
    assert said.code == 2
    assert "cannot be written" in said.err


def test_report_of_a_damaged_journal_says_so(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    spoil(folder, 9)
    said = handrail("report")
    assert "THE RECORD IS NOT WHOLE" in said.out
    assert "record 9 of the journal was changed or lost" in said.out
    made = json.loads(handrail("report", "--format", "json").out)
    assert made["journal"]["records"] == 8
    assert made["outcome"] == "held"


def test_audit_of_an_honest_run(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    said = handrail("audit")
    count = folder.journal.read_bytes().count(b"\n")
    assert said.code == 0
    assert re.fullmatch(
        rf"ok: LIVE run 20261123-0100-aaaaaa, {count} records, head [0-9a-f]{{64}}, not signed\n", said.out
    )
    made = json.loads(handrail("report", "--format", "json").out)
    assert made["journal"]["head"] in said.out
    assert made["journal"]["records"] == count


@pytest.mark.parametrize("seq", [1, 5, 12])
def test_audit_names_the_damaged_record(home: Home, handrail: Run, seq: int) -> None:
    spoil(make_run(home, "20261123-0100-aaaaaa"), seq)
    said = handrail("audit", "20261123-0100")
    assert said.code == 1
    assert f"record {seq} of the journal was changed or lost" in said.out
    assert said.out.splitlines()[-1].startswith("NOT OK: ")


def test_audit_sees_runbook_and_output(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    next(folder.out.glob("*.log")).write_bytes(b"puppet-xx\n")
    (folder.path / "runbook.toml").write_bytes(b"# other\n" + folder.runbook())
    said = handrail("audit")
    assert said.code == 1
    assert "the run's copy of its runbook was changed" in said.out
    assert "was changed" in said.out.splitlines()[1]
    assert "out/look-who" in said.out


def test_a_run_that_cannot_be_read_is_audited_all_the_same(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    spoil(folder, 1)
    said = handrail("report")
    assert said.code == 2
    assert "look with: handrail audit 20261123-0100-aaaaaa" in said.err
    assert handrail("audit").code == 1
    said = handrail("runs")
    assert said.out == ""
    assert "20261123-0100-aaaaaa" in said.err


def test_closed_runs_say_why(home: Home, handrail: Run) -> None:
    make_run(home, "20261123-0100-aaaaaa", tale=closed)
    said = handrail("report")
    assert "| Closed because | nobody goes on |" in said.out
    assert "| Not run |" not in said.out


def test_a_journal_of_another_runbook_ends_in_a_sentence(home: Home, handrail: Run) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    text = folder.runbook().replace(b'id = "mask"', b'id = "veil"')
    (folder.path / "runbook.toml").write_bytes(text)
    for command in ("status", "report"):
        said = handrail(command)
        assert (said.code, said.out) == (2, "")
        assert "not of the runbook that lies beside it" in said.err
    assert handrail("audit").code == 1


# ------------------------------------------------------------------ a record that is not whole


def drop_the_tail(folder: RunFolder, keep: int) -> None:
    """Restore the journal as it was some records ago."""
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join(lines[:keep]))


WHOLE = re.compile(r"\b(done|undone|all steps are done|every needed step passed|in time)\b", re.IGNORECASE)


@pytest.mark.parametrize("how", ["changed", "cut", "newer"])
@pytest.mark.parametrize(
    "words", [("status",), ("report",), ("report", "--format", "text"), ("runs",), ("runs", "--json"), ()]
)
def test_every_surface_says_which_record_is_damaged_and_none_says_done(
    home: Home, handrail: Run, words: tuple[str, ...], how: str
) -> None:
    folder = make_run(home, "20261123-0100-aaaaaa")
    records = len(folder.journal.read_bytes().splitlines())
    if how == "changed":
        make_longer(folder)
        spoil(folder, records + 2)
        which = f"record {records + 2} of the journal was changed or lost"
    elif how == "cut":
        make_longer(folder)
        drop_the_tail(folder, records)
        which = f"the journal ends at record {records}, but record {records + 3} was once on this disk"
    else:
        append_newer(folder)
        which = "the journal was written by a newer Handrail"
    said = handrail(*words)
    assert said.code == 0
    assert which in said.out, said.out
    assert "NOT WHOLE" in said.out or "damage" in said.out
    lines = [line for line in said.out.splitlines() if "never drilled" not in line and "| passed |" not in line]
    claims = [line for line in lines if WHOLE.search(line) and "not known" not in line.lower()]
    assert claims == []
    assert handrail("audit").code == 1


def test_a_run_of_which_nothing_can_be_read_is_on_every_list(home: Home, handrail: Run) -> None:
    spoil(make_run(home, "20261123-0100-aaaaaa"), 1)
    for words, where in ((("runs",), "err"), ((), "out")):
        assert "20261123-0100-aaaaaa: record 1 of the journal was changed or lost" in getattr(handrail(*words), where)
